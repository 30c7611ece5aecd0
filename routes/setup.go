package routes

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// errLinkUsed: the link expired, was used, or never was.
var errLinkUsed = errors.New("the link does not work any more")

// linkGone is the page for such a link. It does not tell which of the three.
func (s *server) linkGone(c *fiber.Ctx, detail, lang string) error {
	heading := words.T(lang, "gone.heading")
	page := LinkGonePage{Page: s.page(c, heading, ""), Heading: heading, Detail: words.T(lang, detail)}
	page.Lang = lang
	return s.render(c, http.StatusGone, "link_gone", page)
}

// setupGone is the key of what such a page says.
const setupGone = "gone.setup"

func (s *server) setupPage(c *fiber.Ctx) error {
	page, err := s.setupLink(c)
	if errors.Is(err, errLinkUsed) {
		return s.linkGone(c, setupGone, "en")
	}
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "setup", page)
}

func (s *server) setupLink(c *fiber.Ctx) (SetupPage, error) {
	ctx := c.UserContext()
	page := SetupPage{Page: s.page(c, "Set up", ""), Action: c.Path()}
	expires, err := s.system.FindLink(ctx, queries.FindLinkParams{TokenHash: hashToken(c.Params("token")), Purpose: queries.LinkPurposeADMINSETUP})
	if errors.Is(err, pgx.ErrNoRows) {
		return page, errLinkUsed
	}
	if err != nil {
		return page, err
	}
	page.Expires = expires
	admins, err := s.system.CountAdmins(ctx)
	if err == nil && admins > 0 {
		err = errLinkUsed
	}
	return page, err
}

// setup creates the first admin. The link is used up in the same transaction: of two people with it, one becomes admin.
func (s *server) setup(c *fiber.Ctx) error {
	ctx := c.UserContext()
	page, err := s.setupLink(c)
	if errors.Is(err, errLinkUsed) {
		return s.linkGone(c, setupGone, "en")
	}
	if err != nil {
		return err
	}
	page.Name, page.Email = strings.TrimSpace(c.FormValue("name")), c.FormValue("email")
	email, emailProblem := jobs.CleanEmail(page.Email)
	page.Errors = FieldErrors{
		"name": jobs.CheckText(page.Name, jobs.MaxName, false), "email": emailProblem,
		"password": passwordProblem(c.FormValue("password"), email, "en"),
	}
	if invalid(page.Errors) != nil {
		return s.render(c, http.StatusUnprocessableEntity, "setup", page)
	}
	hash, err := s.passwords.hash(ctx, c.FormValue("password"))
	if err != nil {
		return err
	}
	id := newID()
	actor := jobs.Actor{Kind: queries.ActorKindADMIN, UserID: &id, Name: page.Name, IP: s.clientIP(c), Request: requestID(c)}
	err = actor.InTx(ctx, s.Database.System, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if n, err := q.UseSetupLinks(ctx, hashToken(c.Params("token"))); err != nil {
			return err
		} else if n == 0 {
			return errLinkUsed
		}
		return q.CreateAdmin(ctx, queries.CreateAdminParams{ID: id, Name: page.Name, Email: email, PasswordHash: hash})
	})
	switch {
	case errors.Is(err, errLinkUsed):
		return s.linkGone(c, setupGone, "en")
	case isViolation(err, pgerrcode.UniqueViolation):
		page.Errors = FieldErrors{"email": "Somebody has this address already; use another one."}
		return s.render(c, http.StatusUnprocessableEntity, "setup", page)
	case err != nil:
		return err
	}
	if err := s.signIn(c, id); err != nil {
		return err
	}
	return c.Redirect("/admin", http.StatusSeeOther)
}
