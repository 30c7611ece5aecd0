package routes

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
	"flowhq/templates/words"
)

func passwordForm(v *visitor) PasswordForm {
	return PasswordForm{Action: v.home() + "/account/password", Email: v.Email, Lang: v.Lang}
}

func (s *server) adminAccountPage(c *fiber.Ctx) error {
	return s.showAccount(c, http.StatusOK, passwordForm(visitorOf(c)))
}

func (s *server) showAccount(c *fiber.Ctx, status int, form PasswordForm) error {
	v := visitorOf(c)
	if v.Role == queries.UserRoleADMIN {
		return s.render(c, status, "admin/account", AccountPage{Page: s.page(c, "Your account", "account"), Password: form})
	}
	return s.showAccountWith(c, status, func(p *PortalAccountPage) { p.Password = form })
}

// passwordChange sets one's own password, on the System pool and by one's own id: the portal's role cannot even read hashes.
// Every other device is signed out.
func (s *server) passwordChange(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	form := passwordForm(v)
	refuseForm := func(field, problem string) error {
		form.Errors = FieldErrors{field: problem}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/password_form", form)
		}
		return s.showAccount(c, http.StatusUnprocessableEntity, form)
	}
	if problem := passwordProblem(c.FormValue("password"), v.Email, v.Lang); problem != "" {
		return refuseForm("password", problem)
	}
	emailKey, addressKey := "email:"+v.Email, "ip:"+s.clientIP(c)
	if wait, err := s.takeAttempts(ctx, emailKey, addressKey); err != nil {
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
		return refuseForm("current", words.T(v.Lang, "password.wrong"))
	}
	hash, err := s.passwords.hash(ctx, c.FormValue("password"))
	if err != nil {
		return err
	}
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if err := q.SetPassword(ctx, queries.SetPasswordParams{UserID: v.ID, PasswordHash: hash}); err != nil {
			return err
		}
		if err := q.ClearLoginAttempts(ctx, emailKey); err != nil {
			return err
		}
		if err := q.ReturnLoginAttempt(ctx, addressKey); err != nil {
			return err
		}
		return q.DeleteOtherSessionsOfUser(ctx, queries.DeleteOtherSessionsOfUserParams{UserID: v.ID, TokenHash: v.session})
	})
	if err != nil {
		return err
	}
	form.Saved = true
	return s.done(c, v.home()+"/account", "fragments/password_form", form, words.T(v.Lang, "password.saved"))
}
