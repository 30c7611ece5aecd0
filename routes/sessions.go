package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

const (
	sessionLifetime = 14 * 24 * time.Hour
	sessionUser     = "user_id" // key in the session: users.id
	sessionToasts   = "toasts"  // key in the session: []Toast for the next page, as JSON
)

// newSessions keeps browser sessions in user_sessions. There is no idle timeout: with one, every request would write.
func newSessions(q *queries.Queries, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Lifetime = sessionLifetime
	m.Store = &sessionStore{q: q}
	m.Cookie.Name = "flowhq"
	if secure {
		m.Cookie.Name = "__Host-flowhq" // browsers then insist on https, this host alone and the whole site
	}
	m.Cookie.Secure = secure
	return m
}

// withSession loads the session, lets the request run, renders what failed while the session is still there, and stores it.
func (s *server) withSession(c *fiber.Ctx) error {
	token := c.Cookies(s.sessions.Cookie.Name)
	ctx, err := s.sessions.Load(c.UserContext(), token)
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	known := s.sessions.Token(ctx)
	c.SetUserContext(ctx)
	if err := c.Next(); err != nil {
		if err := s.fail(c, err); err != nil {
			return err
		}
	}
	switch s.sessions.Status(ctx) {
	case scs.Modified:
		write := sessionWrite{device: deviceOf(c), existing: known != "" && known == s.sessions.Token(ctx)}
		if id, err := uuid.Parse(s.sessions.GetString(ctx, sessionUser)); err == nil {
			write.user = &id
		}
		token, expiry, err := s.sessions.Commit(context.WithValue(ctx, sessionWriteKey{}, write))
		if errors.Is(err, errSessionGone) {
			s.setCookie(c, "", time.Time{})
			return nil
		}
		if err != nil {
			return fmt.Errorf("store session: %w", err)
		}
		s.setCookie(c, token, expiry)
	case scs.Destroyed:
		s.setCookie(c, "", time.Time{})
	case scs.Unmodified:
		if token != "" && known == "" {
			s.setCookie(c, "", time.Time{}) // a cookie that opens nothing any more
		}
	}
	return nil
}

// setCookie hands the token to the browser; a zero expiry takes it away.
func (s *server) setCookie(c *fiber.Ctx, token string, expiry time.Time) {
	o := s.sessions.Cookie
	cookie := &http.Cookie{Name: o.Name, Value: token, Path: o.Path, Secure: o.Secure, HttpOnly: o.HttpOnly, SameSite: o.SameSite}
	if expiry.IsZero() {
		cookie.MaxAge = -1
	} else {
		cookie.Expires, cookie.MaxAge = expiry, int(time.Until(expiry).Seconds()+1)
	}
	c.Append(fiber.HeaderSetCookie, cookie.String())
}

// toast shows a notice on the page that comes next.
func (s *server) toast(c *fiber.Ctx, kind, text string) error {
	raw, err := json.Marshal(append(s.toasts(c), Toast{Kind: kind, Text: text}))
	if err != nil {
		return err
	}
	s.sessions.Put(c.UserContext(), sessionToasts, string(raw))
	return nil
}

// toasts takes the notices that wait for a page.
func (s *server) toasts(c *fiber.Ctx) []Toast {
	raw := s.sessions.PopString(c.UserContext(), sessionToasts)
	var toasts []Toast
	if raw == "" || json.Unmarshal([]byte(raw), &toasts) != nil {
		return nil
	}
	return toasts
}

// sessionWrite goes to the store beside what scs hands it.
type sessionWrite struct {
	user     *uuid.UUID
	device   string // what the browser calls itself
	existing bool   // the token came with the request: update it, never bring it back
}

type sessionWriteKey struct{}

// errSessionGone: the session was signed out while a request of it was at work.
var errSessionGone = errors.New("the session was signed out meanwhile")

// sessionStore implements scs.CtxStore on user_sessions. Tokens are stored as hashes.
type sessionStore struct{ q *queries.Queries }

// FindCtx gives a session's data, and touches last_seen_at at most once a minute.
func (st *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	row, err := st.q.FindSession(ctx, hashToken(token))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err == nil && row.Stale {
		err = st.q.TouchSession(ctx, hashToken(token))
	}
	return row.Data, err == nil, err
}

// CommitCtx inserts a new session or updates an existing one; errSessionGone if that is not there any more.
func (st *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	write, _ := ctx.Value(sessionWriteKey{}).(sessionWrite)
	if !write.existing {
		return st.q.InsertSession(ctx, queries.InsertSessionParams{TokenHash: hashToken(token), UserID: write.user, Data: data, ExpiresAt: expiry, Device: write.device})
	}
	rows, err := st.q.UpdateSession(ctx, queries.UpdateSessionParams{TokenHash: hashToken(token), UserID: write.user, Data: data, ExpiresAt: expiry})
	if err == nil && rows == 0 {
		err = errSessionGone
	}
	return err
}

// DeleteCtx removes a session; one that is not there is no error.
func (st *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return st.q.DeleteSession(ctx, hashToken(token))
}

var errNoContext = errors.New("session store called without a context")

// Delete, Find and Commit complete scs.Store; scs prefers the ones above.
func (st *sessionStore) Delete(string) error                    { return errNoContext }
func (st *sessionStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (st *sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }
