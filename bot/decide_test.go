package bot

import (
	"strings"
	"testing"
	"time"
)

func TestIntents(t *testing.T) {
	common := map[string][]string{
		IntentGreeting: {"habari", "Habari yako?", "habariiii", "MAMBO", "mambo vipi", "mamboo", "Hujambo", "salamu", "Shikamoo", "hello", "helloooo",
			"hi", "Hi!!!", "hiiii", "good morning", "Good  Evening.", "hàbari", "ｈｅｌｌｏ", "👋", "salaam aleikum", "habari\u200b", "h\u00adello", "haabri yako", "jambo"},
		IntentHuman: {"mtu", "naomba mtu tafadhali", "binadamu", "agent", "human", "wakala", "mhudumu", "nataka kuongea na mtu",
			"I want to talk to a human please", "habari, naomba kuongea na mtu", "customer care"},
		IntentThanks: {"asante", "Asante sana!", "ahsante", "thanks", "thank you", "🙏", "ok asante", "thnaks"},
		IntentBye:    {"kwaheri", "bye", "good night"},
		IntentOK:     {"sawa", "ok", "👍"},
		IntentYes:    {"ndiyo", "yes please"},
		IntentNo:     {"hapana"},
		IntentMenu:   {"menu", "MENU", "Menu!", "menyu", "rudi", "0", "*menu*", "hello menu please", "back", "m e n u" + "\x00 menu", "0️⃣", "٠"},
		IntentHours:  {"saa", "hours", "saa za kazi", "mnafungua saa ngapi?", "what time do you open"},
		IntentWhere:  {"mko wapi", "where are you located?"},
		IntentFallback: {"bookkeeping", "history", "xyzzy", "hii", "hatari", "thinks", "😂", "مرحبا", "99", "123456789012", "...", "bei" + "\u0301x",
			"kuna mtu mwingine amekuja na gari"},
	}
	own := map[Template]map[string][]string{
		Booking: {
			IntentBook:     {"book", "Booking", "appointment", "miadi", "nataka kuweka miadi", "appointmnet", "1", "1.", "1)", "1️⃣", " ١", "namba 1", "moja", "Habari, naomba miadi kesho saa 4", "boook"},
			IntentServices: {"huduma", "services", "service", "2", "mnatoa huduma gani?"},
			IntentHours:    {"3", "(3)"},
			IntentCancel:   {"cancel", "ghairi", "nataka kughairi miadi", "reschedule", "4"},
			IntentPrice:    {"bei gani?", "how much is it", "bei kwa mtu mmoja"},
			IntentHuman:    {"5", "tano"},
			IntentFallback: {"6", "notebook", "facebook"},
		},
		Ecommerce: {
			IntentOrder:    {"order", "agiza", "nataka kuagiza", "kununua simu", "1", "I want to buy shoes"},
			IntentProducts: {"bidhaa", "products", "2", "what do you sell?"},
			IntentDelivery: {"usafirishaji", "delivery", "delivry", "delivery ni bei gani", "3"},
			IntentPayment:  {"malipo", "payment", "M-Pesa", "4"},
			IntentPrice:    {"bei", "price", "bei gani ya human hair", "how much"},
			IntentHours:    {"5"},
			IntentHuman:    {"6"},
			IntentCancel:   {"cancel my order", "ghairi"},
			IntentStatus:   {"where is my order?", "nimeagiza jana"},
			IntentFallback: {"7", "border"},
		},
		Support: {
			IntentProblem:  {"shida", "tatizo", "problem", "issue", "nina shida na mtandao", "probelm", "nahitaji msaada", "1", "help"},
			IntentStatus:   {"ticket", "status", "2"},
			IntentHours:    {"3"},
			IntentHuman:    {"4"},
			IntentPrice:    {"bei"},
			IntentCancel:   {"cancel"},
			IntentFallback: {"5", "tissue", "statues"},
		},
	}
	for _, template := range everyTemplate {
		for _, language := range everyLanguage {
			for _, table := range []map[string][]string{common, own[template]} {
				for intent, texts := range table {
					for _, s := range texts {
						newChat(t, template, language).says(s, intent)
					}
				}
			}
		}
	}
}

