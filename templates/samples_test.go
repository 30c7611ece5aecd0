package templates_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"flowhq/routes"
	"flowhq/templates/words"
)

// sample is one page in one state, as the tests and the preview show it.
type sample struct {
	name     string // path in the preview
	template string
	data     any
}

const longName = "Wakala wa Huduma za Afya na Ushauri wa Familia ya Mwananyamala Kisiwani Limited Dar es Salaam"

func page(title, nav string) routes.Page {
	return routes.Page{Title: title, ProductName: "Flow HQ", Lang: "en", Nav: nav, Side: sidebar(nav),
		User: &routes.UserView{Name: "Asha Mwinyi", Email: "asha@flowhq.example", Role: "ADMIN"}}
}

func sidebar(current string) *routes.Sidebar {
	link := func(label, icon, table string) routes.SideLink {
		return routes.SideLink{Label: label, Icon: icon, Href: "/admin/data/" + table, Table: table, Current: table == current}
	}
	pin := link("Tenants", "layers", "tenants")
	pin.Pinned, pin.Key = true, "g t"
	home := routes.SideLink{Label: "Overview", Icon: "house", Href: "/admin", Key: "g o", Current: current == "overview"}
	return &routes.Sidebar{Home: home, Pins: []routes.SideLink{pin, {Label: "Messages", Icon: "message-square", Href: "/admin/data/message_logs", Table: "message_logs", Pinned: true}}, Groups: []routes.SideGroup{
		{Name: "Business", Links: []routes.SideLink{pin, link("Bot settings", "settings", "tenant_configs"), link("Set-up requests", "file-text", "setup_requests")}},
		{Name: "Messages", Links: []routes.SideLink{link("Conversations", "message-circle", "conversations"), link("Contacts", "user", "contacts")}},
		{Name: "People", Links: []routes.SideLink{link("Users", "user", "users"), link("API keys", "key-round", "api_keys")}},
		{Name: "System", Links: []routes.SideLink{link("Sessions", "smartphone", "whatsapp_sessions"), {Label: "Jobs", Icon: "list-checks", Href: "/admin/jobs", Key: "g j", NewTab: true}}},
	}}
}

func bare(title string) routes.Page {
	return routes.Page{Title: title, ProductName: "Flow HQ", Lang: "en"}
}

func portalPage(lang, title, nav string) routes.Page {
	p := page(title, nav)
	p.Side, p.Lang, p.User = nil, lang, &routes.UserView{Name: "Neema Joseph", Email: "neema@salon.example", Role: "OWNER"}
	return p
}

func qrURI(t testing.TB) string {
	t.Helper()
	png, err := routes.QRPNG("2@" + strings.Repeat("k3Jd9xQpL0", 22) + ",abc,def,ghi,1")
	if err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
}

func filters(active string) []routes.FilterChip {
	return []routes.FilterChip{
		{Label: "All", Count: 48, Active: active == ""},
		{Label: "Active", Status: "ACTIVE", Count: 39, Tone: routes.ToneOK, Active: active == "ACTIVE"},
		{Label: "Waiting for link", Status: "QR_PENDING", Count: 3, Tone: routes.ToneWaiting},
		{Label: "Needs attention", Status: "ERROR", Count: 2, Tone: routes.ToneFailed},
		{Label: "Paused", Status: "PAUSED", Count: 1, Tone: routes.ToneIdle},
		{Label: "New", Status: "NEW", Count: 3, Tone: routes.ToneIdle},
	}
}

func tenantRows(n int, now time.Time) []routes.TenantRow {
	names := []string{"Neema Salon", "Duka la Juma", "Kliniki ya Upendo", longName, "صالون الياسمين", "Mama Lishe <script>alert(1)</script>", "Bongo Spares", "Zuri Spa & Nails"}
	tenant := []string{"ACTIVE", "ACTIVE", "QR_PENDING", "ERROR", "ACTIVE", "NEW", "PAUSED", "ACTIVE"}
	session := []string{"CONNECTED", "CONNECTED", "QR_READY", "DISCONNECTED", "CONNECTED", "DISCONNECTED", "DISCONNECTED", "CONNECTED"}
	worker := []string{"RUNNING", "RUNNING", "RUNNING", "ERROR", "RUNNING", "STOPPED", "STOPPED", "STARTING"}
	reason := []string{"", "", "Waiting for the phone to scan the code.", "The device was removed on the phone. Link the number again.", "", "", "Stopped by a person.", ""}
	var rows []routes.TenantRow
	for i := range n {
		k := i % len(names)
		row := routes.TenantRow{ID: fmt.Sprintf("0199a%03d-0000-7000-8000-000000000000", i), Name: names[k],
			Phone: fmt.Sprintf("+2557123%05d", 45678+i), Template: routes.TemplateChoices()[k%3].Label, Language: routes.LanguageChoices()[k%2].Label,
			Tenant: routes.TenantState(tenant[k], "en"), Session: routes.SessionState(session[k], "en"), SessionReason: reason[k],
			Worker: routes.WorkerState(worker[k], "en"), LastSeen: now.Add(-time.Duration(i*i) * 7 * time.Second)}
		if worker[k] == "RUNNING" {
			row.Node = "worker-dar-1"
		}
		if tenant[k] == "NEW" {
			row.LastSeen = time.Time{}
		}
		rows = append(rows, row)
	}
	return rows
}

