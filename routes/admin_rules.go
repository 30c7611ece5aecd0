package routes

import (
	"net/http"
	"strconv"

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
		return s.Commands.UpdateTenant(ctx, id, tenantChange(values), visitorOf(c).actor())
	case "users":
		if email := values["email"]; email != nil {
			clean, problem := cleanEmail(*email)
			if err := invalid(FieldErrors{"email": problem}); err != nil {
				return err
			}
			values["email"] = &clean
		}
	}
	return t.Update(ctx, s.Database.System, before.Key, version, values)
}

// tenantChange is a form's values as the command takes them; what the form did not send stays.
func tenantChange(values map[string]*string) jobs.TenantChange {
	change := jobs.TenantChange{
		Name: values["name"], PhoneNumber: values["phone_number"], BusinessName: values["business_name"],
		TemplateType: values["template_type"], Language: values["language"],
	}
	if text, sent := values["replies_per_minute"]; sent {
		var limit *int32
		if text != nil {
			n, err := strconv.ParseInt(*text, 10, 32)
			if err != nil {
				n = -1 // refused by the command, in the words of its own
			}
			small := int32(n)
			limit = &small
		}
		change.RepliesPerMinute = &limit
	}
	if text, sent := values["hours_json"]; sent {
		var hours []byte
		if text != nil {
			hours = []byte(*text)
		}
		change.HoursJSON = &hours
	}
	return change
}

// remove deletes a record.
func (s *server) remove(c *fiber.Ctx, t *tables.Table, key string) error {
	ctx, v := c.UserContext(), visitorOf(c)
	switch t.Name {
	case "tenants":
		id, err := uuid.Parse(key)
		if err != nil {
			return tables.ErrGone
		}
		return s.deleteTenant(ctx, id, v.actor())
	case "users":
		if key == v.ID.String() {
			return refuse(http.StatusConflict, "This is your own account. Another admin can delete it.")
		}
		return s.removeUser(c, t, key)
	}
	return t.Delete(ctx, s.Database.System, key)
}

// removeUser takes an account away, with an event where it is of a tenant.
func (s *server) removeUser(c *fiber.Ctx, t *tables.Table, key string) error {
	ctx := c.UserContext()
	return pgx.BeginFunc(ctx, s.Database.System, func(tx pgx.Tx) error {
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
