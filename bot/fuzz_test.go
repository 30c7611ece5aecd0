package bot

import (
	"testing"
	"time"
)

func FuzzDecide(f *testing.F) {
	f.Add([]byte(`{"v":1,"last":1795417200,"flow":"BOOK","step":1,"answers":["x"]}`), "kesho saa 4", "text", "Asha", "Salon", uint8(0), int64(1795417260))
	f.Add([]byte(`{"v":1,"flow":"ORDER","step":2,"answers":["<>&\u2028","2"]}`), "1️⃣", "image", "", "", uint8(11), int64(60))
	f.Add([]byte(`{"v":1,"miss_times":[1,2,3,4,5,6,7,8],"recent":[{"h":1,"t":2,"k":"voice"}],"misses":2}`), "\xff\u202e", "voice", "\x00", "*{menu}*", uint8(255), int64(-1))
	f.Add([]byte(nil), "menu", "text", "", "", uint8(3), int64(0))
	f.Fuzz(func(t *testing.T, state []byte, said, kind, sender, business string, bits uint8, at int64) {
		cfg := Config{
			Template: everyTemplate[int(bits&3)%3], Language: everyLanguage[bits>>2&1], BusinessName: business, NoGuards: bits&8 != 0,
		}
		if bits&16 != 0 {
			cfg.Hours = mustHours(t, shopHours)
		}
		if bits&32 != 0 {
			cfg.Settings = Settings{Greeting: said, Offers: []Offer{{Name: business, Price: sender}, {Name: said}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}}
		}
		now := time.Unix(at%(1<<34), 0)
		msg := Message{Kind: Kind(kind), Text: said, SenderName: sender}
		conv := ParseConversation(state)
		before := string(conv.JSON())
		d := Decide(cfg, conv, msg, now)
		checkDecision(t, d)
		if after := string(conv.JSON()); after != before {
			t.Fatalf("Decide changed its input:\n%s\n%s", before, after)
		}
		if again := Decide(cfg, conv, msg, now); string(again.Next.JSON()) != string(d.Next.JSON()) || len(again.Replies) != len(d.Replies) {
			t.Fatal("the same input gives another decision")
		}
		next := Decide(cfg, ParseConversation(d.Next.JSON()), Message{Kind: KindText, Text: "menu"}, now.Add(time.Hour))
		checkDecision(t, next)
		if next.Intent != IntentMenu || len(next.Replies) != 1 {
			t.Fatalf("menu an hour later: %+v", next)
		}
		if cfg.NoGuards && Kind(kind) != KindReaction && len(d.Replies) != 1 {
			t.Fatalf("withheld without guards: %+v", d)
		}
	})
}

func FuzzParseHours(f *testing.F) {
	for _, s := range []string{shopHours, `{}`, `null`, `{"fri":[["20:00","02:00"]]}`, `{"mon":[["00:00","24:00"]]}`, `{"mon":[["08:00","08:00"]]}`, `{"x":1}`} {
		f.Add([]byte(s), int64(1795417200))
	}
	f.Fuzz(func(t *testing.T, in []byte, at int64) {
		h, err := ParseHours(in)
		if err != nil {
			if h.Known() || len(err.Error()) > 200 {
				t.Fatalf("known %v after %v", h.Known(), err)
			}
			return
		}
		now := time.Unix(at%(1<<34), 0).In(eastAfrica)
		until, hasUntil := h.OpenUntil(now)
		next, hasNext := h.NextOpen(now)
		if hasUntil && (!h.Open(now) || !until.After(now) || h.Open(until)) {
			t.Fatalf("until %v at %v", until, now)
		}
		if hasNext && (!next.After(now) || !h.Open(next)) {
			t.Fatalf("next %v at %v", next, now)
		}
		for _, l := range everyLanguage {
			checkDecision(t, Decide(Config{Template: Booking, Language: l, Hours: h}, Conversation{}, Message{Kind: KindText, Text: "hours"}, now))
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	cfg := Config{Template: Booking, Language: Swahili, BusinessName: "Salon Asili", Hours: mustHours(b, shopHours)}
	for name, s := range map[string]string{"menu": "menu", "intent": "Habari, nataka kuweka miadi kesho saa 4 asubuhi tafadhali", "fallback": "gari jekundu la jirani limepita mtaani kwetu"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(cfg, Conversation{}, Message{Kind: KindText, Text: s, SenderName: "Asha"}, monday)
			}
		})
	}
}
