package main

import (
	"strings"
	"testing"

	"flowhq/routes"

	"github.com/google/uuid"
)

// signIn signs the operator in through the form.
func (p *product) signIn(b *tab, s *serving) {
	p.t.Helper()
	if err := routes.UpsertAdmin(p.t.Context(), p.db, testAdmin, testPassword); err != nil {
		p.t.Fatal(err)
	}
	b.signIn(s, testAdmin, testPassword)
	b.has("h1", "Overview")
}

func (b *tab) signIn(s *serving, email, password string) {
	b.t.Helper()
	b.open(s.url + "/login")
	b.fill("#email", email)
	b.fill("#password", password)
	b.click("main form .btn.primary")
	b.until(`location.pathname !== "/login"`)
}

// status is what the server answered the last navigation with.
func (b *tab) status() int {
	b.t.Helper()
	return eval[int](b, `performance.getEntriesByType("navigation")[0].responseStatus`)
}

// An owner comes by a link that works once, links the number, reads along, and finds no other business.
func TestOwnersPortal(t *testing.T) {
	const number, otherNumber, asha, juma = "+255712000311", "+255712000312", "+255754000411", "+255713000412"
	const email, password = "upendo@duka.example", "mango window twelve"
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	a := p.program(s)
	mine, other := a.tenant("Duka la Upendo", number, "SUPPORT", "EN"), a.tenant("Rival Traders", otherNumber, "SUPPORT", "EN")
	a.link(other, otherNumber, p.scan)
	p.says(juma, otherNumber, "The rival's secret")
	p.inbox(juma, 1)

	browser := newBrowser(t)
	operator := newTab(t, browser)
	p.signIn(operator, s)
	operator.open(s.url + "/admin/tenants/" + mine)
	operator.fill("#pf-name", "Upendo Mollel")
	operator.fill("#pf-email", email)
	operator.click("#people .adder form .btn")
	operator.until(`!!document.querySelector("#invite-url")`)
	operator.has("#people", "Has not chosen a password yet")
	operator.shootBoth("1-link")
	link := eval[string](operator, `document.querySelector("#invite-url").value`)
	operator.quiet("the operator's page")

	b := newTab(t, browser)
	b.open(link)
	b.has("h1", "Choose a password")
	b.has("main", "Duka la Upendo")
	b.sound("the invitation")
	b.shootBoth("2-invite")
	b.fill("#password", password)
	b.click("main .btn.primary")
	b.has("h1", "Duka la Upendo")
	b.has("#portal-state", "Link your number to begin")
	b.until(`window.streamOpen === true`)
	b.shootBoth("3-portal")

	// Linking, live.
	b.stay()
	b.click("#btn-show-qr")
	b.until(`!!document.querySelector("#link-panel img.qr")`)
	b.sound("the owner's QR")
	b.shootBoth("4-qr")
	p.scanPage(b, number)
	b.has("#portal-state", "Your number answers customers")
	b.has("#link-panel", "Connected as")

	// Reading along, live.
	p.says(asha, number, "Is my order there?")
	b.has("#messages .msg.in", "Is my order there?")
	p.inbox(asha, 1)
	b.until(`!!document.querySelector("#messages .msg.out .tick.read")`)
	b.until(`document.querySelector("#portal-state .numbers dd").textContent === "1"`)
	b.same("what happened to the business")
	b.sound("the owner's home")
	b.shootBoth("5-live")

	// The other business does not exist here.
	for _, path := range []string{"/portal", "/portal/messages", "/portal/events", "/portal/account"} {
		b.open(s.url + path)
		text := eval[string](b, `document.documentElement.outerHTML`)
		for _, secret := range []string{"Rival", "secret", other, otherNumber, otherNumber[1:]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q of another business", path, secret)
			}
		}
	}
	b.quiet("the portal")
	b.expect("status of 403")
	b.expect("status of 404")
	for path, want := range map[string]int{
		"/admin": 403, "/admin/tenants": 403, "/admin/tenants/" + mine: 403, "/admin/tenants/" + other: 403, "/admin/jobs": 403, "/admin/keys": 403,
		"/portal/tenants/" + other: 404,
	} {
		b.open(s.url + path)
		if got := b.status(); got != want {
			t.Errorf("%s answers an owner %d, want %d", path, got, want)
		}
	}
	b.open(s.url + "/admin")
	b.sound("the refusal")
	b.shootBoth("6-refused")
	own := uuid.MustParse(mine)
	key, err := routes.CreateAPIKey(t.Context(), p.db, "bound", &own)
	if err != nil {
		t.Fatal(err)
	}
	bound := program{t, s.url, key}
	for path, want := range map[string]int{"/tenants/" + mine: 200, "/tenants/" + other: 404, "/tenants/" + other + "/messages": 404, "/tenants/" + other + "/qr": 404, "/tenants/" + other + "/events": 404} {
		answer := bound.request("GET", path, nil)
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s answers a key bound to another tenant %d, want %d", path, answer.StatusCode, want)
		}
	}

	// The link is used up, whoever opens it.
	b.expect("status of 410")
	for who, says := range map[*tab]string{b: "This link does not work any more", newTab(t, browser): "Kiungo hiki hakifanyi kazi tena"} { // a stranger reads Swahili
		who.expect("status of 410")
		who.open(link)
		who.has("h1", says)
		if got := who.status(); got != 410 {
			t.Errorf("a used link answers %d", got)
		}
	}
	b.sound("the used link")
	b.shootBoth("7-used")
	b.open(s.url + "/portal/account")
	b.click("form[action='/logout'] button")
	b.has("main", "Umetoka")
	b.signIn(s, email, password)
	b.has("h1", "Duka la Upendo")
	b.quiet("the portal after signing in again")
}
