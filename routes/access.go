package routes

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// visitor is the person behind a request.
type visitor struct {
	ID          uuid.UUID
	Name        string
	Email       string
	Role        queries.UserRole
	Tenant      uuid.UUID // uuid.Nil for an admin
	Business    string    // empty for an admin
	Approved    bool      // their business is let in; for an owner who asks to be, false
	Closing     time.Time // when their business is deleted; zero: it stays
	Lang        string    // "en" or "sw": the language of their pages
	AdminRole   string    // of the operator's people: the name of their role
	rights      Rights    // and what it may do
	session     []byte    // hash of the session's token
	ip, request string    // of the request they are behind
}

func (v *visitor) actor() jobs.Actor {
	return jobs.Actor{Kind: queries.ActorKind(v.Role), UserID: &v.ID, Name: v.Name, IP: v.ip, Request: v.request}
}

// home is where a person's role leads.
func (v *visitor) home() string {
	if v.Role == queries.UserRoleADMIN {
		return "/admin"
	}
	return "/portal"
}

const visitorKey = "visitor"

// visitorOf is who is signed in, nil for nobody. Behind the guards of admin and portal routes it is never nil.
func visitorOf(c *fiber.Ctx) *visitor {
	v, _ := c.Locals(visitorKey).(*visitor)
	return v
}

// guards are what stands before a route's handler, by its role.
func (s *server) guards(r route) []fiber.Handler {
	switch r.role {
	case open:
		return []fiber.Handler{limitTime, r.handle}
	case portalKey:
		return []fiber.Handler{limitTime, s.requirePortalKey, r.handle}
	case apiKey:
		return []fiber.Handler{limitTime, s.requireAPIKey, r.handle}
	}
	chain := []fiber.Handler{limitTime, s.withSession, s.sameOrigin, s.identify}
	if r.role != anyone {
		chain = append(chain, requireRole(r.role))
	}
	if ofOperator(r.role) {
		chain = append(chain, s.requireRight(r.role))
	}
	return append(chain, r.handle)
}

// limitTime bounds the work of one request. It starts from the background: requests finish while the process drains.
func limitTime(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// identify reads who is signed in. Their pages are nobody else's business, caches included.
func (s *server) identify(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	ctx := c.UserContext()
	id, err := uuid.Parse(s.sessions.GetString(ctx, sessionUser))
	if err != nil {
		return c.Next()
	}
	row, err := s.system.GetVisitor(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return c.Next() // the account is gone
	}
	if err != nil {
		return err
	}
	v := &visitor{
		ID: row.ID, Name: row.Name, Email: row.Email, Role: row.Role, rights: rightsOf(row), session: hashToken(s.sessions.Token(ctx)),
		ip: s.clientIP(c), request: requestID(c),
	}
	if row.AdminRole != nil {
		v.AdminRole = *row.AdminRole
	}
	if row.TenantID != nil {
		v.Tenant = *row.TenantID
	}
	if row.BusinessName != nil {
		v.Business = *row.BusinessName
	}
	v.Lang, v.Approved = pageLanguage(row), row.Approved
	if row.ClosingAt != nil {
		v.Closing = *row.ClosingAt
	}
	c.Locals(visitorKey, v)
	return c.Next()
}

// requireRole sends strangers to the sign-in page and refuses people of another role.
func requireRole(need role) fiber.Handler {
	return func(c *fiber.Ctx) error {
		v := visitorOf(c)
		if v == nil {
			return askSignIn(c)
		}
		isAdmin := v.Role == queries.UserRoleADMIN
		switch {
		case need == signedIn:
		case ofOperator(need) && !isAdmin:
			return refuse(http.StatusForbidden, "This page is for administrators.")
		case !ofOperator(need) && isAdmin:
			return refuse(http.StatusForbidden, "This page is for the owners and staff of a business. You are signed in as an administrator.")
		case (need == owner || need == applicant) && v.Role != queries.UserRoleOWNER:
			return refuse(http.StatusForbidden, "This page is for the owner of the business.")
		case (need == portal || need == owner) && !v.Approved:
			if c.Method() == http.MethodGet && !wantsHTMX(c) && !wantsJSON(c) {
				return c.Redirect("/portal/setup", http.StatusSeeOther)
			}
			return refuse(http.StatusConflict, "Your business is not set up yet.")
		case (need == portal || need == owner) && !v.Closing.IsZero() && c.Path() != "/portal/stream":
			if c.Method() == http.MethodGet && !wantsHTMX(c) && !wantsJSON(c) {
				return c.Redirect(dataURL, http.StatusSeeOther)
			}
			return refuse(http.StatusConflict, "Your business is being closed. Its owner can still keep it.")
		}
		return c.Next()
	}
}

// ofOperator tells routes for the operator's people.
func ofOperator(need role) bool { return need >= admin && need <= byTable }

// askSignIn redirects pages to the sign-in form and back afterwards; what a program or a script asked for gets a 401.
func askSignIn(c *fiber.Ctx) error {
	target := "/login"
	if c.Method() == http.MethodGet && c.Path() != "/admin" && c.Path() != "/portal" {
		target += "?next=" + url.QueryEscape(c.OriginalURL())
	}
	if wantsHTMX(c) {
		c.Set("HX-Redirect", "/login")
		return refuse(http.StatusUnauthorized, "You are signed out. Sign in again to go on.")
	}
	if wantsJSON(c) {
		return refuse(http.StatusUnauthorized, "You are signed out. Sign in again to go on.")
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// alive tells whether a stream's person still is signed in with the role they came with.
func (s *server) alive(v *visitor) func(context.Context) (bool, error) {
	params := queries.SessionAliveParams{TokenHash: v.session, UserID: v.ID, Role: v.Role}
	if v.AdminRole != "" {
		params.AdminRole = &v.AdminRole
	}
	return func(ctx context.Context) (bool, error) { return s.system.SessionAlive(ctx, params) }
}

// hashToken is how secrets are stored: a stolen table opens no door. They are random, so a fast hash is enough.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