func messages(n int, lang string, now time.Time) routes.MessageList {
	type m struct {
		in                             bool
		name, text, kind, status, fail string
		phone                          string
	}
	all := []m{
		{false, "Amina Hassan", "Karibu Neema Salon! *Chagua*:\n1. Weka miadi\n2. Huduma na bei\n3. Saa za kazi", "", "QUEUED", "", "+255754111222"},
		{true, "Amina Hassan", "Habari, naomba miadi ya kusuka kesho asubuhi", "", "RECEIVED", "", "+255754111222"},
		{false, "", "We open at 09:00 and close at 18:00, Monday to Saturday.", "", "SENT", "", "+255713000444"},
		{true, "", "What time do you open?", "", "RECEIVED", "", "+255713000444"},
		{false, "Baraka M.", "Tumepokea agizo lako #1042. Jumla ni TZS 24,500.", "", "READ", "", "+255622987654"},
		{true, "Baraka M.", "", "voice", "RECEIVED", "", "+255622987654"},
		{false, "فاطمة الزهراء", "مرحبا بك، كيف نساعدك اليوم؟", "", "DELIVERED", "", "+971501234567"},
		{true, "فاطمة الزهراء", "السلام عليكم، كم سعر تصفيف الشعر؟", "", "RECEIVED", "", "+971501234567"},
		{false, longName, "Samahani", "", "FAILED", "The number is not on WhatsApp.", "+255700000001"},
		{true, longName, strings.Repeat("Nina tatizo na bidhaa niliyonunua wiki iliyopita. ", 8) + "https://example.com/" + strings.Repeat("a-very-long-address-", 6), "", "RECEIVED", "", "+255700000001"},
		{true, "<b>Bold</b>", "<img src=x onerror=alert(1)>", "image", "RECEIVED", "", "Hidden number"},
	}
	list := routes.MessageList{Lang: lang}
	for i := range n {
		s := all[i%len(all)]
		v := routes.MessageView{ID: fmt.Sprintf("m%04d", n-i), Lang: lang, Inbound: s.in, ContactName: s.name, ContactPhone: s.phone,
			Text: s.text, Kind: s.kind, Status: s.status, FailReason: s.fail, At: now.Add(-time.Duration(i*i*20) * time.Second)}
		if !s.in {
			v.By = "Bot"
		}
		list.Rows = append(list.Rows, v)
	}
	if n > 20 {
		list.MoreURL = "/admin/tenants/x/messages?before=m1"
	}
	return list
}

func events(n int, lang string, now time.Time) routes.EventList {
	all := []routes.EventView{
		{Icon: "link", Tone: routes.ToneOK, Text: "Number linked", Detail: "+255 712 345 678, from an Android phone"},
		{Icon: "qr-code", Tone: routes.ToneWaiting, Text: "QR code shown"},
		{Icon: "play", Text: "Worker started", Detail: "on worker-dar-1", Actor: "Asha Mwinyi"},
		{Icon: "triangle-alert", Tone: routes.ToneFailed, Text: "Connection lost for 2 minutes", Detail: "The phone has been offline for too long. Open WhatsApp on it."},
		{Icon: "user-plus", Text: "Owner added", Detail: "Neema Joseph", Actor: "Asha Mwinyi"},
	}
	list := routes.EventList{Lang: lang}
	for i := range n {
		e := all[i%len(all)]
		e.ID, e.Lang, e.At = fmt.Sprintf("e%04d", n-i), lang, now.Add(-time.Duration(i*i)*time.Minute)
		list.Rows = append(list.Rows, e)
	}
	return list
}

