package routes

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// Limits of a canned answer.
const (
	maxCannedTitle = 60
	maxCannedText  = 2000
)

func listCanned(ctx context.Context, q *queries.Queries, tenant uuid.UUID) (all []CannedAnswer, err error) {
	rows, err := q.ListCannedAnswers(ctx, tenant)
	for _, r := range rows {
		all = append(all, CannedAnswer{ID: r.ID.String(), Title: r.Title, Text: r.Body})
	}
	return all, err
}

// cannedPage is where a business keeps its canned answers.
func (s *server) cannedPage(c *fiber.Ctx) error {
	return s.cannedWith(c, http.StatusOK, func(*CannedPanel) {}, "")
}

// cannedWith answers with the list as it is now and what is special this time.
func (s *server) cannedWith(c *fiber.Ctx, status int, special func(*CannedPanel), text string) error {
	ctx, v := c.UserContext(), visitorOf(c)
	panel := CannedPanel{Lang: v.Lang}
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		panel.Rows, err = listCanned(ctx, q, v.Tenant)
		return err
	})
	if err != nil {
		return err
	}
	special(&panel)
	switch {
	case wantsHTMX(c):
		return s.fragment(c, status, "fragments/canned", panel, Toast{Kind: "ok", Text: text})
	case text != "":
		return s.done(c, "/portal/canned", "", nil, text)
	}
	return s.render(c, status, "portal/canned", CannedPage{Page: s.page(c, words.T(v.Lang, "canned.title"), "inbox"), Canned: panel})
}

// cannedForm reads a canned answer from a form.
func cannedForm(c *fiber.Ctx) (a CannedAnswer, problems FieldErrors) {
	a = CannedAnswer{ID: c.Params("canned"), Title: strings.TrimSpace(c.FormValue("title")), Text: strings.TrimSpace(c.FormValue("text"))}
	return a, refusalsIn(langOf(c), FieldErrors{"title": jobs.CheckText(a.Title, maxCannedTitle, false), "text": jobs.CheckText(a.Text, maxCannedText, true)})
}

// cannedAdd keeps one more; the title of one that is there changes its text.
func (s *server) cannedAdd(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	a, problems := cannedForm(c)
	if len(problems) > 0 {
		return s.cannedWith(c, http.StatusUnprocessableEntity, func(p *CannedPanel) { p.New, p.Errors = a, problems }, "")
	}
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		return q.PutCannedAnswer(ctx, queries.PutCannedAnswerParams{ID: newID(), TenantID: v.Tenant, Title: a.Title, Body: a.Text})
	})
	if err != nil {
		return err
	}
	return s.cannedWith(c, http.StatusOK, func(*CannedPanel) {}, words.T(v.Lang, "canned.saved"))
}

// cannedChange gives one another title or text.
func (s *server) cannedChange(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := uuid.Parse(c.Params("canned"))
	if err != nil {
		return notFound("This answer")
	}
	a, problems := cannedForm(c)
	var changed int64 = 1
	if len(problems) == 0 {
		err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
			changed, err = q.ChangeCannedAnswer(ctx, queries.ChangeCannedAnswerParams{TenantID: v.Tenant, ID: id, Title: a.Title, Body: a.Text})
			return err
		})
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.ConstraintName == "canned_answers_tenant_id_title_key":
		return refuse(http.StatusConflict, "Another answer has this title already.")
	case err != nil:
		return err
	case changed == 0:
		return notFound("This answer")
	case len(problems) > 0:
		return refuse(http.StatusUnprocessableEntity, "Write a title and an answer.")
	}
	return s.cannedWith(c, http.StatusOK, func(*CannedPanel) {}, words.T(v.Lang, "canned.saved"))
}

func (s *server) cannedRemove(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := uuid.Parse(c.Params("canned"))
	if err != nil {
		return notFound("This answer")
	}
	var removed int64
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		removed, err = q.RemoveCannedAnswer(ctx, queries.RemoveCannedAnswerParams{TenantID: v.Tenant, ID: id})
		return err
	})
	if err == nil && removed == 0 {
		err = notFound("This answer")
	}
	if err != nil {
		return err
	}
	return s.cannedWith(c, http.StatusOK, func(*CannedPanel) {}, words.T(v.Lang, "canned.removed"))
}
