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
	return s.Commands.UpdateRecord(c.UserContext(), s.registry, t, before, version, values, visitorOf(c).actor())
}

// insert makes a record. A user made here is one of the operator's people: the drawer then shows the link with which they choose a password.
func (s *server) insert(c *fiber.Ctx, t *tables.Table, d *RecordDrawer, values map[string]*string) (key string, err error) {
	ctx, actor := c.UserContext(), visitorOf(c).actor()
	if t.Name != "users" {
		return s.Commands.InsertRecord(ctx, t, values, actor)
	}
	var invite *InviteLink
	err = s.change(c, func(tx pgx.Tx) error {
		if key, err = s.Commands.Within(tx).InsertRecord(ctx, t, values, actor); err != nil {
			return err
		}
		person, err := s.registry.Read(ctx, tx, t, key)
		if err != nil {
			return err
		}
		invite, err = s.newInvite(c, queries.New(tx), uuid.MustParse(key), person.Title, person.Value(t.Column("email")).Text)
		return err
	})
	if err != nil {
		return "", err
	}
	if *d, err = s.recordDrawer(ctx, visitorOf(c), t, key); err != nil {
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
		return jobs.Note(ctx, queries.New(tx), t, before, tables.Record{})
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
