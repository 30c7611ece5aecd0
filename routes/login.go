package routes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// throttle slows down guessing: after free attempts each further one doubles the wait, from firstWait up to maxWait seconds.
type throttle struct {
	free               int32
	firstWait, maxWait float64
}

// An address is an office or a village behind one router: it gets more attempts than an account.
var (
	emailThrottle   = throttle{free: 5, firstWait: 5, maxWait: 900}
	addressThrottle = throttle{free: 30, firstWait: 5, maxWait: 900}
)

// home leads everybody to their first page.
func (s *server) home(c *fiber.Ctx) error {
	if v := visitorOf(c); v != nil {
		return c.Redirect(v.home(), http.StatusSeeOther)
	}
	return c.Redirect("/login", http.StatusSeeOther)
}

func (s *server) loginPage(c *fiber.Ctx) error {
	if v := visitorOf(c); v != nil {
		return c.Redirect(v.home(), http.StatusSeeOther)
	}
	page := LoginPage{Next: localPath(c.Query("next"))}
	if c.Query("out") != "" {
		page.Notice = words.T(langOf(c), "login.signed_out")
	}
	return s.showLogin(c, http.StatusOK, page)
}

func (s *server) showLogin(c *fiber.Ctx, status int, page LoginPage) error {
	page.Page = s.page(c, words.T(langOf(c), "login.title"), "")
	if s.DemoMode {
		page.Demo = s.DemoLogins
	}
	return s.render(c, status, "login", page)
}

// login signs a person in. Unknown address, missing password and wrong password are one answer, after the same time.
func (s *server) login(c *fiber.Ctx) error {
	ctx := c.UserContext()
	email, problem := jobs.CleanEmail(c.FormValue("email"))
	page := LoginPage{Email: c.FormValue("email"), Next: localPath(c.FormValue("next")), Error: words.T(langOf(c), "login.wrong")}
	if problem != "" || c.FormValue("password") == "" {
		return s.showLogin(c, http.StatusUnprocessableEntity, page)
	}
	emailKey, addressKey := "email:"+email, "ip:"+s.clientIP(c)
	if wait, err := s.takeAttempts(ctx, emailKey, addressKey); err != nil {
		return err
	} else if wait > 0 {
		c.Set(fiber.HeaderRetryAfter, fmt.Sprint(int(wait.Seconds())))
		page.Error = words.Refusal(langOf(c), tooManyTries(wait))
		return s.showLogin(c, http.StatusTooManyRequests, page)
	}
	user, err := s.system.GetUserByEmail(ctx, email)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	ok, err := s.passwords.check(ctx, c.FormValue("password"), user.PasswordHash)
	if err != nil {
		return err
	}
	if !ok {
		return s.showLogin(c, http.StatusUnprocessableEntity, page)
	}
	if err := errors.Join(s.system.ClearLoginAttempts(ctx, emailKey), s.system.ReturnLoginAttempt(ctx, addressKey)); err != nil {
		return err
	}
	if err := s.signIn(c, user.ID); err != nil {
		return err
	}
	if page.Next != "" {
		return c.Redirect(page.Next, http.StatusSeeOther)
	}
	return c.Redirect((&visitor{Role: user.Role}).home(), http.StatusSeeOther)
}

// takeAttempts counts an attempt for both keys before the password is looked at; a wait means: not now.
func (s *server) takeAttempts(ctx context.Context, emailKey, addressKey string) (time.Duration, error) {
	for _, k := range []struct {
		key string
		t   throttle
	}{{emailKey, emailThrottle}, {addressKey, addressThrottle}} {
		_, err := s.system.TakeLoginAttempt(ctx, queries.TakeLoginAttemptParams{
			Key: k.key, Free: k.t.free, FirstWait: k.t.firstWait, MaxWait: k.t.maxWait,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			seconds, err := s.system.LoginWait(ctx, []string{emailKey, addressKey})
			return time.Duration(max(1, seconds)) * time.Second, err
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// signIn gives the browser a new token before it means anybody: one planted beforehand stays worthless.
func (s *server) signIn(c *fiber.Ctx, user uuid.UUID) error {
	ctx := c.UserContext()
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Put(ctx, sessionUser, user.String())
	return nil
}

func (s *server) logout(c *fiber.Ctx) error {
	if err := s.sessions.Destroy(c.UserContext()); err != nil {
		return err
	}
	return s.redirect(c, "/login?out=1")
}

func (s *server) logoutEverywherePage(c *fiber.Ctx) error {
	v := visitorOf(c)
	n, err := s.system.CountSessionsOfUser(c.UserContext(), v.ID)
	if err != nil {
		return err
	}
	back := "/portal/account"
	if v.Role == queries.UserRoleADMIN {
		back = "/admin/account"
	}
	return s.render(c, http.StatusOK, "signout", SignOutPage{Page: s.page(c, words.T(v.Lang, "signout.heading"), "account"), Sessions: int(n), BackURL: back})
}

// logoutEverywhere ends every session of the person; streams notice within a minute.
func (s *server) logoutEverywhere(c *fiber.Ctx) error {
	if err := s.system.DeleteSessionsOfUser(c.UserContext(), visitorOf(c).ID); err != nil {
		return err
	}
	return s.logout(c)
}

// localPath lets only paths of this site through: anything a browser could read as another site becomes "".
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || len(next) > 500 {
		return ""
	}
	return next
}

// tooManyTries is the refusal of whoever must wait, in English; words.Refusal has the others.
func tooManyTries(wait time.Duration) string {
	return "Too many tries. Wait " + words.Wait(words.English, wait) + ", then try again."
}