func TestAnswersInTheConfiguredLanguage(t *testing.T) {
	c := newChat(t, Booking, Swahili)
	c.says("good morning", IntentGreeting, "Habari za asubuhi!", "Karibu *Salon Asili*", "1. Weka miadi", "Jibu kwa namba")
	c.says("menu", IntentMenu, "menyu kuu")
	c = newChat(t, Booking, English)
	c.name = "Asha Juma 💅"
	c.says("shikamoo", IntentGreeting, "Marahaba Asha!", "Welcome to *Salon Asili*", "1. Book an appointment", "Reply with a number")
	c.name = "🔥0712*"
	c.says("mambo", IntentGreeting, "Hi!")
}

func TestHumanIsAHandoff(t *testing.T) {
	for _, template := range everyTemplate {
		for _, language := range everyLanguage {
			c := newChat(t, template, language)
			if d := c.send("agent"); !d.Handoff {
				t.Fatal("no handoff")
			}
			c.says("gari langu jeusi", IntentWaiting, "Salon Asili")
			if d := c.send("lile la jana"); !d.Ignore || d.Intent != IntentWaiting {
				t.Fatalf("the bot talks into a person's conversation: %+v", d)
			}
			c.says("menu", IntentMenu)
			c.cfg.NoGuards = true
			c.says("lile la juzi", IntentWaiting)
			c.now = c.now.Add(3 * time.Hour)
			c.says("gari langu jeusi", IntentFallback)
		}
	}
}

func TestNonText(t *testing.T) {
	kinds := []Kind{KindImage, KindVideo, KindAudio, KindVoice, KindDocument, KindSticker, KindLocation, KindContact, KindPoll, KindUnknown, "from the future"}
	for _, language := range everyLanguage {
		said := map[string]Kind{}
		for _, k := range kinds {
			d := newChat(t, Booking, language).message(Message{Kind: k})
			if d.Intent != IntentNonText || len(d.Replies) != 1 {
				t.Fatalf("%s: %+v", k, d)
			}
			if other, ok := said[d.Replies[0].Text]; ok && k != "from the future" {
				t.Errorf("%s and %s get the same answer", k, other)
			}
			said[d.Replies[0].Text] = k
		}
	}
	c := newChat(t, Booking, English)
	if d := c.message(Message{Kind: KindReaction, Text: "👍"}); !d.Ignore || d.Intent != IntentReaction {
		t.Fatalf("reaction: %+v", d)
	}
	if d := c.message(Message{Kind: KindImage, Text: "how much is this?"}); d.Intent != IntentPrice {
		t.Fatalf("caption: %+v", d)
	}
	if d := c.message(Message{Kind: KindImage, Text: "look"}); d.Intent != IntentNonText {
		t.Fatalf("caption: %+v", d)
	}
	for _, blank := range []string{"", " \n", "\u200b\u2060", "\x00\x07", "\xff\xfe"} {
		if d := newChat(t, Booking, English).send(blank); d.Intent != IntentNonText || len(d.Replies) != 1 {
			t.Fatalf("blank %q: %+v", blank, d)
		}
	}
}

func TestAlbumIsAnsweredOnce(t *testing.T) {
	c := newChat(t, Support, Swahili)
	answers := 0
	for range 4 {
		c.now = c.now.Add(-55 * time.Second) // send adds a minute
		answers += len(c.message(Message{Kind: KindImage}).Replies)
	}
	if answers != 1 {
		t.Fatalf("%d answers to an album", answers)
	}
}

func TestFallbacksOfferAPersonOnce(t *testing.T) {
	c := newChat(t, Ecommerce, English)
	first := c.says("xyzzy", IntentFallback, "1. Place an order")
	second := c.says("plugh", IntentFallback)
	third := c.says("frobnicate", IntentFallback, "Reply *yes*")
	fourth := c.says("quux", IntentFallback)
	if first == second || second == third || third == fourth {
		t.Fatal("the same fallback twice in a row")
	}
	if strings.Contains(fourth, "Reply *yes*") {
		t.Fatal("a person is offered again")
	}
	c = newChat(t, Ecommerce, English)
	c.send("xyzzy")
	c.send("plugh")
	c.send("frobnicate")
	if d := c.send("yes please"); d.Intent != IntentHuman || !d.Handoff {
		t.Fatalf("yes to a person: %+v", d)
	}
}

