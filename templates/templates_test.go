package templates_test

import (
	"bytes"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"flowhq/assets"
	"flowhq/routes"
	"flowhq/templates"

	"github.com/gofiber/template/html/v2"
)

// policy is the Content-Security-Policy the pages must live with.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func engine(t testing.TB) *html.Engine {
	t.Helper()
	e, err := templates.Engine(assets.URL)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func render(t testing.TB, e *html.Engine, template string, data any) string {
	t.Helper()
	var b bytes.Buffer
	if err := e.Render(&b, template, data); err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	return b.String()
}

var (
	inline = regexp.MustCompile(`(?i)<style|<[a-z][^>]*\s(?:style|on[a-z]+)=|<script(?:\s[^>]*)?>[^<]`)
	idAttr = regexp.MustCompile(`\sid="([^"]+)"`)
)

func TestEveryPageInEveryState(t *testing.T) {
	e := engine(t)
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			out := render(t, e, s.template, s.data)
			if !strings.HasSuffix(strings.TrimSpace(out), "</html>") {
				t.Error("the page does not end where it should")
			}
			for _, bad := range []string{"ZgotmplZ", "<no value>", "<script>alert", "<img src=x", "<b>Bold", "%!"} {
				if strings.Contains(out, bad) {
					t.Errorf("the page contains %q", bad)
				}
			}
			if m := inline.FindString(out); m != "" {
				t.Errorf("inline style or script, which the policy forbids: %q", m)
			}
			seen := map[string]bool{}
			for _, m := range idAttr.FindAllStringSubmatch(out, -1) {
				if seen[m[1]] {
					t.Errorf("id %q occurs twice", m[1])
				}
				seen[m[1]] = true
			}
		})
	}
}

