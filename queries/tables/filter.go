package tables

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of one filter: enough for any question a person asks, too little to hurt the server.
const (
	MaxFilter     = 1000 // bytes
	maxConditions = 30
	maxDepth      = 6
)

// Filter is a search term or a filter expression, checked against one table.
type Filter struct {
	Text  string
	table *Table
	terms []string // of a search: all of them must be found
	any   [][]term // of an expression: one of these groups must hold as a whole
}

// term is a condition or an expression in brackets.
type term struct {
	cond  *condition
	group [][]term
}

// FilterError says what is wrong with a filter and where: bytes At to End of its text.
type FilterError struct {
	At, End int
	Message string
}

func (e *FilterError) Error() string { return e.Message }

func wrong(at, end int, format string, args ...any) error {
	return &FilterError{At: at, End: max(end, at), Message: fmt.Sprintf(format, args...)}
}

// Empty tells whether the filter lets everything through.
func (f Filter) Empty() bool { return len(f.terms) == 0 && len(f.any) == 0 }

// Expression tells a filter expression from a search.
func (f Filter) Expression() bool { return len(f.any) > 0 }

// IsExpression tells whether what a person typed is meant as an expression: it has an operator outside of quotes.
func IsExpression(text string) bool {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quote != 0 && ch == '\\':
			i++
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case ch == '"' || ch == '\'' && (i == 0 || strings.IndexByte(" (=<>~", text[i-1]) >= 0): // not the one in "don't"
			quote = ch
		case strings.IndexByte("=<>~", ch) >= 0, strings.HasPrefix(text[i:], "&&"), strings.HasPrefix(text[i:], "||"):
			return true
		}
	}
	return false
}

// Parse reads what a person typed into the bar of a table's list. now gives "@now" and the zone of dates. Its errors are
// *FilterError.
func (t *Table) Parse(text string, now time.Time) (Filter, error) {
	f := Filter{Text: text, table: t}
	if len(text) > MaxFilter {
		return f, wrong(MaxFilter, len(text), "This is too long: a filter has at most %d characters.", MaxFilter)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return f, wrong(0, len(text), "This holds characters that are no text.")
	}
	if !IsExpression(text) {
		f.terms = searchTerms(text)
		if len(f.terms) > 0 && len(t.Search) == 0 {
			return f, wrong(0, len(text), "%s have no text to search. Use a filter such as %s", t.Plural, t.Example())
		}
		return f, nil
	}
	p := parser{table: t, text: text, now: now}
	var err error
	f.any, err = p.expression(0, len(text), 0)
	return f, err
}

// Example is a filter that this table understands.
func (t *Table) Example() string {
	for _, c := range t.Columns {
		if c.Kind == Enum {
			return c.Name + ` = "` + c.Enum[len(c.Enum)-1] + `"`
		}
	}
	for _, c := range t.Columns {
		if c.Kind == Time {
			return c.Name + " > @now-1d"
		}
	}
	return t.Columns[0].Name + ` = "…"`
}

// searchTerms splits at spaces; what stands in quotes is one term.
func searchTerms(text string) []string {
	var terms []string
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			if part = strings.TrimSpace(part); part != "" {
				terms = append(terms, part)
			}
			continue
		}
		terms = append(terms, strings.Fields(part)...)
	}
	return terms[:min(len(terms), 8)]
}
