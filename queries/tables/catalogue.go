package tables

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// foreign are tables of other makers in the same schema.
const foreign = `^(whatsmeow_|river_|goose_)`

// catalogue asks Postgres for every column of ours.
const catalogue = `
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typtype = 'e', a.attnotnull,
	a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a',
	coalesce((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '{}'),
	coalesce(fk.to_table, ''), coalesce(fk.on_delete, ''),
	EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
		WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND am.amname = 'btree'),
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
	coalesce((SELECT array_position(i.indkey::smallint[], a.attnum) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), -1),
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND (i.indpred IS NULL OR a.attname <> 'tenant_id')),
	EXISTS (SELECT FROM pg_index i JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'tenant_id'
		WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 2 AND i.indkey[0] = o.attnum AND i.indkey[1] = a.attnum),
	EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'audit')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
-- The key that leads from this column to another table's primary key, also where the constraint has more columns beside it.
LEFT JOIN LATERAL (
	SELECT f.relname AS to_table, k.confdeltype::text AS on_delete
	FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid JOIN pg_index p ON p.indrelid = f.oid AND p.indisprimary AND p.indnkeyatts = 1
	WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confkey[array_position(k.conkey, a.attnum)] = p.indkey[0]
	LIMIT 1) fk ON true
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname !~ $1
ORDER BY c.relname, a.attnum`

type catalogueRow struct {
	Table, Name, Type     string
	IsEnum, NotNull       bool
	HasDefault, Generated bool
	Enum                  []string
	RefTable, OnDelete    string
	Indexed, Unique       bool
	KeyPosition           int
	Names, NamesInTenant  bool
	Audited               bool
}

// Load reads the registry. The database must be up to date; a table without a description is left out.
func Load(ctx context.Context, db DB) (*Registry, error) {
	rows, err := db.Query(ctx, catalogue, foreign)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[catalogueRow])
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return build(columns)
}

// build makes the registry of the catalogue's columns and our descriptions.
func build(columns []catalogueRow) (*Registry, error) {
	r := &Registry{byName: map[string]*Table{}}
	for _, d := range ours {
		t := &Table{Description: d, Relations: map[string]*JoinStep{}, byName: map[string]*Column{}, counts: newCounts()}
		r.tables, r.byName[d.Name] = append(r.tables, t), t
	}
	type keyed struct {
		column   *Column
		position int
	}
	keys := map[*Table][]keyed{}
	for _, row := range columns {
		t := r.byName[row.Table]
		if t == nil || slices.Contains(t.Secret, row.Name) {
			continue
		}
		t.Audited = row.Audited
		c := r.column(t, row)
		t.Columns, t.byName[c.Name] = append(t.Columns, c), c
		if row.KeyPosition >= 0 {
			keys[t] = append(keys[t], keyed{c, row.KeyPosition})
		}
	}
	for _, t := range r.tables {
		slices.SortStableFunc(t.Columns, func(a, b *Column) int { return t.rank(a) - t.rank(b) })
		slices.SortFunc(keys[t], func(a, b keyed) int { return a.position - b.position })
		for _, k := range keys[t] {
			t.Key = append(t.Key, k.column)
		}
		if len(t.Description.Key) > 0 {
			t.Key = nil
			for _, name := range t.Description.Key {
				t.Key = append(t.Key, t.byName[name])
			}
		}
		if len(t.Key) == 0 {
			return nil, fmt.Errorf("table %s: it has no key, or is described but not there", t.Name)
		}
		for _, names := range [][]string{t.Search, t.First, t.Fixed, t.AtCreation, t.Hidden, t.Lines, t.Phones, t.Words, {strings.TrimPrefix(t.Order, "-")}} {
			for _, name := range names {
				if name != "*" && t.byName[name] == nil {
					return nil, fmt.Errorf("table %s: its description names %q, which is no column of it", t.Name, name)
				}
			}
		}
	}
	for _, row := range columns {
		if t, to := r.byName[row.Table], r.byName[refTable(r.byName[row.Table], row)]; t != nil && to != nil && t.byName[row.Name] != nil {
			r.relate(t, t.byName[row.Name], to, row)
		}
	}
	return r, nil
}

// rank is where a column stands: those of First in their order, then all others in the database's.
func (t *Table) rank(c *Column) int {
	if i := slices.Index(t.First, c.Name); i >= 0 {
		return i
	}
	return len(t.First)
}

func (r *Registry) column(t *Table, row catalogueRow) *Column {
	listed := func(names []string) bool { return slices.Contains(names, row.Name) }
	c := &Column{
		Name: row.Name, Label: label(t, row.Name), Type: row.Type, Enum: row.Enum, Nullable: !row.NotNull, Default: row.HasDefault,
		Fixed: row.Generated || listed(t.Fixed) || slices.Contains(t.Fixed, "*"), Hidden: listed(t.Hidden), Words: listed(t.Words),
		Names: row.Names, NamesInTenant: row.NamesInTenant,
		table: t, indexed: row.Indexed, unique: row.Unique, Kind: Text,
	}
	switch ref := r.byName[refTable(t, row)]; {
	case ref != nil:
		c.Kind, c.Ref = Relation, ref
	case row.IsEnum:
		c.Kind = Enum
	case row.Type == "uuid":
		c.Kind = UUID
	case row.Type == "boolean":
		c.Kind = Bool
	case row.Type == "smallint" || row.Type == "integer" || row.Type == "bigint":
		c.Kind = Int
	case strings.HasPrefix(row.Type, "timestamp"):
		c.Kind = Time
	case row.Type == "jsonb" || row.Type == "json":
		c.Kind = JSON
	case listed(t.Phones):
		c.Kind = Phone
	case listed(t.Lines):
		c.Kind = LongText
	}
	return c
}

// refTable is where a column leads: by a foreign key, or by its description.
func refTable(t *Table, row catalogueRow) string {
	if row.RefTable == "" && t != nil {
		return t.Refs[row.Name]
	}
	return row.RefTable
}

// relate notes a foreign key from both its sides.
func (r *Registry) relate(t *Table, c *Column, to *Table, row catalogueRow) {
	other := to.Key[0]
	name := strings.TrimSuffix(c.Name, "_id")
	t.Relations[name] = &JoinStep{Name: name, To: to, here: c, its: other}
	on := byte('a')
	switch {
	case row.OnDelete != "":
		on = row.OnDelete[0]
	case !c.Nullable: // by description: there is no such row without the other one
		on = 'c'
	}
	to.inbound = append(to.inbound, reference{t, c, on})
	if c.unique && t.As != "" && to.Relations[t.As] == nil {
		to.Relations[t.As] = &JoinStep{Name: t.As, To: t, here: other, its: c}
	}
}

// label words a column's name: "created_at" is "Created", "tenant_id" is "Tenant".
func label(t *Table, name string) string {
	if l := t.Labels[name]; l != "" {
		return l
	}
	if name == "id" {
		return "ID"
	}
	words := strings.ReplaceAll(name, "_", " ")
	for _, suffix := range []string{" id", " at", " json"} {
		words = strings.TrimSuffix(words, suffix)
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
