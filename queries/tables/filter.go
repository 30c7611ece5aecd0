package tables

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ganigeorgiev/fexpr"
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

type condition struct {
	step  *JoinStep // nil: the table's own column
	col   *Column
	op    string
	value literal
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

// parser reads the grammar of fexpr: its scanner gives the tokens, and the parser keeps where they stand, which fexpr's own
// does not.
type parser struct {
	table *Table
	text  string
	now   time.Time
	conds int
}

type token struct {
	kind    fexpr.TokenType
	text    string
	at, end int
}

const tokenMacro fexpr.TokenType = "macro" // @now-1d: fexpr's scanner would end it before the sign

var macro = regexp.MustCompile(`^@[A-Za-z]*([+-][0-9]+[A-Za-z]*)*`)

// next is the token at a place, spaces and comments skipped.
func (p *parser) next(at, end int) (token, error) {
	for {
		if at >= end {
			return token{kind: fexpr.TokenEOF, at: end, end: end}, nil
		}
		if p.text[at] == '@' {
			m := macro.FindString(p.text[at:end])
			return token{tokenMacro, m, at, at + len(m)}, nil
		}
		t, err := fexpr.NewScanner([]byte(p.text[at:end])).Scan()
		size := p.size(t, at, end)
		if err != nil {
			return token{}, p.unreadable(t, at, at+size)
		}
		if t.Type == fexpr.TokenWS || t.Type == fexpr.TokenComment {
			at += size
			continue
		}
		return token{t.Type, t.Literal, at, at + size}, nil
	}
}

// size is how much of the text a token takes.
func (p *parser) size(t fexpr.Token, at, end int) int {
	switch t.Type {
	case fexpr.TokenText:
		quote := p.text[at]
		for i := at + 1; i < end; i++ {
			if p.text[i] == '\\' {
				i++
			} else if p.text[i] == quote {
				return i + 1 - at
			}
		}
		return end - at
	case fexpr.TokenGroup:
		return min(len(t.Literal)+2, end-at)
	case fexpr.TokenComment:
		if i := strings.IndexByte(p.text[at:end], '\n'); i >= 0 {
			return i + 1
		}
		return end - at
	}
	return min(max(len(t.Literal), 1), end-at)
}

// unreadable words what the scanner refuses.
func (p *parser) unreadable(t fexpr.Token, at, end int) error {
	switch t.Type {
	case fexpr.TokenText:
		return wrong(at, end, "This text has no closing quote.")
	case fexpr.TokenGroup:
		return wrong(at, end, "This bracket is never closed.")
	case fexpr.TokenSign:
		return wrong(at, end, "%q is no operator. There are = != > >= < <= ~ !~", t.Literal)
	case fexpr.TokenJoin:
		return wrong(at, end, "Join conditions with && (and) or || (or).")
	case fexpr.TokenNumber:
		return wrong(at, end, "%q is no number. Put text in quotes.", t.Literal)
	case fexpr.TokenFunction:
		return wrong(at, end, "There are no functions here. Compare a column with a value, like %s", p.table.Example())
	case fexpr.TokenIdentifier:
		return wrong(at, end, "%q is incomplete.", t.Literal)
	}
	return wrong(at, end, "%q means nothing here. Put text in quotes.", t.Literal)
}

// expression reads conditions between two places of the text. "&&" binds stronger than "||".
func (p *parser) expression(at, end, depth int) ([][]term, error) {
	if depth > maxDepth {
		return nil, wrong(at, end, "Brackets can be nested %d deep.", maxDepth)
	}
	anyOf := [][]term{{}}
	for {
		t, err := p.next(at, end)
		if err != nil {
			return nil, err
		}
		var item term
		switch t.kind {
		case fexpr.TokenEOF:
			return nil, wrong(at, end, "A condition is missing here, like %s", p.table.Example())
		case fexpr.TokenGroup:
			if item.group, err = p.expression(t.at+1, t.end-1, depth+1); err != nil {
				return nil, err
			}
			at = t.end
		default:
			if item.cond, at, err = p.condition(t, end); err != nil {
				return nil, err
			}
		}
		last := len(anyOf) - 1
		anyOf[last] = append(anyOf[last], item)
		join, err := p.next(at, end)
		if err != nil {
			return nil, err
		}
		if join.kind == fexpr.TokenEOF {
			return anyOf, nil
		}
		if join.kind != fexpr.TokenJoin {
			return nil, wrong(join.at, join.end, "Between two conditions there must be && (and) or || (or).")
		}
		if join.text == "||" {
			anyOf = append(anyOf, []term{})
		}
		at = join.end
	}
}

// condition reads "column operator value" and checks it against the registry.
func (p *parser) condition(left token, end int) (*condition, int, error) {
	if p.conds++; p.conds > maxConditions {
		return nil, 0, wrong(left.at, left.end, "A filter has at most %d conditions.", maxConditions)
	}
	if left.kind == fexpr.TokenFunction {
		return nil, 0, p.unreadable(fexpr.Token{Type: left.kind}, left.at, left.end)
	}
	if left.kind != fexpr.TokenIdentifier {
		return nil, 0, wrong(left.at, left.end, "A condition begins with a column, like %s", p.table.Example())
	}
	step, col, err := p.path(left)
	if err != nil {
		return nil, 0, err
	}
	op, err := p.next(left.end, end)
	if err != nil {
		return nil, 0, err
	}
	if op.kind != fexpr.TokenSign {
		return nil, 0, wrong(op.at, op.end, "After %s comes an operator: %s", left.text, strings.Join(col.Operators(), " "))
	}
	if !contains(col.Operators(), op.text) {
		return nil, 0, wrong(op.at, op.end, "%s cannot be compared with %s. It understands %s", left.text, op.text, strings.Join(col.Operators(), " "))
	}
	right, err := p.next(op.end, end)
	if err != nil {
		return nil, 0, err
	}
	v, err := p.value(col, op, right)
	if err != nil {
		return nil, 0, err
	}
	return &condition{step, col, op.text, v}, right.end, nil
}

// path finds the column, of the table itself or of a related one.
func (p *parser) path(t token) (*JoinStep, *Column, error) {
	first, second, dotted := strings.Cut(t.text, ".")
	if !dotted {
		if c := p.table.byName[first]; c != nil {
			return nil, c, nil
		}
		if step := p.table.Relations[first]; step != nil {
			return nil, nil, wrong(t.at, t.end, "%s is a record of its own: ask for one of its columns, like %s.%s", first, first, step.To.Columns[min(1, len(step.To.Columns)-1)].Name)
		}
		return nil, nil, wrong(t.at, t.end, "%s have no column %q.%s", p.table.Plural, first, suggest(first, p.table.names()))
	}
	step := p.table.Relations[first]
	if step == nil {
		return nil, nil, wrong(t.at, t.at+len(first), "%s lead to nothing called %q.%s", p.table.Plural, first, suggest(first, p.table.steps()))
	}
	if c := step.To.byName[second]; c != nil {
		return step, c, nil
	}
	if strings.Contains(second, ".") {
		return nil, nil, wrong(t.at, t.end, "A filter reaches one step: %s.… but not further.", first)
	}
	return nil, nil, wrong(t.at+len(first)+1, t.end, "%s have no column %q.%s", step.To.Plural, second, suggest(second, step.To.names()))
}

// literal is a checked value, ready to be bound.
type literal struct {
	null  bool
	bind  any       // string, int64, bool or time.Time
	until time.Time // of a whole day: where it ends
}

// Operators are what a column's values can be compared with.
func (c *Column) Operators() []string {
	switch c.Kind {
	case Int, Time:
		return []string{"=", "!=", ">", ">=", "<", "<="}
	case Bool, UUID, Relation:
		return []string{"=", "!="}
	case Enum, JSON:
		return []string{"=", "!=", "~", "!~"}
	}
	return []string{"=", "!=", "~", "!~", ">", ">=", "<", "<="}
}

// value reads and checks the right side of a condition.
func (p *parser) value(c *Column, op, t token) (v literal, err error) {
	if t.kind == fexpr.TokenIdentifier && t.text == "null" {
		if op.text != "=" && op.text != "!=" {
			return v, wrong(op.at, op.end, "null is compared with = or !=")
		}
		return literal{null: true}, nil
	}
	switch t.kind {
	case fexpr.TokenEOF:
		return v, wrong(t.at, t.end, "A value is missing here, like %s", c.example())
	case tokenMacro:
		if c.Kind != Time {
			return v, wrong(t.at, t.end, "%s is a time, but %s is none.", t.text, c.Name)
		}
		v.bind, err = p.time(t)
		return v, err
	case fexpr.TokenText, fexpr.TokenNumber, fexpr.TokenIdentifier:
	default:
		return v, wrong(t.at, t.end, "After %s comes a value, like %s", op.text, c.example())
	}
	like := op.text == "~" || op.text == "!~"
	switch c.Kind {
	case Bool:
		if t.text != "true" && t.text != "false" {
			return v, wrong(t.at, t.end, "%s is true or false.", c.Name)
		}
		return literal{bind: t.text == "true"}, nil
	case Int:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil || t.kind != fexpr.TokenNumber {
			return v, wrong(t.at, t.end, "%s is a whole number, like %s", c.Name, c.example())
		}
		return literal{bind: n}, nil
	case Enum:
		if !like && !contains(c.Enum, t.text) {
			if upper := strings.ToUpper(t.text); contains(c.Enum, upper) {
				return literal{bind: upper}, nil
			}
			hint := suggest(strings.ToUpper(t.text), c.Enum)
			if hint == "" {
				hint = " It can be " + strings.Join(c.Enum, ", ") + "."
			}
			return v, wrong(t.at, t.end, "%s is never %q.%s", c.Name, t.text, hint)
		}
		return literal{bind: t.text}, nil
	}
	if t.kind == fexpr.TokenIdentifier {
		return v, wrong(t.at, t.end, `Put text in quotes: "%s". A condition compares a column with a value, not with another column.`, t.text)
	}
	switch c.Kind {
	case UUID, Relation:
		if key := c.keyKind(); key == UUID && !uuidText.MatchString(t.text) {
			hint := ""
			if c.Ref != nil {
				hint = fmt.Sprintf(" To ask by name: %s.%s", strings.TrimSuffix(c.Name, "_id"), c.Ref.nameExample())
			}
			return v, wrong(t.at, t.end, "%s is an id like 0198b2f0-0000-7000-8000-000000000000.%s", c.Name, hint)
		}
	case Time:
		return p.date(c, op, t)
	case Text, LongText, Phone, JSON:
		if t.kind == fexpr.TokenNumber && c.Kind != Phone {
			return v, wrong(t.at, t.end, `%s is text: put it in quotes, "%s"`, c.Name, t.text)
		}
	}
	return literal{bind: t.text}, nil
}

var uuidText = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// keyKind is what the values of a relation are.
func (c *Column) keyKind() Kind {
	if c.Type == "uuid" {
		return UUID
	}
	return Text
}

// time reads @now or @today with what is added to it: @now-1d, @today+8h.
func (p *parser) time(t token) (time.Time, error) {
	name, rest := t.text, ""
	if i := strings.IndexAny(t.text, "+-"); i > 0 {
		name, rest = t.text[:i], t.text[i:]
	}
	at := p.now
	switch name {
	case "@now":
	case "@today":
		at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	default:
		return at, wrong(t.at, t.end, "There is no %s. Times are @now and @today, with - or + and a distance: @now-1d, @today+8h", name)
	}
	for rest != "" {
		end := len(rest)
		if i := strings.IndexAny(rest[1:], "+-"); i >= 0 {
			end = i + 1
		}
		part := rest[:end]
		rest = rest[end:]
		n, err := strconv.Atoi(strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		unit := strings.TrimLeft(part, "+-0123456789")
		if err != nil || n > 100000 || n < -100000 {
			return at, wrong(t.at, t.end, "%s is too far away.", part)
		}
		switch unit {
		case "s", "m", "h":
			d, _ := time.ParseDuration("1" + unit)
			at = at.Add(time.Duration(n) * d)
		case "d":
			at = at.AddDate(0, 0, n)
		case "w":
			at = at.AddDate(0, 0, 7*n)
		default:
			return at, wrong(t.at, t.end, "%s lacks a unit: s, m, h, d or w, like @now-1d", part)
		}
	}
	return at, p.inReach(at, t)
}

// inReach keeps times to those Postgres and people have.
func (p *parser) inReach(at time.Time, t token) error {
	if at.Year() < 1 || at.Year() > 9999 {
		return wrong(t.at, t.end, "This time is too far away.")
	}
	return nil
}

// date reads a written time. A date alone is that whole day for = and !=.
func (p *parser) date(c *Column, op, t token) (v literal, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, t.text, p.now.Location()); err == nil {
			return literal{bind: at}, p.inReach(at, t)
		}
	}
	day, err := time.ParseInLocation("2006-01-02", t.text, p.now.Location())
	if err != nil || t.kind != fexpr.TokenText {
		return v, wrong(t.at, t.end, `%s is a time, like @now-1d, "%s" or "%[2]s 15:04"`, c.Name, p.now.Format("2006-01-02"))
	}
	v.bind = day
	if op.text == "=" || op.text == "!=" {
		v.until = day.AddDate(0, 0, 1)
	}
	return v, p.inReach(day, t)
}

// example is a value this column can have.
func (c *Column) example() string {
	switch c.Kind {
	case Int:
		return "10"
	case Bool:
		return "true"
	case Enum:
		return `"` + c.Enum[0] + `"`
	case Time:
		return "@now-1d"
	case UUID, Relation:
		return `"0198b2f0-0000-7000-8000-000000000000"`
	case Phone:
		return `"+255712345678"`
	}
	return `"text"`
}

// nameExample is a condition that finds a record of the table by what people call it.
func (t *Table) nameExample() string {
	if len(t.Search) > 0 {
		return t.Search[0] + ` ~ "…"`
	}
	return t.Columns[0].Name + " = …"
}
