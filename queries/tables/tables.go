// Package tables is what the admin knows of the database: one registry of tables and columns, read from Postgres' own
// catalogue at start and described in describe.go, and on it the lists' filter grammar, their paging, and the reading and
// writing of single records. Every statement it makes names listed tables and columns only; every value is bound.
package tables

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Kind says how a column's values are shown, edited and compared.
type Kind string

// The kinds of columns.
const (
	Text     Kind = "text"     // one line
	LongText Kind = "longtext" // several lines
	Phone    Kind = "phone"    // E.164
	Int      Kind = "int"
	Bool     Kind = "bool"
	Enum     Kind = "enum"
	Time     Kind = "time"
	JSON     Kind = "json"
	UUID     Kind = "uuid"
	Relation Kind = "relation" // the key of a row of another table
)

// DB is a pool or a transaction.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Column is one column that may leave the server: secret ones are not in the registry at all.
type Column struct {
	Name     string
	Label    string
	Kind     Kind
	Type     string   // as Postgres names it: "timestamp with time zone", "tenant_status"
	Enum     []string // the values of an enum, in their order
	Ref      *Table   // of a Relation
	Nullable bool
	Default  bool // the database fills it when nothing is given
	Fixed    bool // nobody edits it here
	Hidden   bool // not in a list unless asked for
	Words    bool // "~" asks for words and is answered by an index

	Names         bool // at most one record in use has a value, so it says which is meant
	NamesInTenant bool // the same among a tenant's records

	table   *Table
	indexed bool // a plain index begins with it
	unique  bool // and it alone is unique
}

// Table is one table of ours with its description.
type Table struct {
	Description
	Columns   []*Column
	Key       []*Column            // the primary key, or what Description.Key names
	Relations map[string]*JoinStep // by the name a filter uses: "tenant" in tenant.name
	Audited   bool                 // the database notes each change in the audit log by itself; see migration 00032

	byName  map[string]*Column
	inbound []reference
	counts  *counts
}

// JoinStep leads from a row to at most one row of another table.
type JoinStep struct {
	Name string
	To   *Table
	here *Column // on this side
	its  *Column // on the other
}

// reference is a foreign key that points at a table.
type reference struct {
	table    *Table
	column   *Column
	onDelete byte // as pg_constraint has it: c goes too, n forgets, a and r refuse
}

// Registry is all tables. It does not change after Load.
type Registry struct {
	tables []*Table // in the order of describe.go
	byName map[string]*Table
}

// Table gives a table by its name, nil for none.
func (r *Registry) Table(name string) *Table { return r.byName[name] }

// Tables are all, in the order of their groups.
func (r *Registry) Tables() []*Table { return r.tables }

// Column gives a column by its name, nil for none and for a secret one.
func (t *Table) Column(name string) *Column { return t.byName[name] }

// Editable tells whether a person may set a column: in a new record, or in one that is there.
func (c *Column) Editable(creating bool) bool {
	if creating {
		return !c.Fixed || slices.Contains(c.table.AtCreation, c.Name)
	}
	return !c.Fixed
}

// Shared tells whether many records may have the same value here, so that it can be set for all of them at once.
func (c *Column) Shared() bool { return c.Editable(false) && !c.unique }

// Required tells whether a new record needs a value here.
func (c *Column) Required() bool { return !c.Nullable && !c.Default && c.Kind != Bool }

// quoted is an identifier as SQL has it. It is called with names of the catalogue only.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ref is the column of the row under the given alias.
func (c *Column) ref(alias string) string { return alias + "." + quoted(c.Name) }