func tenantPage(now time.Time) routes.TenantPage {
	id := "0199a000-0000-7000-8000-000000000000"
	return routes.TenantPage{
		Page: page("Neema Salon", "tenants"), ID: id, Name: "Neema Salon", Business: "Neema Hair & Beauty", Phone: "+255712345678", Created: now.Add(-80 * time.Hour),
		State: routes.StatePanel{TenantID: id, Tenant: routes.TenantState("ACTIVE", "en"), Session: routes.SessionState("CONNECTED", "en"), SessionSince: now.Add(-50 * time.Hour),
			LastSeen: now.Add(-4 * time.Second), Worker: routes.WorkerState("RUNNING", "en"), WorkerNode: "worker-dar-1", CanStop: true, CanRestart: true, CanLogout: true},
		Link:     routes.LinkPanel{Base: "/admin/tenants/" + id, Lang: "en", Connected: true, Phone: "+255712345678", Since: now.Add(-50 * time.Hour), Pair: routes.PairForm{Base: "/admin/tenants/" + id, Lang: "en"}},
		Send:     routes.SendForm{Action: "/admin/tenants/" + id + "/messages", Enabled: true},
		Messages: messages(24, "en", now), Events: events(5, "en", now),
		Config: routes.ConfigForm{TenantID: id, BusinessName: "Neema Hair & Beauty", Template: "BOOKING", Language: "SW", DefaultReplies: 30, Templates: routes.TemplateChoices(), Languages: routes.LanguageChoices()},
		People: routes.PeoplePanel{TenantID: id, HasOwner: true, People: []routes.PersonView{{ID: "u1", Name: "Neema Joseph", Email: "neema@salon.example", Role: "Owner", LastLogin: now.Add(-3 * time.Hour)}, {ID: "u2", Name: longName, Email: strings.Repeat("long.", 12) + "@salon.example", Role: "Staff", Pending: true}}},
		Delete: routes.DeleteForm{TenantID: id, Name: "Neema Salon"}, HistoryURL: "/admin/data/audit_log", ConfigURL: "/c",
		May: routes.Rights{Workers: true, Messages: true, Records: true, People: true, System: true},
	}
}

