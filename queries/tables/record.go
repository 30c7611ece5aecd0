package tables

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Errors of single records.
var (
	ErrGone    = errors.New("the record does not exist")
	ErrChanged = errors.New("the record was changed meanwhile")
)

// Record is one row as it is now, with all columns of its table.
type Record struct {
	Key     string
	Title   string
	Version string  // of what a person may edit: a save that began with another one is refused
	Values  []Value // as Table.Columns
	Titles  []string
}

// Value gives a column's value.
func (rec Record) Value(c *Column) Value {
	if i := slices.Index(c.table.Columns, c); i >= 0 && i < len(rec.Values) {
		return rec.Values[i]
	}
	return Value{Null: true}
}

// Read reads one record with the names of those it points at. ErrGone: there is none.
func (r *Registry) Read(ctx context.Context, db DB, t *Table, key string) (Record, error) {
	rec, err := t.read(ctx, db, key, false)
	if err != nil {
		return rec, err
	}
	rows := []Row{{Values: rec.Values}}
	err = r.titles(ctx, db, t.Columns, rows)
	rec.Titles = rows[0].Titles
	return rec, err
}

func (t *Table) read(ctx context.Context, db DB, key string, lock bool) (Record, error) {
	rec := Record{Key: key}
	values, ok := t.splitKey(key)
	if !ok {
		return rec, ErrGone
	}
	var b builder
	b.write("SELECT coalesce((", t.Title, ")::text, '')")
	for _, c := range t.Columns {
		b.write(", ", c.ref("r"))
		if c.Kind == JSON {
			b.write("::text")
		}
	}
	b.write(" FROM ", quoted(t.Name), " r WHERE ")
	t.is(&b, values)
	if lock {
		b.write(" FOR UPDATE OF r")
	}
	rows, err := db.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	if err != nil {
		return rec, err
	}
	raw, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	if errors.Is(err, pgx.ErrNoRows) {
		return rec, ErrGone
	}
	if err != nil {
		return rec, err
	}
	rec.Title, _ = raw[0].(string)
	for i, c := range t.Columns {
		rec.Values = append(rec.Values, valueOf(c, raw[1+i]))
	}
	rec.Version = t.version(rec.Values)
	return rec, nil
}

