package main

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A salon's owner in Dar es Salaam, on a phone, in Swahili: from sign-up to a bot that answers, with the operator in a second
// browser and nobody's help.
func TestOwnersWayIn(t *testing.T) {
	t.Parallel()
	const number, asha, email = "+255712000321", "+255754000421", "neema@salon.example"
	p, box := newProduct(t), newMailbox(t)
	settings := p.settings()
	settings["SMTP_URL"], settings["MAIL_FROM"], settings["STALE_CHECK_INTERVAL"] = "smtp://"+box.address, "Flow HQ <hq@flowhq.example>", "1s"
	s := serveCommand(t, settings, "serve", "--listen", "127.0.0.1:0")
	browser := newBrowser(t)
	operator := newTab(t, browser)
	p.signIn(operator, s)
	operator.open(s.url + "/admin/requests")
	operator.has("#request-rows", "Nobody has asked yet")
	operator.until(`window.streamOpen === true`)
	operator.stay()

	// Sign-up. The address is confirmed before there is an account.
	b := newTab(t, browser)
	b.width(phone)
	b.open(s.url + "/login")
	b.click(`main a[href="/signup"]`)
	b.has("h1", "Wateja wako wajibiwe papo hapo")
	b.sound("the sign-up")
	b.width(phone)
	b.shootThemes("1-signup")
	b.fill("#name", "Neema Joseph")
	b.fill("#email", email)
	b.click("main .btn.primary")
	b.has("h1", "Angalia barua pepe yako")
	b.sound("the page about the mail")
	b.width(phone)
	b.shoot("2-sent")
	b.open(box.link(box.wait(email, "Thibitisha barua pepe yako")))
	b.has("h1", "Chagua nenosiri")
	b.fill("#password", "plantain river seventeen")
	b.click("main .btn.primary")

	// The request, sent by two taps and looked at again with the back button: it is one.
	b.until(`location.pathname === "/portal/setup"`)
	b.has("h1", "Anzisha roboti yako")
	b.sound("the set-up form")
	b.width(phone)
	b.shootThemes("3-form")
	b.fill("#sf-name", "Saluni ya Neema")
	b.do(chromedp.SetValue(chromedp.CSS("#sf-kind"), "SALON"), chromedp.SetValue(chromedp.CSS("#sf-template"), "BOOKING"))
	b.fill("#sf-phone", "0712 000 321")
	eval[int](b, `(() => { const f = document.querySelector("#setup-form"); f.submit(); f.submit(); return 1; })()`)
	b.has("#setup-state", "Ombi lako limetumwa")
	b.until(`window.streamOpen === true`)
	b.sound("the steps")
	b.width(phone)
	b.shootThemes("4-submitted")
	eval[int](b, `history.back(), 1`)
	b.until(`!!document.querySelector("#setup-state")`)
	b.open(s.url + "/portal/setup")
	b.until(`window.streamOpen === true`)
	b.stay()
	box.wait(email, "Tumepokea ombi la Saluni ya Neema")
	box.wait(testAdmin, "New set-up request: Saluni ya Neema")

	// The operator sees it come, looks, and says no; the owner reads each step as it happens.
	operator.has("#request-rows", "Saluni ya Neema")
	operator.until(`document.querySelectorAll("#request-rows .request").length === 1`)
	operator.same("the request")
	operator.sound("the operator's list")
	operator.shootBoth("5-requests")
	answer := func(what, reason string) {
		t.Helper()
		if reason != "" {
			operator.fill("#rq-reason", reason)
		}
		operator.click(`#request-rows .request button[value^=` + what + `]`)
	}
	answer("review", "")
	b.has("#setup-state", "Tunaangalia ombi lako")
	answer("reject", "Andika jina kamili la biashara.")
	b.has("#setup-state", "Andika jina kamili la biashara.")
	b.same("the operator's answer")
	b.sound("a rejected request")
	b.width(phone)
	b.shootThemes("6-rejected")
	box.wait(email, "Ombi la Saluni ya Neema linahitaji marekebisho")
	b.click("#setup-correct")
	b.until(`document.querySelector("#sf-phone").value === "+255712000321"`)
	b.fill("#sf-name", "Saluni ya Neema Mikocheni")
	b.click("#setup-form .btn.primary")
	b.has("#setup-state", "Ombi lako limetumwa")
	b.until(`window.streamOpen === true`)
	b.stay()
	operator.has("#request-rows", "Saluni ya Neema Mikocheni")
	answer("approve", "")

	// Approved: the code comes by itself; a scan, and the bot answers.
	b.has("#setup-state", "Umekubaliwa!")
	b.until(`!!document.querySelector("#link-panel img.qr")?.complete`)
	b.sound("the code")
	b.width(phone)
	b.shootThemes("7-scan")
	box.wait(email, "Saluni ya Neema Mikocheni imekubaliwa: unganisha namba yako")
	if err := p.scan(b.scanQR(), number); err != nil {
		t.Fatal(err)
	}
	b.has("#setup-state", "Roboti yako inajibu wateja")
	b.same("the way from the answer to the bot that works")
	b.shoot("8-active")
	operator.has("#request-rows", "Active")
	box.wait(email, "Roboti ya Saluni ya Neema Mikocheni inajibu wateja")
	b.click("#setup-home")
	b.has("#portal-state", "Namba yako inajibu wateja")
	p.says(asha, number, "Habari")
	p.inbox(asha, 1)
	b.has("#messages .msg.in", "Habari")
	b.sound("the owner's home")
	b.width(phone)
	b.shootThemes("9-home")

	// Staff, the account, English one tap away.
	b.open(s.url + "/portal/account")
	b.sound("the account")
	b.width(phone)
	b.shootThemes("10-account")
	b.click(`a[href="/portal/people"]`)
	b.fill("#pi-name", "Asha Mushi")
	b.fill("#pi-email", "asha@salon.example")
	b.click("#colleagues .btn.primary")
	b.has("#colleagues", "Asha Mushi")
	b.sound("the staff")
	b.width(phone)
	b.shootThemes("11-people")
	staff := newTab(t, browser)
	staff.open(box.link(box.wait("asha@salon.example", "Umealikwa: Saluni ya Neema Mikocheni")))
	staff.fill("#password", "mango window twelve")
	staff.click("main .btn.primary")
	staff.has("#portal-state", "Namba yako inajibu wateja")
	staff.quiet("the staff's home")
	b.open(s.url + "/portal/account")
	b.click(`.language button`)
	b.until(`document.documentElement.lang === "en"`)
	b.has("h1", "Account")

	// A forgotten password.
	b.click(`form[action='/logout'] button`)
	b.click(`main a[href="/forgot"]`)
	b.fill("#email", email)
	b.sound("the forgotten password")
	b.width(phone)
	b.click("main .btn.primary")
	b.has("h1", "Look at your e-mail")
	b.open(box.link(box.wait(email, "New password")))
	b.fill("#password", "another river eighteen")
	b.click("main .btn.primary")
	b.has("#portal-state", "Your number answers customers")
	b.quiet("the owner's way")
	operator.quiet("the operator's list")
}

// shootThemes keeps a picture at a phone's width in light and dark, and at a desk's.
func (b *tab) shootThemes(name string) {
	b.t.Helper()
	b.shoot(name + "-390")
	b.scheme("dark")
	b.shoot(name + "-390-dark")
	b.width(desk)
	b.shoot(name + "-dark")
	b.scheme("light")
	b.shoot(name)
	b.width(phone)
}