// What a stream sends must be placeable: exactly the element ids the pages have.
func TestFragmentsStandAlone(t *testing.T) {
	e, now := engine(t), time.Now()
	p, overview := tenantPage(now), overviewPage(now, false)
	cases := []struct {
		template string
		data     any
		want     string
	}{
		{"fragments/state_panel", p.State, `<section id="state-panel"`},
		{"fragments/link_panel", p.Link, `<div id="link-panel"`},
		{"fragments/pair_form", p.Link.Pair, `<div id="pair-form"`},
		{"fragments/message", p.Messages.Rows[0], `<li id="msg-m0024"`},
		{"fragments/message_rows", p.Messages, `<li id="msg-m0024"`},
		{"fragments/event", p.Events.Rows[0], `<li id="event-e0005"`},
		{"fragments/event_rows", p.Events, `<li id="event-e0005"`},
		{"fragments/tenant_row", tenantRows(1, now)[0], `<tr id="tenant-0199a000-0000-7000-8000-000000000000"`},
		{"fragments/tenant_rows", routes.TenantList{Rows: tenantRows(1, now), MoreURL: "/x"}, `<tr id="tenant-`},
		{"fragments/tenant_list", routes.TenantList{}, `<div id="tenant-list"`},
		{"fragments/tenant_form", routes.TenantForm{}, `<form id="tenant-form"`},
		{"fragments/config_form", p.Config, `<form id="config-form"`},
		{"fragments/people", p.People, `<section id="people"`},
		{"fragments/delete_form", p.Delete, `<form id="delete-form"`},
		{"fragments/send_form", p.Send, `<form id="send-form"`},
		{"fragments/keys", routes.KeysPanel{}, `<div id="keys"`},
		{"fragments/password_form", routes.PasswordForm{}, `<form id="password-form"`},
		{"fragments/portal_state", routes.PortalState{}, `<section id="portal-state"`},
		{"fragments/phone_bubble", routes.PhoneBubble{ID: "1"}, `<li id="bubble-1"`},
		{"fragments/phone_typing", routes.PhoneTyping{Typing: true}, `<div id="typing"`},
		{"fragments/phone_form", routes.PhoneForm{}, `<form id="phone-form"`},
		{"fragments/setup_state", routes.SetupProgressOf("sw", "REJECTED"), `<section id="setup-state"`},
		{"fragments/setup_steps", routes.SetupProgressOf("sw", "ACTIVE"), `<ol id="setup-steps"`},
		{"fragments/setup_link", routes.SetupLink{}, `<section id="setup-link"`},
		{"fragments/colleagues", routes.ColleaguePanel{}, `<div id="colleagues"`},
		{"fragments/devices", routes.DeviceList{}, `<ul id="devices"`},
		{"fragments/email_form", routes.EmailForm{}, `<form id="email-form"`},
		{"fragments/request_row", routes.RequestRow{TenantID: "1"}, `<li id="request-1"`},
		{"fragments/requests", routes.RequestList{}, `<form id="requests"`},
		{"fragments/links", routes.LinksPanel{}, `<div id="links"`},
		{"fragments/data_list", dataList(now), `<div id="list"`},
		{"fragments/data_row", dataList(now).Rows[0], `<tr id="row-0199b000"`},
		{"fragments/data_count", routes.CountView{Text: "3"}, `<span id="list-count"`},
		{"fragments/overview_figures", overview.Overview, `<dl id="overview-figures"`},
		{"fragments/overview_troubles", overview.Overview, `<section id="overview-troubles"`},
		{"fragments/overview_tenants", overview.Overview, `<section id="overview-tenants"`},
		{"fragments/overview_nodes", overview.Overview, `<section id="overview-nodes"`},
		{"fragments/overview_series", overview.Overview, `<div id="overview-series"`},
		{"fragments/overview_hours", overview.Overview, `<tbody id="overview-hours"`},
		{"fragments/list_series", routes.ListSeries{}, `<div id="log-series"`},
		{"fragments/record", recordDrawer(now), `<div id="record-body"`},
		{"fragments/record_delete", routes.DeleteQuestion{}, `<form id="delete-question"`},
		{"partials/side_lists", sidebar("tenants"), `<div id="side-lists"`},
		{"fragments/test_form", routes.TestForm{}, `<form id="test-form"`},
		{"fragments/test_result", routes.TestResult{}, `<div id="test-result"`},
		{"fragments/bot_form", routes.BotForm{}, `<form id="bot-form"`},
		{"fragments/bot_field", routes.BotField{ID: "field-offers", Kind: "rows"}, `<div id="field-offers"`},
		{"fragments/bot_lines", routes.BotTry{}, `<div id="bot-said"`},
		{"fragments/bot_chat", routes.BotTry{}, `<form id="bot-chat"`},
		{"fragments/chat_row", chatList("sw", now).Rows[0], `<li id="chat-1" class="chat-row" data-into="chats"`},
		{"fragments/chat_gone", "1", `<li id="chat-1" data-gone`},
		{"fragments/chats_now", routes.ChatList{}, `<div id="chats-now"`},
		{"fragments/inbox_badge", routes.Handoffs{Lang: "sw"}, `<span id="inbox-badge"`},
		{"fragments/thread_line", thread("sw", now).Lines[0], `<li id="day-`},
		{"fragments/thread_line", thread("sw", now).Lines[1], `<li id="line-t1"`},
		{"fragments/chat_head", routes.ChatHead{}, `<div id="chat-head"`},
		{"fragments/chat_bar", routes.ChatBar{}, `<div id="chat-bar"`},
		{"fragments/composer", routes.Composer{}, `<form id="composer"`},
		{"fragments/composer_away", routes.Composer{}, `<p id="composer-away"`},
		{"fragments/contact_info", routes.ContactInfo{}, `<div id="contact-info"`},
		{"fragments/canned", routes.CannedPanel{}, `<div id="canned"`},
		{"fragments/toast", routes.Toast{Kind: "ok", Text: "Done <b>"}, `<div class="toast ok" data-into="toasts"`},
	}
	for _, c := range cases {
		out := strings.TrimSpace(render(t, e, c.template, c.data))
		if !strings.HasPrefix(out, c.want) {
			t.Errorf("%s starts with %.80q, want %q", c.template, out, c.want)
		}
	}
}

func TestIconsExist(t *testing.T) {
	sprite, err := os.ReadFile("../assets/icons/sprite.svg")
	if err != nil {
		t.Fatal(err)
	}
	e, use := engine(t), regexp.MustCompile(`sprite\.svg#([^"]+)"`)
	for _, s := range samples(t) {
		for _, m := range use.FindAllStringSubmatch(render(t, e, s.template, s.data), -1) {
			if !bytes.Contains(sprite, []byte(`<symbol id="`+m[1]+`"`)) {
				t.Errorf("%s uses the icon %q, which the sprite does not have", s.name, m[1])
			}
		}
	}
}

func TestQRSourceLetsOnlyPNGThrough(t *testing.T) {
	e := engine(t)
	l := routes.LinkPanel{ShowQR: true, QR: "javascript:alert(1)"}
	if out := render(t, e, "fragments/link_panel", l); strings.Contains(out, "javascript:") {
		t.Error("a script address reached the page")
	}
	l.QR = qrURI(t)
	if out := render(t, e, "fragments/link_panel", l); !strings.Contains(out, `src="data:image/png;base64,`) {
		t.Error("the QR code is missing")
	}
}

