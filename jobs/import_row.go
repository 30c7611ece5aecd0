package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/jackc/pgx/v5"
)

// ImportChange is what a row changes, in a column as people read it.
type ImportChange struct {
	Column string `json:"column"`
	From   string `json:"from"`
	To     string `json:"to"`
}

// importer works rows of one import. It is the same whether they are tried or meant.
type importer struct {
	registry *tables.Registry
	table    *tables.Table
	mapping  ImportMapping
	columns  []*tables.Column // that are mapped or have a default
	at       map[string]int   // of a mapped one: where it is in the file
	actor    Actor
	commands *Commands        // of the batch's transaction
	named    map[string]found // what relations' texts mean
	claims   map[string]int32 // what earlier rows have taken, with their line
}

type found struct {
	key     string // stored in the column
	title   string
	problem string
}

// reasons say why a row is refused, by column; "" is about the whole row.
type reasons map[string]string

func newImporter(registry *tables.Registry, t *tables.Table, m ImportMapping, actor Actor) *importer {
	w := &importer{registry: registry, table: t, mapping: m, actor: actor, at: map[string]int{}, named: map[string]found{}, claims: map[string]int32{}}
	for i, name := range m.Columns {
		if name != "" {
			w.at[name] = i
		}
	}
	for _, c := range ImportColumns(registry, t) {
		if _, mapped := w.at[c.Name]; mapped || m.Defaults[c.Name] != "" {
			w.columns = append(w.columns, c)
		}
	}
	return w
}

// given is a row's value in a column: what the file says, as it can be stored; nil is no value.
type given struct {
	stored *string
	title  string // of a relation
}

func (g given) text() string {
	switch {
	case g.stored == nil:
		return ""
	case g.title != "":
		return g.title
	}
	return *g.stored
}

// row works one row. The error is one that is not the row's fault.
func (w *importer) row(ctx context.Context, tx pgx.Tx, row queries.ImportRow) (o queries.SetImportOutcomeParams, err error) {
	o = queries.SetImportOutcomeParams{ImportID: row.ImportID, Number: row.Number}
	outcome := queries.ImportOutcomeREFUSED
	o.Outcome = &outcome
	refuse := func(r reasons) (queries.SetImportOutcomeParams, error) {
		outcome, o.Changes, o.Claims = queries.ImportOutcomeREFUSED, nil, nil
		o.Reasons, err = json.Marshal(r)
		return o, err
	}
	if row.Fault != nil {
		return refuse(reasons{"": *row.Fault})
	}
	values, bad, err := w.values(ctx, tx, row.Cells)
	if err != nil {
		return o, err
	}
	if len(bad) > 0 {
		return refuse(bad)
	}
	key, bad, err := w.existing(ctx, tx, values)
	if err != nil {
		return o, err
	}
	if len(bad) > 0 {
		return refuse(bad)
	}
	o.Claims = w.claimed(key, values)
	for _, c := range o.Claims {
		if line, taken := w.claims[c]; taken {
			column, _, _ := strings.Cut(c, " ")
			if column == "record" {
				column = w.mapping.Key
			}
			return refuse(reasons{column: fmt.Sprintf("Line %d has this already.", line)})
		}
	}
	var changes []ImportChange
	err = w.commands.inTx(ctx, w.actor, func(ctx context.Context, tx pgx.Tx, _ *queries.Queries) error {
		in := w.commands.Within(tx)
		if key == "" {
			outcome = queries.ImportOutcomeCREATED
			key, err = w.create(ctx, tx, in, values)
			return err
		}
		changes, err = w.change(ctx, tx, in, key, values)
		if outcome = queries.ImportOutcomeCHANGED; len(changes) == 0 {
			outcome = queries.ImportOutcomeUNCHANGED
		}
		return err
	})
	if err != nil {
		if r := w.refusal(err); r != nil {
			return refuse(r)
		}
		return o, err
	}
	if len(changes) > 0 {
		if o.Changes, err = json.Marshal(changes); err != nil {
			return o, err
		}
	}
	o.RecordKey = &key
	for _, c := range o.Claims {
		w.claims[c] = row.Line
	}
	return o, nil
}

// values reads a row's cells. A column that the file does not have takes its default.
func (w *importer) values(ctx context.Context, db tables.DB, cells []string) (map[string]given, reasons, error) {
	values, bad := map[string]given{}, reasons{}
	for _, c := range w.columns {
		text := w.mapping.Defaults[c.Name]
		if i, mapped := w.at[c.Name]; mapped {
			text = cells[i]
		}
		g, problem, err := w.value(ctx, db, c, text)
		if err != nil {
			return nil, nil, err
		}
		if problem != "" {
			bad[c.Name] = problem
		}
		values[c.Name] = g
	}
	return values, bad, nil
}

