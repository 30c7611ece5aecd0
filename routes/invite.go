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
	"flowhq/words"
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

// Keys of what such a page says.
const (
	setupGone  = "gone.setup"
	inviteGone = "gone.invite"
)

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
	email, emailProblem := cleanEmail(page.Email)
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
	err = pgx.BeginFunc(ctx, s.Database.System, func(tx pgx.Tx) error {
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

// inviteLink reads what an invitation is about.
func (s *server) inviteLink(c *fiber.Ctx) (InvitePage, error) {
	row, err := s.system.FindInvite(c.UserContext(), hashToken(c.Params("token")))
	if errors.Is(err, pgx.ErrNoRows) {
		return InvitePage{}, errLinkUsed
	}
	if err != nil {
		return InvitePage{}, err
	}
	lang := langOf(c)
	if row.Language != nil {
		lang = words.Choose(string(*row.Language))
	}
	page := InvitePage{Page: s.page(c, words.T(lang, "password.heading"), ""), Action: c.Path(), Name: row.Name, Email: row.Email, Expires: row.ExpiresAt}
	page.Lang = lang
	if row.BusinessName != nil {
		page.Business = *row.BusinessName
	}
	return page, nil
}

func (s *server) invitePage(c *fiber.Ctx) error {
	page, err := s.inviteLink(c)
	if errors.Is(err, errLinkUsed) {
		return s.linkGone(c, inviteGone, langOf(c))
	}
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "invite", page)
}

// invite sets the password the link was made for, ends the person's other sessions, and signs them in here.
func (s *server) invite(c *fiber.Ctx) error {
	ctx := c.UserContext()
	page, err := s.inviteLink(c)
	if errors.Is(err, errLinkUsed) {
		return s.linkGone(c, inviteGone, langOf(c))
	}
	if err != nil {
		return err
	}
	if problem := passwordProblem(c.FormValue("password"), page.Email, page.Lang); problem != "" {
		page.Errors = FieldErrors{"password": problem}
		return s.render(c, http.StatusUnprocessableEntity, "invite", page)
	}
	hash, err := s.passwords.hash(ctx, c.FormValue("password"))
	if err != nil {
		return err
	}
	var user queries.User
	err = pgx.BeginFunc(ctx, s.Database.System, func(tx pgx.Tx) error {
		q := queries.New(tx)
		id, err := q.UseInvite(ctx, hashToken(c.Params("token")))
		if errors.Is(err, pgx.ErrNoRows) || (err == nil && id == nil) {
			return errLinkUsed
		}
		if err != nil {
			return err
		}
		user.ID = *id
		if err := q.SetPassword(ctx, queries.SetPasswordParams{UserID: *id, PasswordHash: hash}); err != nil {
			return err
		}
		if err := q.ClearLoginAttempts(ctx, "email:"+page.Email); err != nil {
			return err
		}
		return q.DeleteSessionsOfUser(ctx, *id)
	})
	if errors.Is(err, errLinkUsed) {
		return s.linkGone(c, inviteGone, page.Lang)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(c, user.ID); err != nil {
		return err
	}
	return c.Redirect("/", http.StatusSeeOther)
}
