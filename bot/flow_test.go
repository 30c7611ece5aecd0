package bot

import (
	"strings"
	"testing"
	"time"
)

func TestBookingFlow(t *testing.T) {
	c := newChat(t, Booking, Swahili)
	c.says("miadi", IntentBook, "huduma gani")
	c.says("kusuka *nywele*", IntentBook, "Sawa: kusuka nywele.", "siku gani")
	c.says("4", IntentBook, "siku na saa")
	c.says("Jumamosi saa 4 asubuhi", IntentBook, "Huduma: kusuka nywele\nSiku na saa: Jumamosi saa 4 asubuhi", "*1* ndiyo")
	c.says("labda", IntentBook, "*1* ndiyo")
	c.says("ndiyo asante", IntentBookDone, "bado haijathibitishwa", "Jumamosi saa 4 asubuhi")
	c.says("na rafiki yangu atakuja", IntentWaiting)
	c.says("na kaka yake", IntentFallback)

	c = newChat(t, Booking, English)
	for _, s := range []string{"booking", "hair cut", "25/11 10:00"} {
		c.says(s, IntentBook)
	}
	c.says("1", IntentBookDone, "not confirmed yet", "25/11 10:00")

	c = newChat(t, Booking, English)
	c.says("cancel", IntentCancel, "Which appointment")
	c.says("Asha, tomorrow 10 am, cancel it please", IntentCancelDone, "Asha, tomorrow 10 am, cancel it please")
}

func TestShopFlow(t *testing.T) {
	c := newChat(t, Ecommerce, English)
	c.says("I want to order", IntentOrder, "Which product")
	c.says("red shoes size 40", IntentOrder, "Got it: red shoes size 40", "How many")
	c.says("some", IntentOrder, "as a number")
	c.says("and are you open on sunday", IntentHours, "How many would you like?")
	c.says("two pairs", IntentOrder, "Product: red shoes size 40\nQuantity: two pairs")
	c.says("👍", IntentOrderDone, "not confirmed yet")

	c = newChat(t, Ecommerce, Swahili)
	c.says("agiza", IntentOrder)
	c.says("unga", IntentOrder)
	c.says("3", IntentOrder, "Idadi: 3")
	c.says("2", IntentCancel, "nimesitisha")
}

func TestSupportFlow(t *testing.T) {
	c := newChat(t, Support, English)
	c.says("problem", IntentProblem, "describe")
	c.says("problem", IntentProblem, "few words")
	c.says("My printer has a problem, please call me", IntentProblemDone, "My printer has a problem", "Reference: *")
	ref := ParseConversation(c.state).Reference
	if len(ref) != 5 {
		t.Fatalf("reference %q", ref)
	}
	c.says("status", IntentStatus, ref)
	c.says("ticket "+ref, IntentStatusDone)
}

func TestLeavingAFlow(t *testing.T) {
	leave := []struct{ say, intent string }{
		{"menu", IntentMenu}, {"0", IntentMenu}, {"rudi", IntentMenu}, {"human", IntentHuman}, {"naomba kuongea na mtu sasa hivi", IntentHuman},
		{"cancel", IntentCancel}, {"hapana", IntentCancel}, {"hello", IntentGreeting}, {"bye", IntentBye}, {"2", IntentServices},
	}
	for _, l := range leave {
		c := newChat(t, Booking, English)
		c.says("book", IntentBook)
		c.says(l.say, l.intent)
		if flow := ParseConversation(c.state).Flow; flow != "" {
			t.Errorf("%q: still in %s", l.say, flow)
		}
	}
	// A question about the business is answered, and the flow goes on.
	c := newChat(t, Booking, English)
	c.says("book", IntentBook)
	c.says("how much?", IntentPrice, "confirms it", "Which service would you like?")
	c.says("what is the price of braids?", IntentPrice, "Which service would you like?")
	c.says("hi, tomorrow?", IntentBook, "Got it: hi, tomorrow.")
	c.says("menu", IntentMenu)
	c.says("book", IntentBook)
	c.says("braids!", IntentBook, "Got it: braids.")
	c.says("morning", IntentBook, "day and a time")
	c.says("tomorrow morning", IntentBook, "Is that right?")
	c.says("opening hours?", IntentHours, "Is that right?")
	c.says("thanks", IntentThanks, "Is that right?")
	c.says("agent", IntentHuman)
}

