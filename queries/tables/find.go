package tables

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// FindBy gives the keys of records whose columns have these values, which must be of their types; two at most, since two are too many.
func (r *Registry) FindBy(ctx context.Context, db DB, t *Table, values map[string]string) ([]string, error) {
	return t.find(ctx, db, func(b *builder) {
		for i, name := range slices.Sorted(maps.Keys(values)) {
			if i > 0 {
				b.write(" AND ")
			}
			b.write(t.byName[name].ref("r"), " = ")
			b.value(t.byName[name], new(values[name]))
		}
	})
}

// FindNamed gives the keys of records that people may mean by a text: their key, what they are called, or another value they are
// searched by. Two at most.
func (r *Registry) FindNamed(ctx context.Context, db DB, t *Table, text string) ([]string, error) {
	if _, ok := t.splitKey(text); ok {
		if found, err := t.find(ctx, db, func(b *builder) { t.anyOf(b, []string{text}) }); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return t.find(ctx, db, func(b *builder) {
		b.write("lower((", t.Title, ")::text) = lower(")
		b.bind(text)
		b.write("::text)")
		for _, name := range t.Search {
			b.write(" OR lower(", t.byName[name].ref("r"), ") = lower(")
			b.bind(text)
			b.write("::text)")
		}
	})
}

func (t *Table) find(ctx context.Context, db DB, where func(*builder)) ([]string, error) {
	var b builder
	b.write("SELECT ")
	for i, k := range t.Key {
		if i > 0 {
			b.write(", ")
		}
		b.write(k.ref("r"))
	}
	b.write(" FROM ", quoted(t.Name), " r WHERE ")
	where(&b)
	b.write(" LIMIT 2")
	rows, err := db.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return joinKey(values), err
	})
}

// Readable tells whether a text is a value of the column's type.
func (c *Column) Readable(text string) bool { return c.readable(text) }

// Of is the table the column is in.
func (c *Column) Of() *Table { return c.table }
