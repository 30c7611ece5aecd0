package routes

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// LinksPage lists the single-use links that people wait for (template "admin/links").
type LinksPage struct {
	Page
	Links LinksPanel
}

// LinksPanel is the list (template "fragments/links", element id "links"). POST /admin/links/<id>/show gives one link a
// fresh token and shows it once: nothing that opens a door is kept in clear.
type LinksPanel struct {
	Rows   []LinkRow
	MailOn bool
	Shown  *InviteLink
	Notice string // why the reader may be shown none; empty: they may
}

// LinkRow is one link that still works.
type LinkRow struct {
	ID, Purpose, Name, Email, Business string
	Asked, Ends                        time.Time
}

var linkPurposes = map[queries.LinkPurpose]string{
	queries.LinkPurposeSIGNUP: "Sign-up", queries.LinkPurposeSETPASSWORD: "Invitation",
	queries.LinkPurposeRESETPASSWORD: "New password", queries.LinkPurposeCHANGEEMAIL: "Change of e-mail",
}

func (s *server) linksPanel(ctx context.Context, v *visitor) (LinksPanel, error) {
	p := LinksPanel{MailOn: s.Settings.Now().MailOn(), Notice: v.lacks(rightPeople)}
	rows, err := s.system.ListPendingLinks(ctx)
	for _, r := range rows {
		p.Rows = append(p.Rows, LinkRow{
			ID: r.ID.String(), Purpose: linkPurposes[r.Purpose], Name: r.Name, Email: r.Email, Business: r.BusinessName, Asked: r.CreatedAt, Ends: r.ExpiresAt,
		})
	}
	return p, err
}

func (s *server) linksPage(c *fiber.Ctx) error {
	panel, err := s.linksPanel(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "admin/links", LinksPage{Page: s.page(c, "Pending links", "one_time_links"), Links: panel})
}

// linkShow shows one link, once. What was mailed before works no more.
func (s *server) linkShow(c *fiber.Ctx) error {
	ctx := c.UserContext()
	id, err := uuid.Parse(c.Params("link"))
	if err != nil {
		return notFound("This link")
	}
	before, err := s.linksPanel(ctx, visitorOf(c))
	if err != nil {
		return err
	}
	var path string
	var ends time.Time
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if path, ends, err = jobs.RenewLink(ctx, q, id); err != nil {
			return err
		}
		shown := queries.AuditNoteParams{Action: queries.AuditActionSHOW, TableName: "one_time_links", RecordKey: id.String()}
		for _, r := range before.Rows {
			if r.ID == id.String() {
				shown.RecordTitle = r.Email
			}
		}
		return q.AuditNote(ctx, shown)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound("This link")
	}
	if err != nil {
		return err
	}
	for _, r := range before.Rows {
		if r.ID == id.String() {
			before.Shown = &InviteLink{Name: r.Name, Email: r.Email, URL: s.publicURL(c) + path, ExpiresAt: ends}
		}
	}
	if wantsHTMX(c) {
		return s.render(c, http.StatusOK, "fragments/links", before)
	}
	return s.render(c, http.StatusOK, "admin/links", LinksPage{Page: s.page(c, "Pending links", "one_time_links"), Links: before})
}
