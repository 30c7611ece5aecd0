package routes

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// portalKeyRoutes are for another front end of the portal, which signs its people in itself: it shows the key and names the
// person. docs/portal-api.md describes them.
func (s *server) portalKeyRoutes() []route {
	return []route{
		{"GET", "/portal/me", portalKey, s.keyMe},
		{"POST", "/portal/setup-request", portalKey, s.keySetupRequest},
		{"GET", "/portal/tenant/current/status", portalKey, s.keyStatus},
		{"GET", "/portal/tenant/current/logs", portalKey, s.keyLogs},
		{"GET", "/portal/tenant/current/qr", portalKey, s.keyQR},
	}
}

const portalUserKey = "portal_user"

// requirePortalKey compares the key in constant time, whatever its length, and reads the person. Without a key in the
// settings these addresses do not exist.
func (s *server) requirePortalKey(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.PortalKey == "" {
		return fiber.ErrNotFound
	}
	given, want := sha256.Sum256([]byte(c.Get("x-portal-key"))), sha256.Sum256([]byte(s.PortalKey))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return refuse(http.StatusUnauthorized, "Send the portal key in the header x-portal-key.")
	}
	email := strings.ToLower(strings.TrimSpace(c.Get("x-user-email")))
	user, err := s.system.GetPortalUser(c.UserContext(), email)
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound("This user")
	}
	if err != nil {
		return err
	}
	c.Locals(portalUserKey, user)
	return c.Next()
}

// isPortalKeyPath tells programs' addresses from pages.
func isPortalKeyPath(path string) bool {
	return path == "/portal/me" || path == "/portal/setup-request" || strings.HasPrefix(path, "/portal/tenant/current/")
}

type keyUser struct {
	ID    uuid.UUID        `json:"id"`
	Name  string           `json:"name"`
	Email string           `json:"email"`
	Phone *string          `json:"phone"`
	Role  queries.UserRole `json:"role"`
}

type keyTenant struct {
	ID           uuid.UUID            `json:"id"`
	Name         string               `json:"name"`
	PhoneNumber  string               `json:"phoneNumber"`
	Status       queries.TenantStatus `json:"status"`
	Approved     bool                 `json:"approved"`
	BusinessName string               `json:"businessName"`
	TemplateType queries.TemplateType `json:"templateType"`
	Language     queries.Language     `json:"language"`
}

type keyRequest struct {
	ID             uuid.UUID                  `json:"id"`
	Status         queries.SetupRequestStatus `json:"status"`
	BusinessName   string                     `json:"businessName"`
	TemplateType   queries.TemplateType       `json:"templateType"`
	WhatsAppNumber string                     `json:"whatsappNumber"`
	Language       queries.Language           `json:"language"`
	Reason         *string                    `json:"reason"`
	CreatedAt      time.Time                  `json:"createdAt"`
	UpdatedAt      time.Time                  `json:"updatedAt"`
}

func toKeyRequest(r queries.SetupRequest) *keyRequest {
	return &keyRequest{r.ID, r.Status, r.BusinessName, r.TemplateType, r.WhatsappNumber, r.Language, r.Reason, r.CreatedAt.UTC(), r.UpdatedAt.UTC()}
}

// ofTenant runs fn on the tenant of the request's person, through the tenant door. Who has none gets a 404.
func (s *server) ofTenant(c *fiber.Ctx, fn func(q *queries.Queries, t queries.GetTenantRow) error) error {
	user, _ := c.Locals(portalUserKey).(queries.GetPortalUserRow)
	if user.TenantID == nil {
		return notFound("This user's tenant")
	}
	return s.inTenant(c.UserContext(), *user.TenantID, func(q *queries.Queries) error {
		t, err := q.GetTenant(c.UserContext(), *user.TenantID)
		if err != nil {
			return err
		}
		return fn(q, t)
	})
}