func TestLoopGuard(t *testing.T) {
	fast := func(c *chat, s string) Decision {
		c.now = c.now.Add(-55 * time.Second)
		return c.send(s)
	}
	c := newChat(t, Booking, English)
	for i := range 8 {
		if d := fast(c, "hello there"); d.Ignore != (i >= 4) {
			t.Fatalf("message %d: ignore %v", i+1, d.Ignore)
		}
	}
	c = newChat(t, Booking, English)
	last := Decision{}
	for i := range 10 {
		last = fast(c, []string{"hello", "thanks"}[i%2])
	}
	if !last.Ignore || last.Reason != reasonLoop {
		t.Fatalf("ping-pong of two texts goes on: %+v", last)
	}
	c.now = c.now.Add(10 * time.Minute)
	c.says("hello", IntentGreeting)

	c = newChat(t, Booking, English)
	ignored := 0
	for i := range 12 {
		if fast(c, "nonsense"+string(rune('a'+i))).Ignore {
			ignored++
		}
	}
	if ignored != 12-missesLimit {
		t.Fatalf("%d of 12 misses ignored", ignored)
	}
	c.says("menu", IntentMenu)

	for _, s := range []string{"menu", "hello", "gibberish"} {
		c = newChat(t, Booking, English)
		c.cfg.NoGuards = true
		for i := range 50 {
			if d := fast(c, s); len(d.Replies) != 1 {
				t.Fatalf("%s %d: withheld without guards: %+v", s, i, d)
			}
		}
	}
}

// The word menu gets exactly one message in whatever state the chat is.
func TestMenuIsAlwaysAnswered(t *testing.T) {
	openings := [][]string{{}, {"1"}, {"1", "hair"}, {"1", "hair", "tomorrow 10 am"}, {"1", "shoes", "2"}, {"agent"}, {"agent", "zzz"}, {"qqq", "www", "eee"}, {"4"}, {"2"}}
	for _, template := range everyTemplate {
		for _, language := range everyLanguage {
			for _, opening := range openings {
				c := newChat(t, template, language)
				for _, s := range opening {
					c.send(s)
				}
				c.says("menu", IntentMenu, "1. ")
				if flow := ParseConversation(c.state).Flow; flow != "" {
					t.Fatalf("%v: still in %s after menu", opening, flow)
				}
			}
		}
	}
}

func TestOffersAndGreetingOfTheBusiness(t *testing.T) {
	c := newChat(t, Booking, English)
	c.cfg.Settings = Settings{Greeting: "Karibu sana *kwetu* {menu}", Offers: []Offer{{Name: "Braids", Price: "TZS 20,000"}, {Name: "Nails"}}}
	c.says("hi", IntentGreeting, "Karibu sana kwetu menu")
	c.says("services", IntentServices, "• Braids – TZS 20,000", "• Nails – the team confirms the price")
	c.says("book", IntentBook, "1. Braids\n2. Nails")
	c.says("3", IntentBook, "Please write the service")
	c.says("2", IntentBook, "Got it: Nails")
}

func TestUnknownConfigStillAnswers(t *testing.T) {
	d := Decide(Config{}, Conversation{}, Message{Text: "habari"}, monday)
	checkDecision(t, d)
	if d.Intent != IntentGreeting || !strings.Contains(d.Replies[0].Text, "biashara yetu") {
		t.Fatalf("%+v", d)
	}
}

func TestParseTemplateAndLanguage(t *testing.T) {
	for _, ok := range everyTemplate {
		if got, err := ParseTemplate(string(ok)); err != nil || got != ok {
			t.Errorf("%s: %v %v", ok, got, err)
		}
	}
	for _, ok := range everyLanguage {
		if got, err := ParseLanguage(string(ok)); err != nil || got != ok {
			t.Errorf("%s: %v %v", ok, got, err)
		}
	}
	for _, bad := range []string{"", "booking", "BOOKING ", "SALON", "\xff"} {
		if _, err := ParseTemplate(bad); err == nil || !strings.Contains(err.Error(), "use BOOKING, ECOMMERCE or SUPPORT") {
			t.Errorf("template %q: %v", bad, err)
		}
		if _, err := ParseLanguage(bad); err == nil || !strings.Contains(err.Error(), "use SW or EN") {
			t.Errorf("language %q: %v", bad, err)
		}
	}
}
