package bot

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// everyText calls see with every text of the package and a name for it.
func everyText(see func(name string, tx text, slots map[string]bool)) {
	base := setOf("business name hi intro menu example offers choices ref lastref hours opens until holiday holidays")
	for template, s := range scripts {
		at := string(template) + " "
		see(at+"intro", s.intro, base)
		see(at+"example", s.example, base)
		for _, m := range s.menu {
			see(at+"menu "+m.intent, m.label, base)
		}
		for intent, tx := range s.answers {
			see(at+intent, tx, base)
		}
		for intent, tx := range s.listed {
			see(at+"listed "+intent, tx, base)
		}
		for intent, f := range s.flows {
			slots := map[string]bool{}
			for k := range base {
				slots[k] = true
			}
			for _, st := range f.steps {
				see(at+intent+" ask "+st.name, st.ask, slots)
				see(at+intent+" again "+st.name, st.again, slots)
				if st.kind == stepOffer {
					see(at+intent+" pick "+st.name, st.pick, slots)
				}
				slots[st.name] = true
			}
			if !f.confirm.empty() {
				see(at+intent+" confirm", f.confirm, slots)
			}
			see(at+intent+" done", f.done, slots)
		}
	}
	for intent, tx := range commonAnswers {
		see("common "+intent, tx, base)
	}
	for k, tx := range sayKind {
		see("kind "+string(k), tx, base)
	}
	for _, g := range salutations {
		see("salutation "+g.words[0], g.reply, base)
	}
	for _, d := range dayNames {
		see("day", d, base)
	}
	for i, tx := range []text{sayOurBusiness, sayGreeting, sayFallback, sayFallbackShort, sayOfferPerson, sayNoSuchNumber, sayExpired, sayNoted, sayLeft,
		sayLastReference, sayHours, sayHoursUnknown, sayOpenUntil, sayOpen, sayClosed, sayClosedNow, sayPriceAsked,
		wordClosed, wordAllDay, wordTo, wordToday, wordTomorrow, wordOnDay, wordNextWeek,
		sayClosedShort, sayOpens, sayHoliday, sayHolidays, wordOnDate, wordTomorrowAllDay, wordOnDayAllDay, wordOnDateAllDay} {
		see("say "+string(rune('A'+i)), tx, base)
	}
}

func TestEveryTextIsInBothLanguages(t *testing.T) {
	n := 0
	everyText(func(name string, tx text, slots map[string]bool) {
		n++
		used := map[Language]string{}
		for _, l := range everyLanguage {
			s := tx.in(l)
			if strings.TrimSpace(s) == "" {
				t.Errorf("%s: no text in %s", name, l)
			}
			if utf8.RuneCountInString(s) > 350 {
				t.Errorf("%s: too long in %s; leave room for what is filled in", name, l)
			}
			if strings.Count(s, "*")%2 != 0 {
				t.Errorf("%s: an odd number of * in %s", name, l)
			}
			for rest := s; ; {
				_, after, found := strings.Cut(rest, "{")
				if !found {
					break
				}
				slot, after, _ := strings.Cut(after, "}")
				if !slots[slot] {
					t.Errorf("%s: slot {%s} does not exist there", name, slot)
				}
				used[l] += slot + " "
				rest = after
			}
		}
		if used[Swahili] != used[English] {
			t.Errorf("%s: slots differ: SW %s, EN %s", name, used[Swahili], used[English])
		}
		if tx.sw == tx.en && len(tx.sw) > 25 {
			t.Errorf("%s: the same in both languages: %q", name, tx.sw)
		}
	})
	if n < 100 {
		t.Fatalf("only %d texts seen", n)
	}
}

func TestScriptsAreComplete(t *testing.T) {
	for template, s := range scripts {
		if len(s.menu) < 3 || len(s.menu) > 9 {
			t.Errorf("%s: %d menu items", template, len(s.menu))
		}
		if len(s.index.intents) > 32 {
			t.Errorf("%s: more intents than a reading has room for", template)
		}
		answered := func(intent string) bool {
			_, own := s.answers[intent]
			_, flow := s.flows[intent]
			_, common := commonAnswers[intent]
			return own || flow || common || intent == IntentHours || intent == IntentGreeting || intent == IntentYes || intent == IntentNo
		}
		for _, intent := range s.index.intents {
			if !answered(intent) {
				t.Errorf("%s: nothing answers %s", template, intent)
			}
		}
		for _, m := range s.menu {
			if !answered(m.intent) {
				t.Errorf("%s: nothing answers menu item %s", template, m.intent)
			}
			// A customer who copies a menu line gets what it says.
			for _, l := range everyLanguage {
				if r := s.index.read(m.label.in(l)); r.intent != m.intent {
					t.Errorf("%s: the label %q is read as %q", template, m.label.in(l), r.intent)
				}
			}
		}
		for _, l := range everyLanguage {
			if r := s.index.read(s.example.in(l)); s.flows[r.intent].steps == nil {
				t.Errorf("%s: the example %q starts no request", template, s.example.in(l))
			}
		}
		for intent, f := range s.flows {
			if len(f.steps) == 0 || len(f.steps) > maxAnswers {
				t.Errorf("%s %s: %d steps", template, intent, len(f.steps))
			}
		}
	}
}

// Triggers are looked up as they are written, so they must be written folded; and a phrase
// that belongs to two intents would silently mean only one.
func TestTriggers(t *testing.T) {
	check := func(where string, groups []listening, others map[string]string) {
		for _, g := range groups {
			for _, w := range g.words {
				phrase := strings.TrimPrefix(w, "=")
				words := fold(nil, phrase)
				if strings.Join(words, " ") != phrase || len(words) == 0 || len(words) > maxPhrase {
					t.Errorf("%s %s: trigger %q is not in folded form or longer than %d words (%q)", where, g.intent, w, maxPhrase, words)
				}
				if other, ok := others[phrase]; ok && other != g.intent {
					t.Errorf("%s: trigger %q belongs to %s and %s", where, w, other, g.intent)
				}
				others[phrase] = g.intent
			}
		}
	}
	common := append([]listening(nil), commonListens...)
	for _, g := range salutations {
		common = append(common, listening{IntentGreeting, g.words})
	}
	check("common", common, map[string]string{})
	for template, s := range scripts {
		check(string(template), s.listens, map[string]string{})
	}
}
