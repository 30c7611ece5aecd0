package bot

import (
	"testing"
	"time"
)

func TestOptOut(t *testing.T) {
	now := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	for _, lang := range []Language{Swahili, English} {
		for _, template := range []Template{Booking, Ecommerce, Support} {
			cfg := Config{Template: template, Language: lang, BusinessName: "Neema Salon"}
			say := func(text string, conv Conversation, out bool) Decision {
				return Decide(cfg, conv, Message{Kind: KindText, Text: text, OptedOut: out}, now)
			}
			for _, text := range []string{"STOP", " stop. ", "Stop!", "UNSUBSCRIBE", "Sitaki ujumbe", "jiondoe", "acha  kutuma"} {
				if d := say(text, Conversation{}, false); d.Opt != OptOut || d.Intent != IntentOptOut || len(d.Replies) != 1 {
					t.Errorf("%s %s: %q: %+v", template, lang, text, d)
				}
				if d := say(text, Conversation{}, true); d.Opt != "" || !d.Ignore || d.Reason != reasonOptedOut {
					t.Errorf("%q again: %+v", text, d)
				}
			}
			for _, text := range []string{"please don't stop", "nitafika stop ya basi", "habari", "acha", "start", "anza", "sitaki", "stop the order please"} {
				if d := say(text, Conversation{}, false); d.Opt != "" || d.Ignore {
					t.Errorf("%s %s: %q decides %q: %+v", template, lang, text, d.Opt, d)
				}
			}
			for _, text := range []string{"habari", "bei", "1", "mtu", "menu", "sitaki"} {
				if d := say(text, Conversation{}, true); !d.Ignore || len(d.Replies) > 0 || d.Handoff {
					t.Errorf("%q from somebody who wants nothing: %+v", text, d)
				}
			}
			for _, text := range []string{"START", "anza", "Anza tena"} {
				if d := say(text, Conversation{}, true); d.Opt != OptIn || len(d.Replies) != 1 {
					t.Errorf("%q: %+v", text, d)
				}
			}
			if d := Decide(cfg, Conversation{}, Message{Kind: KindImage, OptedOut: true}, now); !d.Ignore {
				t.Errorf("a picture from somebody who wants nothing: %+v", d)
			}
			// "stop" ends a running request first.
			running := say("1", Conversation{}, false)
			if running.Next.Flow == "" {
				continue
			}
			d := say("stop", running.Next, false)
			if d.Opt != "" || d.Next.Flow != "" {
				t.Errorf("%s %s: stop in a request: %+v", template, lang, d)
			}
			if d = say("stop", d.Next, false); d.Opt != OptOut {
				t.Errorf("%s %s: stop after it: %+v", template, lang, d)
			}
		}
	}
}