// value reads one cell as the admin's form reads its field, but for what a form offers to choose from.
func (w *importer) value(ctx context.Context, db tables.DB, c *tables.Column, text string) (g given, problem string, err error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return g, "", nil
	}
	switch c.Kind {
	case tables.Relation:
		f, err := w.meant(ctx, db, c, trimmed)
		if err != nil || f.problem != "" {
			return g, f.problem, err
		}
		return given{&f.key, f.title}, "", nil
	case tables.Bool:
		switch strings.ToLower(trimmed) {
		case "true", "t", "yes", "y", "1", "on", "ndiyo":
			return given{stored: new("true")}, "", nil
		case "false", "f", "no", "n", "0", "off", "hapana":
			return given{stored: new("false")}, "", nil
		}
		return g, "Write yes or no.", nil
	case tables.Enum:
		for _, v := range c.Enum {
			if strings.EqualFold(v, trimmed) || strings.EqualFold(strings.ReplaceAll(v, "_", " "), trimmed) {
				return given{stored: &v}, "", nil
			}
		}
		return g, "Write one of " + strings.Join(c.Enum, ", ") + ".", nil
	case tables.UUID:
		if !c.Readable(strings.ToLower(trimmed)) {
			return g, "This is no id.", nil
		}
	}
	stored, problem := StoredValue(c, text)
	if c.Of().Name == "users" && c.Name == "email" && problem == "" {
		stored, problem = CleanEmail(stored)
	}
	return given{stored: &stored}, problem, nil
}

// meant finds the record that a text means, by its key or by what people call it.
func (w *importer) meant(ctx context.Context, db tables.DB, c *tables.Column, text string) (found, error) {
	ask := c.Ref.Name + " " + text
	if f, known := w.named[ask]; known {
		return f, nil
	}
	keys, err := w.registry.FindNamed(ctx, db, c.Ref, text)
	if err == nil && len(keys) == 0 {
		if number, problem := NormalizePhone(text); problem == nil {
			keys, err = w.registry.FindNamed(ctx, db, c.Ref, number)
		}
	}
	if err != nil {
		return found{}, err
	}
	var f found
	switch len(keys) {
	case 0:
		f.problem = fmt.Sprintf("There is no %s “%s”.", c.Ref.Singular, shortened(text))
	case 1:
		rec, err := w.registry.Read(ctx, db, c.Ref, keys[0])
		if err != nil {
			return f, err
		}
		f.key, f.title = rec.Value(c.Ref.Key[0]).Text, rec.Title
	default:
		f.problem = fmt.Sprintf("More than one %s is called “%s”. Write its id.", c.Ref.Singular, shortened(text))
	}
	if len(w.named) < 10_000 {
		w.named[ask] = f
	}
	return f, nil
}