func TestPhone(t *testing.T) {
	for in, want := range map[string]string{
		"+255712345678": "+255 712 345 678", "+12025550123": "+1 202 555 0123", "+4915123456789": "+49 151 234 567 89",
		"+971501234567": "+971 501 234 567", "Hidden number": "Hidden number", "": "", "+12": "+12", "+2557x2345678": "+2557x2345678",
	} {
		if got := strings.ReplaceAll(templates.Phone(in), "\u00a0", " "); got != want {
			t.Errorf("Phone(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRich(t *testing.T) {
	for in, want := range map[string]string{
		"Karibu *Neema*!":             "Karibu <strong>Neema</strong>!",
		"*a* *b* _c_ ~d~":             "<strong>a</strong> <strong>b</strong> <em>c</em> <s>d</s>",
		"*Ni sahihi?* Jibu *1* ndiyo": "<strong>Ni sahihi?</strong> Jibu <strong>1</strong> ndiyo",
		"2*3*4 and a_b_c":             "2*3*4 and a_b_c",
		"* not * this":                "* not * this",
		"*one\ntwo*":                  "*one\ntwo*",
		"*<b onclick=x>*":             "<strong>&lt;b onclick=x&gt;</strong>",
		"_*both*_":                    "<em>*both*</em>",
		"*a _b* c_":                   "<strong>a _b</strong> c_",
		"":                            "",
	} {
		if got := string(templates.Rich(in)); got != want {
			t.Errorf("Rich(%q) = %q, want %q", in, got, want)
		}
	}
}

// handler serves every sample under its name, with the policy of the real server.
func handler(t testing.TB) http.Handler {
	e := engine(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets.Handler())
	mux.HandleFunc("POST /portal/inbox/1/read", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for _, s := range samples(t) {
			_, _ = w.Write([]byte(`<p><a href="/` + s.name + `">` + s.name + `</a>`))
		}
	})
	mux.HandleFunc("/stream/tenant", func(w http.ResponseWriter, r *http.Request) { stream(t, e, w, r) })
	mux.HandleFunc("/admin/data/message_logs/count", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(render(t, e, "fragments/data_count", routes.CountView{Text: "about 5 000 000", ExactURL: r.URL.Path})))
	})
	mux.HandleFunc("/chart", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(render(t, e, "fragments/list_series", routes.ListSeries{Series: `{"t":[1795640400,1795644000,1795647600],"step":3600,"INFO":[120,40,3],"WARN":[0,7,1],"ERROR":[0,1,0]}`, Words: "Three hours."})))
	})
	for _, s := range samples(t) {
		mux.HandleFunc("/"+s.name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = w.Write([]byte(render(t, e, s.template, s.data)))
		})
	}
	return mux
}

// stream sends one of each event a tenant's page understands, some twice, and stays open.
func stream(t testing.TB, e *html.Engine, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	now := time.Now()
	p := tenantPage(now)
	p.State.Worker = routes.WorkerState("STOPPED", "en")
	p.Link.Connected, p.Link.ShowQR, p.Link.QR = false, true, qrURI(t)
	p.Link.IssuedAt, p.Link.ExpiresAt = now, now.Add(20*time.Second)
	fresh := p.Messages.Rows[0]
	fresh.ID, fresh.Text, fresh.At = "m9999", "Fresh from the stream", now.Add(time.Second)
	late := p.Messages.Rows[3]
	late.ID, late.Text, late.At = "m0000-late", "Late one", p.Messages.Rows[2].At.Add(-30*time.Second)
	ticked := p.Messages.Rows[0]
	ticked.Status = "READ"
	event := p.Events.Rows[0]
	event.ID, event.Text, event.At = "e9999", "Worker stopped", now
	for _, s := range []struct {
		event, template string
		data            any
	}{
		{"message", "fragments/message", fresh}, {"message", "fragments/message", fresh}, {"message", "fragments/message", late},
		{"message", "fragments/message", ticked}, {"event", "fragments/event", event}, {"worker", "fragments/state_panel", p.State},
		{"toast", "fragments/toast", routes.Toast{Kind: "warn", Text: "The worker stopped."}}, {"session", "fragments/link_panel", p.Link},
	} {
		_, _ = w.Write([]byte("event: " + s.event + "\ndata: " + strings.ReplaceAll(strings.TrimSpace(render(t, e, s.template, s.data)), "\n", "\ndata: ") + "\n\n"))
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// With FLOWHQ_PREVIEW=127.0.0.1:8090 this serves all pages with sample data until interrupted.
func TestPreview(t *testing.T) {
	addr := os.Getenv("FLOWHQ_PREVIEW")
	if addr == "" {
		t.Skip("FLOWHQ_PREVIEW is not set")
	}
	server := &http.Server{Addr: addr, Handler: handler(t), ReadHeaderTimeout: 5 * time.Second}
	t.Log(server.ListenAndServe())
}
