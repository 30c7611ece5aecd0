package routes

import (
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"flowhq/queries"
)

// Guessing slows down in the database: another process knows, and so would this one after a restart.
func TestGuessingSlowsDownOnEveryProcess(t *testing.T) {
	first := newSite(t, nil)
	second := newSiteOn(t, first.db, nil)
	must(t, UpsertAdmin(t.Context(), first.db, "admin@example.org", testPassword))
	wrong := url.Values{"email": {"admin@example.org"}, "password": {"not the password"}}
	for range emailThrottle.free {
		first.browser().post("/login", wrong).want(t, 422, "E-mail or password is wrong.")
	}
	right := url.Values{"email": {"admin@example.org"}, "password": {testPassword}}
	blocked := second.browser().post("/login", right)
	blocked.want(t, 429, "Too many tries. Wait ", "seconds")
	if after, err := strconv.Atoi(blocked.header.Get("Retry-After")); err != nil || after < 1 || after > 5 {
		t.Errorf("Retry-After %q", blocked.header.Get("Retry-After"))
	}
	// The wait over, one more wrong guess doubles it.
	first.exec("UPDATE login_throttles SET blocked_until = now() - interval '1 second' WHERE key = 'email:admin@example.org'")
	first.browser().post("/login", wrong).want(t, 422)
	if n := first.count("SELECT round(extract(epoch FROM blocked_until - last_failed_at))::int FROM login_throttles WHERE key = 'email:admin@example.org'"); n != 10 {
		t.Errorf("the wait is %d s, want 10", n)
	}
	// Success clears.
	first.exec("UPDATE login_throttles SET blocked_until = now() - interval '1 second'")
	second.browser().post("/login", right).want(t, 303)
	if n := first.count("SELECT count(*) FROM login_throttles WHERE key LIKE 'email:%'"); n != 0 {
		t.Errorf("%d throttles left after signing in", n)
	}
	first.browser().post("/login", wrong).want(t, 422)
}

// Guesses sent all at once are counted before any is answered.
func TestGuessesAtTheSameTimeCount(t *testing.T) {
	s := newSite(t, nil)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	var mu sync.Mutex
	var tried int
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got := s.browser().post("/login", url.Values{"email": {"admin@example.org"}, "password": {"not the password"}})
			mu.Lock()
			defer mu.Unlock()
			if got.status != 429 {
				tried++
			}
		})
	}
	all.Wait()
	if tried != int(emailThrottle.free) {
		t.Errorf("%d of 20 guesses were looked at, want %d", tried, emailThrottle.free)
	}
}

// One address that tries many accounts is slowed down as well; a good sign-in from it does not wipe its failures.
func TestAddressIsThrottled(t *testing.T) {
	s := newSite(t, nil)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	for range 3 {
		s.browser().post("/login", url.Values{"email": {"nobody@example.org"}, "password": {"x"}}).want(t, 422)
	}
	s.signedIn("admin@example.org")
	if n := s.count("SELECT failures FROM login_throttles WHERE key = 'ip:127.0.0.1'"); n != 3 {
		t.Errorf("%d failures of the address, want 3", n)
	}
	s.exec("UPDATE login_throttles SET failures = 29 WHERE key = 'ip:127.0.0.1'")
	s.browser().post("/login", url.Values{"email": {"other@example.org"}, "password": {"x"}}).want(t, 422)
	s.browser().post("/login", url.Values{"email": {"third@example.org"}, "password": {"x"}}).want(t, 429)
}

// Nobody learns which addresses have accounts: not from the words, not from the time.
func TestUnknownAddressLooksTheSame(t *testing.T) {
	s := newSite(t, nil)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	tenant := s.tenant("Salon", 1)
	must(t, s.q.CreatePerson(t.Context(), queries.CreatePersonParams{
		ID: newID(), TenantID: tenant, Name: "Invited", Email: "invited@example.org", Role: queries.UserRoleSTAFF,
	}))
	// The time is that of the password's hash, which is known by its memory: no other part of a request takes so much.
	for _, email := range []string{"admin@example.org", "nobody@example.org", "invited@example.org"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.browser().post("/login", url.Values{"email": {email}, "password": {"not the password"}}).want(t, 422, "E-mail or password is wrong.")
		runtime.ReadMemStats(&after)
		if used, hash := after.TotalAlloc-before.TotalAlloc, uint64(hashParams.Memory)<<10; used < hash {
			t.Errorf("%s: %d bytes were used, a hash takes %d: it was left out", email, used, hash)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/admin/keys?x=1": "/admin/keys?x=1", "": "", "//evil.example": "", "https://evil.example": "", `/\evil.example`: "",
		"/a\nb": "", "javascript:alert(1)": "", "/\t/evil.example": "",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}
