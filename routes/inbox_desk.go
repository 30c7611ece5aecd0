package routes

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
)

// desk is from where somebody looks at a tenant's chats: the business's own people in their inbox, or the operator's at the tenant's page.
type desk struct {
	v        *visitor
	tenant   uuid.UUID
	name     string                                                    // of the tenant, for the operator
	base     string                                                    // address of the list
	operator bool                                                      // looks on: nothing counts as read by it, and what the business knows of its customers stays with it
	notice   string                                                    // why the reader may not write; empty: they may
	query    func(context.Context, func(*queries.Queries) error) error // on the pool of whoever looks
}

// ownDesk is that of the visitor's own business, behind row-level security.
func (s *server) ownDesk(c *fiber.Ctx) desk {
	v := visitorOf(c)
	return desk{v: v, tenant: v.Tenant, base: inboxURL, query: func(ctx context.Context, fn func(*queries.Queries) error) error {
		return s.inTenant(ctx, v.Tenant, fn)
	}}
}

// operatorDesk is that of one of the operator's people at the tenant that the path names.
func (s *server) operatorDesk(c *fiber.Ctx) (desk, error) {
	t, err := s.tenantOf(c)
	v := visitorOf(c)
	return desk{
		v: v, tenant: t.Tenant.ID, name: t.Tenant.Name, base: tenantBase(t.Tenant.ID) + "/chats", operator: true, notice: v.lacks(rightMessages),
		query: func(_ context.Context, fn func(*queries.Queries) error) error { return fn(s.system) },
	}, err
}

// atTenant is what the inbox does, done by the operator at a tenant's page.
func (s *server) atTenant(do func(*fiber.Ctx, desk) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := s.operatorDesk(c)
		if err != nil {
			return err
		}
		return do(c, d)
	}
}

// tenantChat is one chat of a tenant, for the operator.
func (s *server) tenantChat(c *fiber.Ctx, d desk) error {
	return s.showThread(c, d, fiber.StatusOK, func(*Thread) {})
}
