package tables

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minPrefix is how much of a word must be typed before what begins with it counts as found.
const minPrefix = 3

// words writes that a column holds all words of these terms; the last may be unfinished. The index over message_words answers
// it (migration 00030). The comparison before it is implied by it and much cheaper where rows are read anyway.
func (b *builder) words(ref string, terms []string) {
	var all []string
	for _, t := range terms {
		all = append(all, splitWords(t)...)
	}
	if len(all) == 0 {
		b.write("false")
		return
	}
	b.write("(")
	for _, w := range all {
		b.ilike(ref, w)
		b.write(" AND ")
	}
	b.wordsMatch(ref, all)
	b.write(")")
}

func (b *builder) wordsMatch(ref string, all []string) {
	b.write("message_words(", ref, ") @@ to_tsquery('pg_catalog.simple', ")
	b.bind(wordsQuery(all))
	b.write(")")
}

// wordsQuery is the words as to_tsquery reads them.
func wordsQuery(all []string) string {
	var q strings.Builder
	for i, w := range all {
		if i > 0 {
			q.WriteString(" & ")
		}
		q.WriteString("'" + w + "'") // letters and digits only: nothing to escape
		if i == len(all)-1 && utf8.RuneCountInString(w) >= minPrefix {
			q.WriteString(":*")
		}
	}
	return q.String()
}

// splitWords divides at everything that is no letter, mark or digit, as message_words does with what it can meet.
func splitWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// wordsOf are the words that every row of the filter has, for filters that ask for some, and what else it asks for.
func (f Filter) wordsOf() (words []string, rest Filter) {
	rest = Filter{table: f.table}
	if !f.Expression() {
		if len(f.table.Description.Words) == 0 {
			return nil, f
		}
		return splitWords(strings.Join(f.terms, " ")), rest
	}
	if len(f.any) != 1 {
		return nil, f
	}
	for i, t := range f.any[0] {
		if t.cond != nil && t.cond.step == nil && t.cond.col.Words && t.cond.op == "~" {
			return splitWords(t.cond.value.bind.(string)), f.without(i)
		}
	}
	return nil, f
}

// without is an expression of one group, less one of its terms.
func (f Filter) without(i int) Filter {
	rest := Filter{table: f.table}
	if all := append(append([]term{}, f.any[0][:i]...), f.any[0][i+1:]...); len(all) > 0 {
		rest.any = [][]term{all}
	}
	return rest
}
