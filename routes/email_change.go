package routes

import (
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// EmailForm changes one's own address (template "fragments/email_form", id "email-form"). Fields: email, current.
type EmailForm struct {
	Lang   string
	Email  string // as typed
	Errors FieldErrors
	Sent   bool // a link went to the new address
	MailOn bool
}

// EmailPage confirms a new address (template "email_confirm"). POST to its own URL.
type EmailPage struct {
	Page
	Action, Email string
}

// emailChange sends a link to the new address, and word of it to the old one. The address changes when the link is used.
func (s *server) emailChange(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	form := EmailForm{Lang: v.Lang, Email: c.FormValue("email"), MailOn: s.Settings.Now().MailOn()}
	answer := func(status int) error {
		if wantsHTMX(c) {
			return s.render(c, status, "fragments/email_form", form)
		}
		return s.showAccountWith(c, status, func(p *PortalAccountPage) { p.EmailForm = form })
	}
	email, problem := jobs.CleanEmail(form.Email)
	if problem == "" && email == v.Email {
		problem = "This is your address already."
	}
	if form.Errors = refusalsIn(v.Lang, FieldErrors{"email": problem}); len(form.Errors) > 0 {
		return answer(http.StatusUnprocessableEntity)
	}
	if wait, err := s.takeAttempts(ctx, "email:"+v.Email, "link-ip:"+s.clientIP(c)); err != nil {
		return err
	} else if wait > 0 {
		return &Error{Status: http.StatusTooManyRequests, RetryIn: wait, Message: tooManyTries(wait)}
	}
	current, err := s.system.GetPasswordHash(ctx, v.ID)
	if err != nil {
		return err
	}
	ok, err := s.passwords.check(ctx, c.FormValue("current"), current)
	if err != nil {
		return err
	}
	if !ok {
		form.Errors = FieldErrors{"current": words.T(v.Lang, "password.wrong")}
		return answer(http.StatusUnprocessableEntity)
	}
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if err := q.ClearLoginAttempts(ctx, "email:"+v.Email); err != nil {
			return err
		}
		if _, err := q.GetUserByEmail(ctx, email); err == nil { // whose it is is not for this person to learn
			return s.Commands.Mail(ctx, tx, jobs.Mail{Kind: jobs.MailKnown, To: email, Lang: v.Lang, Path: "/login"})
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := s.orderLink(ctx, tx,
			queries.CreateAccountLinkParams{Purpose: queries.LinkPurposeCHANGEEMAIL, UserID: v.ID, Email: &email, ExpiresAt: time.Now().Add(emailLife)},
			jobs.Mail{Kind: jobs.MailChangeEmail, To: email, Name: v.Name, Lang: v.Lang}); err != nil {
			return err
		}
		return s.Commands.Mail(ctx, tx, jobs.Mail{Kind: jobs.MailEmailChanging, To: v.Email, Name: v.Name, Lang: v.Lang, Path: "/portal/account"})
	})
	if err != nil {
		return err
	}
	form.Sent = true
	return answer(http.StatusOK)
}

func (s *server) emailConfirmPage(c *fiber.Ctx) error {
	row, err := s.system.FindPersonalLink(c.UserContext(), queries.FindPersonalLinkParams{
		TokenHash: hashToken(c.Params("token")), Purpose: queries.LinkPurposeCHANGEEMAIL})
	if errors.Is(err, pgx.ErrNoRows) {
		return s.linkGone(c, "gone.email", langOf(c))
	}
	if err != nil {
		return err
	}
	page := EmailPage{Page: s.page(c, words.T(langOf(c), "email.confirm_heading"), ""), Action: c.Path(), Email: row.Email}
	return s.render(c, http.StatusOK, "email_confirm", page)
}

// emailConfirm changes the address. Who has the link has the mailbox.
func (s *server) emailConfirm(c *fiber.Ctx) error {
	ctx := c.UserContext()
	found, err := s.system.FindPersonalLink(ctx, queries.FindPersonalLinkParams{TokenHash: hashToken(c.Params("token")), Purpose: queries.LinkPurposeCHANGEEMAIL})
	if errors.Is(err, pgx.ErrNoRows) {
		return s.linkGone(c, "gone.email", langOf(c))
	}
	if err != nil {
		return err
	}
	err = s.personOf(c, found).InTx(ctx, s.Database.System, func(tx pgx.Tx) error {
		q := queries.New(tx)
		link, err := q.UsePersonalLink(ctx, queries.UsePersonalLinkParams{TokenHash: hashToken(c.Params("token")), Purpose: queries.LinkPurposeCHANGEEMAIL})
		if errors.Is(err, pgx.ErrNoRows) || err == nil && link.UserID == nil {
			return errLinkUsed
		}
		if err != nil {
			return err
		}
		if err := q.SetEmail(ctx, queries.SetEmailParams{UserID: *link.UserID, Email: link.Email}); isViolation(err, pgerrcode.UniqueViolation) {
			return errAddressTaken
		} else if err != nil {
			return err
		}
		return q.DeleteUnusedLinks(ctx, *link.UserID) // those in the old mailbox are void
	})
	switch {
	case errors.Is(err, errLinkUsed):
		return s.linkGone(c, "gone.email", langOf(c))
	case errors.Is(err, errAddressTaken):
		return s.linkGone(c, "gone.address_taken", langOf(c))
	case err != nil:
		return err
	}
	if v := visitorOf(c); v != nil {
		if err := s.toast(c, "ok", words.T(v.Lang, "email.changed")); err != nil {
			return err
		}
		return c.Redirect("/portal/account", http.StatusSeeOther)
	}
	return c.Redirect("/login", http.StatusSeeOther)
}
