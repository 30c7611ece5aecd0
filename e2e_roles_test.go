package main

import (
	"testing"

	"flowhq/routes"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What an admin changes in the drawer stands in the history with before and after; a support person, with the keyboard alone, gets along and is
// offered nothing that their role does not allow.
func TestHistoryAndRoles(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	a := p.program(s)
	neema := a.tenant("Neema Salon", "+255712000311", "BOOKING", "EN")
	p.chats(neema, 2, 3)
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)

	b.open(s.url + "/admin/data/contacts?sort=name")
	b.rows(2)
	b.click("#rows tr:first-child .row-link")
	b.until(`document.querySelector("#record").open && document.querySelector("#f-name").value === "Customer 0"`)
	b.fill("#f-name", "Asha Mushi")
	b.click("#record-form [type=submit]")
	b.has("#record-form", "Saved")
	b.click("#record .menu > summary")
	b.click("#record-history")
	b.has("h1", "Audit log")
	b.rows(1)
	b.has("#rows", "Asha Mushi")
	b.shootBoth("1-log")
	b.click("#rows .row-link")
	b.until(`document.querySelector("#record").open && document.querySelectorAll(".change .changed").length === 1`)
	b.until(`[...document.querySelectorAll(".change .changed > *")].map((e) => e.innerText.trim()).join("|") === "Name changed|Customer 0|Asha Mushi"`)
	b.click(".same > summary")
	b.sound("a change")
	b.shootBoth("2-change")
	b.scheme("dark")
	b.shootBoth("2-change-dark")
	b.scheme("light")
	b.quiet("the history")

	// A row of the log arrives while one looks.
	b.open(s.url + "/admin/data/audit_log")
	b.until(`window.streamOpen`)
	a.call("PATCH", "/tenants/"+neema, map[string]string{"name": "Neema & Co"}, nil)
	b.has("#rows", "API key end to end")

	// Somebody new: the drawer shows the link once.
	b.open(s.url + "/admin/data/users")
	b.click("[data-key=n]")
	b.until(`document.querySelector("#record").open && !!document.querySelector("#f-admin_role")`)
	b.fill("#f-name", "Zawadi")
	b.fill("#f-email", "zawadi@example.org")
	b.click("#f-admin_role")
	b.do(chromedp.KeyEvent("sup"))
	b.until(`document.querySelectorAll("#p-admin_role li").length === 1`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("[name=admin_role]").value === "support"`)
	b.click("#record-form [type=submit]")
	b.has("#record", "Give this link to Zawadi.")
	b.has("#rows", "Zawadi")
	b.sound("a link for somebody new")
	b.shootBoth("3-link")
	b.click("#record [data-close]")
	b.until(`!document.querySelector("#record").open`)
	b.quiet("somebody new")

	if _, err := routes.UpsertColleague(t.Context(), p.db, "zawadi@example.org", testPassword, ""); err != nil {
		t.Fatal(err)
	}
	z := newTab(t, newBrowser(t))
	z.signIn(s, "zawadi@example.org", testPassword)
	z.has("h1", "Overview")
	z.do(chromedp.KeyEvent("gt"))
	z.has("h1", "Tenants")
	z.until(`!document.querySelector("[data-open=new-tenant]")`)
	z.do(chromedp.KeyEvent("n")) // nothing is there to make
	z.do(chromedp.KeyEvent("gc"))
	z.has("h1", "Contacts")
	z.rows(2)
	z.do(chromedp.KeyEvent("j"))
	z.do(chromedp.KeyEvent(kb.Enter))
	z.until(`document.querySelector("#record").open`)
	z.has("#record", "Your role, support, may not make, change or delete records.")
	z.until(`!document.querySelector("#record form, #record [type=submit], #record textarea, #record .failed-text")`)
	z.shootBoth("4-reading")
	z.do(chromedp.KeyEvent(kb.Escape))
	z.until(`!document.querySelector("#record").open`)
	z.do(chromedp.KeyEvent("gt"))
	z.has("h1", "Tenants")
	z.tabTo("a.row-link")
	z.press(kb.Enter)
	z.has("h1", "Neema & Co")
	z.has("#people", "may not change people")
	z.sound("a tenant as support sees it")
	z.shootBoth("5-tenant")
	z.tabTo("#btn-start")
	z.press(kb.Enter)
	z.until(`!!document.querySelector("#link-panel img.qr")`) // acting on workers they may
	z.quiet("support")

	// Their role changes: the next request knows.
	p.exec("UPDATE users SET admin_role = 'read-only' WHERE email = 'zawadi@example.org'")
	z.tabTo("#btn-stop")
	z.press(kb.Enter)
	z.until(`document.querySelector("#confirm-stop").open`)
	z.tabTo("#confirm-stop .btn.danger")
	z.press(kb.Enter)
	z.has("#toasts", "Your role, read-only, may not start, stop or link numbers.")
	z.expect("status of 403")
	z.expect("Status Error Code 403")
	z.open(s.url + "/admin/tenants/" + neema)
	z.has("#state-panel", "Your role, read-only, may not start, stop or link numbers.")
	z.until(`!document.querySelector("#btn-stop, #link-panel img.qr, #pair-form, #confirm-stop")`)
	z.shootBoth("6-read-only")
	z.scheme("dark")
	z.shootBoth("6-read-only-dark")
	z.quiet("read-only")
}