func samples(t testing.TB) []sample {
	now := time.Now()
	form := routes.TenantForm{Templates: routes.TemplateChoices(), Languages: routes.LanguageChoices(), Language: "SW"}
	list := func(n int) routes.TenantList {
		return routes.TenantList{Filters: filters(""), Rows: tenantRows(n, now)}
	}
	demo := func(p routes.Page) routes.Page { p.DemoMode = true; return p }
	var out []sample
	add := func(name, template string, data any) { out = append(out, sample{name, template, data}) }

	logs := dataList(now)
	empty, nothing, broken := logs, logs, logs
	empty.Rows, empty.Views, nothing.Rows, nothing.Query, broken.Query = nil, nil, nil, "status = \"FAILED\"", "staus = 1"
	broken.CountURL, broken.Error = "", &routes.FilterProblem{Bad: "staus", After: " = 1", Message: "Messages have no column “staus”. Did you mean status?"}
	drawer, fresh := recordDrawer(now), recordDrawer(now)
	fresh.Key, fresh.Changed, fresh.Facts = "", nil, nil
	add("data", "admin/data", dataPage(logs, nil))
	add("data-empty", "admin/data", dataPage(empty, nil))
	add("data-nothing", "admin/data", dataPage(nothing, nil))
	add("data-error", "admin/data", dataPage(broken, nil))
	add("data-record", "admin/data", dataPage(logs, &drawer))
	add("data-new", "admin/data", dataPage(logs, &fresh))
	reading := drawer
	reading.Action, reading.Fields, reading.Changed, reading.DeleteURL, reading.DuplicateURL, reading.HistoryURL = "", nil, nil, "", "", "/h"
	change := reading
	change.Change = recordChange(now)
	reading.Notice = "Your role, support, may not make, change or delete records."
	add("data-reading", "admin/data", dataPage(logs, &reading))
	add("data-change", "admin/data", dataPage(logs, &change))

	charted := dataPage(logs, nil)
	charted.Charts, charted.Chart = true, &routes.ListChart{URL: "/chart", Values: []routes.Choice{{Value: "INFO", Label: "Info"}, {Value: "WARN", Label: "Warning"}, {Value: "ERROR", Label: "Error"}},
		Lost: "1\u202f204 entries of the last 24 hours were not kept: too many came at once, or the database was away."}
	add("import-mapping", "admin/import", importPage(now, true))
	add("import-report", "admin/import", importPage(now, false))
	add("data-chart", "admin/data", charted)
	add("overview", "admin/overview", overviewPage(now, false))
	add("overview-quiet", "admin/overview", overviewPage(now, true))
	add("overview-first", "admin/overview", routes.OverviewPage{Page: page("Overview", "overview")})

	add("login", "login", routes.LoginPage{Page: bare("Sign in")})
	add("login-error", "login", routes.LoginPage{Page: bare("Sign in"), Email: "neema@salon.example", Next: "/admin/tenants", Error: "E-mail or password is wrong."})
	add("login-demo", "login", routes.LoginPage{Page: demo(bare("Sign in")), Notice: "You are signed out.", Demo: []routes.DemoLogin{
		{Label: "Operator", Detail: "Runs every business", Email: "admin@demo.example", Password: "demo-admin-2026"},
		{Label: "Salon owner", Detail: "Neema Salon, Swahili", Email: "neema@demo.example", Password: "demo-salon-2026"},
		{Label: "Shop owner", Detail: "Duka la Juma, Swahili", Email: "juma@demo.example", Password: "demo-shop-2026"}}})
	add("setup", "setup", routes.SetupPage{Page: bare("Set up"), Action: "/setup/abc", Expires: now.Add(30 * time.Minute)})
	add("setup-errors", "setup", routes.SetupPage{Page: bare("Set up"), Action: "/setup/abc", Name: longName, Email: "nope", Error: "Nothing was saved yet.",
		Errors: routes.FieldErrors{"name": "Please give a name.", "email": "This is not an e-mail address.", "password": "At least 10 characters, please."}})
	invite := routes.InvitePage{Page: bare("Choose a password"), Action: "/invite/abc", Name: "Neema Joseph", Email: "neema@salon.example", Business: "Neema Salon", Expires: now.Add(48 * time.Hour), Errors: routes.FieldErrors{"password": "Angalau herufi 10."}}
	invite.Lang = "sw"
	add("invite", "invite", invite)
	add("link-gone", "link_gone", routes.LinkGonePage{Page: bare("Link"), Heading: "This link was already used", Detail: "A link works once. Sign in with the password you chose, or ask for a new link."})
	add("error-404", "error", routes.ErrorPage{Page: bare("Not found"), Status: 404, Heading: "There is nothing here", Detail: "The address may be old, or the tenant was deleted.", HomeURL: "/admin", RequestID: "01JD8ZK3"})
	add("error-429", "error", routes.ErrorPage{Page: bare("Wait"), Status: 429, Heading: "Too many tries", Detail: "To protect the account, signing in waits a little.", RetryIn: 45, HomeURL: "/login"})
	add("error-500", "error", routes.ErrorPage{Page: bare("Error"), Status: 500, Heading: "The server could not do this", Detail: "Nothing was changed. Try again in a moment.", HomeURL: "/admin", RequestID: "01JD8ZK3QW7RM2"})
	add("signout", "signout", routes.SignOutPage{Page: bare("Sign out"), Sessions: 3, BackURL: "/admin/account"})

	add("tenants", "admin/tenants", routes.TenantsPage{Page: page("Tenants", "tenants"), List: list(8), Form: form})
	long := list(200)
	long.MoreURL = "/admin/tenants?cursor=abc"
	add("tenants-200", "admin/tenants", routes.TenantsPage{Page: demo(page("Tenants", "tenants")), List: long, Form: form})
	add("tenants-empty", "admin/tenants", routes.TenantsPage{Page: page("Tenants", "tenants"), List: routes.TenantList{Filters: []routes.FilterChip{{Label: "All", Active: true}}}, Form: form})
	add("tenants-none", "admin/tenants", routes.TenantsPage{Page: page("Tenants", "tenants"), List: routes.TenantList{Filters: filters("ACTIVE"), Status: "ACTIVE", Query: "zzz <b>"}, Form: form})
	add("tenants-failed", "admin/tenants", routes.TenantsPage{Page: page("Tenants", "tenants"), List: routes.TenantList{Filters: filters(""), Error: "The database did not answer in time."}, Form: form})
	bad := form
	bad.Open, bad.Name, bad.Phone, bad.Template = true, longName, "0712", "ECOMMERCE"
	bad.Errors = routes.FieldErrors{"name": "Please keep it below 80 characters.", "business_name": "Please give the business's name.", "phone_number": "This is not a complete number. Example: +255 712 345 678.", "template_type": "Unknown template.", "language": "Unknown language."}
	toasts := page("Tenants", "tenants")
	toasts.Flash = []routes.Toast{{Kind: "ok", Text: "Neema Salon created."}, {Kind: "error", Text: "The worker could not be started: no worker node is running. Start one with flowhq serve --role worker."}}
	add("tenants-form", "admin/tenants", routes.TenantsPage{Page: page("Tenants", "tenants"), List: list(3), Form: bad})
	add("tenants-toasts", "admin/tenants", routes.TenantsPage{Page: toasts, List: list(3), Form: form})

	connected := tenantPage(now)

	add("tenant", "admin/tenant", connected)
	reader := tenantPage(now)
	reader.User.AdminRole, reader.May = "read-only", routes.Rights{}
	reader.State.CanStop, reader.State.CanRestart, reader.State.CanLogout, reader.State.Notice = false, false, false, "Your role, read-only, may not start, stop or link numbers."
	reader.Send.Notice, reader.People.Notice = "Your role, read-only, may not write to customers.", "Your role, read-only, may not change people, their roles or keys."
	add("tenant-reading", "admin/tenant", reader)
	live := tenantPage(now)
	live.StreamURL = "/stream/tenant"
	add("live", "admin/tenant", live)
	withQR := tenantPage(now)
	withQR.Page = demo(withQR.Page)
	withQR.State.Tenant, withQR.State.Session, withQR.State.SessionReason = routes.TenantState("QR_PENDING", "en"), routes.SessionState("QR_READY", "en"), routes.ReasonSentence(routes.ReasonWaitingScan, "en", time.Time{})
	withQR.State.CanLogout = false
	withQR.Link.Connected, withQR.Link.ShowQR, withQR.Link.QR, withQR.Link.QRCode, withQR.Link.DemoMode = false, true, qrURI(t), "2@abc,def", true
	withQR.Link.IssuedAt, withQR.Link.ExpiresAt = now.Add(-18*time.Second), now.Add(42*time.Second)
	withQR.Messages, withQR.Events.Rows, withQR.People = routes.MessageList{Lang: "en"}, withQR.Events.Rows[1:3], routes.PeoplePanel{TenantID: withQR.ID}
	withQR.Send.Enabled = false
	add("tenant-qr", "admin/tenant", withQR)
	withCode := withQR
	withCode.Link.Pair.Code, withCode.Link.Pair.Phone, withCode.Link.Pair.ExpiresAt = "K7DX92PM", "+255712345678", now.Add(170*time.Second)
	withCode.People.Invite = &routes.InviteLink{Name: "Neema Joseph", Email: "neema@salon.example", URL: "http://127.0.0.1:8080/invite/9fJ2kd83hs92kdjh2837dhs9", ExpiresAt: now.Add(72 * time.Hour), Mailed: true}
	add("tenant-code", "admin/tenant", withCode)
	preparing := withQR
	preparing.Link.ShowQR, preparing.Link.Preparing = false, true
	preparing.State.Worker, preparing.State.Session = routes.WorkerState("STARTING", "en"), routes.SessionState("DISCONNECTED", "en")
	add("tenant-preparing", "admin/tenant", preparing)
	stopped := tenantPage(now)
	stopped.Name, stopped.Title = longName, longName
	stopped.State.Tenant, stopped.State.Session, stopped.State.Worker = routes.TenantState("ERROR", "en"), routes.SessionState("DISCONNECTED", "en"), routes.WorkerState("ERROR", "en")
	stopped.State.SessionReason = routes.ReasonSentence(routes.ReasonBanned, "en", now.Add(25*time.Hour))
	stopped.State.WorkerError, stopped.State.CanStop, stopped.State.CanRestart, stopped.State.CanStart, stopped.State.Queued = "WhatsApp closed the connection: the account is suspended.", false, false, true, 12
	stopped.Link.Connected, stopped.Link.Blocked, stopped.Link.Reason = false, true, stopped.State.SessionReason
	stopped.Messages, stopped.Events = routes.MessageList{Lang: "en", Error: "The messages could not be read. Reload the page."}, events(200, "en", now)
	stopped.Send = routes.SendForm{Action: "/x", To: "0712", Text: "Habari", Enabled: true, Error: "The number is not connected, so nothing was sent.", Errors: routes.FieldErrors{"to": "This is not a complete number.", "text": "Please write something."}}
	stopped.People.Errors, stopped.People.Error = routes.FieldErrors{"name": "Please give a name.", "email": "Somebody already uses this address."}, "Nobody was added."
	stopped.Config.Errors, stopped.Config.Error = routes.FieldErrors{"business_name": "Please give a name.", "replies_per_minute": "A whole number, 0 to 600.", "template_type": "Unknown.", "language": "Unknown."}, "Nothing was saved."
	stopped.Delete.Error = "The name does not match."
	add("tenant-failed", "admin/tenant", stopped)
	restricted := tenantPage(now)
	restricted.State.Session, restricted.State.SessionReason = routes.SessionState("RESTRICTED", "en"), routes.ReasonSentence(routes.ReasonRestricted, "en", now.Add(30*time.Hour))
	restricted.State.Queued, restricted.State.Held, restricted.State.SessionSince = 14, 13, now.Add(-20*time.Minute)
	add("tenant-restricted", "admin/tenant", restricted)
	idle := tenantPage(now)
	idle.Link.Connected, idle.Link.CanStart, idle.Config.Saved = false, true, true
	idle.Messages = messages(200, "en", now)
	add("tenant-idle-200", "admin/tenant", idle)

	keys := routes.KeysPanel{Tenants: []routes.Choice{{Value: "a", Label: "Neema Salon"}, {Value: "b", Label: longName}}, Rows: []routes.KeyRow{
		{ID: "1", Label: "Bookkeeping", Created: now.Add(-300 * time.Hour), LastUsed: now.Add(-2 * time.Minute)},
		{ID: "2", Label: "Web shop " + longName, Tenant: "Duka la Juma", Created: now.Add(-20 * time.Hour)},
		{ID: "3", Label: "Old", Created: now.Add(-9000 * time.Hour), Revoked: now.Add(-time.Hour)}}}
	add("keys", "admin/keys", routes.KeysPage{Page: page("API keys", "keys"), Keys: keys})
	keys.NewKey, keys.NewLabel, keys.Errors, keys.Error = "fhq_8f3kd92kslw93kdkw02kdlw93kdls03kd", "Web shop", routes.FieldErrors{"label": "Please say what uses it.", "tenant_id": "Unknown tenant."}, "Not created."
	add("keys-new", "admin/keys", routes.KeysPage{Page: page("API keys", "keys"), Keys: keys})
	add("keys-empty", "admin/keys", routes.KeysPage{Page: page("API keys", "keys")})
	add("account", "admin/account", routes.AccountPage{Page: page("Your account", "account"), Password: routes.PasswordForm{Email: "a@b.example", Action: "/admin/account/password", Lang: "en", Errors: routes.FieldErrors{"current": "This is not your password.", "password": "At least 10 characters, please."}, Error: "Not changed.", Saved: true}})

	for _, lang := range []string{"sw", "en"} {
		home := routes.PortalHomePage{Page: portalPage(lang, words.T(lang, "nav.home"), "home"), Business: "Neema Salon", Latest: messages(5, lang, now),
			State: routes.PortalState{Lang: lang, State: routes.TenantState("ACTIVE", lang), Headline: "Namba yako inajibu wateja.", Detail: "Kila kitu kiko sawa. Huna la kufanya sasa.", Phone: "+255712345678", Received: 42, Answered: 41, Waiting: 1},
			Link:  routes.LinkPanel{Base: "/portal", Lang: lang, Connected: true, Phone: "+255712345678", Since: now.Add(-50 * time.Hour), Pair: routes.PairForm{Base: "/portal", Lang: lang}}}
		add("portal-home-"+lang, "portal/home", home)
		restricted := home
		restricted.State.State, restricted.State.Waiting = routes.SessionState("RESTRICTED", lang), 13
		restricted.State.Headline, restricted.State.Detail = routes.PortalSentence(routes.ReasonRestricted, lang, now.Add(30*time.Hour))
		add("portal-restricted-"+lang, "portal/home", restricted)
		link := home
		link.Page = demo(link.Page)
		link.State = routes.PortalState{Lang: lang, State: routes.TenantState("QR_PENDING", lang), Headline: "Unganisha namba yako ya WhatsApp.", Detail: "Baada ya hapo wateja wanajibiwa papo hapo.", Phone: "+255712345678"}
		link.Link.Connected, link.Link.ShowQR, link.Link.QR, link.Link.QRCode, link.Link.DemoMode, link.Link.IssuedAt, link.Link.ExpiresAt = false, true, qrURI(t), "2@abc", true, now.Add(-5*time.Second), now.Add(55*time.Second)
		link.Link.Pair.Phone, link.Link.Pair.Error = "0712", "Namba hii si kamili."
		link.Latest = routes.MessageList{Lang: lang}
		add("portal-link-"+lang, "portal/home", link)
		start := link
		start.Link.ShowQR, start.Link.CanStart = false, true
		add("portal-start-"+lang, "portal/home", start)
		blocked := start
		blocked.Link.Blocked, blocked.Link.Reason, blocked.Business = true, routes.ReasonSentence(routes.ReasonBanned, lang, now.Add(3*time.Hour)), longName
		blocked.State.State, blocked.State.Headline = routes.TenantState("ERROR", lang), "WhatsApp imeisimamisha namba hii."
		add("portal-blocked-"+lang, "portal/home", blocked)
		add("portal-messages-"+lang, "portal/messages", routes.PortalMessagesPage{Page: portalPage(lang, words.T(lang, "nav.messages"), "messages"), Messages: messages(24, lang, now)})
		add("portal-messages-empty-"+lang, "portal/messages", routes.PortalMessagesPage{Page: portalPage(lang, words.T(lang, "nav.messages"), "messages"), Messages: messages(0, lang, now)})
		add("portal-events-"+lang, "portal/events", routes.PortalEventsPage{Page: portalPage(lang, words.T(lang, "nav.events"), "events"), Events: events(12, lang, now)})
		add("portal-account-"+lang, "portal/account", routes.PortalAccountPage{Page: portalPage(lang, words.T(lang, "nav.account"), "account"), Business: "Neema Salon", ManagesPeople: true,
			Password: routes.PasswordForm{Email: "a@b.example", Action: "/portal/account/password", Lang: lang}, EmailForm: routes.EmailForm{Lang: lang, Sent: true, MailOn: true},
			Devices: routes.DeviceList{Lang: lang, Rows: []routes.DeviceView{{ID: "1", Name: "Chrome, Android", This: true, Seen: now}, {ID: "2", Name: "Samsung Internet, Android", Seen: now.Add(-50 * time.Hour)}, {ID: "3", Seen: now.Add(-time.Hour)}}}})
	}

	phone := routes.PhonePage{Page: demo(page("Virtual phone", "phone")), TenantURL: "/admin/tenants/x",
		Businesses: []routes.PhoneContact{{ID: "a", Name: "Neema Salon", Phone: "+255712345678", Detail: "Bookings, Swahili", Online: true, Selected: true, URL: "/demo/phone?business=a"}, {ID: "b", Name: "Duka la Juma", Phone: "+255712345679", Detail: "Shop, Swahili", Online: true, URL: "/demo/phone?business=b"}, {ID: "c", Name: longName, Phone: "+255712345680", Detail: "Support desk, English", URL: "/demo/phone?business=c"}},
		Customers:  []routes.PhoneContact{{ID: "1", Name: "Amina Hassan", Phone: "+255754111222", Selected: true, URL: "?customer=1"}, {ID: "2", Name: "Baraka M.", Phone: "+255622987654", URL: "?customer=2"}, {ID: "3", Name: "فاطمة الزهراء", Phone: "+971501234567", URL: "?customer=3"}},
		Form:       routes.PhoneForm{Business: "a", Customer: "1"}, Quick: []string{"Habari", "Nataka miadi", "Bei za kusuka?", "menu"}}
	phone.Business, phone.Customer = phone.Businesses[0], phone.Customers[0]
	for i, s := range []string{"QUEUED", "FAILED", "READ", "DELIVERED", "SENT", "READ"} {
		phone.Chat = append(phone.Chat, routes.PhoneBubble{ID: fmt.Sprint("a", i), Mine: true, Text: []string{"Habari", "Nataka miadi", "1"}[i%3], Status: s, At: now.Add(time.Duration(i-9) * time.Minute)},
			routes.PhoneBubble{ID: fmt.Sprint("b", i), Text: "Karibu Neema Salon! *Chagua*:\n1. Weka miadi\n2. Huduma na bei\n3. Saa za kazi", At: now.Add(time.Duration(i-9)*time.Minute + time.Second)})
	}
	add("phone", "demo/phone", phone)
	emptyPhone := phone
	emptyPhone.Chat, emptyPhone.Form.Error = nil, "Neema Salon is not connected, so the message waits at the simulated server."
	add("phone-empty", "demo/phone", emptyPhone)
	nobody := phone
	nobody.Business, nobody.Businesses = routes.PhoneContact{}, nil
	add("phone-none", "demo/phone", nobody)
	botSamples(add, now)
	waySamples(t, add, now)
	ledgerSamples(add, now)
	inboxSamples(t, add, now)
	return out
}

