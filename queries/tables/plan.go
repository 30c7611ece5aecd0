package tables

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Thresholds between two ways to the same rows. Postgres' planner believes that rows which match are spread evenly over the
// order asked for; where it is wrong about that, it reads millions of rows to fill one page. These choices do not depend on it.
const (
	fewRelated = 100    // records of a relation: each is asked for its own first rows
	fewMatches = 20_000 // rows with a word: all of them are fetched and put in order
	fewRows    = 5_000  // rows of which the words are read one by one, in order, rather than looked up
	lookUps    = 12     // matches that the index of words gives in the time one row is read
)

// way is how the rows of a page are found.
type way int

const (
	inOrder way = iota // in the list's order, until the page is full
	gather             // all that match, then put in order
	sift               // in order those that fit the rest of the filter, and among them those with the words, until the page is full
	through            // the first rows of each record of a relation, then put in order
)

// statement is one page of a list before it is written.
type statement struct {
	q    ListQuery
	way  way
	rest Filter   // the filter, without what the way brings itself
	word []string // for sift
	by   *Column  // for through: the relation …
	keys []string // … and its records
}

// plan decides how a page is read.
func (r *Registry) plan(ctx context.Context, db DB, q ListQuery) (statement, error) {
	s := statement{q: q, rest: q.Filter}
	n, err := q.Table.size(ctx, db)
	if err != nil || n <= smallTable || q.Filter.Empty() || len(q.Is) > 0 || q.Keys != nil {
		return s, err
	}
	words, rest := q.Filter.wordsOf()
	if len(words) == 0 {
		return s, s.related(ctx, db)
	}
	// With everything else the filter asks for, the matches can only be fewer.
	matches, err := q.Table.estimate(ctx, db, func(b *builder) { b.wordsMatch(q.Table.wordsRef(), words) })
	if err != nil {
		return s, err
	}
	among := int64(0)
	if !rest.Empty() {
		if among, err = q.Table.estimate(ctx, db, rest.where); err != nil {
			return s, err
		}
		if among <= fewRows && among*lookUps < matches {
			s.way, s.rest, s.word = sift, rest, words
			return s, nil
		}
	}
	if matches <= max(fewMatches, min(among, fewRows)*lookUps) {
		s.way = gather
		return s, nil
	}
	return s, s.related(ctx, db)
}

// wordsRef is the column whose words are indexed.
func (t *Table) wordsRef() string { return t.byName[t.Description.Words[0]].ref("r") }

// related looks up the records that a condition over a relation means, where the table's rows can be found by them.
func (s *statement) related(ctx context.Context, db DB) error {
	f := s.q.Filter
	if len(f.any) != 1 {
		return nil
	}
	for i, t := range f.any[0] {
		c := t.cond
		if c == nil || c.step == nil || !c.step.here.indexed || c.op == "!=" || c.op == "!~" || c.value.null {
			continue
		}
		var b builder
		b.write("SELECT ", c.step.its.ref("o"), "::text FROM ", quoted(c.step.To.Name), " o WHERE ")
		b.assert("o", c)
		b.write(" LIMIT ", strconv.Itoa(fewRelated+1))
		rows, err := db.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
		if err != nil {
			return err
		}
		keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(keys) > fewRelated {
			return err
		}
		s.way, s.by, s.keys, s.rest = through, c.step.here, keys, f.without(i)
		return nil
	}
	return nil
}

// write writes the statement: first the value of the order and the key, then the columns asked for.
func (s statement) write(b *builder, after []*string) {
	t, q := s.q.Table, s.q
	limit := strconv.Itoa(q.Limit + 1)
	from := quoted(t.Name) + " r"
	conditions := func() {
		b.write("(")
		s.rest.where(b)
		b.write(")")
		for _, is := range q.Is {
			b.write(" AND ", is.Column.ref("r"), " = ANY(")
			b.bind(is.Values)
			b.write("::", is.Column.Type, "[])")
		}
		if q.Keys != nil {
			b.write(" AND ")
			t.anyOf(b, q.Keys)
		}
		if after != nil {
			b.write(" AND ")
			q.Sort.past(b, "r", t.Key, after)
		}
	}
	switch s.way {
	case inOrder:
		s.fields(b)
		b.write(" FROM ", from, " WHERE ")
		conditions()
	case gather:
		b.write("WITH r AS MATERIALIZED (SELECT r.* FROM ", from, " WHERE ")
		conditions()
		b.write(") ")
		s.fields(b)
		b.write(" FROM r")
	case sift: // OFFSET 0 keeps the planner from looking the words up after all
		s.fields(b)
		b.write(" FROM (SELECT r.* FROM ", from, " WHERE ")
		conditions()
		q.Sort.order(b, "r", t.Key)
		b.write(" OFFSET 0) r WHERE ")
		b.words(t.wordsRef(), s.word)
	case through: // first the places, which the index may know alone, then the rows
		s.fields(b)
		b.write(" FROM (SELECT ")
		s.place(b, "r")
		b.write(" FROM unnest(")
		b.bind(s.keys)
		b.write("::", s.by.Type, "[]) AS k(key) CROSS JOIN LATERAL (SELECT ")
		s.place(b, "r")
		b.write(" FROM ", from, " WHERE ", s.by.ref("r"), " = k.key AND ")
		conditions()
		q.Sort.order(b, "r", t.Key)
		b.write(" LIMIT ", limit, ") r")
		q.Sort.order(b, "r", t.Key)
		b.write(" LIMIT ", limit, ") o JOIN ", from, " ON ")
		for i, k := range t.Key {
			if i > 0 {
				b.write(" AND ")
			}
			b.write(k.ref("r"), " = ", k.ref("o"))
		}
	}
	q.Sort.order(b, "r", t.Key)
	b.write(" LIMIT ", limit)
}

// place writes the columns of the order and the key, each once.
func (s statement) place(b *builder, alias string) {
	b.write(s.q.Sort.Column.ref(alias))
	for _, k := range s.q.Table.Key {
		if k != s.q.Sort.Column {
			b.write(", ", k.ref(alias))
		}
	}
}

func (s statement) fields(b *builder) {
	b.write("SELECT ", s.q.Sort.Column.ref("r"))
	for _, k := range s.q.Table.Key {
		b.write(", ", k.ref("r"))
	}
	for _, c := range s.q.Columns {
		b.write(", ")
		switch {
		case c.Kind == JSON && s.q.Whole:
			b.write(c.ref("r"), "::text")
		case c.Kind == LongText && !s.q.Whole:
			b.write("left(", c.ref("r"), ", ", strconv.Itoa(textPreview), ")")
		case c.Kind == JSON:
			b.write("left(", c.ref("r"), "::text, ", strconv.Itoa(textPreview), ")")
		default:
			b.write(c.ref("r"))
		}
	}
}
