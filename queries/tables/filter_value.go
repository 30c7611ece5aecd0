package tables

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ganigeorgiev/fexpr"
)

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
