package templates_test

import (
	"testing"
	"time"

	"flowhq/routes"
	"flowhq/templates/words"
)

// waySamples are an owner's way in, from sign-up to the people of the business. English pages differ in words only.
func waySamples(t testing.TB, add func(name, template string, data any), now time.Time) {
	const lang = words.Swahili
	stranger := func(title string) routes.Page {
		p := bare(title)
		p.Lang, p.OfferEnglish = lang, true
		return p
	}
	of := func(lang, title string) routes.Page {
		p := portalPage(lang, title, "home")
		p.Applying = true
		return p
	}
	add("way-login", "login", routes.LoginPage{Page: stranger("Ingia")})
	add("way-signup-errors", "signup", routes.SignUpPage{Page: stranger("Fungua akaunti"), Name: longName, Email: "neema",
		Errors: routes.FieldErrors{"name": "Tafadhali jaza hapa.", "email": "Hii si barua pepe; iandike hivi: jina@example.org."}, Error: "Umejaribu mara nyingi mno. Subiri kidogo, kisha ujaribu tena."})
	add("way-forgot", "forgot", routes.SignUpPage{Page: stranger("Umesahau nenosiri")})
	add("way-sent", "sent", routes.SentPage{Page: stranger("Barua pepe"), Heading: words.T(lang, "sent.heading"), Detail: words.T(lang, "sent.signup")})
	add("way-verify", "invite", routes.InvitePage{Page: stranger("Nenosiri"), Action: "/verify/x", Name: "Neema Joseph", Email: "neema@salon.example", Business: longName,
		Errors: routes.FieldErrors{"password": "Tumia angalau herufi 10."}, Expires: now.Add(20 * time.Hour)})
	add("way-gone", "link_gone", routes.LinkGonePage{Page: stranger("Kiungo"), Heading: words.T(lang, "gone.heading"), Detail: words.T(lang, "gone.sign_up")})

	add("way-form", "portal/setup", routes.SetupProgressPage{Page: of("en", "Set up your bot"), Form: routes.NewSetupForm("en"), ShowForm: true})
	wrong := routes.SetupProgressPage{Page: of(lang, "Anzisha roboti yako"), Form: routes.NewSetupForm(lang), ShowForm: true}
	wrong.Form.BusinessName, wrong.Form.Phone = longName, "0712"
	wrong.Form.Errors = routes.FieldErrors{"business_name": "Tafadhali jaza hapa.", "whatsapp_number": "Hii si namba ya simu; iandike hivi: +255712345678.",
		"hours": "Kufunga kuwe baada ya kufungua kwa kila siku iliyo wazi."}
	add("way-form-errors", "portal/setup", wrong)
	for _, status := range []string{"REJECTED", "APPROVED", "ACTIVE"} {
		p := routes.SetupProgressPage{Page: of(lang, "Anzisha roboti yako"), State: routes.SetupProgressOf(lang, status)}
		p.State.Business, p.State.Sent = "Saluni ya Neema Mikocheni", now.Add(-time.Hour)
		switch status {
		case "REJECTED":
			p.State.Reason = "Andika jina kamili la biashara kama lilivyo kwenye leseni, na namba ya WhatsApp ambayo haitumiki na mtu mwingine."
		case "APPROVED":
			p.Link = &routes.LinkPanel{Base: "/portal", Lang: lang, ShowQR: true, QR: qrURI(t), QRCode: "2@abc", IssuedAt: now.Add(-5 * time.Second), ExpiresAt: now.Add(55 * time.Second)}
		}
		add("way-"+status, "portal/setup", p)
	}

	people := routes.ColleaguePanel{Lang: lang, Invited: "Asha Mushi", MailOn: true, People: []routes.ColleagueView{
		{ID: "1", Name: "Neema Joseph", Email: "neema@salon.example", Role: "Mmiliki"},
		{ID: "2", Name: longName, Email: "neema.joseph.mwinyi.wa.mikocheni@saluniyaneema.example", Role: "Mfanyakazi", Staff: true},
		{ID: "3", Name: "Asha Mushi", Email: "asha@salon.example", Role: "Mfanyakazi", Staff: true, Pending: true}}}
	add("way-people", "portal/people", routes.PortalPeoplePage{Page: portalPage(lang, "Wafanyakazi", "account"), People: people})

	row := func(n, status, tone string) routes.RequestRow {
		return routes.RequestRow{ID: n, TenantID: n, Business: "Saluni ya Neema", Kind: "Salon", Template: "Bookings", Language: "Swahili", Phone: "+255712000321", Hours: "08:00–18:00",
			Owner: "Neema Joseph", Email: "neema@salon.example", State: routes.State{Code: status, Word: status, Tone: tone}, Sent: now.Add(-time.Hour)}
	}
	waiting, rejected := row("1", "Waiting", routes.ToneWaiting), row("3", "Rejected", routes.ToneFailed)
	waiting.Open, waiting.New, waiting.Business = true, true, longName
	rejected.Reason = "Write the business' full name."
	add("requests", "admin/requests", routes.RequestsPage{Page: page("Set-up requests", "requests"), List: routes.RequestList{Waiting: 1,
		Rows: []routes.RequestRow{waiting, row("2", "Active", routes.ToneOK), rejected}}})
	add("links", "admin/links", routes.LinksPage{Page: page("Pending links", "links"), Links: routes.LinksPanel{
		Shown: &routes.InviteLink{Name: "Asha Mushi", Email: "asha@salon.example", URL: "https://hq.example/invite/5eH0x0pkQm3", ExpiresAt: now.Add(time.Hour)},
		Rows:  []routes.LinkRow{{ID: "1", Purpose: "Change of e-mail", Name: longName, Email: "neema@salon.example", Business: longName, Asked: now.Add(-time.Hour), Ends: now.Add(time.Hour)}}}})
}
