package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The operator's whole way: from the printed link to a linked business that answers, over a restart, to its stop.
func TestOperatorsStory(t *testing.T) {
	const number, asha, juma = "+255712000301", "+255754000401", "+255713000402"
	p, bin := newProduct(t), buildBinary(t)
	s := serveProcess(t, bin, p.settings(), "serve", "--listen", "127.0.0.1:0") // it will be stopped under an open page
	b := newTab(t, newBrowser(t))

	b.open(s.setupLink(t))
	b.shootBoth("1-setup")
	b.fill("#name", "Amina Operator")
	b.fill("#email", testAdmin)
	b.fill("#password", testPassword)
	b.click("main .btn.primary")
	b.has("h1", "Overview")
	b.has("h2", "Begin with a business")
	b.shootBoth("2-overview")
	b.do(chromedp.KeyEvent("gt"))
	b.has("h1", "Tenants")
	b.has("h2", "Add the first business")
	b.shootBoth("2-empty")

	b.click("header [data-open=new-tenant]")
	b.until(`document.querySelector("#new-tenant").open`)
	b.fill("#tf-name", "Neema Salon")
	b.fill("#tf-business", "Neema Salon")
	b.fill("#tf-phone", "0712 000 301")
	b.do(chromedp.SetValue(chromedp.CSS("#tf-language"), "EN"))
	b.shootBoth("3-drawer")
	b.click("#tenant-form [type=submit]")
	b.has("h1", "Neema Salon")
	b.has("#state-panel", "Not connected")
	b.until(`!!document.querySelector("#live")`)
	b.shootBoth("4-new")

	// The code appears on the open page.
	b.stay()
	eval[int](b, `new MutationObserver(() => {
		const ring = document.querySelector("#link-panel [data-ring]");
		if (ring && !window.qrDelay) window.qrDelay = Date.now() - Number(ring.dataset.issuedAt);
	}).observe(document.body, {childList: true, subtree: true}), 1`)
	b.click("#btn-start")
	b.until(`document.querySelector("#link-panel img.qr")?.complete && document.querySelector("#link-panel [data-left]").textContent.includes("0:")`)
	t.Logf("the QR was on the page %d ms after it was issued", eval[int](b, `window.qrDelay`))
	b.has("#state-panel", "Waiting for scan")
	b.shootBoth("5-qr")
	b.scheme("dark")
	b.shoot("5-qr-dark")
	code := b.scanQR()
	b.scheme("light")
	if again := b.scanQR(); again != code {
		t.Errorf("in dark the code reads %q, in light %q", code, again)
	}
	if err := p.scan(code, number); err != nil {
		t.Fatal(err)
	}
	b.has("#state-panel", "Connected")
	b.has("#link-panel", "Connected as")
	b.has("#state-panel", "Active")
	b.until(`!document.querySelector("#send-text").disabled`)
	b.shootBoth("6-connected")

	// A customer writes; the message, the answer and its ticks appear.
	p.says(asha, number, "Hello")
	b.has("#messages .msg.in", "Hello")
	answer := p.inbox(asha, 1)[0].Text
	first, _, _ := strings.Cut(answer, "\n")
	b.has("#messages .msg.out", strings.ReplaceAll(first, "*", "")) // marks of bold words are shown as such
	b.until(`!!document.querySelector("#messages .msg.out .tick.read")`)
	b.shootBoth("7-answered")

	// The operator writes to somebody.
	b.fill("#send-to", juma)
	b.fill("#send-text", "Your table is ready, karibu!")
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := p.inbox(juma, 1)[0]; got.Text != "Your table is ready, karibu!" || got.From != strings.TrimPrefix(number, "+") && got.From != number {
		t.Errorf("the customer got %+v", got)
	}
	b.has("#messages .msg.out", "Your table is ready, karibu!")
	b.until(`document.querySelectorAll("#messages .msg.out .tick.read").length === 2 && document.querySelector("#send-text").value === ""`)
	b.same("what happened")
	b.quiet("the tenant's page")

	// The server restarts under the open page. The number is connected again without a scan, and the page goes on by itself.
	b.expect("error: [object Event]") // so htmx says that the stream ended
	b.expect("ERR_CONNECTION_REFUSED")
	b.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
	b.expect("ERR_EMPTY_RESPONSE")
	b.expect("ERR_CONNECTION_RESET")
	s.stop()
	serveProcess(t, bin, p.settings(), "serve", "--listen", strings.TrimPrefix(s.url, "http://"))
	if err := p.sim.WaitConnected(within(t), number); err != nil {
		t.Fatal(err)
	}
	if devices := p.sim.Devices(); len(devices) != 1 {
		t.Errorf("%d devices are linked after a restart, want the one from before", len(devices))
	}
	p.says(juma, number, "Asante sana")
	b.has("#messages .msg.in", "Asante sana")
	p.inbox(juma, 2)
	b.has("#state-panel", "Connected")
	b.until(`document.querySelector("#offline").hidden`)
	b.same("the restart of the server")
	b.shoot("8-restarted")

	b.click("#btn-stop")
	b.until(`document.querySelector("#confirm-stop").open`)
	b.shootBoth("9-confirm-stop")
	b.click("#confirm-stop .btn.danger")
	b.until(`!document.querySelector("#confirm-stop").open`)
	b.has("#state-panel", "Stopped")
	b.has("#state-panel", "Paused")
	b.until(`!!document.querySelector("#btn-start")`)
	if starts, said := eval[int](b, `document.querySelectorAll("main form[action$='/worker/start']").length`), eval[int](b, `document.querySelector("main").innerText.split("Stopped by a person.").length - 1`); starts != 1 || said != 1 {
		t.Errorf("the stopped page has %d ways to start and says %d times who stopped it", starts, said)
	}
	b.same("the stop")
	b.shootBoth("10-stopped")

	// The conversations, as the business's people see them: the operator's looking leaves them unread, what the operator writes waits for the number.
	b.click(`main a[href$="/chats"]`)
	b.until(`document.querySelectorAll("#chats .chat-row").length === 2 && window.streamOpen`)
	b.click("#chats .chat-row a")
	b.has("#thread .theirs", "Asante sana")
	b.has("#thread .by-PERSON", "Your table is ready")
	b.until(`!!document.querySelector("#thread .by-BOT .tick.read") && window.streamOpen && !!document.querySelector("#chats [aria-current] .badge")`)
	b.stay()
	b.fill("#answer-text", "We open at nine.")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#thread > :last-child").innerText.includes("We open at nine.") && document.querySelector("#answer-text").value === ""`)
	b.has("#composer-away", "not connected")
	b.same("an answer in a conversation")
	b.shootBoth("11-conversation")
	b.quiet("the tenant's page after the restart")
}

// Linking by the eight characters that are typed on the phone.
func TestPairByCode(t *testing.T) {
	const number = "+255712000302"
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	b := newTab(t, newBrowser(t))
	id := p.program(s).tenant("Kariakoo Fabrics", number, "ECOMMERCE", "EN")
	p.signIn(b, s)
	b.open(s.url + "/admin/tenants/" + id)
	b.stay()
	b.click("#btn-start")
	b.until(`!!document.querySelector("#link-panel img.qr")`)
	b.click("#pair-form summary")
	b.until(`document.querySelector("#pair-form details").open`)
	b.fill("#pair-phone", number)
	b.click("#pair-form form button")
	b.until(`document.querySelector("#pair-code")?.textContent.length === 9`)
	b.shootBoth("1-code")
	code := eval[string](b, `document.querySelector("#pair-code").textContent`)
	if _, err := p.sim.LinkCode(within(t), number, code); err != nil {
		t.Fatal(err)
	}
	b.has("#state-panel", "Connected")
	b.has("#link-panel", "Connected as")
	b.same("linking by code")
	b.shoot("2-connected")
	b.quiet("the tenant's page")
}
