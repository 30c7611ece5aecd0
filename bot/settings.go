package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Settings is what a business may say in its own words. The zero value is complete: the templates' own texts are generic
// and leave prices and other facts to the team. ReadSettings makes them of what is stored; they are only read afterwards.
type Settings struct {
	Greeting string  // replaces the sentence after the salutation; at most 300 runes are used
	Offers   []Offer // services or products; at most 12 are shown

	labels  map[string]string // of the menu, by intent
	answers map[string]string // by intent
	away    string            // instead of "we are closed at the moment"
	own     questions
	menu    map[string]string // by the words of a line of the menu, as index.read gives them, its intent; nil: as the template has it
}

// Offer is a service or product as the business describes it.
type Offer struct {
	Name  string
	Price string // as shown to customers, with its currency; empty: the team confirms it
}

// Row is one row of a list, by the keys of its columns.
type Row map[string]string

// Values is what a business entered in its template's form, by the keys of the fields.
type Values struct {
	Texts map[string]string `json:"texts,omitempty"`
	Rows  map[string][]Row  `json:"rows,omitempty"`
}

// maxSettingsBytes bounds what is read back: more than every field of a form filled to its limit.
const maxSettingsBytes = 256 << 10

// ReadValues reads what is stored of a business's settings and of its hours; both may be empty. What cannot be read
// counts as not entered, and the error says which.
func ReadValues(settings, hours []byte) (Values, error) {
	v := Values{Texts: map[string]string{}, Rows: map[string][]Row{}}
	var wrong error
	if len(settings) > maxSettingsBytes {
		wrong = fmt.Errorf("settings are %d bytes long; at most %d are read", len(settings), maxSettingsBytes)
	} else if len(settings) > 0 {
		var stored Values
		if err := json.Unmarshal(settings, &stored); err != nil {
			wrong = errors.New("settings are not as they should be: " + excerpt(err.Error(), 100))
		} else {
			for key, s := range stored.Texts {
				v.Texts[key] = s
			}
			for key, rows := range stored.Rows {
				v.Rows[key] = rows
			}
		}
	}
	delete(v.Rows, KeyHours) // kept apart
	h, err := ParseHours(hours)
	if err != nil {
		return v, errors.Join(wrong, fmt.Errorf("opening hours: %w", err))
	}
	if h.known {
		v.Rows[KeyHours] = h.rows()
	}
	return v, wrong
}

// JSON gives what is to be stored: the settings, and the hours apart, as ParseHours reads them. Both are nil where nothing
// was entered. The error is the hours'.
func (v Values) JSON() (settings, hours []byte, err error) {
	kept := Values{Texts: map[string]string{}, Rows: map[string][]Row{}}
	for key, s := range v.Texts {
		if strings.TrimSpace(s) != "" {
			kept.Texts[key] = s
		}
	}
	for key, rows := range v.Rows {
		if key != KeyHours && len(rows) > 0 {
			kept.Rows[key] = rows
		}
	}
	if len(kept.Texts)+len(kept.Rows) > 0 {
		if settings, err = json.Marshal(kept); err != nil {
			return nil, nil, err
		}
	}
	h, err := v.hours()
	if err != nil || !h.known {
		return settings, nil, err
	}
	hours, err = json.Marshal(h.periods())
	return settings, hours, err
}

// ReadConfig makes the Config of a business from what is stored of it. It is to be done once for each version of that, not
// for each message. What cannot be read is left out, and the error says what; the Config is complete all the same.
func ReadConfig(template Template, language Language, business string, settings, hours []byte) (Config, error) {
	v, err := ReadValues(settings, hours)
	return v.Config(template, language, business), err
}

// Config makes the Config of a business that entered these values. What is wrong with them, as Check finds it, is left out.
func (v Values) Config(template Template, language Language, business string) Config {
	c := Config{Template: template, Language: language, BusinessName: business}
	c.Hours, _ = v.hours()
	c.Hours.off = v.holidays()
	s := scriptOf(template)
	c.Settings.Greeting = v.Texts[KeyGreeting]
	for _, row := range v.Rows[KeyOffers] {
		if excerpt(row[colName], maxOfferRunes) != "" && len(c.Settings.Offers) < maxOffers {
			c.Settings.Offers = append(c.Settings.Offers, Offer{row[colName], row[colPrice]})
		}
	}
	c.Settings.away = ownText(v.Texts[KeyAway], maxAwayRunes)
	for key, said := range v.Texts {
		if intent, ok := strings.CutPrefix(key, menuPrefix); ok {
			if said = excerpt(said, maxLabelRunes); said != "" {
				put(&c.Settings.labels, intent, said)
			}
		} else if intent, ok := strings.CutPrefix(key, answerPrefix); ok {
			if said = ownText(said, maxOwnRunes); said != "" {
				put(&c.Settings.answers, intent, said)
			}
		}
	}
	c.Settings.own = hear(&s.index, v.Rows[KeyQuestions])
	if c.Settings.labels != nil || c.Settings.own.byWord != nil {
		for i := len(s.menu) - 1; i >= 0; i-- { // of two lines with the same words the upper one counts
			item := s.menu[i]
			for _, line := range []string{item.label.sw, item.label.en, c.Settings.label(item, language)} {
				put(&c.Settings.menu, strings.Join(s.index.read(line).words, " "), item.intent)
			}
		}
		delete(c.Settings.menu, "")
	}
	return c
}

func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// label is a line of the menu.
func (s Settings) label(item menuItem, l Language) string {
	if own := s.labels[item.intent]; own != "" {
		return own
	}
	return item.label.in(l)
}

// ownText is a text of the business's own, at most limit runes, safe to send: valid UTF-8, no slots, no control or direction
// characters, at most one empty line in a row. WhatsApp's marks stay: the business may write *bold*.
func ownText(s string, limit int) string {
	if max := limit*16 + 64; len(s) > max {
		s = s[:max]
	}
	var out []rune
	lines, marks, space := 0, 0, false
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case r == '\n':
			lines, space = lines+1, false
			continue
		case r == '\u200d' && len(out) > 0: // joins the parts of one emoji
		case r == unicode.ReplacementChar, unicode.Is(unicode.Cf, r), r == '{', r == '}':
			continue
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			space = true
			continue
		case !unicode.IsGraphic(r):
			continue
		}
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > 2 || len(out) == 0 {
			continue
		}
		if len(out) > 0 {
			switch {
			case lines > 1:
				out = append(out, '\n', '\n')
			case lines == 1:
				out = append(out, '\n')
			case space:
				out = append(out, ' ')
			}
		}
		lines, space = 0, false
		if out = append(out, r); len(out) > limit {
			return strings.TrimSpace(string(out[:limit-1])) + "…"
		}
	}
	return string(out)
}

// isoDay is how days are entered and stored.
const isoDay = time.DateOnly
