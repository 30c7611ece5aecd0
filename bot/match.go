package bot

import (
	"strconv"
	"strings"
)

const maxPhrase = 4 // words in a trigger

// index is a script's triggers, compiled for looking up.
type index struct {
	intents []string           // by group number, most important first
	phrases map[string]trigger // folded words joined by one space
	known   map[string]bool    // every word of every phrase
	byFirst map[byte][]string  // single-word triggers a typo may be corrected to
}

// trigger is what one phrase means.
type trigger struct {
	group int8
	hi    int8 // greetings: which salutation answers it; otherwise -1
	alone bool // only when the message says nothing else
}

// reading is a text as the bot understands it.
type reading struct {
	words  []string
	intent string // "" when none was found
	whole  bool   // the text says nothing but that intent
	hi     int    // salutation, when intent is GREETING
	number int    // when the text is nothing but a number; otherwise -1
}

// Typos are corrected only in short messages and only to words long enough that
// another real word is hardly ever one slip away.
const (
	typoMaxWords  = 8
	typoMinTarget = 6
)

// read finds out what a text means.
func (x *index) read(s string) reading {
	var buf [16]string
	words := fold(buf[:0], s)
	r := reading{words: words, number: -1}
	if len(words) == 0 {
		return r
	}
	var (
		joined strings.Builder
		starts [maxTokens + 1]int
		masks  [32]uint64 // by group: the words its strong triggers cover
		alone  [32]uint64 // the same for triggers that must stand alone
		filler uint64
	)
	for i, w := range words {
		if c := x.correct(w, len(words)); c != w {
			words[i] = c
		}
		starts[i] = joined.Len()
		joined.WriteString(words[i])
		joined.WriteByte(' ')
	}
	starts[len(words)] = joined.Len()
	line, hi := joined.String(), -1

	for i := 0; i < len(words); {
		n := min(maxPhrase, len(words)-i)
		for ; n > 0; n-- {
			t, ok := x.phrases[line[starts[i]:starts[i+n]-1]]
			if !ok {
				continue
			}
			span := (uint64(1)<<n - 1) << i
			if t.alone {
				alone[t.group] |= span
			} else {
				masks[t.group] |= span
			}
			if t.hi >= 0 && hi < 0 {
				hi = int(t.hi)
			}
			break
		}
		i += max(n, 1)
	}
	for i, w := range words {
		if fillers[w] {
			filler |= 1 << i
		}
	}
	all := uint64(1)<<len(words) - 1
	polite := filler
	for g, name := range x.intents {
		switch name {
		case IntentGreeting, IntentThanks, IntentOK: // "ndiyo, asante" is a yes
			polite |= masks[g] | alone[g]
		}
	}
	for g, name := range x.intents {
		covered := masks[g] | alone[g]
		whole := covered != 0 && all&^(covered|polite) == 0
		if masks[g] != 0 || alone[g] != 0 && whole {
			r.intent, r.whole = name, whole
			if name == IntentGreeting {
				r.hi = max(hi, 0)
			}
			break
		}
	}
	r.number = wholeNumber(words)
	return r
}

// correct returns the known word that w most likely is: itself, without drawn-out letters,
// or, in a short message, with one letter missing, added or swapped with its neighbour.
func (x *index) correct(w string, inMessage int) string {
	if x.known[w] || fillers[w] || len(w) < 3 {
		return w
	}
	if drawnOut(w) {
		for _, keep := range []int{2, 1} {
			if s := squeeze(w, keep); x.known[s] {
				return s
			}
		}
	}
	if n := len(w); n > 5 && w[n-1] == w[n-2] && x.known[w[:n-1]] {
		return w[:n-1] // "mamboo"
	}
	if inMessage > typoMaxWords || len(w) < typoMinTarget-1 || notTypos[w] {
		return w
	}
	for _, k := range x.byFirst[w[0]] {
		if oneSlip(w, k) {
			return k
		}
	}
	return w
}

// drawnOut reports whether a letter stands three times in a row; fold keeps no more than three.
// Two are left alone: "hii" is a word of its own, "hiii" is somebody saying "hi".
func drawnOut(w string) bool {
	for i := 2; i < len(w); i++ {
		if w[i] == w[i-1] && w[i] == w[i-2] {
			return true
		}
	}
	return false
}

// squeeze shortens runs of the same letter to keep letters.
func squeeze(w string, keep int) string {
	b := make([]byte, 0, maxTokenLen)
	run := 0
	for i := range len(w) {
		if run++; i > 0 && w[i] != w[i-1] {
			run = 1
		}
		if run <= keep {
			b = append(b, w[i])
		}
	}
	return string(b)
}

// oneSlip reports whether a became b by one missing, one added or two swapped letters.
func oneSlip(a, b string) bool {
	if d := len(a) - len(b); d < -1 || d > 1 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch ra, rb := a[i:], b[i:]; {
	case len(a) < len(b):
		return ra == rb[1:]
	case len(a) > len(b):
		return ra[1:] == rb
	default:
		return len(ra) > 1 && ra[0] == rb[1] && ra[1] == rb[0] && ra[2:] == rb[2:]
	}
}

// wholeNumber is the number a text consists of, fillers and words such as "namba" aside; -1 if it is not one.
func wholeNumber(words []string) int {
	number := -1
	for _, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil || len(w) > 6 {
			var ok bool
			if n, ok = numerals[w]; !ok {
				if fillers[w] || numberLabels[w] {
					continue
				}
				return -1
			}
		}
		if number >= 0 {
			return -1
		}
		number = n
	}
	return number
}
