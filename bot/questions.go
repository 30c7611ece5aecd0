package bot

import (
	"strings"
	"unicode"
)

// Limits of one question of the business's own.
const (
	maxWays     = 8 // in which a question may be asked
	maxWayWords = 8 // that a message must have
)

// questions are a business's own, compiled for looking up: what is asked, by the words that say so.
type questions struct {
	answers []string
	ways    []way
	byWord  map[string][]int16 // ways that need the word; nil: no questions
}

// way is one way to ask: a message that has all its words asks it.
type way struct {
	answer int16
	words  int16 // how many different ones
}

// hear compiles the rows of the field KeyQuestions. Words are read as the template reads a message's.
func hear(x *index, rows []Row) questions {
	var q questions
	for _, row := range rows[:min(len(rows), maxQuestions)] {
		answer := ownText(row[colAnswer], maxOwnRunes)
		if answer == "" {
			continue
		}
		asked := waysOf(x, row[ColQuestion])
		if len(asked) == 0 {
			continue
		}
		for _, words := range asked {
			n := int16(len(q.ways))
			q.ways = append(q.ways, way{int16(len(q.answers)), int16(len(words))})
			for _, w := range words {
				if q.byWord == nil {
					q.byWord = map[string][]int16{}
				}
				q.byWord[w] = append(q.byWord[w], n)
			}
		}
		q.answers = append(q.answers, answer)
	}
	return q
}

// waysOf reads how a question is asked: "maegesho, parking" are two ways of one word, "mna maegesho ya magari?" is one of two
// words, because "mna" and "ya" say nothing. A way that says nothing at all is left out.
func waysOf(x *index, s string) (all [][]string) {
	if len(s) > maxQuestionRunes*16 {
		s = s[:maxQuestionRunes*16]
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;?/\n؟？،", r) })
	for _, part := range parts {
		var words []string
		seen := map[string]bool{}
		for _, w := range x.read(part).words {
			if !fillers[w] && !seen[w] && len(words) < maxWayWords && says(w) {
				seen[w] = true
				words = append(words, w)
			}
		}
		if len(words) > 0 && len(all) < maxWays {
			all = append(all, words)
		}
	}
	return all
}

// says tells a word from a lone letter or a number, which is a choice from a menu.
func says(w string) bool {
	letters := 0
	for _, r := range w {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters > 1
}

// find gives the answer to a message with these words; of several ways the one with most words counts, then the first.
func (q questions) find(words []string) (answer string, ok bool) {
	if q.byWord == nil {
		return "", false
	}
	var hit [maxQuestions * maxWays]int16
	best := int16(-1)
	for i, w := range words {
		ways := q.byWord[w]
		if len(ways) == 0 || repeated(words[:i], w) {
			continue
		}
		for _, n := range ways {
			if hit[n]++; hit[n] < q.ways[n].words {
				continue
			}
			if best < 0 || q.ways[n].words > q.ways[best].words || q.ways[n].words == q.ways[best].words && n < best {
				best = n
			}
		}
	}
	if best < 0 {
		return "", false
	}
	return q.answers[q.ways[best].answer], true
}

func repeated(words []string, w string) bool {
	for _, before := range words {
		if before == w {
			return true
		}
	}
	return false
}
