package routes

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// How long links live. A new password is wanted now; a sign-up may wait until the evening.
const (
	signUpLife = 24 * time.Hour
	resetLife  = time.Hour
	emailLife  = 24 * time.Hour
)

var errAddressTaken = errors.New("somebody signs in with this address meanwhile")

// passwordLink reads what a link is about with which somebody chooses a password: an invitation, a sign-up, a reset.
func (s *server) passwordLink(c *fiber.Ctx, purpose queries.LinkPurpose) (InvitePage, error) {
	row, err := s.system.FindPersonalLink(c.UserContext(), queries.FindPersonalLinkParams{TokenHash: hashToken(c.Params("token")), Purpose: purpose})
	if errors.Is(err, pgx.ErrNoRows) {
		return InvitePage{}, errLinkUsed
	}
	if err != nil {
		return InvitePage{}, err
	}
	lang := langOf(c)
	if c.Cookies(languageCookie) == "" {
		lang = words.Choose(string(row.Language))
	}
	page := InvitePage{Page: s.page(c, words.T(lang, "password.heading"), ""), Action: c.Path(), Name: row.Name, Email: row.Email, Expires: row.ExpiresAt}
	page.Lang = lang
	page.person = s.personOf(c, row)
	if row.BusinessName != nil {
		page.Business = *row.BusinessName
	}
	return page, nil
}

// personOf is who a link is of, in the audit log: an account, or an owner to be.
func (s *server) personOf(c *fiber.Ctx, link queries.FindPersonalLinkRow) jobs.Actor {
	a := jobs.Actor{Kind: queries.ActorKindOWNER, UserID: link.UserID, Name: link.Name, IP: s.clientIP(c), Request: requestID(c)}
	if link.Role != nil {
		a.Kind = queries.ActorKind(*link.Role)
	}
	return a
}

// passwordLinkPage shows the form of such a link. Opening it uses nothing up: mail programs open links, too.
func (s *server) passwordLinkPage(purpose queries.LinkPurpose) fiber.Handler {
	return func(c *fiber.Ctx) error {
		page, err := s.passwordLink(c, purpose)
		if errors.Is(err, errLinkUsed) {
			return s.linkGone(c, goneKey(purpose), langOf(c))
		}
		if err != nil {
			return err
		}
		return s.render(c, http.StatusOK, "invite", page)
	}
}

// passwordLinkUse sets the password the link was made for, ends the person's other sessions, and signs them in here. For a
// sign-up it makes the account first: who has the link has the mailbox.
func (s *server) passwordLinkUse(purpose queries.LinkPurpose) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		page, err := s.passwordLink(c, purpose)
		if errors.Is(err, errLinkUsed) {
			return s.linkGone(c, goneKey(purpose), langOf(c))
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
		var user uuid.UUID
		err = page.person.InTx(ctx, s.Database.System, func(tx pgx.Tx) (err error) {
			user, err = usePasswordLink(ctx, queries.New(tx), hashToken(c.Params("token")), purpose, hash, page.Email)
			return err
		})
		switch {
		case errors.Is(err, errLinkUsed):
			return s.linkGone(c, goneKey(purpose), page.Lang)
		case errors.Is(err, errAddressTaken):
			return s.linkGone(c, "gone.address_taken", page.Lang)
		case err != nil:
			return err
		}
		if err := s.signIn(c, user); err != nil {
			return err
		}
		return c.Redirect("/", http.StatusSeeOther)
	}
}

func usePasswordLink(ctx context.Context, q *queries.Queries, token []byte, purpose queries.LinkPurpose, hash, email string) (uuid.UUID, error) {
	link, err := q.UsePersonalLink(ctx, queries.UsePersonalLinkParams{TokenHash: token, Purpose: purpose})
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, errLinkUsed
	}
	if err != nil {
		return uuid.Nil, err
	}
	if link.UserID == nil {
		id := newID()
		err := q.CreateOwner(ctx, queries.CreateOwnerParams{ID: id, Name: link.Name, Email: link.Email, PasswordHash: hash, Language: link.Language})
		if isViolation(err, pgerrcode.UniqueViolation) {
			return uuid.Nil, errAddressTaken
		}
		return id, err
	}
	if err := q.SetPassword(ctx, queries.SetPasswordParams{UserID: *link.UserID, PasswordHash: hash}); err != nil {
		return uuid.Nil, err
	}
	if err := q.ClearLoginAttempts(ctx, "email:"+email); err != nil {
		return uuid.Nil, err
	}
	return *link.UserID, q.DeleteSessionsOfUser(ctx, *link.UserID)
}

// goneKey is what a link that does not work says, by its purpose.
func goneKey(purpose queries.LinkPurpose) string {
	switch purpose {
	case queries.LinkPurposeSIGNUP:
		return "gone.sign_up"
	case queries.LinkPurposeRESETPASSWORD:
		return "gone.reset"
	}
	return "gone.invite"
}

// orderLink makes a link that an account needs, and the mail that brings it.
func (s *server) orderLink(ctx context.Context, tx pgx.Tx, link queries.CreateAccountLinkParams, m jobs.Mail) error {
	link.ID, link.TokenHash = newID(), hashToken(newToken()) // the mail gives it the token that somebody learns
	if err := queries.New(tx).CreateAccountLink(ctx, link); err != nil {
		return err
	}
	m.Link = &link.ID
	return s.Commands.Mail(ctx, tx, m)
}
