package templates_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"flowhq/routes"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser starts a tab at 1280 x 860 that ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	ctx, end := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(chromedp.NoSandbox, chromedp.DisableGPU))
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 860)); err != nil {
		t.Fatalf("Chromium is needed for this test: %v", err)
	}
	still := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, still); err != nil {
		t.Fatal(err)
	}
	return ctx
}

func do(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition in the page, and says which one never came.
func until(ctx context.Context, t *testing.T, condition string) {
	t.Helper()
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Run(short, chromedp.Poll[bool](condition)); err != nil {
		now := eval[string](ctx, t, `document.activeElement.outerHTML.slice(0, 200) + " " + [...document.querySelectorAll("dialog[open]")].map((d) => d.id)`)
		t.Fatalf("%s never became true (%v); the focus is on %s", condition, err, now)
	}
}

// look keeps a picture in FLOWHQ_SHOTS and lets axe see the page as it is now.
func look(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	shoot(ctx, t, "do-"+name)
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	eval[int](ctx, t, string(axe)+";1")
	if bad := eval[string](ctx, t, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id + ": " + v.nodes[0].html).join("; "))`); bad != "" {
		t.Errorf("%s: %s", name, bad)
	}
}

func TestLiveUpdates(t *testing.T) {
	server := httptest.NewServer(handler(t))
	defer server.Close()
	defer server.CloseClientConnections()
	ctx := browser(t)
	do(ctx, t, chromedp.Navigate(server.URL+"/live"))
	until(ctx, t, `!!document.querySelector("#link-panel img.qr")`) // the last event
	for condition, what := range map[string]string{
		`document.querySelectorAll("#msg-m9999").length === 1`:                                                                      "the same message twice is one row",
		`document.querySelector("#messages > li").id === "msg-m9999"`:                                                               "a new message is on top",
		`document.querySelector("#msg-m0000-late").previousElementSibling.id === "msg-m0022"`:                                       "a late message stands where its time is",
		`!!document.querySelector("#msg-m0024 .tick.read") && document.querySelector("#msg-m0024").previousElementSibling !== null`: "a tick changes in place",
		`document.querySelector("#events > li").id === "event-e9999"`:                                                               "a new event is on top",
		`document.querySelector("#state-panel").textContent.includes("Stopped")`:                                                    "the worker's state is replaced",
		`document.querySelector("#toasts .toast.warn p").textContent === "The worker stopped."`:                                     "a toast appears",
		`document.querySelector("#toasts").matches(":popover-open")`:                                                                "toasts are above everything",
		`/Time left 0:(1|20)/.test(document.querySelector("[data-left]").textContent)`:                                              "the remaining time is shown",
		`getComputedStyle(document.querySelector("#pair-form")).display !== "none"`:                                                 "linking by number is offered beside a QR",
	} {
		if !eval[bool](ctx, t, condition) {
			t.Errorf("not so: %s (%s)", what, condition)
		}
	}
	if !eval[bool](ctx, t, `document.querySelector("#send-text").disabled && document.querySelector("#send-text").placeholder === "The number is not connected"`) {
		t.Error("one can still write although the number is not connected any more")
	}
	look(ctx, t, "live")

	// What the pointer is on does not move; what somebody types into stays.
	push := func(html string) {
		t.Helper()
		eval[bool](ctx, t, fmt.Sprintf(`document.dispatchEvent(new CustomEvent("htmx:sseBeforeMessage", {cancelable: true, detail: {data: %q}}))`, html))
	}
	at := eval[[]float64](ctx, t, `(() => { const r = document.querySelector("#msg-m9999").getBoundingClientRect(); return [r.left + 20, r.top + 20] })()`)
	do(ctx, t, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	until(ctx, t, `document.querySelector("#messages").matches(":hover")`)
	push(`<li id="msg-held" class="msg in" data-into="messages" data-t="9999999999999">Held back</li>`)
	if !eval[bool](ctx, t, `!document.querySelector("#msg-held") && document.querySelector(".held").textContent === "1 new"`) {
		t.Error("a new row moved the list under the pointer")
	}
	do(ctx, t, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 5, 5))
	until(ctx, t, `document.querySelector("#messages > li").id === "msg-held" && !document.querySelector(".held")`)
	push(`<li id="msg-held" data-gone></li>`)
	if !eval[bool](ctx, t, `!document.querySelector("#msg-held")`) {
		t.Error("a row that is gone stays")
	}
	eval[int](ctx, t, `document.querySelector("#pair-form details").open = true, document.querySelector("#pair-phone").focus(), 1`)
	push(`<div id="pair-form" class="pair">replaced</div><div id="link-panel" class="link-panel" data-state="qr">renewed</div><p id="nowhere">dropped</p>`)
	if !eval[bool](ctx, t, `document.activeElement.id === "pair-phone" && document.querySelector("#link-panel").textContent === "renewed" && !document.querySelector("#nowhere")`) {
		t.Error("an update took away what somebody was typing")
	}
	do(ctx, t, chromedp.Click(chromedp.CSS("#btn-stop")))
	until(ctx, t, `document.querySelector("#confirm-stop").open`)
	look(ctx, t, "confirm-stop")
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	until(ctx, t, `!document.querySelector("#confirm-stop").open`)
	do(ctx, t, chromedp.Click(chromedp.CSS("#btn-stop")))
	until(ctx, t, `document.querySelector("#confirm-stop").open`)
	push(`<section id="state-panel"><button id="btn-stop" class="btn" data-open="confirm-stop">Stop</button></section>`)
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	until(ctx, t, `!document.querySelector("#confirm-stop").open && document.activeElement.id === "btn-stop"`) // renewed meanwhile
	do(ctx, t, chromedp.Click(chromedp.CSS("[data-open=settings]")))
	until(ctx, t, `document.querySelector("#settings").open`)
	look(ctx, t, "settings")
}

// A page whose stream is refused, as by a proxy while the server restarts, stays within seconds of being live again.
func TestRefusedStreamIsOpenedAgainSoon(t *testing.T) {
	const refusals = 12 // twice as long each time would be over an hour
	var asked atomic.Int32
	pages := handler(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream/tenant" && asked.Add(1) <= refusals {
			http.Error(w, "restarting", http.StatusBadGateway)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	ctx := browser(t)
	// Waits of up to 6.5 s pass in no time here; longer ones do not.
	fast := `const real = window.setTimeout; window.setTimeout = (f, ms, ...rest) => real(f, ms > 300 && ms < 6500 ? ms / 100 : ms, ...rest);`
	if _, err := chromedp.Call(ctx, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: fast}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.Navigate(server.URL+"/live"))
	until(ctx, t, `!!document.querySelector("#msg-m9999") && document.querySelector("#offline").hidden`)
	if n := eval[int](ctx, t, `document.querySelectorAll("#live").length`); n != 1 {
		t.Errorf("the page has %d streams", n)
	}
	if n := asked.Load(); n != refusals+1 {
		t.Errorf("the stream was asked for %d times, want %d", n, refusals+1)
	}
}

func TestKeysThemesAndForms(t *testing.T) {
	e := engine(t)
	posted := make(chan string, 1)
	mux := http.NewServeMux()
	mux.Handle("/", handler(t))
	mux.HandleFunc("GET /admin/tenants", func(w http.ResponseWriter, r *http.Request) { // the driver's "/" lands in the search box, too
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page := routes.TenantsPage{Page: page("Tenants", "tenants"), List: routes.TenantList{Filters: filters(""), Query: r.FormValue("q")}}
		if r.Header.Get("HX-Request") != "" {
			_, _ = w.Write([]byte(render(t, e, "fragments/tenant_list", page.List)))
			return
		}
		_, _ = w.Write([]byte(render(t, e, "admin/tenants", page)))
	})
	mux.HandleFunc("POST /admin/tenants", func(w http.ResponseWriter, r *http.Request) {
		form := routes.TenantForm{Name: r.PostFormValue("name"), Templates: routes.TemplateChoices(), Languages: routes.LanguageChoices(),
			Errors: routes.FieldErrors{"phone_number": "This is not a complete number."}}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("HX-Trigger", routes.ToastHeader(routes.Toast{Kind: "error", Text: "Nothing was created “yet” 😀."}))
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(render(t, e, "fragments/tenant_form", form)))
	})
	mux.HandleFunc("POST /admin/keys/{id}/revoke", func(w http.ResponseWriter, r *http.Request) {
		posted <- r.PathValue("id")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title":"Conflict","detail":"The key was revoked already."}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx := browser(t)
	do(ctx, t, chromedp.Navigate(server.URL+"/tenants"), chromedp.KeyEvent("/"))
	until(ctx, t, `document.activeElement.id === "q"`)
	eval[int](ctx, t, "document.activeElement.blur(), 1")
	do(ctx, t, chromedp.KeyEvent("?"))
	until(ctx, t, `document.querySelector("#shortcuts").open`)
	look(ctx, t, "shortcuts")
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	until(ctx, t, `!document.querySelector("#shortcuts").open`)
	do(ctx, t, chromedp.KeyEvent("n"))
	until(ctx, t, `document.querySelector("#new-tenant").open && document.activeElement.id === "tf-name"`)
	do(ctx, t, chromedp.SetValue(chromedp.CSS("#tf-name"), "Mama Lishe"), chromedp.Click(chromedp.CSS("#tenant-form [type=submit]")))
	until(ctx, t, `!!document.querySelector("#tf-phone-e") && !document.querySelector(".htmx-settling, .htmx-added")`)
	until(ctx, t, `document.activeElement.id === "tf-phone"`) // where something is wrong
	if got := eval[string](ctx, t, `document.querySelector("#tf-name").value`); got != "Mama Lishe" {
		t.Errorf("the typed name became %q", got)
	}
	if got := eval[string](ctx, t, `document.querySelector("#toasts .toast.error p").textContent`); got != "Nothing was created “yet” 😀." {
		t.Errorf("the toast says %q", got)
	}
	look(ctx, t, "new-tenant-422")
	do(ctx, t, chromedp.Click(chromedp.CSS("#new-tenant [data-close]")))
	until(ctx, t, `!document.querySelector("#new-tenant").open`)

	do(ctx, t, chromedp.Click(chromedp.CSS("[data-theme-set=dark]")), chromedp.Click(chromedp.CSS("[data-fold]")), chromedp.Reload())
	until(ctx, t, `document.documentElement.dataset.theme === "dark" && document.documentElement.dataset.sidebar === "folded"`)
	look(ctx, t, "folded-dark")

	do(ctx, t, chromedp.Navigate(server.URL+"/keys"), chromedp.Click(chromedp.CSS("#keys tbody tr:first-child button")))
	until(ctx, t, `document.querySelector("#confirm").open`)
	look(ctx, t, "confirm-revoke")
	do(ctx, t, chromedp.Click(chromedp.CSS("#confirm-ok")))
	select {
	case id := <-posted:
		if id != "1" {
			t.Errorf("key %s was revoked, want 1", id)
		}
	case <-ctx.Done():
		t.Fatal("confirming sent nothing")
	}
	until(ctx, t, `document.querySelector("#toasts .toast.error p")?.textContent === "The key was revoked already."`)

	do(ctx, t, chromedp.EmulateViewport(390, 844), chromedp.Navigate(server.URL+"/tenants"), chromedp.Click(chromedp.CSS("[data-sheet=open]")))
	until(ctx, t, `getComputedStyle(document.querySelector("#side")).visibility === "visible" && document.querySelector("#side").contains(document.activeElement)`)
	look(ctx, t, "sheet")
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	until(ctx, t, `getComputedStyle(document.querySelector("#side")).visibility === "hidden"`)
}