func TestFlowExpires(t *testing.T) {
	c := newChat(t, Booking, English)
	c.says("book", IntentBook)
	c.now = c.now.Add(FlowExpiry - 2*time.Minute)
	c.says("braids", IntentBook, "Got it")
	c.now = c.now.Add(FlowExpiry)
	c.says("tomorrow at ten", IntentFallback, "timed out", "1. Book")

	c = newChat(t, Booking, English)
	c.says("book", IntentBook)
	c.now = c.now.Add(-48 * time.Hour) // the clock was wrong
	c.says("braids", IntentFallback)
}

func TestFlowInAnotherTemplateIsDropped(t *testing.T) {
	c := newChat(t, Booking, English)
	c.says("book", IntentBook)
	c.cfg.Template = Support
	c.says("braids", IntentFallback)
}

func TestNonTextInAFlowAsksAgain(t *testing.T) {
	c := newChat(t, Booking, English)
	c.says("book", IntentBook)
	d := c.message(Message{Kind: KindVoice})
	if d.Intent != IntentNonText || !strings.Contains(d.Replies[0].Text, "Which service") {
		t.Fatalf("%+v", d)
	}
	c.says("braids", IntentBook, "Got it: braids")
}

func TestBrokenStateIsANewChat(t *testing.T) {
	fresh := string(Conversation{}.JSON())
	for _, s := range []string{"", "null", "{", "[]", `"x"`, "{}", `{"v":2}`, `{"v":"1"}`, `{"v":1,"step":"a"}`, "\xff", strings.Repeat("[", 9000), strings.Repeat(" ", maxStateBytes+1)} {
		if got := string(ParseConversation([]byte(s)).JSON()); got != fresh {
			t.Errorf("%.20q: %s", s, got)
		}
	}
	for _, s := range []string{`{"v":1,"flow":"BOOK","step":3}`, `{"v":1,"flow":"BOOK","step":-1}`, `{"v":1,"flow":"BOOK","step":2,"answers":["a"]}`, `{"v":1,"flow":"NOPE"}`} {
		c := newChat(t, Booking, English)
		c.state = []byte(strings.Replace(s, `"v":1`, `"v":1,"last":1795417200`, 1))
		c.says("braids", IntentFallback)
	}
}

func TestLongAndHostileTexts(t *testing.T) {
	hostile := []string{
		strings.Repeat("a", 100_000), strings.Repeat("miadi ", 20_000), strings.Repeat("e\u0301\u0302\u0303\u0304", 9000), strings.Repeat("😂", 5000),
		"\u202eabc {business} %s %!d(MISSING) *x* _y_ `z`", "שלום עולם", strings.Repeat("\xff\x00a", 5000), "\u0000", strings.Repeat("\n", 3000) + "x",
		strings.Repeat("ﷺ", 4000), strings.Repeat("\U0001F468\u200d", 4000),
	}
	for _, template := range everyTemplate {
		for _, language := range everyLanguage {
			for _, s := range hostile {
				for _, opening := range [][]string{{}, {"1"}, {"1", "abc"}} {
					c := newChat(t, template, language)
					c.cfg.BusinessName, c.name = s, s
					for _, o := range opening {
						c.send(o)
					}
					d := c.send(s)
					for _, r := range d.Replies {
						if strings.ContainsAny(r.Text, "\u202e\u200b\u0000") {
							t.Fatalf("control characters in %q", r.Text)
						}
					}
				}
			}
		}
	}
}