// dataList is a list of messages as the admin shows any table.
func dataList(now time.Time) routes.DataList {
	l := routes.DataList{
		Table: "message_logs", Singular: "message", Plural: "Messages", Many: "messages", Icon: "message-square", Base: "/admin/data/message_logs", Sort: "-created_at", Search: true, Import: true,
		SelfURL: "/admin/data/message_logs", CountURL: "/admin/data/message_logs/count", MoreURL: "/admin/data/message_logs?cursor=x", Example: `status = "FAILED"`, Hints: "[]",
		Columns: []routes.ColumnHead{{Name: "message_text", Label: "Text", Kind: "longtext"}, {Name: "status", Label: "Status", Kind: "enum"}, {Name: "direction", Label: "Direction", Kind: "enum"},
			{Name: "tenant_id", Label: "Tenant", Kind: "relation"}, {Name: "from_number", Label: "From", Kind: "phone"}, {Name: "failure", Label: "Failure", Kind: "text"},
			{Name: "created_at", Label: "Created", Kind: "time", SortURL: "?sort=created_at", Order: "descending"}},
		All:   []routes.ColumnChoice{{Name: "message_text", Label: "Text", Shown: true}, {Name: "status", Label: "Status", Shown: true}, {Name: "seq", Label: "Order"}},
		Views: []routes.SavedView{{ID: "v1", Name: "Failed <b>today</b>", URL: "/admin/data/message_logs?q=x", Current: true}},
	}
	texts := []string{"Habari, nataka kuweka miadi", "<script>alert(1)</script>", strings.Repeat("Karibu sana ", 18), "مرحبا، كم السعر؟", "3"}
	for i := range 6 {
		state := []routes.State{{Code: "READ", Word: "Read", Tone: routes.ToneOK}, {Code: "FAILED", Word: "Failed", Tone: routes.ToneFailed}, {Code: "QUEUED", Word: "Waiting", Tone: routes.ToneWaiting}}[i%3]
		l.Rows = append(l.Rows, routes.DataRow{Key: fmt.Sprintf("0199b%03d", i), URL: "/r", Push: "/p", Title: "Open this message", Pick: "Select this message", T: now.UnixMicro(), Cells: []routes.CellView{
			{Label: "Text", Column: "longtext", Kind: "text", Text: texts[i%len(texts)]}, {Label: "Status", Column: "enum", Kind: "state", Text: state.Word, Tone: state.Tone, Icon: state.Icon()},
			{Label: "Direction", Column: "enum", Kind: "tag", Text: "Out", Full: "OUT"}, {Label: "Tenant", Column: "relation", Kind: "link", Text: "Neema Salon", Href: "/admin/tenants/x"},
			{Label: "From", Column: "phone", Kind: "num", Text: "+255\u00a0712\u00a0345\u00a0678"}, {Label: "Failure", Column: "text", Kind: "null"},
			{Label: "Created", Column: "time", Kind: "time", Time: now.Add(-time.Duration(i) * time.Hour)}}})
	}
	return l
}

