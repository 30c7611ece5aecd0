package tables

import (
	"regexp"
	"strings"
	"time"

	"github.com/ganigeorgiev/fexpr"
)

type condition struct {
	step  *JoinStep // nil: the table's own column
	col   *Column
	op    string
	value literal
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
