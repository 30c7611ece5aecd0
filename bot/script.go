package bot

import "strings"

// text is one thing the bot says, in both languages. See doc.go for the slots.
type text struct{ sw, en string }

func (t text) in(l Language) string {
	if l == English {
		return t.en
	}
	return t.sw
}

func (t text) empty() bool { return t == text{} }

// listening is an intent with the words and phrases that mean it, in both languages.
type listening struct {
	intent string
	words  []string
}

// salutation is a way to greet, and how the bot greets back.
type salutation struct {
	words []string
	reply text
}

// menuItem is a line of the main menu; its digit is its position.
type menuItem struct {
	intent string
	label  text
}

// script is everything a template says and listens to.
type script struct {
	intro   text // after the salutation, before the menu
	example text // a few words a customer could write
	menu    []menuItem
	listens []listening     // the most important first
	answers map[string]text // by intent
	listed  map[string]text // replace answers when the business entered its offers
	flows   map[string]flow // by intent
	parts   []part          // of the form in which a business says it in its own words

	form []Section // made of parts

	index index // compiled from listens and the common script
}

// flow is a request that takes several messages: questions, perhaps a confirmation, an outcome.
type flow struct {
	steps     []step
	confirm   text // asked after the steps; empty: none
	done      text // the outcome; honest: noted, and the team will confirm
	reference bool // give the outcome a short reference
}

// step is one question. Its name is the slot that holds the answer.
type step struct {
	name  string
	kind  stepKind
	ask   text
	pick  text // replaces ask when the business entered its offers
	again text // after an answer that cannot be one
}

type stepKind int

const (
	stepWords    stepKind = iota // an answer with at least one word in it
	stepOffer                    // the same, or the number of an offer
	stepWhen                     // words or several numbers, so not a bare "4"
	stepQuantity                 // something with a number in it
)

// scripts holds the templates. It is built once and only read.
var scripts = map[Template]*script{
	Booking:   compile(bookingScript()),
	Ecommerce: compile(shopScript()),
	Support:   compile(supportScript()),
}

// scriptOf never returns nil: an unknown template is served as SUPPORT, the most general one.
func scriptOf(t Template) *script {
	if s, ok := scripts[t]; ok {
		return s
	}
	return scripts[Support]
}

// compile builds the index. A template's trigger takes the place of the same common one.
func compile(s script) *script {
	x := index{phrases: map[string]trigger{}, known: map[string]bool{}, byFirst: map[byte][]string{}}
	group := map[string]int8{}
	add := func(intent string, hi int8, words []string) {
		g, ok := group[intent]
		if !ok {
			g = int8(len(x.intents))
			group[intent] = g
			x.intents = append(x.intents, intent)
		}
		for _, w := range words {
			phrase, alone := strings.CutPrefix(w, "=")
			if _, taken := x.phrases[phrase]; taken {
				continue
			}
			x.phrases[phrase] = trigger{group: g, hi: hi, alone: alone}
			single := !strings.Contains(phrase, " ")
			for word := range strings.FieldsSeq(phrase) {
				x.known[word] = true
			}
			if single && len(phrase) >= typoMinTarget && phrase[0] < 0x80 {
				x.byFirst[phrase[0]] = append(x.byFirst[phrase[0]], phrase)
			}
		}
	}
	add(IntentHuman, -1, nil) // first in importance, whatever the template lists
	for _, l := range s.listens {
		add(l.intent, -1, l.words)
	}
	for _, l := range commonListens {
		add(l.intent, -1, l.words)
	}
	for i, g := range salutations {
		add(IntentGreeting, int8(i), g.words)
	}
	s.index = x
	for _, p := range s.parts {
		s.form = append(s.form, p(&s))
	}
	return &s
}

// setOf is a set of the words in a text.
func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
