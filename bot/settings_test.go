package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// salonValues are what a salon might enter.
func salonValues() Values {
	return Values{
		Texts: map[string]string{
			KeyGreeting: "Karibu kwetu Mikocheni!", KeyAway: "Tumepumzika kidogo.",
			"menu.BOOK": "Panga kusuka", "answer.WHERE": "Tuko Mikocheni, mtaa wa *Chwaku*.\n\nNyumba namba 4.",
		},
		Rows: map[string][]Row{
			KeyOffers:    {{"name": "Rasta", "price": "TZS 45,000"}, {"name": "Kucha"}},
			KeyQuestions: {{"question": "maegesho, mna parking ya magari?", "answer": "Ndiyo, mbele ya saluni."}, {"question": "watoto", "answer": "Tunasuka watoto pia."}},
			KeyHours:     {{"day": "mon", "from": "08:00", "to": "18:00"}, {"day": "tue", "from": "08:00", "to": "12:00"}, {"day": "tue", "from": "14:00", "to": "00:00"}, {"day": "wed"}},
			KeyHolidays:  {{"from": "2026-11-24", "to": "2026-11-30", "note": "Sikukuu"}},
		},
	}
}

// salon is a chat with a business that has settings; they pass through their stored form.
func salon(t *testing.T, template Template, language Language, v Values) *chat {
	t.Helper()
	if wrong := Check(template, v); len(wrong) > 0 {
		t.Fatalf("%+v", wrong)
	}
	settings, hours, err := v.JSON()
	if err != nil {
		t.Fatal(err)
	}
	c := newChat(t, template, language)
	if c.cfg, err = ReadConfig(template, language, "Salon Asili", settings, hours); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestABusinessInItsOwnWords(t *testing.T) {
	c := salon(t, Booking, Swahili, salonValues())
	c.says("habari", IntentGreeting, "Nzuri, asante! Karibu kwetu Mikocheni!", "1. Panga kusuka\n2. Huduma na bei")
	c.says("bei", IntentPrice, "• Rasta – TZS 45,000\n• Kucha – timu itathibitisha bei")
	c.says("mko wapi", IntentWhere, "Tuko Mikocheni, mtaa wa *Chwaku*.\n\nNyumba namba 4.")
	c.says("Habari, mna maegesho?", IntentOwn, "Ndiyo, mbele ya saluni.")
	c.says("je, kuna parking ya magari hapo", IntentOwn, "mbele ya saluni")
	c.says("parking", IntentFallback) // "magari" is needed, too: the owner wrote "parking ya magari"
	c.says("mnasuka watoto", IntentOwn, "watoto pia")
	c.says("menu", IntentMenu, "1. Panga kusuka")

	// A line of the menu works in its own words and by its number; the template's words still do.
	for _, s := range []string{"panga kusuka", "Panga Kusuka!", "1", "miadi"} {
		c.says(s, IntentBook, "1. Rasta\n2. Kucha")
		c.says("menu", IntentMenu)
	}
	// On the way through a request, only a question is one.
	c.says("1", IntentBook)
	c.says("mna maegesho?", IntentOwn, "Ndiyo, mbele ya saluni.", "Ungependa huduma gani?")
	c.says("rasta za watoto", IntentBook, "Sawa: rasta za watoto.")
	c.says("kesho saa 4", IntentBook, "hakiki")
	c.says("mna maegesho?", IntentOwn, "mbele ya saluni", "Ni sahihi?")
	c.says("ndiyo", IntentBookDone)
	c.says("mtu", IntentHuman, "nimepokea ombi")
}

// What a business does not enter stays as the template has it, in the bot's language.
func TestEmptySettingsChangeNothing(t *testing.T) {
	for _, template := range everyTemplate {
		for _, language := range everyLanguage {
			empty := Values{Texts: map[string]string{KeyGreeting: " \n", "menu.BOOK": ""}, Rows: map[string][]Row{KeyOffers: {}}}
			own, plain := salon(t, template, language, empty), newChat(t, template, language)
			if settings, hours, _ := empty.JSON(); settings != nil || hours != nil {
				t.Fatalf("nothing is stored as %s, %s", settings, hours)
			}
			for _, s := range []string{"habari", "menu", "1", "bei", "mko wapi", "saa", "mtu", "xyzzy", "asante"} {
				if a, b := own.send(s), plain.send(s); fmt.Sprint(a) != fmt.Sprint(b) {
					t.Fatalf("%q: %v, without settings %v", s, a, b)
				}
			}
		}
	}
}

func TestOwnQuestionsGiveWay(t *testing.T) {
	v := Values{Rows: map[string][]Row{KeyQuestions: {
		{"question": "menu, hello, agent, bei", "answer": "Own."}, {"question": "bei ya rasta", "answer": "Rasta!"},
	}}}
	c := salon(t, Booking, English, v)
	c.says("menu", IntentMenu)
	c.says("hello", IntentGreeting)
	c.says("agent", IntentHuman)
	c.says("human", IntentHuman)
	c = salon(t, Booking, English, v)
	c.says("huduma na bei", IntentServices) // a line of the menu, in the other language
	c.says("bei", IntentOwn, "Own.")
	c.says("bei ya rasta tafadhali", IntentOwn, "Rasta!") // more of its words are there
}

func TestHolidays(t *testing.T) {
	c := salon(t, Booking, Swahili, salonValues())
	c.says("saa za kazi", IntentHours, "Jumanne: saa 2:00 asubuhi (08:00) hadi saa 6:00 mchana (12:00), saa 8:00 mchana (14:00) hadi saa 6:00 usiku (00:00)",
		"Siku za mapumziko: 24/11 – 30/11 (Sikukuu)", "Sasa hivi tuko wazi")
	c.now = monday.AddDate(0, 0, 1)
	c.says("mtu", IntentHuman, "Leo tumefunga (Sikukuu). Tumepumzika kidogo. Tutafungua Jumanne ijayo, saa 2:00 asubuhi (08:00).")
	v := salonValues()
	v.Rows[KeyHolidays][0]["to"] = "2026-12-06"
	delete(v.Texts, KeyAway)
	c = salon(t, Booking, English, v)
	c.now = monday.AddDate(0, 0, 1)
	c.says("agent", IntentHuman, "We are closed today (Sikukuu). We open on 7/12 (Monday) at 8:00 am.")
	v.Rows[KeyHolidays][0]["to"] = "2031-12-06"
	c = salon(t, Booking, English, v)
	c.now = monday.AddDate(0, 0, 1)
	c.says("agent", IntentHuman, "We are closed today (Sikukuu).")

	// Without hours a business is open on every other day.
	v = Values{Rows: map[string][]Row{KeyHolidays: {{"from": "2026-11-24"}}}}
	c = salon(t, Booking, English, v)
	if said := c.says("agent", IntentHuman); strings.Contains(said, "closed") {
		t.Errorf("closed the day before: %s", said)
	}
	c.now = monday.AddDate(0, 0, 1)
	c.says("hours", IntentHours, "I don't have the opening hours", "We are closed at the moment. We open tomorrow (Wednesday).")

	// A closed moment is found for whoever wants to try it.
	for _, v := range []Values{salonValues(), v} {
		cfg := v.Config(Booking, English, "Salon")
		if at, ok := cfg.ClosedAt(monday); !ok || cfg.Hours.Open(at.In(eastAfrica)) {
			t.Errorf("closed at %v %v", at, ok)
		}
	}
	if _, ok := (Config{}).ClosedAt(monday); ok {
		t.Error("a business that never closes is closed some time")
	}

	// Who is open past midnight finishes the night before a holiday.
	v = Values{Rows: map[string][]Row{KeyHours: {{"day": "mon", "from": "20:00", "to": "02:00"}, {"day": "tue", "from": "20:00", "to": "02:00"}}, KeyHolidays: {{"from": "2026-11-24"}}}}
	c = salon(t, Booking, English, v)
	for hour, open := range map[int]bool{23: true, 25: true, 27: false, 45: false, 49: false} {
		if at := time.Date(2026, 11, 23, hour, 0, 0, 0, eastAfrica); c.cfg.Hours.Open(at) != open {
			t.Errorf("%v: open %v, want %v", at, !open, open)
		}
	}
}

func TestCheck(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ä", n) }
	many := func(n int, r Row) (rows []Row) {
		for range n {
			rows = append(rows, r)
		}
		return rows
	}
	text := func(key, s string) Values { return Values{Texts: map[string]string{key: s}} }
	rows := func(key string, r ...Row) Values { return Values{Rows: map[string][]Row{key: r}} }
	for _, c := range []struct {
		v    Values
		want string
	}{
		{text(KeyGreeting, long(300)), "[]"}, {text(KeyGreeting, long(301)), "[{greeting -1  too_long 300}]"}, {text(KeyGreeting, "a\nb"), "[]"},
		{text(KeyGreeting, "a\x00"), "[{greeting -1  text 300}]"}, {text(KeyGreeting, "\xff"), "[{greeting -1  text 300}]"},
		{text("menu.BOOK", "a\nb"), "[{menu.BOOK -1  text 40}]"}, {text("menu.ORDER", long(999)), "[]"}, // another template's is not looked at
		{text("answer.WHERE", long(501)), "[{answer.WHERE -1  too_long 500}]"}, {text(KeyAway, long(201)), "[{away -1  too_long 200}]"},
		{rows(KeyOffers, many(13, Row{"name": "a"})...), "[{offers -1  too_many 12}]"}, {rows(KeyOffers, many(12, Row{"name": "a"})...), "[]"},
		{rows(KeyOffers, Row{"name": "a"}, Row{"price": "5"}), "[{offers 1 name empty 40}]"}, {rows(KeyOffers, Row{"name": long(41), "price": long(21)}), "[{offers 0 name too_long 40} {offers 0 price too_long 20}]"},
		{rows(KeyQuestions, Row{"question": "je, mna?", "answer": "a"}), "[{questions 0 question vague 0}]"}, {rows(KeyQuestions, Row{"question": "maegesho"}), "[{questions 0 answer empty 500}]"},
		{rows(KeyQuestions, many(21, Row{"question": "parking", "answer": "a"})...), "[{questions -1  too_many 20}]"},
		{rows(KeyHolidays, Row{"from": "2026-12-25"}, Row{"from": "2026-02-30"}), "[{holidays 1 from date 10}]"}, {rows(KeyHolidays, Row{"from": "2026-12-25", "to": "2026-12-24"}), "[{holidays 0 to order 0}]"},
		{rows(KeyHolidays, Row{"note": "x"}), "[{holidays 0 from empty 10}]"},
		{rows(KeyHours, Row{"day": "mon", "from": "08:00"}), "[{hours 0  time 3}]"}, {rows(KeyHours, Row{"day": "mon", "open": "1"}), "[{hours 0  time 3}]"}, {rows(KeyHours, Row{"day": "mon", "from": "25:00", "to": "26:00"}), "[{hours 0  time 3}]"},
		{rows(KeyHours, Row{"day": "mon", "from": "08:00", "to": "08:00"}), "[{hours 0  order 3}]"}, {rows(KeyHours, Row{"day": "mon", "from": "00:00", "to": "00:00"}), "[]"},
		{rows(KeyHours, Row{"day": "mon", "from": "08:00", "to": "12:00"}, Row{"day": "mon", "from": "11:00", "to": "13:00"}), "[{hours 1  overlap 3}]"},
		{rows(KeyHours, many(4, Row{"day": "mon", "from": "08:00", "to": "09:00"})...), "[{hours 1  overlap 3} {hours 2  overlap 3} {hours 3  too_many 3}]"},
	} {
		if got := fmt.Sprint(Check(Booking, c.v)); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
}

// Whatever Check lets pass fits into a reply, uncut, and comes back as it was.
func TestFullFormsFit(t *testing.T) {
	for _, template := range everyTemplate {
		v := Values{Texts: map[string]string{}, Rows: map[string][]Row{}}
		for _, section := range Form(template) {
			for _, f := range section.Fields {
				switch f.Kind {
				case FieldLine, FieldText:
					v.Texts[f.Key] = strings.Repeat("w", f.Most)
				case FieldRows:
					for range f.Most {
						row := Row{}
						for _, c := range f.Columns {
							row[c.Key] = strings.Repeat("q", c.Most)
							if c.Kind == ColumnDate {
								row[c.Key] = "2027-01-01"
							}
						}
						v.Rows[f.Key] = append(v.Rows[f.Key], row)
					}
				case FieldWeek:
					v.Rows[f.Key] = []Row{{"day": "mon", "from": "08:00", "to": "18:00"}}
				}
			}
		}
		c := salon(t, template, English, v)
		c.says("hello", IntentGreeting, strings.Repeat("w", maxGreetingRunes))
		c.says("where are you", IntentWhere, strings.Repeat("w", maxOwnRunes))
		settings, hours, err := v.JSON()
		if err != nil || len(settings) > maxSettingsBytes {
			t.Fatalf("%d bytes, %v", len(settings), err)
		}
		back, err := ReadValues(settings, hours)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := back.JSON()
		if string(again) != string(settings) {
			t.Error("settings do not round-trip")
		}
	}
}

func TestEveryTemplateDescribesItsForm(t *testing.T) {
	for _, template := range everyTemplate {
		seen := map[string]bool{}
		for _, section := range Form(template) {
			if section.Key == "" || len(section.Fields) == 0 {
				t.Errorf("%s: an empty section", template)
			}
			for _, f := range section.Fields {
				if seen[f.Key] || f.Words == "" || f.Most <= 0 {
					t.Errorf("%s: field %+v", template, f)
				}
				seen[f.Key] = true
				texts := f.Kind == FieldLine || f.Kind == FieldText
				for _, l := range everyLanguage {
					if said := f.Standard(Config{Template: template, Language: l, BusinessName: "Salon Asili"}); texts == (said == "") || strings.ContainsAny(said, "{}") {
						t.Errorf("%s %s in %s: the standard text is %q", template, f.Key, l, said)
					} else if utf8.RuneCountInString(said) > f.Most {
						t.Errorf("%s %s in %s: the standard text is longer than what may be entered", template, f.Key, l)
					}
				}
				if (f.Kind == FieldRows) != (len(f.Columns) > 0) {
					t.Errorf("%s %s: %d columns", template, f.Key, len(f.Columns))
				}
				if intent, ok := strings.CutPrefix(f.Key, answerPrefix); ok {
					// Its own answer reaches the customer.
					c := salon(t, template, English, Values{Texts: map[string]string{f.Key: "Our own words."}})
					turn := &turn{cfg: c.cfg, script: scriptOf(template), now: monday}
					if said := turn.answerText(intent); said != "Our own words." {
						t.Errorf("%s: %s is answered with %q", template, intent, said)
					}
				}
			}
		}
		for _, key := range []string{KeyGreeting, KeyAway, KeyQuestions, KeyHours, KeyHolidays, "menu." + scriptOf(template).menu[0].intent} {
			if !seen[key] {
				t.Errorf("%s: no field %s", template, key)
			}
		}
	}
}

// Another template's words stay for the day the business returns to it.
func TestKeep(t *testing.T) {
	v := Values{Texts: map[string]string{KeyGreeting: "new"}, Rows: map[string][]Row{}}
	v.Keep(Support, salonValues())
	if v.Texts[KeyGreeting] != "new" || v.Texts["menu.BOOK"] != "Panga kusuka" || len(v.Rows[KeyOffers]) != 2 || v.Rows[KeyQuestions] != nil {
		t.Errorf("%+v", v)
	}
}

func TestBrokenSettingsStillAnswer(t *testing.T) {
	for _, stored := range []string{"x", "[]", `{"texts":5}`, `{"rows":{"offers":[5]}}`, `{"texts":{"greeting":5}}`, strings.Repeat("x", maxSettingsBytes+1)} {
		cfg, err := ReadConfig(Booking, English, "Salon", []byte(stored), []byte("{"))
		if err == nil || len(err.Error()) > 500 {
			t.Errorf("%.40s: error %v", stored, err)
		}
		checkDecision(t, Decide(cfg, Conversation{}, Message{Text: "hello"}, monday))
	}
}

// Stored settings come from anywhere: an old version, a restored backup, a hand in the database.
func FuzzSettings(f *testing.F) {
	settings, hours, err := salonValues().JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(settings, hours, "Habari, mna maegesho?", uint8(0), int64(1795417200))
	hostile, err := json.Marshal(Values{Texts: map[string]string{KeyGreeting: "{menu}\u202e*{", KeyAway: "{opens}", "menu.BOOK": "1", "answer.WHERE": "{business}"},
		Rows: map[string][]Row{KeyOffers: {{"name": "{x}"}, {}, nil}, KeyQuestions: {{"question": "a,,,?", "answer": "\u200d{"}, {"question": "menu", "answer": "x"}}, KeyHolidays: {{"from": "0000-01-01", "to": "9999-12-31"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hostile, []byte(`{"fri":[["20:00","02:00"]]}`), "menu 1", uint8(5), int64(1))
	f.Add([]byte(`{"rows":{"hours":[{"day":"mon","from":"99:99"}]}}`), []byte(`null`), "hours", uint8(2), int64(-5))
	f.Fuzz(func(t *testing.T, settings, hours []byte, said string, bits uint8, at int64) {
		cfg, err := ReadConfig(everyTemplate[int(bits&3)%3], everyLanguage[bits>>2&1], "Salon", settings, hours)
		if err != nil && len(err.Error()) > 1000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		now, conv := time.Unix(at%(1<<34), 0), Conversation{}
		for _, s := range []string{said, "hello", "1", said + "?", "hours", said} {
			d := Decide(cfg, conv, Message{Kind: KindText, Text: s}, now)
			checkDecision(t, d)
			conv, now = ParseConversation(d.Next.JSON()), now.Add(time.Minute)
		}
		d := Decide(cfg, conv, Message{Kind: KindText, Text: "menu"}, now.Add(time.Hour))
		if checkDecision(t, d); d.Intent != IntentMenu || len(d.Replies) != 1 {
			t.Fatalf("menu: %+v", d)
		}
		v, _ := ReadValues(settings, hours)
		Check(cfg.Template, v)
		for _, section := range Form(cfg.Template) {
			for _, field := range section.Fields {
				field.Show(v, cfg.Language)
			}
		}
	})
}

func BenchmarkDecideWithSettings(b *testing.B) {
	cfg := salonValues().Config(Booking, Swahili, "Salon Asili")
	for name, s := range map[string]string{"menu": "menu", "own": "habari, mna maegesho hapo?", "fallback": "gari jekundu la jirani limepita mtaani kwetu"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(cfg, Conversation{}, Message{Kind: KindText, Text: s, SenderName: "Asha"}, monday)
			}
		})
	}
}
