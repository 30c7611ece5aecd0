package tables

import (
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// anyOf writes that the row r has one of these keys; those that name no record of the table are left out.
func (t *Table) anyOf(b *builder, keys []string) {
	if len(t.Key) == 1 {
		var values []string
		for _, key := range keys {
			if parts, ok := t.splitKey(key); ok {
				values = append(values, parts[0].(string))
			}
		}
		b.write(t.Key[0].ref("r"), " = ANY(")
		b.bind(values)
		b.write("::", t.Key[0].Type, "[])")
		return
	}
	b.write("(false")
	for _, key := range keys {
		if parts, ok := t.splitKey(key); ok {
			b.write(" OR (")
			t.is(b, parts)
			b.write(")")
		}
	}
	b.write(")")
}

// SetAll sets columns of many records and tells how many of them were there. The columns must be editable and the texts of their
// type; nil is NULL.
func (t *Table) SetAll(ctx context.Context, db DB, keys []string, values map[string]*string) (int64, error) {
	var b builder
	b.write("UPDATE ", quoted(t.Name), " r SET ")
	if err := t.set(&b, values, false); err != nil {
		return 0, err
	}
	if c := t.byName["updated_at"]; c != nil {
		b.write(", ", quoted(c.Name), " = now()")
	}
	b.write(" WHERE ")
	t.anyOf(&b, keys)
	return b.exec(ctx, db)
}

// DeleteAll removes many records, with what the database removes with them, and tells how many of them were there.
func (t *Table) DeleteAll(ctx context.Context, db DB, keys []string) (int64, error) {
	var b builder
	b.write("DELETE FROM ", quoted(t.Name), " r WHERE ")
	t.anyOf(&b, keys)
	return b.exec(ctx, db)
}

func (b *builder) exec(ctx context.Context, db DB) (int64, error) {
	tag, err := db.Exec(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	return tag.RowsAffected(), err
}

// below is a table whose rows go with a record's, and how they are found from it: by these references, the last one first.
type below struct {
	table *Table
	by    []reference
}

// below lists the tables whose rows go with this one's, each once by its shortest way, and before those that its own rows go with:
// removed in this order, no row takes others along.
func (t *Table) below() []below {
	ways := map[*Table][]reference{t: {}}
	for queue := []*Table{t}; len(queue) > 0; queue = queue[1:] {
		for _, in := range queue[0].inbound {
			if _, seen := ways[in.table]; !seen && in.onDelete == 'c' && len(in.table.Key) == 1 {
				ways[in.table] = append([]reference{in}, ways[queue[0]]...)
				queue = append(queue, in.table)
			}
		}
	}
	var list []below
	seen := map[*Table]bool{}
	var visit func(*Table)
	visit = func(of *Table) {
		seen[of] = true
		for _, in := range of.inbound {
			if _, known := ways[in.table]; known && in.onDelete == 'c' && !seen[in.table] {
				visit(in.table)
			}
		}
		if of != t {
			list = append(list, below{of, ways[of]})
		}
	}
	visit(t)
	return list
}

// where writes that the row r is one that goes with the records that these says.
func (l below) where(b *builder, root *Table, these func(*builder)) {
	for i, ref := range l.by {
		to := root
		if i+1 < len(l.by) {
			to = l.by[i+1].table
		}
		b.write(ref.column.ref("r"), " IN (SELECT ", to.Key[0].ref("r"), " FROM ", quoted(to.Name), " r WHERE ")
	}
	these(b)
	for range l.by {
		b.write(")")
	}
}

// CountBelow counts what goes with the records that match, of the named tables, or of all where none is named.
func (t *Table) CountBelow(ctx context.Context, db DB, f Filter, keys, only []string) (int64, error) {
	var sum int64
	for _, l := range t.below() {
		if len(only) > 0 && !slices.Contains(only, l.table.Name) {
			continue
		}
		var b builder
		b.write("SELECT count(*) FROM ", quoted(l.table.Name), " r WHERE ")
		l.where(&b, t, t.these(f, keys))
		var n int64
		if err := db.QueryRow(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...).Scan(&n); err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

// these writes which records are meant: those with the keys, or, without any, those that the filter lets through.
func (t *Table) these(f Filter, keys []string) func(*builder) {
	if keys == nil {
		return f.where
	}
	return func(b *builder) { t.anyOf(b, keys) }
}

// DeleteBelow removes at most limit of the rows that go with these records, of the named tables or of all, and tells how many.
// Fewer than limit: there are no more.
func (t *Table) DeleteBelow(ctx context.Context, db DB, keys, only []string, limit int) (int64, error) {
	var sum int64
	for _, l := range t.below() {
		if len(only) > 0 && !slices.Contains(only, l.table.Name) {
			continue
		}
		key := l.table.Key[0]
		var b builder
		b.write("DELETE FROM ", quoted(l.table.Name), " r WHERE ", key.ref("r"), " = ANY(ARRAY(SELECT ", key.ref("r"), " FROM ", quoted(l.table.Name), " r WHERE ")
		l.where(&b, t, t.these(Filter{}, keys))
		b.write(" LIMIT ", strconv.Itoa(limit-int(sum)), "))")
		n, err := b.exec(ctx, db)
		if sum += n; err != nil || sum >= int64(limit) {
			return sum, err
		}
	}
	return sum, nil
}
