package routes

import (
	"encoding/json"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
)

// apiTenantList answers GET /tenants.
func (s *server) apiTenantList(c *fiber.Ctx) error {
	limit, from, err := readPage(c)
	if err != nil {
		return err
	}
	if p := programOf(c); !p.global() {
		row, err := s.apiTenantRow(c.UserContext(), p.Tenant)
		if err != nil {
			return err
		}
		return c.JSON(listPage[tenantJSON]{Items: []tenantJSON{toTenantJSON(row)}})
	}
	rows, err := s.system.ListTenants(c.UserContext(), queries.ListTenantsParams{
		BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(limit + 1),
	})
	if err != nil {
		return err
	}
	return c.JSON(paged(limit, rows,
		func(r queries.ListTenantsRow) tenantJSON { return toTenantJSON(queries.GetTenantRow(r)) },
		func(r queries.ListTenantsRow) cursor { return cursor{r.Tenant.CreatedAt, r.Tenant.ID} }))
}

// apiTenantCreate answers POST /tenants.
func (s *server) apiTenantCreate(c *fiber.Ctx) error {
	p := programOf(c)
	if !p.global() {
		return refuse(http.StatusForbidden, "This key belongs to one tenant and cannot create others.")
	}
	var n jobs.NewTenant
	if err := readBody(c, body{
		"name": &n.Name, "phone_number": &n.PhoneNumber, "business_name": &n.BusinessName,
		"template_type": &n.TemplateType, "language": &n.Language,
	}); err != nil {
		return err
	}
	id, err := s.Commands.CreateTenant(c.UserContext(), n, p.actor())
	if err != nil {
		return err
	}
	row, err := s.apiTenantRow(c.UserContext(), id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, APIPrefix+"/tenants/"+id.String())
	return c.Status(http.StatusCreated).JSON(toTenantJSON(row))
}

// apiTenantGet answers GET /tenants/{id}.
func (s *server) apiTenantGet(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	row, err := s.apiTenantRow(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.JSON(toTenantJSON(row))
}

// apiTenantUpdate answers PATCH /tenants/{id}: what is missing stays as it is.
func (s *server) apiTenantUpdate(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	var change jobs.TenantChange
	var replies nullable[int32]
	var hours nullable[json.RawMessage]
	if err := readBody(c, body{
		"name": &change.Name, "phone_number": &change.PhoneNumber, "business_name": &change.BusinessName,
		"template_type": &change.TemplateType, "language": &change.Language, "replies_per_minute": &replies, "hours": &hours,
	}); err != nil {
		return err
	}
	if replies.Given {
		change.RepliesPerMinute = &replies.Value
	}
	if hours.Given {
		change.HoursJSON = (*[]byte)(new(json.RawMessage))
		if hours.Value != nil {
			change.HoursJSON = (*[]byte)(hours.Value)
		}
	}
	if change != (jobs.TenantChange{}) {
		if err := s.Commands.UpdateTenant(c.UserContext(), id, change, programOf(c).actor()); err != nil {
			return err
		}
	}
	row, err := s.apiTenantRow(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.JSON(toTenantJSON(row))
}

// apiTenantDelete answers DELETE /tenants/{id}.
func (s *server) apiTenantDelete(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	run, err := s.deleteTenant(c.UserContext(), id, programOf(c).actor())
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	if run != uuid.Nil {
		c.Status(http.StatusAccepted) // it goes on in the background
	}
	return nil
}
