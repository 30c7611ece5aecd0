package routes

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestSetupLinkMakesTheFirstAdminOnce(t *testing.T) {
	s := newSite(t, nil)
	token, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	path := "/setup/" + token
	b := s.browser()
	b.get(path).want(t, 200, "Create the first admin")
	b.post(path, url.Values{"name": {""}, "email": {"nonsense"}, "password": {"short"}}).
		want(t, 422, "Please fill this in.", "This is not an e-mail address", "Use at least 10 characters.")
	b.post(path, url.Values{"name": {"Ada"}, "email": {"ada@example.org"}, "password": {"ADA@example.org"}}).
		want(t, 422, "Use something other than the e-mail address.")
	if n := s.count("SELECT count(*) FROM users"); n != 0 {
		t.Fatalf("%d users after refused forms", n)
	}
	b.post(path, url.Values{"name": {"Ada"}, "email": {"Ada@example.org"}, "password": {testPassword}}).want(t, 303)
	b.get("/admin/tenants").want(t, 200, "Ada") // signed in already

	again := s.browser()
	again.get(path).want(t, 410)
	again.post(path, url.Values{"name": {"Eve"}, "email": {"eve@example.org"}, "password": {testPassword}}).want(t, 410)
	// A link made before, which nobody used, is worth nothing once there is an admin; nor is a new one.
	other, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	again.get("/setup/"+other).want(t, 410)
	again.post("/setup/"+other, url.Values{"name": {"Eve"}, "email": {"eve@example.org"}, "password": {testPassword}}).want(t, 410)
	if n := s.count("SELECT count(*) FROM users"); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

func TestExpiredSetupLink(t *testing.T) {
	s := newSite(t, nil)
	token, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	s.exec("UPDATE one_time_links SET expires_at = now() - interval '1 second'")
	s.browser().get("/setup/"+token).want(t, 410, "does not work any more")
	s.browser().post("/setup/"+token, url.Values{"name": {"Eve"}, "email": {"eve@example.org"}, "password": {testPassword}}).want(t, 410)
	if n := s.count("SELECT count(*) FROM users"); n != 0 {
		t.Errorf("%d users", n)
	}
}

// Several people with set-up links at the same time, of which two have the same one: one becomes admin.
func TestSetupLinksAtTheSameTime(t *testing.T) {
	s := newSite(t, nil)
	first, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	second, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	statuses := together(3, func(i int) int {
		token := []string{first, first, second}[i]
		email := []string{"a@example.org", "b@example.org", "c@example.org"}[i]
		return s.browser().post("/setup/"+token, url.Values{"name": {"X"}, "email": {email}, "password": {testPassword}}).status
	})
	if statuses[303] != 1 || statuses[410] != 2 {
		t.Errorf("statuses %v, want one 303 and two 410", statuses)
	}
	if n := s.count("SELECT count(*) FROM users"); n != 1 {
		t.Errorf("%d admins", n)
	}
}

// together runs n calls at once and counts their answers.
func together(n int, call func(i int) int) map[int]int {
	var mu sync.Mutex
	counts := map[int]int{}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			status := call(i)
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	all.Wait()
	return counts
}

var inviteURL = regexp.MustCompile(`value="(http[^"]+/invite/[^"]+)"`)

// inviteIn finds the path of the link that an answer shows.
func inviteIn(t *testing.T, a answer) string {
	t.Helper()
	m := inviteURL.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no invitation in:\n%s", excerpt(a.body))
	}
	u, err := url.Parse(m[1])
	must(t, err)
	return u.Path
}

