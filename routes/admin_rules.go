package routes

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

// Some tables have rules of their own. Their records are changed and removed by the commands that keep these, whoever asks.

// update stores a record's new values.
func (s *server) update(c *fiber.Ctx, t *tables.Table, before tables.Record, version string, values map[string]*string) error {
	ctx := c.UserContext()
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
		return s.Commands.UpdateTenant(ctx, id, jobs.TenantChangeOf(values), visitorOf(c).actor())
	case "users":
		if email := values["email"]; email != nil {
			clean, problem := cleanEmail(*email)
			if err := invalid(FieldErrors{"email": problem}); err != nil {
				return err
			}
			values["email"] = &clean
		}
	}
	return s.change(c, func(tx pgx.Tx) error {
		if err := t.Update(ctx, tx, before.Key, version, values); err != nil || t.Audited {
			return err
		}
		now, err := s.registry.Read(ctx, tx, t, before.Key)
		if err != nil {
			return err
		}
		return note(ctx, tx, t, before, now)
	})
}

// insert makes a record. A user made here is one of the operator's people: the drawer then shows the link with which they choose a password.
func (s *server) insert(c *fiber.Ctx, t *tables.Table, d *RecordDrawer, values map[string]*string) (key string, err error) {
	ctx := c.UserContext()
	if t.Name != "users" {
		err = s.change(c, func(tx pgx.Tx) (err error) {
			key, err = t.Insert(ctx, tx, values)
			return err
		})
		return key, err
	}
	person := queries.CreateColleagueParams{ID: newID(), Name: *values["name"], Phone: values["phone"]}
	email, problem := cleanEmail(*values["email"])
	fields := FieldErrors{"email": problem}
	if role := values["admin_role"]; role == nil {
		fields["admin_role"] = "Choose a role. Owners and staff are added on their business's page."
	} else {
		person.AdminRole = *role
	}
	if err := invalid(fields); err != nil {
		return "", err
	}
	person.Email = email
	var invite *InviteLink
	err = s.change(c, func(tx pgx.Tx) (err error) {
		q := queries.New(tx)
		if err := q.CreateColleague(ctx, person); err != nil {
			return personRefusal(err)
		}
		invite, err = s.newInvite(c, q, person.ID, person.Name, email)
		return err
	})
	if err != nil {
		return "", err
	}
	if *d, err = s.recordDrawer(ctx, visitorOf(c), t, person.ID.String()); err != nil {
		return "", err
	}
	d.Invite = invite
	return d.Key, nil
}

// remove deletes a record; where that takes long it gives the run that does.
func (s *server) remove(c *fiber.Ctx, t *tables.Table, key string) (run uuid.UUID, err error) {
	ctx, v := c.UserContext(), visitorOf(c)
	switch t.Name {
	case "tenants":
		id, err := uuid.Parse(key)
		if err != nil {
			return run, tables.ErrGone
		}
		return s.deleteTenant(ctx, id, v.actor())
	case "users":
		if key == v.ID.String() {
			return run, refuse(http.StatusConflict, "This is your own account. Another admin can delete it.")
		}
		return run, s.removeUser(c, t, key)
	}
	return run, s.change(c, func(tx pgx.Tx) error {
		before, err := s.registry.Read(ctx, tx, t, key)
		if err != nil {
			return err
		}
		if err := t.Delete(ctx, tx, key); err != nil {
			return err
		}
		return note(ctx, tx, t, before, tables.Record{})
	})
}

// removeUser takes an account away, with an event where it is of a tenant.
func (s *server) removeUser(c *fiber.Ctx, t *tables.Table, key string) error {
	ctx := c.UserContext()
	return s.change(c, func(tx pgx.Tx) error {
		rec, err := s.registry.Read(ctx, tx, t, key)
		if err != nil {
			return err
		}
		if err := t.Delete(ctx, tx, key); err != nil {
			return err
		}
		tenant := rec.Value(t.Column("tenant_id"))
		if tenant.Null {
			return nil
		}
		id, err := uuid.Parse(tenant.Text)
		if err != nil {
			return err
		}
		return personEvent(ctx, queries.New(tx), id, visitorOf(c), "PERSON_REMOVED", rec.Title)
	})
}
