package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A salon's owner on a phone, in Swahili: a customer asks for a person, the owner hears of it, takes over, answers and hands back. Two
// tabs agree all the time, nothing is sent twice, and a connection that was lost costs nothing.
func TestOwnersInbox(t *testing.T) {
	t.Parallel()
	const number, asha, email = "+255712000331", "+255754000431", "neema@salon.example"
	p, bin := newProduct(t), buildBinary(t)
	s := serveProcess(t, bin, p.settings(), "serve", "--listen", "127.0.0.1:0")
	api := p.program(s)
	tenant := api.tenant("Saluni ya Neema", number, "BOOKING", "SW")
	api.link(tenant, number, p.scan)
	p.owner(tenant, email, testPassword)
	browser := newBrowser(t)
	b, desktop := newTab(t, browser), newTab(t, browser)
	b.width(phone)

	// The bot answers, and the owner reads along.
	p.says(asha, number, "Habari")
	p.inbox(asha, 1)
	b.signIn(s, email, testPassword)
	b.has("#portal-state", "Namba yako inajibu wateja")
	b.until(`document.querySelector("#inbox-badge").dataset.count === "0"`) // the stream has said that nobody waits
	eval[int](b, `document.addEventListener("flow:handoff", () => { window.heard = (window.heard || 0) + 1; }), 1`)

	// A customer asks for a person: it is heard and seen at once, wherever the owner is.
	p.says(asha, number, "naomba mtu")
	p.inbox(asha, 2)
	b.until(`!document.querySelector("#inbox-badge").hidden && document.title.startsWith("(1)") && window.heard === 1`)
	b.shoot("1-home-390")
	b.click(`.tabs a[href="/portal/inbox"]`)
	b.has("#chats .chat-row", "Anaomba mtu")
	b.until(`!document.querySelector("#inbox-waiting").hidden`)
	b.click(`.chips a[href="/portal/inbox?show=waiting"]`)
	b.has("#chats .chat-row", "Anaomba mtu")
	b.until(`window.streamOpen === true`)
	b.sound("the queue")
	b.width(phone)
	b.shootThemes("2-queue")
	b.click("#chats .chat-row a")
	b.has("#chat-bar", "Mteja anaomba kuongea na mtu")
	b.has("#thread .by-BOT", "Roboti")
	b.has("#thread .day", "Leo")
	b.until(`window.streamOpen === true`)
	b.stay()
	b.sound("the chat")
	b.width(phone)
	b.shootThemes("3-asks")
	desktop.signIn(s, email, testPassword)
	desktop.open(s.url + eval[string](b, "location.pathname"))
	desktop.has("#chats .chat-row", "Anaomba mtu")
	desktop.has("#chat-bar", "Mteja anaomba kuongea na mtu")
	desktop.until(`window.streamOpen === true && !document.querySelector("#chats .badge")`) // the phone has it before its eyes
	desktop.stay()

	// The owner takes over. Both tabs show it, and nobody waits any more.
	b.click("#take-over")
	b.has("#chat-bar", "Anayejibu: Wewe")
	desktop.has("#chat-bar", "Anayejibu: Wewe")
	for _, each := range []*tab{b, desktop} {
		each.until(`document.querySelector("#inbox-badge").hidden && !document.title.startsWith("(")`)
	}
	desktop.until(`!!document.querySelector("#chats .chat-mark") && !document.querySelector("#chats .state.waiting")`)

	// The answer leaves once, though its form is sent three times, and once more by the key.
	b.fill("#answer-text", "Habari Asha, nikusaidie nini?")
	eval[int](b, `(async () => { const f = document.querySelector("#composer"), body = new URLSearchParams(new FormData(f));
		const all = await Promise.all([1, 2, 3].map(() => fetch(f.action, {method: "POST", body, headers: {"HX-Request": "true"}})));
		return all.every((r) => r.ok) ? 1 : 0; })()`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#answer-text").value === "" && !!document.querySelector("#thread .by-PERSON .tick.read")`)
	desktop.has("#thread .by-PERSON", "nikusaidie nini?")
	if got := p.inbox(asha, 3); len(got) != 3 || got[2].Text != "Habari Asha, nikusaidie nini?" {
		t.Errorf("the customer's phone shows %+v", got)
	}
	for name, each := range map[string]*tab{"phone": b, "desk": desktop} {
		if n := eval[int](each, `document.querySelectorAll("#thread .by-PERSON").length`); n != 1 {
			t.Errorf("the %s shows the answer %d times", name, n)
		}
	}

	// The bot stays silent. The server goes away meanwhile; what the customer writes then is there when it is back.
	p.says(asha, number, "Bei za kusuka?")
	b.has("#thread .theirs", "Bei za kusuka?")
	for _, each := range []*tab{b, desktop} {
		for _, words := range []string{"error: [object Event]", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"} {
			each.expect(words)
		}
	}
	s.stop()
	p.says(asha, number, "menu")
	serveProcess(t, bin, p.settings(), "serve", "--listen", strings.TrimPrefix(s.url, "http://"))
	for _, each := range []*tab{b, desktop} {
		each.until(`[...document.querySelectorAll("#thread .theirs")].filter((e) => e.innerText.includes("menu")).length === 1`)
		each.until(`document.querySelector("#offline").hidden && document.querySelector("#composer-away").hidden`)
		each.has("#chat-bar", "Anayejibu: Wewe")
	}
	desktop.shoot("4-taken")
	b.shootThemes("5-taken")
	if got := p.inbox(asha, 3); len(got) != 3 {
		t.Errorf("in a chat that was taken over the customer got %+v", got[3:])
	}

	// Handed back, the bot answers again.
	b.click("#hand-back")
	b.has("#chat-bar", "Roboti inajibu")
	desktop.has("#chat-bar", "Roboti inajibu")
	p.says(asha, number, "menu")
	if got := p.inbox(asha, 4); len(got) != 4 || !strings.Contains(got[3].Text, "Jibu kwa namba") {
		t.Errorf("after handing back the customer got %+v", got[3:])
	}
	b.until(`document.querySelectorAll("#thread .by-BOT").length === 3 && document.querySelectorAll("#thread .by-PERSON").length === 1`)
	desktop.until(`document.querySelectorAll("#thread .by-BOT").length === 3`)
	b.same("the chat")
	desktop.same("the chat on a desk")
	if moved := eval[float64](desktop, `window.shifted`); moved > 0.1 {
		t.Errorf("the desk's page moved by %.3f", moved)
	}

	// What is known about the customer, and an answer that is used again and again.
	b.click("[data-open=about]")
	b.fill("#label-new", "VIP")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#chat-head .tag", "VIP")
	desktop.has("#chats .tag", "VIP")
	b.fill("#note-new", "Anapenda rangi nyekundu.")
	b.click("#contact-info form[action$='/notes'] .btn")
	b.has(".notes", "Anapenda rangi nyekundu.")
	b.sound("what is known about a customer")
	b.width(phone)
	b.shoot("6-about-390")
	b.open(s.url + "/portal/canned")
	b.fill("#ca-title", "Bei")
	b.fill("#ca-text", "Kusuka ni kuanzia 25,000.")
	b.click("#canned .btn.primary")
	b.has("#canned .canned-list", "Kusuka ni kuanzia 25,000.")
	b.shoot("7-canned-390")
	b.open(s.url + eval[string](desktop, "location.pathname"))
	b.has("#chat-bar", "Roboti inajibu")
	b.click("[data-open=quick-answers]")
	b.until(`document.querySelector("#quick-answers").open`)
	b.shoot("8-quick-390")
	b.click("#quick-answers [data-insert]")
	b.until(`document.querySelector("#answer-text").value === "Kusuka ni kuanzia 25,000." && document.activeElement.id === "answer-text"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	p.inbox(asha, 5)
	desktop.has("#chat-bar", "Anayejibu: Wewe") // whoever answers has the chat
	b.quiet("the phone's inbox")
	desktop.quiet("the desk's inbox")
}
