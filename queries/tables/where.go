package tables

import (
	"strconv"
	"strings"
	"time"
)

// builder collects a statement: listed names and fixed words as text, everything else bound.
type builder struct {
	sql  strings.Builder
	args []any
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.sql.WriteString(p)
	}
}

// bind writes a placeholder for a value.
func (b *builder) bind(v any) {
	b.args = append(b.args, v)
	b.write("$", strconv.Itoa(len(b.args)))
	switch v.(type) {
	case int64:
		b.write("::bigint") // the column may be smaller than the number asked for
	case time.Time:
		b.write("::timestamptz")
	}
}

// where writes the filter as a condition on the row r.
func (f Filter) where(b *builder) {
	switch {
	case f.Empty():
		b.write("true")
	case f.Expression():
		b.group(f.any)
	default:
		f.table.search(b, f.terms)
	}
}

func (b *builder) group(anyOf [][]term) {
	b.write("(")
	for i, all := range anyOf {
		if i > 0 {
			b.write(" OR ")
		}
		for j, t := range all {
			if j > 0 {
				b.write(" AND ")
			}
			if t.cond == nil {
				b.group(t.group)
			} else {
				b.condition(t.cond)
			}
		}
	}
	b.write(")")
}

// condition writes one comparison. What is denied is the opposite of what is asserted, so that rows without a value count as
// different, as people expect.
func (b *builder) condition(c *condition) {
	deny := c.op == "!=" || c.op == "!~"
	if c.value.null {
		deny = c.op == "=" // asserted is that there is a value
	}
	if deny {
		b.write("(")
	}
	if c.step == nil {
		b.assert("r", c)
	} else {
		b.write(c.step.here.ref("r"), " IN (SELECT ", c.step.its.ref("o"), " FROM ", quoted(c.step.To.Name), " o WHERE ")
		b.assert("o", c)
		b.write(")")
	}
	if deny {
		b.write(") IS NOT TRUE")
	}
}

// assert writes the positive of a condition on the row of an alias.
func (b *builder) assert(alias string, c *condition) {
	ref := c.col.ref(alias)
	switch {
	case c.value.null:
		b.write(ref, " IS NOT NULL")
	case c.op == "~" || c.op == "!~":
		b.like(alias, c.col, c.value.bind.(string))
	case !c.value.until.IsZero():
		b.write("(", ref, " >= ")
		b.bind(c.value.bind)
		b.write(" AND ", ref, " < ")
		b.bind(c.value.until)
		b.write(")")
	default:
		op := c.op
		if op == "!=" {
			op = "="
		}
		if c.col.Kind == JSON {
			ref += "::text"
		}
		b.write(ref, " ", op, " ")
		b.bind(c.value.bind)
	}
}

// like writes that a column contains a text, whatever its case.
func (b *builder) like(alias string, c *Column, text string) {
	ref := c.ref(alias)
	switch {
	case c.Words:
		b.words(ref, []string{text})
		return
	case c.Kind == Phone:
		digits := phoneDigits(text)
		if digits == "" {
			b.write("false")
			return
		}
		text = digits
	case c.Kind != Text && c.Kind != LongText:
		ref += "::text"
	}
	b.ilike(ref, text)
}

// ilike writes that a text contains another, whatever the case. For what is written in ASCII the rules of any language are those
// of "C", which Postgres applies many times faster.
func (b *builder) ilike(ref, text string) {
	b.write(ref)
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 127 }) {
		b.write(` COLLATE "C"`)
	}
	b.write(" ILIKE ")
	b.bind("%" + escapeLike(text) + "%")
}

// search writes that every term is found in one of the columns for searching.
func (t *Table) search(b *builder, terms []string) {
	if len(t.Description.Words) > 0 {
		b.words(t.byName[t.Description.Words[0]].ref("r"), terms)
		return
	}
	for i, text := range terms {
		if i > 0 {
			b.write(" AND ")
		}
		b.write("(")
		for j, name := range t.Search {
			if j > 0 {
				b.write(" OR ")
			}
			b.like("r", t.byName[name], text)
		}
		b.write(")")
	}
}

// phoneDigits is what of a typed number stands in its stored form: "0712 34" is in +25571234….
func phoneDigits(text string) string {
	for _, r := range text {
		if !strings.ContainsRune("+0123456789 -()./", r) {
			return ""
		}
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if !strings.HasPrefix(strings.TrimSpace(text), "+") {
		digits = strings.TrimLeft(digits, "0")
	}
	return digits
}

// escapeLike takes the meaning from the characters that LIKE treats as patterns.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
