package main

import (
	"strings"
	"testing"

	"flowhq/routes"
)

// owner gives a business an owner who can sign in.
func (p *product) owner(tenant, email, password string) {
	p.t.Helper()
	for _, account := range []string{testAdmin, email} { // somebody has to stay an admin
		if err := routes.UpsertAdmin(p.t.Context(), p.db, account, password); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := p.db.System.Exec(p.t.Context(), "UPDATE users SET role = 'OWNER', admin_role = NULL, tenant_id = $2, name = 'Neema Joseph' WHERE email = $1", email, tenant); err != nil {
		p.t.Fatal(err)
	}
}

// answer is what a customer's phone shows as its nth message.
func (p *product) answer(of string, n int) string {
	p.t.Helper()
	return p.inbox(of, n)[n-1].Text
}

// A salon's owner on a phone, in Swahili, gives the bot words of her own: tried before they are saved, on a customer's phone
// right after, and taken back with one tap.
func TestOwnWordsForTheBot(t *testing.T) {
	t.Parallel()
	const number, asha, email, password = "+255712000331", "+255754000431", "neema@salon.example", "plantain river seventeen"
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	a := p.program(s)
	tenant := a.tenant("Saluni ya Neema", number, "BOOKING", "SW")
	p.owner(tenant, email, password)
	a.link(tenant, number, p.scan)
	p.says(asha, number, "Habari")
	if said := p.answer(asha, 1); !strings.Contains(said, "Mimi ni msaidizi wa kiotomatiki") {
		t.Fatalf("before any change the bot says %q", said)
	}

	b := newTab(t, newBrowser(t))
	b.width(phone)
	b.signIn(s, email, password)
	b.click(`.tabs a[href="/portal/bot"]`)
	b.has("h1", "Roboti yako")
	b.stay()

	// The draft answers in the chat, and nowhere else.
	b.fill("#bf-field-greeting", "Karibu Mikocheni, kwetu ni kusuka tu!")
	b.click("#add-field-offers")
	b.until(`document.activeElement.id === "bf-r-offers-0-name"`)
	b.fill("#bf-r-offers-0-name", "Rasta")
	b.fill("#bf-r-offers-0-price", "TZS 45,000")
	b.click(`label[for="bot-tab-try"]`)
	b.has("#bot-lines", "Karibu Mikocheni, kwetu ni kusuka tu!")
	b.fill("#bot-say", "bei gani?\r") // the return key
	b.has("#bot-lines", "Rasta – TZS 45,000")
	b.until(`document.querySelector("#bot-say").value === ""`)
	b.shootThemes("1-try")
	p.says(asha, number, "habari tena")
	if said := p.answer(asha, 2); strings.Contains(said, "kusuka tu") {
		t.Fatal("a customer reads what is not saved")
	}

	// What is wrong is said where it is; then it is saved.
	b.click(`label[for="bot-tab-edit"]`)
	b.fill("#bf-r-offers-0-name", " ")
	b.click(".bot-save")
	b.has("#field-offers .err", "Tafadhali jaza hapa.")
	b.until(`document.activeElement.id === "bf-r-offers-0-name"`)
	b.shootThemes("2-wrong")
	b.fill("#bf-r-offers-0-name", "Rasta")
	b.click(".bot-save")
	b.has("#toasts", "Imehifadhiwa")
	b.until(`!document.querySelector(".bot-form .err") && !!document.querySelector(".bot-foot [formaction]")`)
	b.sound("the settings of the bot")
	b.width(phone)
	b.same("saving")

	// A customer's phone has it at once.
	p.says(asha, number, "Habari")
	if said := p.answer(asha, 3); !strings.Contains(said, "Karibu Mikocheni, kwetu ni kusuka tu!") {
		t.Fatalf("after saving the bot says %q", said)
	}
	p.says(asha, number, "bei")
	if said := p.answer(asha, 4); !strings.Contains(said, "• Rasta – TZS 45,000") {
		t.Fatalf("after saving the prices are %q", said)
	}

	// Undone, the old words are back; the history has all of it.
	b.click(".bot-foot [formaction]")
	b.has("#toasts", "Toleo la 1 limerudishwa")
	b.until(`document.querySelector("#bf-field-greeting").value === ""`)
	p.says(asha, number, "Habari")
	if said := p.answer(asha, 5); !strings.Contains(said, "Mimi ni msaidizi wa kiotomatiki") {
		t.Fatalf("after undoing the bot says %q", said)
	}
	b.click("#toasts [data-dismiss]") // on a phone it lies over the link
	b.click(`a[href="/portal/bot/history"]`)
	b.has(".versions", "Limerudishwa kutoka toleo la 1")
	b.has(".versions", "Neema Joseph")
	b.sound("the history")
	b.width(phone)
	b.shootThemes("3-history")
	b.click(".versions li:nth-child(2) a")
	b.has(".bot-changes .is", "Rasta – TZS 45,000")
	b.sound("a version")
	b.width(phone)
	b.shootThemes("4-version")

	// The first page says how it goes, and a message to her own phone shows that it does.
	const own = "+255754000439"
	b.open(s.url + "/portal")
	b.has("#portal-state", "Namba yako inajibu wateja")
	b.has("#portal-state", "Muda wa kujibu:")
	b.until(`window.streamOpen === true`)
	b.stay()
	b.fill("#test-phone", number)
	b.click("#test-send")
	b.has("#test-form .err", "Hii ni namba ya biashara yenyewe.")
	b.fill("#test-phone", own)
	b.click("#test-send")
	b.has("#test-result", "umefika na umesomwa")
	if said := p.answer(own, 1); !strings.Contains(said, "ujumbe wa majaribio kutoka Saluni ya Neema") {
		t.Errorf("the test message says %q", said)
	}
	b.same("what became of the test message")
	b.sound("the first page")
	b.width(phone)
	b.shootThemes("5-home")
	b.expect("422")
	b.quiet("the settings of the bot")
}
