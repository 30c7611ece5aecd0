package templates_test

import (
	"strings"
	"time"

	"flowhq/bot"
	"flowhq/routes"
	"flowhq/templates/words"
)

// botSamples are the settings of the bot, as forms draw themselves from what a template says of itself.
func botSamples(add func(name, template string, data any), now time.Time) {
	values := bot.Values{
		Texts: map[string]string{"greeting": "Karibu sana Saluni ya Neema, Mikocheni! <b>", "menu.BOOK": "Panga siku ya kusuka", "answer.WHERE": "Tuko Mikocheni, mtaa wa *Chwaku*.\nNyumba namba 4."},
		Rows: map[string][]bot.Row{
			"offers":    {{"name": "Rasta", "price": "TZS 45,000"}, {"name": "Kucha"}, {"price": "TZS 3,000"}},
			"questions": {{"question": "maegesho, parking", "answer": strings.Repeat("Ndiyo, mbele ya saluni. ", 8)}, {"question": "je?", "answer": "Ndiyo."}},
			"hours": {{"day": "mon", "from": "08:00", "to": "12:00"}, {"day": "mon", "from": "14:00", "to": "18:00"}, {"day": "tue", "from": "08:00", "to": "08:00"},
				{"day": "wed"}, {"day": "sat", "from": "08:00", "to": "18:00"}},
			"holidays": {{"from": "2026-12-25", "to": "2026-12-24", "note": "Krismasi"}},
		},
	}
	for _, lang := range words.Languages {
		cfg := values.Config(bot.Booking, bot.Language(strings.ToUpper(lang)), "Saluni ya Neema")
		page := routes.BotPage{Page: portalPage(lang, words.T(lang, "bot.title"), "bot"), Form: routes.BotFormOf(lang, cfg, values, nil, true)}
		page.Try = routes.BotTry{Lang: lang, Chips: strings.Split(words.T(lang, "bottry.chips"), "|"), Said: []string{"Habari"}, Lines: []routes.BotLine{{Mine: true, Text: "Habari"},
			{Text: "Habari! *Karibu* sana Saluni ya Neema\n\n1. Panga siku ya kusuka\n2. Huduma na bei"}, {Mine: true, Text: "mtu", Note: words.T(lang, "bottry.handoff")}, {Text: longName}}}
		page.Form.UndoID = "x"
		add("bot-"+lang, "portal/bot", page)
		if lang == words.English {
			continue
		}
		wrong := page
		wrong.Form = routes.BotFormOf(lang, values.Config(bot.Booking, bot.Swahili, "Saluni ya Neema"), values, bot.Check(bot.Booking, values), true)
		wrong.Form.Conflict, wrong.Form.Theirs = "Asha Mushi", []routes.BotChange{{Label: "Salamu", Before: "Karibu", After: "Karibu sana Saluni ya Neema"}, {Label: "Bei", After: longName}}
		add("bot-wrong", "portal/bot", wrong)
		look := page
		look.Form = routes.BotFormOf(lang, cfg, values, nil, false)
		add("bot-staff", "portal/bot", look)
		version := routes.BotVersion{Lang: lang, ID: "1", Title: "Toleo la 3", Tag: "Linatumika", By: longName, At: now, Current: true, Changed: []string{"Maneno ya kukaribisha", "Huduma", longName}}
		old := routes.BotVersion{Lang: lang, ID: "2", Title: "Toleo la 1", At: now.Add(-30 * time.Hour), Note: "Kabla ya badiliko la kwanza"}
		add("bot-history", "portal/bot_history", routes.BotHistoryPage{Page: portalPage(lang, "Historia ya mipangilio", "bot"), Versions: []routes.BotVersion{version, old}, MoreURL: "/x"})
		add("bot-history-empty", "portal/bot_history", routes.BotHistoryPage{Page: portalPage(lang, "Historia ya mipangilio", "bot")})
		add("bot-version", "portal/bot_version", routes.BotVersionPage{Page: portalPage(lang, "Toleo la 1", "bot"), Version: old, Changes: wrong.Form.Theirs, Since: wrong.Form.Theirs, CanRestore: true})
	}
}
