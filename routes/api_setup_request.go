package routes

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// setupRequestJSON is a set-up request as programs see it.
type setupRequestJSON struct {
	ID             uuid.UUID                  `json:"id"`
	TenantID       uuid.UUID                  `json:"tenant_id"`
	UserID         uuid.UUID                  `json:"user_id"`
	Status         queries.SetupRequestStatus `json:"status"`
	BusinessName   string                     `json:"business_name"`
	BusinessKind   string                     `json:"business_kind"`
	TemplateType   queries.TemplateType       `json:"template_type"`
	Language       queries.Language           `json:"language"`
	WhatsAppNumber string                     `json:"whatsapp_number"`
	Hours          json.RawMessage            `json:"hours"`  // null: always open
	Reason         *string                    `json:"reason"` // why it was rejected
	ReviewedAt     *time.Time                 `json:"reviewed_at"`
	CreatedAt      time.Time                  `json:"created_at"`
	UpdatedAt      time.Time                  `json:"updated_at"`
}

func toSetupRequestJSON(r queries.SetupRequest) setupRequestJSON {
	return setupRequestJSON{
		ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, Status: r.Status, BusinessName: r.BusinessName, BusinessKind: r.BusinessKind,
		TemplateType: r.TemplateType, Language: r.Language, WhatsAppNumber: r.WhatsappNumber, Hours: r.HoursJson, Reason: r.Reason,
		ReviewedAt: utc(r.ReviewedAt), CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// apiSetupRequestList answers GET /tenants/{id}/setup-requests.
func (s *server) apiSetupRequestList(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	limit, from, err := readPage(c)
	if err != nil {
		return err
	}
	if _, err := s.apiTenantRow(c.UserContext(), id); err != nil {
		return err
	}
	rows, err := s.system.ListSetupRequests(c.UserContext(), queries.ListSetupRequestsParams{
		TenantID: id, BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(limit + 1),
	})
	if err != nil {
		return err
	}
	return c.JSON(paged(limit, rows, toSetupRequestJSON, func(r queries.SetupRequest) cursor { return cursor{r.CreatedAt, r.ID} }))
}

// apiSetupRequest reads the request the path names. A key of one tenant sees that tenant's, and may not answer it.
func (s *server) apiSetupRequest(c *fiber.Ctx) (queries.SetupRequest, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return queries.SetupRequest{}, notFound("This set-up request")
	}
	r, err := s.system.GetSetupRequest(c.UserContext(), id)
	p := programOf(c)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !p.sees(r.TenantID) {
		return r, notFound("This set-up request")
	}
	if err == nil && !p.global() {
		err = refuse(http.StatusForbidden, "This key belongs to one tenant and cannot answer set-up requests.")
	}
	return r, err
}

// apiSetupApprove answers POST /setup-requests/{id}/approve.
func (s *server) apiSetupApprove(c *fiber.Ctx) error {
	r, err := s.apiSetupRequest(c)
	if err != nil {
		return err
	}
	if err := s.Commands.ApproveSetup(c.UserContext(), r.ID, programOf(c).actor()); err != nil {
		return err
	}
	return s.apiSetupShow(c, r.ID)
}

// apiSetupReject answers POST /setup-requests/{id}/reject.
func (s *server) apiSetupReject(c *fiber.Ctx) error {
	r, err := s.apiSetupRequest(c)
	if err != nil {
		return err
	}
	var reason string
	if err := readBody(c, body{"reason": &reason}); err != nil {
		return err
	}
	if err := s.Commands.RejectSetup(c.UserContext(), r.ID, reason, programOf(c).actor()); err != nil {
		return err
	}
	return s.apiSetupShow(c, r.ID)
}

func (s *server) apiSetupShow(c *fiber.Ctx, id uuid.UUID) error {
	r, err := s.system.GetSetupRequest(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.JSON(toSetupRequestJSON(r))
}