// version is a fingerprint of what people may edit; what machines write changes nothing about it.
func (t *Table) version(values []Value) string {
	sum := sha256.New()
	for i, c := range t.Columns {
		if c.Editable(false) {
			sum.Write([]byte(strconv.FormatBool(values[i].Null) + strconv.Itoa(len(values[i].Text)) + values[i].Text))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// is writes that the row r has this key.
func (t *Table) is(b *builder, values []any) {
	for i, k := range t.Key {
		if i > 0 {
			b.write(" AND ")
		}
		b.write(k.ref("r"), " = ")
		b.bind(values[i])
		b.write("::", k.Type)
	}
}

// Update sets columns of a record; nil is NULL. The columns must be editable and the texts of their type. ErrChanged: it is
// not the version any more that the person saw.
func (t *Table) Update(ctx context.Context, db DB, key, version string, values map[string]*string) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		rec, err := t.read(ctx, tx, key, true)
		if err != nil {
			return err
		}
		if rec.Version != version {
			return ErrChanged
		}
		var b builder
		b.write("UPDATE ", quoted(t.Name), " r SET ")
		if err := t.set(&b, values, false); err != nil {
			return err
		}
		if c := t.byName["updated_at"]; c != nil {
			b.write(", ", quoted(c.Name), " = now()")
		}
		b.write(" WHERE ")
		parts, _ := t.splitKey(key)
		t.is(&b, parts)
		_, err = tx.Exec(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
		return err
	})
}

func (t *Table) set(b *builder, values map[string]*string, creating bool) error {
	if len(values) == 0 {
		return errors.New("nothing to set")
	}
	for i, name := range slices.Sorted(maps.Keys(values)) {
		c := t.byName[name]
		if c == nil || !c.Editable(creating) {
			return errors.New("column " + name + " of " + t.Name + " is not editable")
		}
		if i > 0 {
			b.write(", ")
		}
		b.write(quoted(c.Name), " = ")
		b.value(c, values[name])
	}
	return nil
}

func (b *builder) value(c *Column, text *string) {
	if text == nil {
		b.write("NULL")
		return
	}
	b.bind(*text)
	b.write("::", c.Type)
}

// Insert makes a record and gives its key. The columns must be open at creation; an id is made where none is given.
func (t *Table) Insert(ctx context.Context, db DB, values map[string]*string) (string, error) {
	var b builder
	b.write("INSERT INTO ", quoted(t.Name), " AS r (")
	names := slices.Sorted(maps.Keys(values))
	key := t.Key[0]
	if values[key.Name] == nil && key.Type == "uuid" && len(t.Key) == 1 {
		names = append(names, key.Name)
	}
	for i, name := range names {
		c := t.byName[name]
		if c == nil || c != key && !c.Editable(true) {
			return "", errors.New("column " + name + " of " + t.Name + " cannot be set")
		}
		if i > 0 {
			b.write(", ")
		}
		b.write(quoted(name))
	}
	b.write(") VALUES (")
	for i, name := range names {
		if i > 0 {
			b.write(", ")
		}
		text := values[name]
		if name == key.Name && text == nil {
			id := uuid.Must(uuid.NewV7()).String()
			text = &id
		}
		b.value(t.byName[name], text)
	}
	b.write(") RETURNING ")
	for i, k := range t.Key {
		if i > 0 {
			b.write(", ")
		}
		b.write(k.ref("r"))
	}
	rows, err := db.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	if err != nil {
		return "", err
	}
	raw, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	return joinKey(raw), err
}

// Delete removes a record and what the database removes with it.
func (t *Table) Delete(ctx context.Context, db DB, key string) error {
	values, ok := t.splitKey(key)
	if !ok {
		return ErrGone
	}
	var b builder
	b.write("DELETE FROM ", quoted(t.Name), " r WHERE ")
	t.is(&b, values)
	tag, err := db.Exec(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrGone
	}
	return err
}

// Dependent is what a deletion does to the rows of another table.
type Dependent struct {
	Table   *Table
	Rows    int64
	More    bool // there are more than Rows
	Cleared bool // they stay and only forget the record; otherwise they go with it
}

const (
	countedRows  = 10_000 // of each table that depends on a record
	deepestChain = 3      // a contact's conversation's messages' keys
)

// Dependents tells what goes with a record, most first.
func (t *Table) Dependents(ctx context.Context, db DB, key string) ([]Dependent, error) {
	if _, ok := t.splitKey(key); !ok {
		return nil, ErrGone
	}
	return t.DependentsOf(ctx, db, Filter{}, []string{key})
}

// DependentsOf tells the same of the records with these keys, or, where keys is nil, of those that the filter lets through.
func (t *Table) DependentsOf(ctx context.Context, db DB, f Filter, keys []string) ([]Dependent, error) {
	if len(t.Key) != 1 {
		return nil, nil // nothing refers to a key of several columns
	}
	found := map[*Table]Dependent{}
	var visit func(of *Table, where func(*builder), depth int) error
	visit = func(of *Table, where func(*builder), depth int) error {
		for _, in := range of.inbound {
			if in.onDelete != 'c' && in.onDelete != 'n' || depth > deepestChain {
				continue
			}
			these := func(b *builder) {
				b.write(in.column.ref("r"), " IN (")
				where(b)
				b.write(")")
			}
			var b builder
			b.write("SELECT count(*) FROM (SELECT FROM ", quoted(in.table.Name), " r WHERE ")
			these(&b)
			b.write(" LIMIT ", strconv.Itoa(countedRows+1), ") AS counted")
			var n int64
			if err := db.QueryRow(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			d := Dependent{Table: in.table, Rows: min(n, countedRows), More: n > countedRows, Cleared: in.onDelete == 'n'}
			if known, seen := found[in.table]; !seen || known.Cleared && !d.Cleared || known.Cleared == d.Cleared && known.Rows < d.Rows {
				found[in.table] = d
			}
			if !d.Cleared && len(in.table.Key) == 1 {
				err := visit(in.table, func(b *builder) {
					b.write("SELECT ", in.table.Key[0].ref("r"), " FROM ", quoted(in.table.Name), " r WHERE ")
					these(b)
				}, depth+1)
				if err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := visit(t, func(b *builder) {
		b.write("SELECT ", t.Key[0].ref("r"), " FROM ", quoted(t.Name), " r WHERE ")
		t.these(f, keys)(b)
	}, 1)
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b Dependent) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Table.Name, b.Table.Name))
	})
	return list, err
}