func TestOwnerIsInvited(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	tenant := s.tenant("Neema Salon", 1)
	people := tenantBase(tenant) + "/people"
	added := admin.post(people, url.Values{"name": {"Neema"}, "email": {"Neema@Example.org"}, "role": {"OWNER"}}, "HX-Request", "true")
	added.want(t, 200, "Give this link to Neema.", "Has not chosen a password yet")
	path := inviteIn(t, added)

	admin.post(people, url.Values{"name": {"Second"}, "email": {"second@example.org"}, "role": {"OWNER"}}, "HX-Request", "true").
		want(t, 422, "This business has an owner already.")
	admin.post(people, url.Values{"name": {"Same"}, "email": {"neema@example.org"}, "role": {"STAFF"}}, "HX-Request", "true").
		want(t, 422, "Somebody signs in with this address already")
	admin.post(people, url.Values{"name": {"X"}, "email": {"x@example.org"}, "role": {"ADMIN"}}, "HX-Request", "true").want(t, 422)
	if n := s.count("SELECT count(*) FROM users WHERE tenant_id = $1", tenant); n != 1 {
		t.Fatalf("%d accounts, want 1", n)
	}

	owner := s.browser()
	owner.get(path).want(t, 200, "Neema Salon", "neema@example.org")
	owner.post(path, url.Values{"password": {"short"}}).want(t, 422, "Use at least 10 characters.")
	owner.post(path, url.Values{"password": {testPassword}}).want(t, 303)
	owner.get("/portal").want(t, 200, "Neema Salon")
	owner.get("/admin/tenants").want(t, 403)
	admin.get("/portal").want(t, 403)

	s.browser().get(path).want(t, 410)
	s.browser().post(path, url.Values{"password": {"somebody else's one"}}).want(t, 410)
	s.signedIn("neema@example.org").get("/portal").want(t, 200)
}

func TestNewInviteReplacesTheOld(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	tenant := s.tenant("Salon", 1)
	people := tenantBase(tenant) + "/people"
	old := inviteIn(t, admin.post(people, url.Values{"name": {"Neema"}, "email": {"neema@example.org"}, "role": {"OWNER"}}))
	var id string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id::text FROM users WHERE email = 'neema@example.org'").Scan(&id))
	renewed := inviteIn(t, admin.post(people+"/"+id+"/invite", nil))
	s.browser().get(old).want(t, 410)
	s.browser().get(renewed).want(t, 200)

	s.exec("UPDATE one_time_links SET expires_at = now() WHERE used_at IS NULL")
	s.browser().post(renewed, url.Values{"password": {testPassword}}).want(t, 410)
	if n := s.count("SELECT count(*) FROM users WHERE password_hash IS NOT NULL AND email = 'neema@example.org'"); n != 0 {
		t.Error("an expired link set a password")
	}

	// Another tenant's page does not reach the account.
	other := s.tenant("Other", 2)
	admin.post(tenantBase(other)+"/people/"+id+"/invite", nil).want(t, 404)
	admin.post(tenantBase(other)+"/people/"+id+"/remove", nil).want(t, 404)
	admin.post(people+"/"+id+"/remove", nil, "HX-Request", "true").want(t, 200)
	if n := s.count("SELECT count(*) FROM users WHERE email = 'neema@example.org'"); n != 0 {
		t.Error("the account is still there")
	}
}

func TestInviteUsedTwiceAtOnce(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	tenant := s.tenant("Salon", 1)
	path := inviteIn(t, admin.post(tenantBase(tenant)+"/people", url.Values{"name": {"Neema"}, "email": {"neema@example.org"}, "role": {"OWNER"}}))
	statuses := together(2, func(i int) int {
		return s.browser().post(path, url.Values{"password": {strings.Repeat("password of ", i+1)}}).status
	})
	if statuses[303] != 1 || statuses[410] != 1 {
		t.Errorf("statuses %v, want one 303 and one 410", statuses)
	}
}

// A link for one purpose opens nothing of the other.
func TestLinksKeepTheirPurpose(t *testing.T) {
	s := newSite(t, nil)
	token, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	s.browser().get("/invite/"+token).want(t, 410)
	s.browser().post("/invite/"+token, url.Values{"password": {testPassword}}).want(t, 410)
	s.browser().get("/setup/"+token).want(t, 200)
}
