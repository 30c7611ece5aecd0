package routes

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// program is what calls the JSON API.
type program struct {
	ID          uuid.UUID // of its key
	Label       string
	Tenant      uuid.UUID // uuid.Nil: its key reaches every tenant
	hash        []byte    // of its key
	ip, request string    // of the request it is behind
}

func (p program) actor() jobs.Actor {
	return jobs.Actor{Kind: queries.ActorKindAPIKEY, KeyID: &p.ID, Name: "API key " + p.Label, IP: p.ip, Request: p.request}
}

// global tells whether the key reaches every tenant.
func (p program) global() bool { return p.Tenant == uuid.Nil }

func (p program) sees(tenant uuid.UUID) bool { return p.global() || p.Tenant == tenant }

const programKey = "program"

// programOf is the program behind a request that came through requireAPIKey.
func programOf(c *fiber.Ctx) program {
	p, _ := c.Locals(programKey).(program)
	return p
}

// requireAPIKey lets programs through that show a valid key. The key is only ever compared as a hash, by an index: how long
// that takes says nothing about any key.
func (s *server) requireAPIKey(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	scheme, key, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if key = strings.TrimSpace(key); key == "" || !strings.EqualFold(scheme, "Bearer") {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="Flow HQ API"`)
		return refuse(http.StatusUnauthorized, "Send an API key in the header Authorization: Bearer KEY.")
	}
	ctx := c.UserContext()
	hash := hashToken(key)
	found, err := s.system.FindAPIKey(ctx, hash)
	if errors.Is(err, pgx.ErrNoRows) {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="Flow HQ API", error="invalid_token"`) // RFC 6750, section 3.1
		return refuse(http.StatusUnauthorized, "This API key is not known, or was revoked.")
	}
	if err != nil {
		return err
	}
	if found.Stale {
		if err := s.system.TouchAPIKey(ctx, found.ID); err != nil {
			return err
		}
	}
	p := program{ID: found.ID, Label: found.Label, hash: hash, ip: s.clientIP(c), request: requestID(c)}
	if found.TenantID != nil {
		p.Tenant = *found.TenantID
	}
	c.Locals(programKey, p)
	return c.Next()
}

// apiTenant is the tenant that the path names. What the caller's key does not reach does not exist for it.
func apiTenant(c *fiber.Ctx) (uuid.UUID, error) {
	given := c.Params("id")
	id, err := uuid.Parse(given)
	if err != nil || len(given) != len(uuid.Nil.String()) || !programOf(c).sees(id) { // Parse also takes braces and "urn:uuid:"
		return uuid.Nil, notFound("This tenant")
	}
	return id, nil
}

// apiTenantRow reads the tenant that the path names, with all that is one-to-one with it.
func (s *server) apiTenantRow(ctx context.Context, id uuid.UUID) (queries.GetTenantRow, error) {
	row, err := s.system.GetTenant(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, notFound("This tenant")
	}
	return row, err
}

// keyStillReaches tells a stream whether the key it was opened with is still valid and its tenant still exists.
func (s *server) keyStillReaches(p program, tenant uuid.UUID) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		if _, err := s.system.FindAPIKey(ctx, p.hash); errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		_, err := s.system.GetTenant(ctx, tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		}
		return err == nil, err
	}
}
