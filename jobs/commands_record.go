package jobs

import (
	"context"
	"encoding/json"
	"strings"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Within gives the same commands as part of a transaction that names the actor already.
func (c *Commands) Within(tx pgx.Tx) *Commands { return &Commands{db: c.db, tx: tx, river: c.river} }

// Some tables have rules of their own. Their records are made and changed by the commands that keep these, whoever asks.

// UpdateRecord stores a record's new values, nil for no value. tables.ErrChanged: it is not the version any more that the person saw.
func (c *Commands) UpdateRecord(ctx context.Context, registry *tables.Registry, t *tables.Table, before tables.Record, version string, values map[string]*string, actor Actor) error {
	switch t.Name {
	case "tenants", "tenant_configs":
		if before.Version != version {
			return tables.ErrChanged
		}
		column := "id"
		if t.Name == "tenant_configs" {
			column = "tenant_id"
		}
		id, err := uuid.Parse(before.Value(t.Column(column)).Text)
		if err != nil {
			return err
		}
		return c.UpdateTenant(ctx, id, TenantChangeOf(values), actor)
	case "users":
		if email := values["email"]; email != nil {
			clean, problem := CleanEmail(*email)
			if problem != "" {
				return &Error{Code: Invalid, Message: problem, Fields: map[string]string{"email": problem}}
			}
			values["email"] = &clean
		}
	}
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		if err := t.Update(ctx, tx, before.Key, version, values); err != nil || t.Audited {
			return err
		}
		now, err := registry.Read(ctx, tx, t, before.Key)
		if err != nil {
			return err
		}
		return Note(ctx, q, t, before, now)
	})
}

// InsertRecord makes a record and gives its key. A user made like this is one of the operator's people; a tenant takes the columns of its
// configuration, too.
func (c *Commands) InsertRecord(ctx context.Context, t *tables.Table, values map[string]*string, actor Actor) (key string, err error) {
	text := func(name string) string {
		if v := values[name]; v != nil {
			return *v
		}
		return ""
	}
	switch t.Name {
	case "tenants":
		id, err := c.CreateTenant(ctx, NewTenant{
			Name: text("name"), PhoneNumber: text("phone_number"), BusinessName: text("business_name"), TemplateType: text("template_type"), Language: text("language"),
		}, actor)
		return id.String(), err
	case "users":
		return c.createColleague(ctx, queries.CreateColleagueParams{ID: newID(), Name: text("name"), Email: text("email"), Phone: values["phone"], AdminRole: text("admin_role")}, actor)
	}
	err = c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, _ *queries.Queries) error {
		key, err = t.Insert(ctx, tx, values)
		return err
	})
	return key, err
}

func (c *Commands) createColleague(ctx context.Context, person queries.CreateColleagueParams, actor Actor) (string, error) {
	var f form
	email, problem := CleanEmail(person.Email)
	if person.Email = email; problem != "" {
		f.fail("email", "%s", problem)
	}
	if person.AdminRole == "" {
		f.fail("admin_role", "Choose a role. Owners and staff are added on their business's page.")
	}
	if err := f.err(); err != nil {
		return "", err
	}
	return person.ID.String(), c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		return PersonRefusal(q.CreateColleague(ctx, person))
	})
}

// Note writes the entry of a record that somebody changed by hand in a table that the database does not watch. now is empty where it is gone.
func Note(ctx context.Context, q *queries.Queries, t *tables.Table, before, now tables.Record) error {
	if t.Audited {
		return nil
	}
	p := queries.AuditNoteParams{Action: queries.AuditActionDELETE, TableName: t.Name, RecordKey: before.Key, RecordTitle: before.Title}
	if c := t.Column("tenant_id"); c != nil {
		if id, err := uuid.Parse(before.Value(c).Text); err == nil {
			p.TenantID = &id
		}
	}
	var err error
	if p.Before, err = json.Marshal(RecordObject(t, before)); err != nil {
		return err
	}
	if now.Key != "" {
		p.Action = queries.AuditActionCHANGE
		var changed []string
		for i, c := range t.Columns {
			if before.Values[i].Text != now.Values[i].Text || before.Values[i].Null != now.Values[i].Null {
				changed = append(changed, c.Name)
			}
		}
		p.Changed = strings.Join(changed, ", ")
		if p.After, err = json.Marshal(RecordObject(t, now)); err != nil {
			return err
		}
	}
	return q.AuditNote(ctx, p)
}

// RecordObject is a record as programs have it: numbers, booleans and JSON as such, everything else as text.
func RecordObject(t *tables.Table, rec tables.Record) map[string]any {
	object := map[string]any{}
	for i, col := range t.Columns {
		v := rec.Values[i]
		switch {
		case v.Null:
			object[col.Name] = nil
		case col.Kind == tables.Int, col.Kind == tables.JSON, col.Kind == tables.Bool:
			object[col.Name] = json.RawMessage(v.Text)
		default:
			object[col.Name] = v.Text
		}
	}
	return object
}
