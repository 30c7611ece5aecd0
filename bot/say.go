package bot

import (
	"strconv"
	"strings"
	"unicode"
)

// say fills in a text's slots in the configured language. What is filled in is never
// read for slots again.
func (t *turn) say(tx text) string {
	var b strings.Builder
	t.fill(&b, tx.in(t.cfg.Language))
	return b.String()
}

func (t *turn) fill(b *strings.Builder, s string) {
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			b.WriteString(s)
			return
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			b.WriteString(s)
			return
		}
		b.WriteString(s[:i])
		t.slot(b, s[i+1:i+end])
		s = s[i+end+1:]
	}
}

// slot writes what a slot stands for.
func (t *turn) slot(b *strings.Builder, name string) {
	switch name {
	case "business":
		if n := t.cfg.business(); n != "" {
			b.WriteString(n)
		} else {
			b.WriteString(sayOurBusiness.in(t.cfg.Language))
		}
	case "name":
		if n := firstName(t.msg.SenderName); n != "" {
			b.WriteByte(' ')
			b.WriteString(n)
		}
	case "hi":
		hi := 0
		if t.read.intent == IntentGreeting {
			hi = t.read.hi
		}
		t.fill(b, salutations[hi].reply.in(t.cfg.Language))
	case "intro":
		if own := excerpt(t.cfg.Settings.Greeting, maxGreetingRunes); own != "" {
			b.WriteString(own)
		} else {
			t.fill(b, t.script.intro.in(t.cfg.Language))
		}
	case "menu":
		for i, item := range t.script.menu {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(strconv.Itoa(i + 1))
			b.WriteString(". ")
			b.WriteString(t.cfg.Settings.label(item, t.cfg.Language))
		}
	case "example":
		b.WriteString(t.script.example.in(t.cfg.Language))
	case "offers":
		t.list(b, true)
	case "choices":
		t.list(b, false)
	case "ref":
		b.WriteString(t.next.Reference)
	case "lastref":
		if t.next.Reference != "" {
			t.fill(b, sayLastReference.in(t.cfg.Language))
		}
	case "hours":
		b.WriteString(t.cfg.Hours.words(t.cfg.Language))
	case "opens":
		if at, ok := t.cfg.Hours.NextOpen(t.now); ok {
			b.WriteString(momentWords(t.now, at, t.cfg.Language, t.cfg.Hours.known))
		}
	case "holiday":
		if today, ok := t.cfg.Hours.holidayOn(dayNumber(t.now)); ok {
			b.WriteString(today.note)
		}
	case "holidays":
		b.WriteString(t.comingHolidays())
	case "until":
		if at, ok := t.cfg.Hours.OpenUntil(t.now); ok {
			b.WriteString(clockWords(at.Hour()*60+at.Minute(), t.cfg.Language))
		}
	default:
		for i, s := range t.script.flows[t.next.Flow].steps {
			if s.name == name && i < len(t.next.Answers) {
				b.WriteString(t.next.Answers[i])
			}
		}
	}
}

// offers are the business's offers that can be shown.
func (t *turn) offers() []Offer {
	offers := t.cfg.Settings.Offers
	return offers[:min(len(offers), maxOffers)]
}

// list writes the offers, one a line: with bullets and prices, or numbered to choose from.
func (t *turn) list(b *strings.Builder, prices bool) {
	for i, o := range t.offers() {
		if i > 0 {
			b.WriteByte('\n')
		}
		if prices {
			b.WriteString("• ")
		} else {
			b.WriteString(strconv.Itoa(i+1) + ". ")
		}
		b.WriteString(excerpt(o.Name, maxOfferRunes))
		if !prices {
			continue
		}
		b.WriteString(" – ")
		if p := excerpt(o.Price, maxPriceRunes); p != "" {
			b.WriteString(p)
		} else {
			b.WriteString(sayPriceAsked.in(t.cfg.Language))
		}
	}
}

// hours is the answer to "when are you open?".
func (t *turn) hours() string {
	if !t.cfg.Hours.Known() {
		return t.say(sayHoursUnknown) // that today is a holiday, reply adds
	}
	said := t.say(sayHours) + "\n\n"
	if t.comingHolidays() != "" {
		said = t.say(sayHours) + "\n" + t.say(sayHolidays) + "\n\n"
	}
	if !t.cfg.Hours.Open(t.now) {
		t.next.ClosedTold = t.at
		return said + t.closed()
	}
	if _, ok := t.cfg.Hours.OpenUntil(t.now); ok {
		return said + t.say(sayOpenUntil)
	}
	return said + t.say(sayOpen)
}

// closed says that the business is closed and when it opens.
func (t *turn) closed() string {
	today, isHoliday := t.cfg.Hours.holidayOn(dayNumber(t.now))
	if away := t.cfg.Settings.away; away != "" || isHoliday && today.note != "" {
		if isHoliday && today.note != "" {
			away = strings.TrimSpace(t.say(sayHoliday) + " " + away)
		}
		if _, ok := t.cfg.Hours.NextOpen(t.now); ok {
			away += " " + t.say(sayOpens)
		}
		return away
	}
	if _, ok := t.cfg.Hours.NextOpen(t.now); ok {
		return t.say(sayClosed)
	}
	return t.say(sayClosedNow)
}

// firstName is the first word of a sender's name if it looks like a name, otherwise "": these
// names are free text ("🔥BOSS LADY🔥 0712…") and stand in the bot's own sentence.
func firstName(s string) string {
	name, _, _ := strings.Cut(excerpt(s, 3*maxNameRunes), " ")
	letters := 0
	for _, r := range name {
		if !unicode.IsLetter(r) && r != '\'' && r != '-' {
			return ""
		}
		letters++
	}
	if letters < 2 || letters > maxNameRunes {
		return ""
	}
	return name
}
