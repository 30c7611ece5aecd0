package main

import (
	"context"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"flowhq/routes"
	"flowhq/whatsapp/simulator"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// startDemo runs `flowhq demo`. Its simulator takes the root key of this process from the state it finds.
func startDemo(t *testing.T, data, listen string) *serving {
	t.Helper()
	return serveCommand(t, map[string]string{"LOG_FORMAT": "json"}, "demo", "--listen", listen, "--data", data)
}

func demoFolder(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	sim, err := simulator.Start(context.Background(), simulator.Options{RootSeed: rootSeed, StateFile: filepath.Join(data, "simulator.state")})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

const connectedRows = `[...document.querySelectorAll("#tenant-rows .c-session")].filter((e) => e.innerText.includes("Connected")).length`

// What a newcomer does in the first two minutes; then every page of a product that has lived a little is looked at.
func TestDemo(t *testing.T) {
	data := demoFolder(t)
	s := startDemo(t, data, "127.0.0.1:0")
	logins := regexp.MustCompile(`(\S+@flowhq\.example) +(\S+)\n`).FindAllStringSubmatch(s.out.String(), -1)
	if len(logins) != 4 {
		t.Fatalf("%d logins are printed, want the operator's and three owners': %s", len(logins), s.out)
	}
	browser := newBrowser(t)
	operator := newTab(t, browser)
	operator.open(s.url)
	operator.has(".ribbon", "Mfano: WhatsApp ya kuigiza")
	operator.click(`[aria-label*="Operator"]`) // fills in the form
	operator.click("main form .btn.primary")
	operator.has("h1", "Overview")
	operator.open(s.url + "/admin/tenants")
	operator.has("h1", "Tenants")
	operator.until(connectedRows + ` === 2`) // two of the samples link themselves while one looks on
	operator.shootBoth("1-tenants")
	owners := map[string]*tab{}
	for _, l := range logins {
		if l[1] == demoAdmin {
			continue
		}
		owner := newTab(t, browser)
		owner.signIn(s, l[1], l[2])
		owner.until(`location.pathname === "/portal" && !!document.querySelector("#portal-state")`)
		owners[l[1]] = owner
	}
	for _, b := range demoBusinesses() {
		operator.open(s.url + "/admin/tenants")
		operator.open(eval[string](operator, `[...document.querySelectorAll("a.row-link")].find((a) => a.textContent === `+quoted(b.tenant.Name)+`).href`))
		if len(b.story) > 0 {
			for _, line := range b.story {
				operator.has("#messages .msg.in", line.text)
			}
			operator.until(`document.querySelectorAll("#messages .msg.out .tick.read").length > 0`)
			operator.shootBoth("2-history-" + strings.Fields(b.tenant.Name)[0])
		}
	}

	// Afya Clinic is for the newcomer to link: on the phone, then at the operator's.
	phone, grace := newTab(t, browser), routes.DemoCustomers()[4]
	phone.open(s.url + "/demo/phone")
	choose := func(heading, name string) {
		t.Helper()
		phone.open(eval[string](phone, `[...document.querySelectorAll("section[aria-labelledby=`+heading+`] .pick a")].find((a) => a.innerText.includes(`+quoted(name)+`)).href`))
	}
	choose("biz-h", "Afya Clinic")
	phone.width(390)
	choose("cust-h", grace.Name)
	phone.until(`[...document.querySelectorAll(".pick [aria-current=true]")].filter((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; }).length === 2`)
	phone.shoot("3-phone-chosen-390")
	phone.width(desk)
	phone.has(".pick [aria-current=true]", "Not connected")
	phone.shootBoth("3-phone")
	phone.stay()
	operator.click("#btn-start")
	operator.click("#btn-demo-scan")
	operator.has("#state-panel", "Connected")
	operator.shoot("4-scanned")

	phone.until(`window.streamOpen === true`)
	phone.until(`document.querySelector(".pick [aria-current=true] .state")?.innerText === "Connected"`)
	// Whoever looks sees the dots before the answer, and none after it.
	eval[int](phone, `new MutationObserver(() => {
		const dots = document.querySelector("#typing"), answered = !!document.querySelector("#chat .pb.theirs");
		if (!dots.hidden && !answered) window.typedBefore = dots.innerText;
	}).observe(document.querySelector(".phone"), {childList: true, subtree: true}), 1`)
	phone.fill("#phone-text", "Nina tatizo")
	phone.do(chromedp.KeyEvent(kb.Enter))
	phone.has("#chat .pb.mine", "Nina tatizo")
	phone.until(`document.querySelectorAll("#chat .pb.theirs").length >= 1`)
	if typed := eval[string](phone, `window.typedBefore || ""`); !strings.Contains(typed, "Afya Clinic is typing") {
		t.Errorf("before the answer the phone showed %q, want that the business is typing", typed)
	}
	phone.until(`!!document.querySelector("#chat .pb.mine .tick.read")`)
	phone.until(`document.querySelector("#typing").hidden`)
	phone.same("the chat")
	phone.shootBoth("5-chat")
	operator.has("#messages .msg.in", "Nina tatizo")
	operator.until(`!!document.querySelector("#messages .msg.out .tick.read")`)
	for _, b := range []*tab{operator, phone} {
		b.quiet("the demo")
	}

	everyPage(t, s, operator, owners["zawadi@flowhq.example"], owners["hassan@flowhq.example"], phone)

	// The next start finds all as it was: three links, no second scan.
	clinic := eval[string](operator, `[...document.querySelectorAll("a.row-link")].find((a) => a.textContent === "Afya Clinic Desk").pathname`)
	s.stop()
	s = startDemo(t, data, "127.0.0.1:0")
	operator, phone = newTab(t, browser), newTab(t, browser)
	operator.signIn(s, demoAdmin, demoPassword)
	operator.open(s.url + "/admin/tenants")
	operator.until(connectedRows + ` === 3`)
	operator.open(s.url + clinic)
	if n := eval[int](operator, `[...document.querySelectorAll("#events .event")].filter((e) => e.innerText.includes("Number linked")).length`); n != 1 {
		t.Errorf("the clinic was linked %d times", n)
	}
	phone.open(s.url + "/demo/phone")
	choose("biz-h", "Afya Clinic")
	choose("cust-h", grace.Name)
	phone.has("#chat .pb.mine", "Nina tatizo") // from before the restart
	before := eval[int](phone, `document.querySelectorAll("#chat .pb.theirs").length`)
	phone.until(`window.streamOpen === true`)
	phone.fill("#phone-text", "menu")
	phone.do(chromedp.KeyEvent(kb.Enter))
	phone.until(`document.querySelectorAll("#chat .pb.theirs").length > ` + strconv.Itoa(before))
	phone.shoot("6-restarted")
	operator.quiet("the demo after a restart")
	phone.quiet("the virtual phone after a restart")
}

// everyPage looks at each page of the product as each kind of person: axe, both widths, light and dark, console, layout shifts.
func everyPage(t *testing.T, s *serving, operator, swahili, english, nobody *tab) {
	operator.open(s.url + "/admin/tenants")
	tenant := eval[string](operator, `document.querySelector("a.row-link").pathname`)
	for _, of := range []struct {
		name  string
		tab   *tab
		pages []string
	}{
		{"anonymous", nobody, []string{"/login", "/login?out=1", "/demo/phone", "/setup/none", "/invite/none", "/nothing-here"}},
		{"admin", operator, []string{"/admin", "/admin?days=7", "/admin/tenants?q=nobody-is-called-so", tenant, "/admin/keys", "/admin/account", "/admin/jobs", "/logout-everywhere", "/admin/nothing-here", "/demo/phone", "/admin/tenants"}},
		{"owner", english, []string{"/portal", "/portal/messages", "/portal/events", "/portal/account", "/logout-everywhere", "/admin"}},
		{"owner-sw", swahili, []string{"/portal", "/portal/messages", "/portal/events", "/portal/account", "/logout-everywhere", "/portal/nothing-here"}},
	} {
		of.tab.expect("status of 4") // the pages for what is not there, or not for them
		for _, path := range of.pages {
			name := of.name + " " + path
			for _, width := range []int64{phone, desk} {
				of.tab.width(width)
				of.tab.open(s.url + path)
				of.tab.until(`document.body.innerText.trim() !== "" && (!document.querySelector("#live") || window.streamSaid === true)`) // the job dashboard draws itself
				shifted := eval[float64](of.tab, `document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.shifted)))))`)
				if shifted >= 0.1 {
					t.Errorf("%s at %d px: what is on the page moves by %.3f after it was shown", name, width, shifted)
				}
				of.tab.shoot("page-" + strings.NewReplacer("/", "-", "?", "-", tenant, "-tenant").Replace(of.name+path) + map[int64]string{phone: "-390", desk: ""}[width])
			}
			var except []string
			if path == "/admin/jobs" {
				except = []string{"label-content-name-mismatch"} // River's own menu button
			}
			of.tab.sound(name, except...)
			of.tab.quiet(name)
		}
	}
}
