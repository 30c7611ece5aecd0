package tables

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Sort is an order of a list; the key decides between equals.
type Sort struct {
	Column *Column
	Desc   bool
}

// String is the order as it stands in an address: "-created_at" is newest first.
func (s Sort) String() string {
	if s.Desc {
		return "-" + s.Column.Name
	}
	return s.Column.Name
}

// Sort reads an order; what is unknown gives the table's own.
func (t *Table) Sort(text string) Sort {
	if name, desc := strings.CutPrefix(text, "-"); t.byName[name] != nil {
		return Sort{t.byName[name], desc}
	}
	name, desc := strings.CutPrefix(t.Order, "-")
	return Sort{t.byName[name], desc}
}

// ListQuery asks for one page of a list.
type ListQuery struct {
	Table   *Table
	Filter  Filter
	Is      []Is     // besides the filter
	Keys    []string // nil, or: of these records only
	Sort    Sort
	Columns []*Column // to read, in this order
	After   string    // the Next of the page before; empty: from the start
	Whole   bool      // long values as they are, not only their beginning
	Limit   int
}

// Is asks for rows whose column has one of these values, which must be values of its type.
type Is struct {
	Column *Column
	Values []string
}

// Row is one row of a list.
type Row struct {
	Key    string   // names the record in addresses
	Place  Value    // of the column the list is ordered by
	Values []Value  // as ListQuery.Columns
	Titles []string // of relations: what the other record is called; empty where the column is none
}

// ListPage is a page and where the next one begins; Next is empty at the end.
type ListPage struct {
	Rows []Row
	Next string
}

// ErrCursor means that a place in a list is not one of this list.
var ErrCursor = errors.New("unknown place in the list")

// textPreview is how much of a long text a list reads, in characters.
const textPreview = 240

// List reads one page. However far it is from the start, it costs the same: the place is a value, not a number of rows.
func (r *Registry) List(ctx context.Context, db DB, q ListQuery) (ListPage, error) {
	after, err := q.cursor()
	if err != nil {
		return ListPage{}, err
	}
	s, err := r.plan(ctx, db, q)
	if err != nil {
		return ListPage{}, err
	}
	var b builder
	s.write(&b, after)
	rows, err := db.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
	if err != nil {
		return ListPage{}, err
	}
	var page ListPage
	var places [][]any
	lead := 1 + len(q.Table.Key)
	for rows.Next() {
		raw, err := rows.Values()
		if err != nil {
			rows.Close()
			return page, err
		}
		row := Row{Key: joinKey(raw[1:lead]), Place: valueOf(q.Sort.Column, raw[0])}
		for i, c := range q.Columns {
			row.Values = append(row.Values, valueOf(c, raw[lead+i]))
		}
		page.Rows, places = append(page.Rows, row), append(places, raw[:lead])
	}
	if err := rows.Err(); err != nil {
		return page, err
	}
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		if page.Next, err = Cursor(places[q.Limit-1]...); err != nil {
			return page, err
		}
	}
	if q.Whole {
		return page, nil // for programs, which know others by their keys
	}
	return page, r.titles(ctx, db, q.Columns, page.Rows)
}

// titles looks up what the records are called that a page's relations point at, each table once.
func (r *Registry) titles(ctx context.Context, db DB, columns []*Column, rows []Row) error {
	for i := range rows {
		rows[i].Titles = make([]string, len(columns))
	}
	for i, c := range columns {
		if c.Kind != Relation {
			continue
		}
		var keys []string
		for _, row := range rows {
			if !row.Values[i].Null && !contains(keys, row.Values[i].Text) {
				keys = append(keys, row.Values[i].Text)
			}
		}
		names, err := r.Titles(ctx, db, c.Ref, keys)
		if err != nil {
			return err
		}
		for j := range rows {
			rows[j].Titles[i] = names[rows[j].Values[i].Text]
		}
	}
	return nil
}

// Titles gives what records are called, by their keys.
func (r *Registry) Titles(ctx context.Context, db DB, t *Table, keys []string) (map[string]string, error) {
	names := map[string]string{}
	if len(keys) == 0 {
		return names, nil
	}
	key := t.Key[0]
	rows, err := db.Query(ctx, "SELECT "+key.ref("r")+"::text, coalesce(("+t.Title+")::text, '') FROM "+quoted(t.Name)+" r WHERE "+key.ref("r")+
		" = ANY($1::"+key.Type+"[])", pgx.QueryExecModeCacheDescribe, keys)
	if err != nil {
		return nil, err
	}
	var id, title string
	_, err = pgx.ForEachRow(rows, []any{&id, &title}, func() error {
		names[id] = title
		return nil
	})
	return names, err
}

// order writes the ORDER BY of a list over an alias.
func (s Sort) order(b *builder, alias string, key []*Column) {
	direction := ""
	if s.Desc {
		direction = " DESC"
	}
	b.write(" ORDER BY ", s.Column.ref(alias), direction)
	if s.Column.Nullable {
		b.write(" NULLS LAST")
	}
	for _, k := range key {
		if k != s.Column {
			b.write(", ", k.ref(alias), direction)
		}
	}
}

// past writes that a row comes after a place.
func (s Sort) past(b *builder, alias string, key []*Column, place []*string) {
	op := " > "
	if s.Desc {
		op = " < "
	}
	columns, values := []*Column{}, []*string{}
	if s.Column.Nullable {
		if place[0] == nil { // among those without a value, which come last
			b.write(s.Column.ref(alias), " IS NULL AND ")
		} else {
			b.write("(", s.Column.ref(alias), " IS NULL OR ")
			defer b.write(")")
			columns, values = append(columns, s.Column), append(values, place[0])
		}
	} else {
		columns, values = append(columns, s.Column), append(values, place[0])
	}
	for i, k := range key {
		if k != s.Column {
			columns, values = append(columns, k), append(values, place[1+i])
		}
	}
	b.write("(")
	for i, c := range columns {
		if i > 0 {
			b.write(", ")
		}
		b.write(c.ref(alias))
	}
	b.write(")", op, "(")
	for i, c := range columns {
		if i > 0 {
			b.write(", ")
		}
		text := ""
		if values[i] != nil {
			text = *values[i]
		}
		b.bind(text)
		b.write("::", c.Type)
	}
	b.write(")")
}

// Cursor is a place in a list, for ListQuery.After: the value of its order and the parts of its key, of a row.
func Cursor(place ...any) (string, error) {
	texts := make([]*string, len(place))
	for i, v := range place {
		texts[i] = textOf(v)
	}
	raw, err := json.Marshal(texts)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

// cursor reads the place this page begins after, nil for the start, and checks that Postgres will understand it.
func (q ListQuery) cursor() ([]*string, error) {
	if q.After == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(q.After) > 4000 {
		return nil, ErrCursor
	}
	var place []*string
	if json.Unmarshal(raw, &place) != nil || len(place) != 1+len(q.Table.Key) || place[0] == nil && !q.Sort.Column.Nullable {
		return nil, ErrCursor
	}
	for i, c := range append([]*Column{q.Sort.Column}, q.Table.Key...) {
		if place[i] == nil && i > 0 || place[i] != nil && !c.readable(*place[i]) {
			return nil, ErrCursor
		}
	}
	return place, nil
}