// keyMe answers GET /portal/me: the person, their tenant and its latest request. Who has signed up and asked for nothing yet
// has neither.
func (s *server) keyMe(c *fiber.Ctx) error {
	user, _ := c.Locals(portalUserKey).(queries.GetPortalUserRow)
	answer := struct {
		User         keyUser     `json:"user"`
		Tenant       *keyTenant  `json:"tenant"`
		SetupRequest *keyRequest `json:"setupRequest"`
	}{User: keyUser{user.ID, user.Name, user.Email, user.Phone, user.Role}}
	if user.TenantID == nil {
		return c.JSON(answer)
	}
	err := s.ofTenant(c, func(q *queries.Queries, t queries.GetTenantRow) error {
		answer.Tenant = &keyTenant{t.Tenant.ID, t.Tenant.Name, t.Tenant.PhoneNumber, t.Tenant.Status, t.Tenant.ApprovedAt != nil,
			t.TenantConfig.BusinessName, t.TenantConfig.TemplateType, t.TenantConfig.Language}
		r, err := q.LatestSetupRequest(c.UserContext(), t.Tenant.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		answer.SetupRequest = toKeyRequest(r)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

// keySetupRequest answers POST /portal/setup-request.
func (s *server) keySetupRequest(c *fiber.Ctx) error {
	user, _ := c.Locals(portalUserKey).(queries.GetPortalUserRow)
	r := jobs.SetupRequest{BusinessKind: "GENERAL"}
	err := readBody(c, body{"businessName": &r.BusinessName, "templateType": &r.TemplateType, "whatsappNumber": &r.WhatsAppNumber, "language": &r.Language})
	if err != nil {
		return err
	}
	id, err := s.Commands.SubmitSetup(c.UserContext(), user.ID, r, jobs.Actor{
		Kind: queries.ActorKind(user.Role), UserID: &user.ID, Name: user.Name, IP: s.clientIP(c), Request: requestID(c),
	})
	var refusal *jobs.Error
	if errors.As(err, &refusal) && len(refusal.Fields) > 0 {
		named := FieldErrors{}
		for field, sentence := range refusal.Fields {
			named[camel(field)] = sentence
		}
		return &jobs.Error{Code: refusal.Code, Message: refusal.Message, Fields: named}
	}
	if err != nil {
		return err
	}
	request, err := s.system.GetSetupRequest(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(toKeyRequest(request))
}

// camel turns business_name into businessName.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
	}
	return strings.Join(parts, "")
}

// keyStatus answers GET /portal/tenant/current/status.
func (s *server) keyStatus(c *fiber.Ctx) error {
	return s.ofTenant(c, func(_ *queries.Queries, t queries.GetTenantRow) error {
		return c.JSON(struct {
			TenantID        uuid.UUID             `json:"tenantId"`
			Status          queries.TenantStatus  `json:"status"`
			SessionState    queries.SessionState  `json:"sessionState"`
			SessionReason   queries.SessionReason `json:"sessionReason"`
			WorkerStatus    queries.WorkerStatus  `json:"workerStatus"`
			LastError       *string               `json:"lastError"`
			ConnectedNumber *string               `json:"connectedNumber"`
			ConnectedAt     *time.Time            `json:"connectedAt"`
			LastSeenAt      *time.Time            `json:"lastSeenAt"`
		}{t.Tenant.ID, t.Tenant.Status, t.WhatsappSession.State, t.WhatsappSession.Reason, t.WorkerProcess.Status, t.WorkerProcess.LastError,
			phoneOfJID(t.WhatsappSession.Jid), utc(t.WhatsappSession.ConnectedAt), utc(t.WhatsappSession.LastSeenAt)})
	})
}

type keyMessage struct {
	ID          uuid.UUID                `json:"id"`
	Direction   queries.MessageDirection `json:"direction"`
	FromNumber  string                   `json:"fromNumber"`
	ToNumber    string                   `json:"toNumber"`
	MessageText string                   `json:"messageText"`
	WAMessageID string                   `json:"waMessageId"`
	Status      queries.MessageStatus    `json:"status"`
	CreatedAt   time.Time                `json:"createdAt"`
}

// keyLogs answers GET /portal/tenant/current/logs: the newest messages first.
func (s *server) keyLogs(c *fiber.Ctx) error {
	limit, from, err := readPage(c)
	if err != nil {
		return err
	}
	return s.ofTenant(c, func(q *queries.Queries, t queries.GetTenantRow) error {
		rows, err := q.ListMessages(c.UserContext(), queries.ListMessagesParams{
			TenantID: t.Tenant.ID, BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(limit),
		})
		if err != nil {
			return err
		}
		logs := make([]keyMessage, 0, len(rows))
		for _, r := range rows {
			m := toMessageJSON(r.MessageLog, r.ContactName, r.ContactPhone)
			logs = append(logs, keyMessage{m.ID, m.Direction, m.FromNumber, m.ToNumber, m.MessageText, m.WAMessageID, m.Status, m.CreatedAt})
		}
		return c.JSON(map[string]any{"logs": logs})
	})
}

// keyQR answers GET /portal/tenant/current/qr. Whoever asks will ask again: codes are renewed for a while.
func (s *server) keyQR(c *fiber.Ctx) error {
	return s.ofTenant(c, func(q *queries.Queries, t queries.GetTenantRow) error {
		if err := q.WatchSession(c.UserContext(), t.Tenant.ID); err != nil {
			return err
		}
		view, err := toQRJSON(t.WhatsappSession)
		if err != nil {
			return err
		}
		return c.JSON(struct {
			State     queries.SessionState `json:"state"`
			QR        *string              `json:"qr"`
			Code      *string              `json:"code"`
			ExpiresAt *time.Time           `json:"expiresAt"`
		}{view.State, view.QR, view.Code, view.ExpiresAt})
	})
}
