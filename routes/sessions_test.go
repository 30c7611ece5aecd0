package routes

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

func TestSignInAndOut(t *testing.T) {
	s := newSite(t, nil)
	must(t, UpsertAdmin(t.Context(), s.db, "Admin@Example.org", testPassword))
	b := s.browser()

	in := b.post("/login", url.Values{"email": {" ADMIN@example.org "}, "password": {testPassword}, "next": {"/admin/keys"}})
	in.want(t, 303)
	if to := in.header.Get("Location"); to != "/admin/keys" {
		t.Errorf("after signing in: %q, want the page asked for", to)
	}
	cookie := in.header.Get("Set-Cookie")
	for _, part := range []string{"flowhq=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	b.get("/admin/keys").want(t, 200)
	if got := b.get("/").header.Get("Location"); got != "/admin" {
		t.Errorf("/ leads an admin to %q", got)
	}

	address, _ := url.Parse(s.url)
	kept := b.Jar.Cookies(address)
	b.post("/logout", nil).want(t, 303)
	thief := s.browser()
	thief.Jar.SetCookies(address, kept)
	thief.get("/admin/keys").want(t, 303)
	if n := s.count("SELECT count(*) FROM user_sessions"); n != 0 {
		t.Errorf("%d sessions left", n)
	}
}

func TestSecureCookie(t *testing.T) {
	s := newSite(t, func(o *Options) { o.SecureCookies, o.PublicURL = true, "https://hq.example.org" })
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	in := s.browser().do("POST", "/login", url.Values{"email": {"admin@example.org"}, "password": {testPassword}}, "Origin", "https://hq.example.org")
	in.want(t, 303)
	if cookie := in.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-flowhq=") || !strings.Contains(cookie, "Secure") {
		t.Errorf("cookie %q", cookie)
	}
	if in.header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS over https")
	}
}

// token is what the browser's session cookie holds.
func (b *browser) token() string {
	address, err := url.Parse(b.url)
	must(b.t, err)
	for _, c := range b.Jar.Cookies(address) {
		if c.Name == "flowhq" {
			return c.Value
		}
	}
	return ""
}

// A token that was known before signing in must not be the one that means somebody afterwards.
func TestSignInGivesNewToken(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	address, _ := url.Parse(s.url)
	before := b.token()
	b.post("/login", url.Values{"email": {"admin@example.org"}, "password": {testPassword}}).want(t, 303)
	after := b.token()
	if before == after {
		t.Fatal("the token stayed the same")
	}
	old := s.browser()
	old.Jar.SetCookies(address, []*http.Cookie{{Name: "flowhq", Value: before, Path: "/"}})
	old.get("/admin/keys").want(t, 303)
}

// A request that was at work while its session was signed out must not write the session back.
func TestSignedOutSessionStaysOut(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	address, _ := url.Parse(s.url)
	held := b.Jar.Cookies(address)

	lock, err := s.db.System.Begin(t.Context())
	must(t, err)
	_, err = lock.Exec(t.Context(), "LOCK TABLE tenants IN EXCLUSIVE MODE")
	must(t, err)
	slow := make(chan answer, 1)
	go func() {
		slow <- b.post("/admin/tenants", url.Values{ // ends with a toast, which is a change of the session
			"name": {"Salon"}, "business_name": {"Salon"}, "phone_number": {"+255712000001"}, "template_type": {"BOOKING"}, "language": {"SW"},
		})
	}()
	s.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", 1)

	other := s.browser()
	other.Jar.SetCookies(address, held)
	other.post("/logout", nil).want(t, 303)
	must(t, lock.Rollback(t.Context()))

	got := <-slow
	got.want(t, 303)
	if cookie := got.header.Get("Set-Cookie"); !strings.Contains(cookie, "Max-Age=0") {
		t.Errorf("the browser keeps its token: %q", cookie)
	}
	if n := s.count("SELECT count(*) FROM user_sessions"); n != 0 {
		t.Fatalf("%d sessions came back", n)
	}
	again := s.browser()
	again.Jar.SetCookies(address, held)
	again.get("/admin/keys").want(t, 303)
}

func TestSessionStoreNeverRevives(t *testing.T) {
	s := newSite(t, nil)
	store := &sessionStore{q: s.q}
	ctx := context.WithValue(t.Context(), sessionWriteKey{}, sessionWrite{existing: true})
	err := store.CommitCtx(ctx, "a token that is gone", []byte("x"), newest().at)
	if !errors.Is(err, errSessionGone) {
		t.Fatalf("error %v, want %v", err, errSessionGone)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Salon", 1)
	owner := s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	s.person(tenant, "staff@example.org", queries.UserRoleSTAFF)
	phone, laptop, colleague := s.signedIn("owner@example.org"), s.signedIn("owner@example.org"), s.signedIn("staff@example.org")

	var session []byte
	must(t, s.db.System.QueryRow(t.Context(), "SELECT token_hash FROM user_sessions WHERE user_id = $1 LIMIT 1", owner).Scan(&session))
	alive := s.server.alive(&visitor{ID: owner, Role: queries.UserRoleOWNER, session: session})
	if ok, err := alive(t.Context()); err != nil || !ok {
		t.Fatalf("a stream of a live session: %v, %v", ok, err)
	}

	phone.get("/logout-everywhere").want(t, 200, "(2)")
	phone.post("/logout-everywhere", nil).want(t, 303)
	phone.get("/portal").want(t, 303)
	laptop.get("/portal").want(t, 303)
	colleague.get("/portal").want(t, 200)
	if ok, err := alive(t.Context()); err != nil || ok {
		t.Errorf("a stream of a session that ended: %v, %v", ok, err)
	}
}

func TestChangePassword(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	here, elsewhere := s.signedIn("owner@example.org"), s.signedIn("owner@example.org")

	here.post("/portal/account/password", url.Values{"current": {"not this one"}, "password": {"another long password"}}).
		want(t, 422, "This is not your present password.")
	here.post("/portal/account/password", url.Values{"current": {testPassword}, "password": {"short"}}).want(t, 422, "Use at least 10 characters.")
	elsewhere.get("/portal").want(t, 200)

	here.post("/portal/account/password", url.Values{"current": {testPassword}, "password": {"another long password"}}, "HX-Request", "true").
		want(t, 200, `id="password-form"`)
	here.get("/portal").want(t, 200)
	elsewhere.get("/portal").want(t, 303)
	s.browser().post("/login", url.Values{"email": {"owner@example.org"}, "password": {testPassword}}).want(t, 422)
}

func TestUpsertAdminSignsOutEverywhere(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	b.get("/admin/keys").want(t, 200)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", "a quite different one"))
	b.get("/admin/keys").want(t, 303)
	s.browser().post("/login", url.Values{"email": {"admin@example.org"}, "password": {"a quite different one"}}).want(t, 303)

	tenant := s.tenant("Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	if err := UpsertAdmin(t.Context(), s.db, "owner@example.org", testPassword); err == nil {
		t.Error("an owner became an admin")
	}
	var role queries.UserRole
	err := s.db.System.QueryRow(t.Context(), "SELECT role FROM users WHERE email = 'owner@example.org'").Scan(&role)
	if errors.Is(err, pgx.ErrNoRows) || role != queries.UserRoleOWNER {
		t.Errorf("role %s, %v", role, err)
	}
}
