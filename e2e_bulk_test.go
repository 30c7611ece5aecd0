package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
)

// An operator selects rows, edits all that match a filter, leaves while it is at work, comes back and sees what came of it.
func TestAdminBulk(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	neema := p.program(s).tenant("Neema Salon", "+255712000311", "BOOKING", "EN")
	p.exec(`INSERT INTO contacts (id, tenant_id, name, phone_number, created_at) SELECT gen_random_uuid(), $1, 'Customer ' || n, '+25575400' || lpad(n::text, 4, '0'), now() - n * interval '1 minute' FROM generate_series(1, 2500) n`, neema)
	other := uuid.Must(uuid.NewV7())
	p.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, 'Somebody else', '+255754999999')", other, neema)
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)

	// By keys: x selects, shift+x all up to the row, Escape nothing.
	b.open(s.url + "/admin/data/contacts")
	b.rows(50)
	b.has("#list-count", "2")
	b.do(chromedp.KeyEvent("jx"))
	b.has("#bulk-count", "1 selected")
	b.do(chromedp.KeyEvent("jjX"))
	b.has("#bulk-count", "3 selected")
	b.shootBoth("1-selected")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until(`document.querySelector("#bulk").hidden && !document.querySelector("#rows :checked")`)

	// All that match, one field of them.
	b.stay()
	b.fill("#q", `name ~ "Customer"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#list-count", "500 contacts")
	b.click("#rows tr:first-child .pick")
	b.click("[data-bulk-all]")
	b.has("#bulk-count", "500 contacts")
	b.until(`[...document.querySelectorAll("#rows .pick input")].every((e) => e.checked)`)
	b.same("selecting")
	b.click(`#bulk [hx-vals*=EDIT]`)
	b.has("#bulk-question", "Edit a field of")
	b.do(chromedp.SetValue(chromedp.CSS("#bulk-column"), "name"))
	eval[bool](b, `document.querySelector("#bulk-column").dispatchEvent(new Event("change", { bubbles: true }))`)
	b.until(`!!document.querySelector("#bulk-question #f-name")`)
	b.sound("the question")
	b.shootBoth("2-question")

	// Somebody is at the last of them, so the run stays where it is until they are done.
	hold, err := p.db.System.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Rollback(t.Context()) //nolint:errcheck // it is over by then
	if _, err := hold.Exec(t.Context(), "SELECT FROM contacts WHERE name = 'Customer 2500' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	b.fill("#bulk-question #f-name", "Mteja")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has(".bulk-of", "80 %")
	b.has("#bulk-run", "At work")
	b.sound("a run at work")
	b.shootBoth("3-run")
	b.open(s.url + "/admin/data/contacts")
	b.has(".at-work", "2\u202f000 of 2\u202f500")
	b.click(".at-work a")
	b.has(".bulk-of", "80 %")
	b.until(`window.streamOpen`)
	b.stay()
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.has(".bulk-of", "2\u202f500 of 2\u202f500")
	b.has("#bulk-run", "Done")
	b.same("the end of a run")
	b.shootBoth("4-done")
	b.click("#bulk-run a.btn")
	b.has(".list-count", "0 contacts") // the filter that it was for
	b.open(s.url + "/admin/data/contacts")
	b.rows(50)
	b.has("#rows", "Mteja")
	b.has("#rows", "Somebody else")

	// A deletion says what goes along and asks for the number.
	b.click("#pick-all")
	b.click("[data-bulk-all]")
	b.click(`#bulk [hx-vals*=DELETE]`)
	b.has("#bulk-question", "Type 2")
	b.fill("#bulk-typed", "12")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#bulk-question [role=alert]", "Type the number exactly")
	b.expect("status of 422")
	b.shootBoth("5-delete")
	b.fill("#bulk-typed", "2501")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#bulk-run", "Done")
	b.open(s.url + "/admin/data/contacts")
	b.has("#list", "Nothing here yet")
	b.open(s.url + "/admin/data/bulk_runs")
	b.rows(2)
	b.shootBoth("6-runs")
	b.quiet("bulk")
}