func dataPage(list routes.DataList, record *routes.RecordDrawer) routes.DataPage {
	return routes.DataPage{Page: page("Messages", "message_logs"), List: list, Record: record, NewURL: "/admin/data/message_logs/new", NewIn: "drawer"}
}

// recordChange is an entry of the audit log.
func recordChange(now time.Time) *routes.ChangeView {
	text := func(s string) routes.CellView { return routes.CellView{Kind: "text", Text: s} }
	return &routes.ChangeView{
		HadBefore: true, HasAfter: true,
		Changed: []routes.ChangedField{
			{Label: "Name", Before: text("Asha <b>"), After: text(longName)}, {Label: "Phone", Before: routes.CellView{Kind: "null"}, After: routes.CellView{Kind: "num", Text: "+255 712 345 678"}},
			{Label: "Opening hours", Before: routes.CellView{Kind: "null"}, After: routes.CellView{Kind: "code", Text: "{\n  \"mon\": [\"08:00\"]\n}"}},
		},
		Same: []routes.ChangedField{{Label: "Created", Before: routes.CellView{Kind: "time", Time: now}, After: routes.CellView{Kind: "time", Time: now}}},
	}
}

// recordDrawer has an editor of each kind and facts of each kind.
func recordDrawer(now time.Time) routes.RecordDrawer {
	return routes.RecordDrawer{
		Table: "contacts", Singular: "contact", Title: longName, Key: "k1", Base: "/admin/data/contacts", Action: "/admin/data/contacts/record/k1", Version: "v",
		DeleteURL: "/d", DuplicateURL: "/n", JSONURL: "/j", PageURL: "/page", HistoryURL: "/h",
		Fields: []routes.FieldView{
			{Name: "name", Label: "Name", Kind: "text", Value: "Asha <b>", Optional: true}, {Name: "phone", Label: "Phone", Kind: "phone", Value: "+255712345678", Error: "This is not a phone number."},
			{Name: "n", Label: "Number", Kind: "int", Value: "3"}, {Name: "status", Label: "Status", Kind: "enum", Value: "B", Choices: []routes.Choice{{Value: "A", Label: "First"}, {Value: "B", Label: "Second"}}},
			{Name: "on", Label: "Switched on", Kind: "bool", Value: "true"}, {Name: "at", Label: "When", Kind: "time", Value: now.UTC().Format(time.RFC3339)},
			{Name: "tenant_id", Label: "Tenant", Kind: "relation", RefTable: "tenants", Value: "x", RefTitle: "Neema Salon"}, {Name: "notes", Label: "Notes", Kind: "longtext", Value: "One\ntwo"},
			{Name: "data", Label: "Data", Kind: "json", Value: "{\n  \"a\": 1\n}", Hint: "Opening hours by day."},
		},
		Facts: []routes.FactView{
			{Label: "Created", Cell: routes.CellView{Kind: "time", Time: now}}, {Label: "Details", Long: true, Cell: routes.CellView{Kind: "code", Text: "{\"by\": \"<i>\"}"}},
			{Label: "ID", Cell: routes.CellView{Kind: "code", Text: "0198b2f0-0000-7000-8000-000000000000"}}, {Label: "Seen", Cell: routes.CellView{Kind: "null"}},
		},
		Changed: []routes.FactView{{Label: "Name", Cell: routes.CellView{Kind: "text", Text: "Neema"}}},
	}
}
