package routes

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// SignUpPage asks a new owner for name and address (template "signup"), or anybody for the address whose password is
// forgotten (template "forgot").
type SignUpPage struct {
	Page
	Name, Email string
	Errors      FieldErrors
	Error       string
}

// SentPage says that a link is on its way, whether or not it is (template "sent").
type SentPage struct {
	Page
	Heading, Detail string
}

func (s *server) signUpPage(c *fiber.Ctx) error {
	if v := visitorOf(c); v != nil {
		return c.Redirect(v.home(), http.StatusSeeOther)
	}
	return s.showSignUp(c, http.StatusOK, "signup", SignUpPage{})
}

func (s *server) showSignUp(c *fiber.Ctx, status int, name string, page SignUpPage) error {
	page.Page = s.page(c, words.T(langOf(c), "signup.title"), "")
	if name == "forgot" {
		page.Title = words.T(langOf(c), "forgot.title")
	}
	return s.render(c, status, name, page)
}

// signUp sends a link to the address. An address that has an account gets a mail that says so: what the page says is the
// same, and takes as long.
func (s *server) signUp(c *fiber.Ctx) error {
	ctx, lang := c.UserContext(), langOf(c)
	page := SignUpPage{Name: strings.TrimSpace(c.FormValue("name")), Email: c.FormValue("email")}
	email, emailProblem := jobs.CleanEmail(page.Email)
	page.Errors = refusalsIn(lang, FieldErrors{"name": jobs.CheckText(page.Name, jobs.MaxName, false), "email": emailProblem})
	if len(page.Errors) > 0 {
		return s.showSignUp(c, http.StatusUnprocessableEntity, "signup", page)
	}
	if wait, err := s.takeAttempts(ctx, "link:"+email, "link-ip:"+s.clientIP(c)); err != nil {
		return err
	} else if wait > 0 {
		page.Error = words.Refusal(lang, tooManyTries(wait))
		return s.showSignUp(c, http.StatusTooManyRequests, "signup", page)
	}
	err := s.stranger(c, "sign-up page").InTx(ctx, s.Database.System, func(tx pgx.Tx) error {
		q := queries.New(tx)
		m := jobs.Mail{Kind: jobs.MailSignUp, To: email, Name: page.Name, Lang: lang}
		user, err := q.GetUserByEmail(ctx, email)
		switch {
		case err == nil:
			m.Kind, m.Name, m.Path = jobs.MailKnown, user.Name, "/login"
			return s.Commands.Mail(ctx, tx, m)
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		link := queries.CreateSignUpLinkParams{
			ID: newID(), TokenHash: hashToken(newToken()), Email: email, Name: page.Name, Language: storedLanguage(lang), ExpiresAt: time.Now().Add(signUpLife),
		}
		if err := q.CreateSignUpLink(ctx, link); err != nil {
			return err
		}
		m.Link = &link.ID
		return s.Commands.Mail(ctx, tx, m)
	})
	if err != nil {
		return err
	}
	return c.Redirect("/signup/sent", http.StatusSeeOther)
}

func (s *server) signUpSent(c *fiber.Ctx) error { return s.sent(c, "signup") }

func (s *server) forgotPage(c *fiber.Ctx) error {
	return s.showSignUp(c, http.StatusOK, "forgot", SignUpPage{})
}

// forgot sends a link for a new password, if the address has an account.
func (s *server) forgot(c *fiber.Ctx) error {
	ctx, lang := c.UserContext(), langOf(c)
	page := SignUpPage{Email: c.FormValue("email")}
	email, problem := jobs.CleanEmail(page.Email)
	if page.Errors = refusalsIn(lang, FieldErrors{"email": problem}); len(page.Errors) > 0 {
		return s.showSignUp(c, http.StatusUnprocessableEntity, "forgot", page)
	}
	if wait, err := s.takeAttempts(ctx, "link:"+email, "link-ip:"+s.clientIP(c)); err != nil {
		return err
	} else if wait > 0 {
		page.Error = words.Refusal(lang, tooManyTries(wait))
		return s.showSignUp(c, http.StatusTooManyRequests, "forgot", page)
	}
	if err := s.orderReset(c, email, lang); err != nil {
		return err
	}
	return c.Redirect("/forgot/sent", http.StatusSeeOther)
}

func (s *server) orderReset(c *fiber.Ctx, email, lang string) error {
	ctx := c.UserContext()
	return s.stranger(c, "page for forgotten passwords").InTx(ctx, s.Database.System, func(tx pgx.Tx) error {
		user, err := queries.New(tx).GetUserByEmail(ctx, email)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.orderLink(ctx, tx,
			queries.CreateAccountLinkParams{Purpose: queries.LinkPurposeRESETPASSWORD, UserID: user.ID, ExpiresAt: time.Now().Add(resetLife)},
			jobs.Mail{Kind: jobs.MailReset, To: email, Name: user.Name, Lang: lang})
	})
}

func (s *server) forgotSent(c *fiber.Ctx) error { return s.sent(c, "forgot") }

// sent says what happens next. Without a mail server somebody passes the link on.
func (s *server) sent(c *fiber.Ctx, of string) error {
	lang := langOf(c)
	page := SentPage{Page: s.page(c, words.T(lang, "sent.heading"), ""), Heading: words.T(lang, "sent.heading"), Detail: words.T(lang, "sent."+of)}
	if !s.Settings.Now().MailOn() {
		page.Heading, page.Detail = words.T(lang, "sent.operator_heading"), words.T(lang, "sent.operator")
	}
	return s.render(c, http.StatusOK, "sent", page)
}

// refusalsIn words the fields that are refused in a person's language and drops those that are not.
func refusalsIn(lang string, fields FieldErrors) FieldErrors {
	out := FieldErrors{}
	for field, sentence := range fields {
		if sentence != "" {
			out[field] = words.Refusal(lang, sentence)
		}
	}
	return out
}
