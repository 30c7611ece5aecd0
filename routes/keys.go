package routes

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

func (s *server) keysPanel(ctx context.Context, v *visitor) (KeysPanel, error) {
	p := KeysPanel{Notice: v.lacks(rightPeople)}
	rows, err := s.system.ListAPIKeys(ctx)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		k := KeyRow{ID: r.ID.String(), Label: r.Label, Created: r.CreatedAt}
		if r.TenantName != nil {
			k.Tenant = *r.TenantName
		}
		if r.LastUsedAt != nil {
			k.LastUsed = *r.LastUsedAt
		}
		if r.RevokedAt != nil {
			k.Revoked = *r.RevokedAt
		}
		p.Rows = append(p.Rows, k)
	}
	names, err := s.system.ListTenantNames(ctx)
	for _, n := range names {
		p.Tenants = append(p.Tenants, Choice{Value: n.ID.String(), Label: n.Name})
	}
	return p, err
}

func (s *server) keysPage(c *fiber.Ctx) error {
	return s.keysWith(c, http.StatusOK, func(*KeysPanel) {}, "")
}

// keysWith answers with the panel as it is now and what is special this time: a key is shown once, so there is no redirect.
func (s *server) keysWith(c *fiber.Ctx, status int, special func(*KeysPanel), toast string) error {
	panel, err := s.keysPanel(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	special(&panel)
	if wantsHTMX(c) {
		return s.fragment(c, status, "fragments/keys", panel, Toast{Kind: "ok", Text: toast})
	}
	return s.render(c, status, "admin/keys", KeysPage{Page: s.page(c, "API keys", "api_keys"), Keys: panel})
}

func (s *server) keyCreate(c *fiber.Ctx) error {
	label, tenantID := c.FormValue("label"), c.FormValue("tenant_id")
	var tenant *uuid.UUID
	var err error
	if tenantID != "" {
		id, parseErr := uuid.Parse(tenantID)
		if parseErr != nil {
			err = invalid(FieldErrors{"tenant": "There is no such tenant."})
		}
		tenant = &id
	}
	var key string
	if err == nil {
		key, err = createAPIKey(c.UserContext(), s.Database, label, tenant, visitorOf(c).actor())
	}
	if refusal, ok := formRefusal(err); ok {
		return s.keysWith(c, http.StatusUnprocessableEntity, func(p *KeysPanel) {
			p.Label, p.TenantID, p.Errors = label, tenantID, FieldErrors{}
			for field, problem := range refusal.Fields {
				if field == "tenant" {
					field = "tenant_id"
				}
				p.Errors[field] = problem
			}
		}, "")
	}
	if err != nil {
		return err
	}
	return s.keysWith(c, http.StatusOK, func(p *KeysPanel) { p.NewKey, p.NewLabel = key, label }, "")
}

// keyRevoke ends a key at once.
func (s *server) keyRevoke(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return notFound("This key")
	}
	var n int64
	err = s.change(c, func(tx pgx.Tx) (err error) {
		n, err = queries.New(tx).RevokeAPIKey(c.UserContext(), id)
		return err
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("This key")
	}
	return s.keysWith(c, http.StatusOK, func(*KeysPanel) {}, "The key is revoked. It opens nothing any more.")
}