func shortened(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// existing finds the record that a row means; empty where it makes a new one.
func (w *importer) existing(ctx context.Context, db tables.DB, values map[string]given) (key string, bad reasons, err error) {
	if w.mapping.Mode == ImportCreate {
		return "", nil, nil
	}
	c, v := w.table.Column(w.mapping.Key), values[w.mapping.Key]
	if v.stored == nil {
		if w.mapping.Mode == ImportBoth {
			return "", nil, nil
		}
		return "", reasons{c.Name: FillIn}, nil
	}
	by := map[string]string{c.Name: *v.stored}
	if tenant := values["tenant_id"]; c.NamesInTenant && !c.Names {
		if tenant.stored == nil {
			return "", reasons{"tenant_id": FillIn}, nil
		}
		by["tenant_id"] = *tenant.stored
	}
	keys, err := w.registry.FindBy(ctx, db, w.table, by)
	switch {
	case err != nil:
		return "", nil, err
	case len(keys) == 1:
		return keys[0], nil, nil
	case len(keys) > 1:
		return "", reasons{c.Name: fmt.Sprintf("More than one %s has this.", w.table.Singular)}, nil
	case w.mapping.Mode == ImportUpdate:
		return "", reasons{c.Name: fmt.Sprintf("No %s has this.", w.table.Singular)}, nil
	case c == w.table.Key[0] && !c.Editable(true):
		return "", reasons{c.Name: fmt.Sprintf("No %s has this. Leave it empty to make a new one.", w.table.Singular)}, nil
	}
	return "", nil, nil
}

// claimed is what a row takes for itself: its record, and every value that no other record may have.
func (w *importer) claimed(key string, values map[string]given) (list []string) {
	if key != "" {
		list = append(list, "record "+key)
	}
	for _, c := range w.columns {
		v := values[c.Name].stored
		if v == nil || c.Of() != w.table || !c.Names && !c.NamesInTenant {
			continue
		}
		claim := c.Name + " " + *v
		if tenant := values["tenant_id"].stored; c.NamesInTenant && !c.Names {
			if tenant == nil {
				continue // it is the record's, and the database looks
			}
			claim += " " + *tenant
		}
		list = append(list, claim)
	}
	return list
}

// create makes a record of a row.
func (w *importer) create(ctx context.Context, tx pgx.Tx, in *Commands, values map[string]given) (string, error) {
	set, bad := map[string]*string{}, reasons{}
	for _, c := range w.columns {
		v := values[c.Name].stored
		switch {
		case v == nil && ImportRequired(w.table, c):
			bad[c.Name] = FillIn
		case v != nil && c.Of() == w.table && !c.Editable(true):
			bad[c.Name] = "A new " + w.table.Singular + " gets this by itself. Leave it empty."
		case v != nil:
			set[c.Name] = v
		}
	}
	if len(bad) > 0 {
		return "", &Error{Code: Invalid, Fields: bad}
	}
	key, err := in.InsertRecord(ctx, w.table, set, w.actor)
	if err == nil && w.table.Name == "users" {
		err = invitePending(ctx, queries.New(tx), key)
	}
	return key, err
}

// change brings a record in line with a row and tells what that changed.
func (w *importer) change(ctx context.Context, tx pgx.Tx, in *Commands, key string, values map[string]given) (changes []ImportChange, err error) {
	rec, err := w.registry.Read(ctx, tx, w.table, key)
	if err != nil {
		return nil, err
	}
	config, bad, set := tables.Record{}, reasons{}, map[string]*string{}
	if w.table.Name == "tenants" {
		configs := w.registry.Table("tenant_configs")
		keys, err := w.registry.FindBy(ctx, tx, configs, map[string]string{"tenant_id": key})
		if err != nil {
			return nil, err
		}
		if config, err = w.registry.Read(ctx, tx, configs, keys[0]); err != nil {
			return nil, err
		}
	}
	for _, c := range w.columns {
		if _, mapped := w.at[c.Name]; !mapped {
			continue // a default is for new records
		}
		now, title := rec.Value(c), ""
		if c.Of() == w.table {
			title = rec.Titles[slices.Index(w.table.Columns, c)]
		} else {
			now = config.Value(c)
		}
		v := values[c.Name]
		switch {
		case sameValue(c, now, v.stored):
		case !c.Editable(false):
			bad[c.Name] = "This stays as it is: " + shortened(readable(now, title)) + "."
		case v.stored == nil && !c.Nullable:
			bad[c.Name] = FillIn
		default:
			set[c.Name] = v.stored
			changes = append(changes, ImportChange{Column: c.Name, From: readable(now, title), To: v.text()})
		}
	}
	if len(bad) > 0 {
		return nil, &Error{Code: Invalid, Fields: bad}
	}
	if len(set) == 0 {
		return nil, nil
	}
	return changes, in.UpdateRecord(ctx, w.registry, w.table, rec, rec.Version, set, w.actor)
}

func readable(v tables.Value, title string) string {
	if title != "" {
		return title
	}
	return v.Text
}

// sameValue tells whether a record has a value already. What our export writes of one is the same: times there have no fractions.
func sameValue(c *tables.Column, now tables.Value, stored *string) bool {
	switch {
	case stored == nil:
		return now.Null || now.Text == ""
	case now.Null:
		return false
	case c.Kind == tables.Time:
		at, err := time.Parse(time.RFC3339Nano, *stored)
		return err == nil && (at.Equal(now.Time) || at.Equal(now.Time.Truncate(time.Second)))
	case c.Kind == tables.JSON:
		var a, b any
		return json.Unmarshal([]byte(now.Text), &a) == nil && json.Unmarshal([]byte(*stored), &b) == nil && reflect.DeepEqual(a, b)
	}
	return now.Text == *stored
}

// refusal words why a row was refused; nil where the fault is not the row's.
func (w *importer) refusal(err error) reasons {
	if e, ok := errors.AsType[*Error](err); ok {
		if len(e.Fields) > 0 {
			return e.Fields
		}
		return reasons{"": e.Message}
	}
	if errors.Is(err, tables.ErrGone) || errors.Is(err, tables.ErrChanged) {
		return reasons{"": "Somebody changed this " + w.table.Singular + " at the same moment."}
	}
	if fields, message, ok := RecordRefusal(w.table, err); ok {
		if len(fields) > 0 {
			return fields
		}
		return reasons{"": message}
	}
	if reason := bulkReason(w.table, err); reason != "" {
		return reasons{"": reason}
	}
	return nil
}
