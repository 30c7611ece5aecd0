package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
)

// chats gives a tenant some customers with messages, as if they had written.
func (p *product) chats(tenant string, customers, messages int) {
	p.t.Helper()
	for i := range customers {
		id, phone := uuid.Must(uuid.NewV7()), fmt.Sprintf("+25575400%04d", i)
		p.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, $3, $4)", id, tenant, fmt.Sprintf("Customer %d", i), phone)
		p.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", id, tenant)
		p.exec(`
			INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, created_at)
			SELECT gen_random_uuid(), $1, $2::uuid, 'IN', $4, '+255712000311', 'Habari, bei ya ' || (ARRAY['nywele','viatu','sabuni'])[1 + n % 3], $2::text || '-' || n, 'RECEIVED', now() - n * interval '1 hour'
			FROM generate_series(1, $3::int) n`, tenant, id, messages, phone)
	}
}

// exec runs a statement on the product's database.
func (p *product) exec(sql string, args ...any) {
	p.t.Helper()
	if _, err := p.db.System.Exec(p.t.Context(), sql, args...); err != nil {
		p.t.Fatal(err)
	}
}

// rows waits until the list has so many.
func (b *tab) rows(n int) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelectorAll("#rows tr:not(.more)").length === %d`, n))
}

// An operator finds tables, narrows lists, keeps views and columns, opens, changes, copies and deletes records.
func TestAdminListsAndRecords(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	a := p.program(s)
	neema := a.tenant("Neema Salon", "+255712000311", "BOOKING", "EN")
	a.tenant("Duka la Juma", "+255712000312", "ECOMMERCE", "SW")
	p.chats(neema, 3, 30)
	own := newBrowser(t)
	b := newTab(t, own)
	p.signIn(b, s)

	// Collections: the sidebar finds a table and keeps a pin.
	b.click("#side-find")
	b.do(chromedp.KeyEvent("conta"))
	b.until(`[...document.querySelectorAll(".side-item")].filter((e) => e.checkVisibility()).map((e) => e.innerText.trim()).join() === "Contacts,Notes on contacts"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("h1", "Contacts")
	b.rows(3)
	b.click("[data-pin]")
	b.until(`!!document.querySelector('.side-pins a[href="/admin/data/contacts"]') && document.querySelector("[data-pin]").ariaPressed === "true"`)
	b.open(s.url + "/admin/account")
	b.until(`!!document.querySelector('.side-pins a[href="/admin/data/contacts"]')`)
	b.quiet("the sidebar")

	// Lists: a word, a filter with suggestions, what is wrong with one, order, more rows, the address.
	b.open(s.url + "/admin/data/message_logs")
	b.rows(50)
	b.has("#list-count", "90 messages")
	b.sound("a list")
	b.click("#rows-more button")
	b.rows(90)
	b.stay()
	b.fill("#q", "sabuni")
	b.rows(30)
	b.until(`location.search === "?q=sabuni&sort=-created_at"`)
	b.fill("#q", "dir")
	b.until(`!document.querySelector("#suggestions").hidden && document.querySelector("#suggestions li").textContent.startsWith("direction")`)
	b.shoot("1-suggestions")
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#q").value === "direction "`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter)) // =
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter)) // "IN"
	b.until(`document.querySelector("#q").value === 'direction = "IN" '`)
	b.do(chromedp.KeyEvent("&& created_at > @now-3h"), chromedp.KeyEvent(kb.Enter))
	b.rows(6)
	b.has("#list-count", "6 messages")
	b.fill("#q", `staus = "IN"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has(".filter-error", "Did you mean status?")
	b.until(`document.querySelector(".filter-error mark").textContent === "staus"`)
	b.expect("status of 422")
	b.sound("a filter that is wrong")
	b.fill("#q", `tenant.name ~ "neema" && message_text ~ "viatu"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.rows(30)
	b.click("#sort-created_at")
	b.until(`document.querySelector("th[aria-sort]").ariaSort === "ascending" && location.search.includes("sort=created_at")`)
	b.same("a list that is narrowed and ordered")
	b.fill("#q", kb.Escape)
	b.rows(50)
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	b.until(`[...document.querySelectorAll("#suggestions li")].some((e) => e.textContent.includes("viatu") && e.textContent.includes("asked before"))`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.quiet("lists")

	// Columns and views stay with the admin.
	b.open(s.url + "/admin/data/message_logs?q=viatu&sort=created_at")
	b.click("details:has([data-columns]) > summary")
	b.shoot("2-columns")
	b.click(`[data-columns] input[value="wa_message_id"]`)
	b.click(`[data-columns] .btn`)
	b.until(`!!document.querySelector("th.k-text") && [...document.querySelectorAll("th")].some((e) => e.textContent.includes("WhatsApp id")) && location.search.includes("q=viatu")`)
	b.click("details:has(.with-btn) > summary")
	b.fill(`form[action$="/views"] [name=name]`, "Shoes first")
	b.click(`form[action$="/views"] .btn`)
	b.has("#toasts", "“Shoes first” is saved")
	b.open(s.url + "/admin/data/message_logs")
	b.until(`[...document.querySelectorAll("th")].some((e) => e.textContent.includes("WhatsApp id"))`)
	b.click("details:has(.with-btn) > summary")
	b.click(".menu-list a")
	b.has(".list-count", "Shoes first")
	b.rows(30)

	// A row arrives while one looks, and the pointer's row stays where it is.
	b.open(s.url + "/admin/data/users")
	b.until(`window.streamOpen`)
	p.exec("INSERT INTO users (id, tenant_id, name, email, role) VALUES ($1, $2, 'Fresh Person', 'fresh@salon.example', 'STAFF')", uuid.Must(uuid.NewV7()), neema)
	b.has("#rows", "Fresh Person")
	b.quiet("live rows")

	// Records: the drawer, what is wrong, saving, the guard, a duplicate, a copy, deletion.
	b.open(s.url + "/admin/data/contacts?sort=name")
	b.rows(3)
	b.stay()
	b.click("#rows tr:first-child .row-link")
	b.until(`document.querySelector("#record").open && document.querySelector("#f-name").value === "Customer 0" && location.search.includes("open=")`)
	b.sound("a record")
	b.shootBoth("3-record")
	b.fill("#f-phone_number", "12")
	b.fill("#f-name", "Typed and kept")
	b.click("#record-form [type=submit]")
	b.until(`document.activeElement.id === "f-phone_number" && document.activeElement.ariaInvalid === "true" && document.querySelector("#f-name").value === "Typed and kept"`)
	b.click("#record [data-close]")
	b.until(`document.querySelector("#unsaved").open`)
	b.shoot("4-unsaved")
	b.click("#unsaved [data-close]")
	b.until(`document.querySelector("#record").open && !document.querySelector("#unsaved").open`)
	b.fill("#f-phone_number", "0754 111 222")
	b.click("#record-form [type=submit]")
	b.has("#record-form", "Saved")
	b.has("#rows tr:first-child, #rows tr.current", "Typed and kept")
	b.click("#record .menu > summary")
	b.click(`[hx-get*="new?from"]`)
	b.has("#record-h", "New contact")
	b.until(`document.querySelector("#f-name").value === "Typed and kept" && document.querySelector("#f-tenant_id").value === "Neema Salon"`)
	b.fill("#f-tenant_id", "duka")
	b.until(`!!document.querySelector("#p-tenant_id [role=option]")`)
	b.shoot("5-picker")
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#f-tenant_id").value === "Duka la Juma"`)
	b.click("#record-form [type=submit]")
	b.has("#toasts", "Contact created")
	b.rows(4)
	b.until(`!document.querySelector("#record").open && !location.search.includes("open=")`)
	b.same("working on records")

	b.click("#rows tr:first-child .row-link")
	b.until(`document.querySelector("#record").open`)
	b.click("#record .menu > summary")
	b.click("[data-copy-url]")
	b.has("#toasts", "Copied.")
	b.click("#record .menu > summary")
	b.click("[data-opens=ask-delete]")
	b.has("#ask-delete", "1 conversation")
	b.has("#ask-delete", "30 messages")
	b.sound("the question before a deletion")
	b.shoot("6-delete")
	b.click("#ask-delete .btn.danger")
	b.has("#toasts", "Contact deleted")
	b.rows(3)
	b.has("#list-count", "3 contacts")
	b.quiet("records")
	if text := eval[string](b, `document.querySelector("#rows").innerText`); strings.Contains(text, "Customer 0") {
		t.Errorf("the deleted contact is still there: %s", text)
	}
}

// The same by keyboard alone, with the focus always seen.
func TestAdminByKeyboardAlone(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	p.chats(p.program(s).tenant("Neema Salon", "+255712000311", "BOOKING", "EN"), 3, 2)
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)
	b.do(chromedp.KeyEvent("f"))
	b.until(`document.activeElement.id === "side-find"`)
	eval[bool](b, `document.activeElement.select(), true`)
	b.press("contacts")
	b.press(kb.Enter)
	b.has("h1", "Contacts")
	b.rows(3)
	b.do(chromedp.KeyEvent("p"))
	b.until(`!!document.querySelector('.side-pins a[href="/admin/data/contacts"]')`)
	b.do(chromedp.KeyEvent("/"))
	b.until(`document.activeElement.id === "q"`)
	eval[bool](b, `document.activeElement.select(), true`) // the driver types the slash, too
	b.press("customer")
	b.tabTo("#sort-name") // its order is of what was typed, whether that was asked for already or not
	b.press(kb.Enter)
	b.until(`location.search === "?q=customer&sort=name" && document.activeElement.id === "sort-name"`)
	b.rows(3)
	b.press("j")
	b.until(`document.activeElement.closest("tr") === document.querySelector("#rows tr")`)
	b.press("j")
	b.press("j")
	b.press("k")
	b.until(`document.activeElement.closest("tr") === document.querySelectorAll("#rows tr")[1]`)
	b.shoot("1-row")
	b.press("e")
	b.until(`document.querySelector("#record").open && document.querySelector("#f-name").value === "Customer 1"`)
	b.tabTo("#f-name")
	eval[bool](b, `document.activeElement.select(), true`)
	b.press("Renamed by keyboard")
	b.press(kb.Escape)
	b.until(`document.querySelector("#unsaved").open`)
	b.press(kb.Escape) // keep editing
	b.until(`!document.querySelector("#unsaved").open && document.querySelector("#record").open`)
	b.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.has("#record-form", "Saved")
	b.press(kb.Escape)
	b.until(`!document.querySelector("#record").open && document.activeElement.closest("tr").innerText.includes("Renamed by keyboard")`)
	b.do(chromedp.KeyEvent("n"))
	b.until(`document.querySelector("#record").open && document.activeElement.id === "f-name"`)
	eval[bool](b, `document.activeElement.value = "", true`) // the driver types the n, too
	b.tabTo("#f-phone_number")
	b.press("0754 999 888")
	b.tabTo("#f-tenant_id")
	b.press("neema")
	b.until(`!!document.querySelector("#p-tenant_id [role=option]")`)
	b.press(kb.ArrowDown)
	b.press(kb.Enter)
	b.until(`document.querySelector("#f-tenant_id").value === "Neema Salon" && document.querySelector("#record").open`)
	b.press(kb.Enter)
	b.has("#toasts", "Contact created")
	b.rows(2) // neither the new one, without a name, nor the renamed one is a customer
	b.do(chromedp.KeyEvent("gm"))
	b.has("h1", "Messages")
	b.quiet("the admin by keyboard")
}
