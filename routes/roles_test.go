package routes

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// Nothing leaves the product without somebody who may do everything.
func TestTheLastAdminStays(t *testing.T) {
	s := newSite(t, nil)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	must(t, UpsertAdmin(t.Context(), s.db, "other@example.org", testPassword))
	s.exec("INSERT INTO users (id, name, email, role, admin_role) VALUES ($1, 'Invited', 'invited@example.org', 'ADMIN', 'admin')", newID()) // cannot sign in yet
	b, other := s.fork("admin@example.org"), s.userID("other@example.org")
	user := "/admin/data/users/record/" + other.String()
	b.post(user, url.Values{"version": {s.version(b, user)}, "name": {"Other"}, "email": {"other@example.org"}, "admin_role": {"support"}}, "HX-Request", "true").want(t, 200, "Saved")
	own := "/admin/data/users/record/" + s.userID("admin@example.org").String()
	b.post(own, url.Values{"version": {s.version(b, own)}, "name": {"Me"}, "email": {"admin@example.org"}, "admin_role": {"read-only"}}, "HX-Request", "true").
		want(t, http.StatusUnprocessableEntity, "This is the last admin who can sign in.", `value="Me"`)
	b.post(own+"/delete", nil, "HX-Request", "true").want(t, http.StatusConflict, "your own account")
	for _, sql := range []string{
		"DELETE FROM users WHERE email = 'admin@example.org'",
		"DELETE FROM users",
		"UPDATE users SET admin_role = 'support' WHERE email = 'admin@example.org'",
		"UPDATE users SET admin_role = 'support'",
		"UPDATE users SET password_hash = NULL WHERE email = 'admin@example.org'",
		"DELETE FROM admin_roles WHERE name = 'admin'",
		"UPDATE admin_roles SET name = 'boss' WHERE name = 'admin'",
		"UPDATE admin_roles SET people = false WHERE name = 'admin'",
	} {
		if _, err := s.db.System.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s went through", sql)
		}
	}
	if _, err := UpsertColleague(t.Context(), s.db, "admin@example.org", testPassword, "support"); err == nil || !strings.Contains(err.Error(), "last admin") {
		t.Errorf("the command demotes the last admin: %v", err)
	}
	role := "/admin/data/admin_roles/record/admin"
	b.post(role, url.Values{"version": {s.version(b, role)}, "description": {"x"}, "workers": {"true"}, "messages": {"true"}, "records": {"true"}, "people": {"false"}, "system": {"true"}}, "HX-Request", "true").
		want(t, http.StatusUnprocessableEntity, "The role admin may do everything")
	b.post(role+"/delete", nil, "HX-Request", "true").want(t, http.StatusConflict, "The role admin stays")
	b.post("/admin/data/admin_roles/record/support/delete", nil, "HX-Request", "true").want(t, http.StatusConflict, "Other records need this one")
	if n := s.count("SELECT count(*) FROM users WHERE admin_role = 'admin' AND password_hash IS NOT NULL"); n != 1 {
		t.Errorf("%d admins are left, want 1", n)
	}
	if n := s.count("SELECT count(*) FROM audit_log WHERE table_name = 'users' AND action = 'DELETE'"); n != 0 {
		t.Errorf("%d refused deletions are entries", n)
	}
}

// Two who take each other's role away at the same moment: one of them stays.
func TestTwoAdminsCannotRemoveEachOtherAtOnce(t *testing.T) {
	s := newSite(t, nil)
	for _, sql := range []string{"DELETE FROM users WHERE email = $1", "UPDATE users SET admin_role = 'support' WHERE email = $1"} {
		emails := []string{"a@example.org", "b@example.org"}
		for _, email := range emails {
			_, err := UpsertColleague(t.Context(), s.db, email, testPassword, "admin")
			must(t, err)
		}
		// Both have made their change before either commits: the second waits for the first.
		first, err := s.db.System.Begin(t.Context())
		must(t, err)
		_, err = first.Exec(t.Context(), sql, emails[0])
		must(t, err)
		var second error
		var done sync.WaitGroup
		done.Go(func() {
			second = pgx.BeginFunc(context.Background(), s.db.System, func(tx pgx.Tx) error {
				_, err := tx.Exec(context.Background(), sql, emails[1])
				return err
			})
		})
		s.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", 1)
		must(t, first.Commit(t.Context()))
		done.Wait()
		if !isViolation(second, jobs.LastAdminStays) {
			t.Errorf("%s twice at once: the second says %v", sql, second)
		}
		if n := s.count("SELECT count(*) FROM users WHERE admin_role = 'admin'"); n != 1 {
			t.Fatalf("%s twice at once: %d admins are left", sql, n)
		}
	}
}

// A role counts from the next request on, and what it does not allow is not offered.
func TestRolesChangeAtOnce(t *testing.T) {
	s := newDataSite(t)
	s.colleague("support")
	b := s.fork("support@example.org")
	tenant := "/admin/tenants/" + s.neema.String()
	contact := "/admin/data/contacts/record/" + s.contact.String()
	s.run(t, b, []dataScenario{
		{name: "the list of tenants", path: "/admin/tenants", status: 200, has: []string{"Neema Salon", "support · support@example.org"}, lacks: []string{"New tenant"}},
		{name: "a tenant", path: tenant, status: 200, has: []string{"btn-start", "pair-form", "may not write to customers", "may not change people", "/admin/data/tenant_configs?open="},
			lacks: []string{"Delete this tenant", `data-open="settings"`, "/people\"", "send-text"}},
		{name: "a list", path: "/admin/data/contacts", status: 200, has: []string{"Asha Mushi"}, lacks: []string{"New contact"}},
		{name: "a record", path: contact, htmx: true, status: 200, has: []string{"Asha Mushi", "Your role, support, may not make, change or delete records.", "History"}, lacks: []string{"<form", "Save", "Delete", "Duplicate"}},
		{name: "people", path: "/admin/data/users", status: 200, has: []string{"owner@example.org"}, lacks: []string{"New user"}},
		{name: "keys", path: "/admin/keys", status: 200, has: []string{"may not change people, their roles or keys"}, lacks: []string{"Create key"}},
		{name: "a change", method: "POST", path: contact, form: url.Values{"name": {"X"}}, htmx: true, status: 403, has: []string{"Your role, support, may not make, change or delete records. Ask an admin"},
			sql: "SELECT count(*) FROM contacts WHERE name = 'X'"},
		{name: "oneself an admin", method: "POST", path: "/admin/data/users/record/" + s.userID("support@example.org").String(), form: url.Values{"admin_role": {"admin"}}, htmx: true, status: 403},
		{name: "more rights", method: "POST", path: "/admin/data/admin_roles/record/support", form: url.Values{"people": {"true"}}, htmx: true, status: 403},
		{name: "as a page", method: "POST", path: tenant + "/delete", status: 403, has: []string{"This is not open to you", "Your role, support, may not"}},
		{name: "starting", method: "POST", path: tenant + "/worker/start", status: 303},
	})
	s.exec("UPDATE admin_roles SET records = true WHERE name = 'support'")
	b.get(contact, "HX-Request", "true").want(t, 200, "<form", "Save")
	b.get(tenant).want(t, 200, "Delete this tenant")
	s.exec("UPDATE users SET admin_role = 'read-only' WHERE email = 'support@example.org'")
	got := b.get(tenant)
	got.want(t, 200, "Your role, read-only, may not start, stop or link numbers.")
	for _, part := range []string{"btn-stop", "btn-restart", "confirm-stop", "pair-form", "Delete this tenant"} {
		if strings.Contains(got.body, part) {
			t.Errorf("a read-only person is offered %s", part)
		}
	}
	b.post(tenant+"/worker/stop", nil).want(t, http.StatusForbidden, "may not start, stop or link numbers")
}

// Who may not link numbers sees no code, neither on the page nor by its stream.
func TestReadersSeeNoCode(t *testing.T) {
	s := newDataSite(t)
	s.colleague("read-only")
	s.exec(`UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = '2@secret-code', qr_expires_at = now() + interval '1 minute',
		pair_code = 'ABCDEFGH', pair_code_expires_at = now() + interval '1 minute' WHERE tenant_id = $1`, s.neema)
	s.exec("UPDATE worker_processes SET desired = 'RUNNING', status = 'RUNNING' WHERE tenant_id = $1", s.neema)
	tenant := "/admin/tenants/" + s.neema.String()
	s.fork("admin@example.org").get(tenant).want(t, 200, "2@secret-code", "ABCD-EFGH")
	reader := s.fork("read-only@example.org")
	got := reader.get(tenant)
	got.want(t, 200, "A number is being linked.")
	panel := awaitEvent(t, reader.listen(tenant+"/stream"), "session", `id="link-panel"`, "A number is being linked.")
	for _, secret := range []string{"secret-code", "ABCD", "data:image"} {
		if strings.Contains(got.body, secret) || strings.Contains(panel, secret) {
			t.Errorf("a reader sees %s", secret)
		}
	}
	if n := s.count("SELECT count(*) FROM whatsapp_sessions WHERE watched_until > now()"); n != 0 {
		t.Error("a reader keeps codes alive")
	}
}

// Somebody new gets a link and, with it, the role that was chosen.
func TestColleaguesAreInvited(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	add := func(form url.Values) answer { return b.post("/admin/data/users", form, "HX-Request", "true") }
	b.get("/admin/data/users/new", "HX-Request", "true").want(t, 200, `name="admin_role"`)
	add(url.Values{"name": {"Zawadi"}, "email": {"nonsense"}, "admin_role": {""}}).want(t, 422, "This is not an e-mail address", "Choose a role", `value="Zawadi"`)
	add(url.Values{"name": {"Zawadi"}, "email": {"zawadi@example.org"}, "admin_role": {"boss"}}).want(t, 422, "does not exist any more")
	got := add(url.Values{"name": {"Zawadi"}, "email": {"Zawadi@Example.org"}, "admin_role": {"support"}})
	got.want(t, 200, "Give this link to Zawadi.", "/invite/")
	add(url.Values{"name": {"Again"}, "email": {"zawadi@example.org"}, "admin_role": {"support"}}).want(t, 422, "Somebody signs in with this address already")
	_, rest, _ := strings.Cut(got.body, s.url+"/invite/")
	token, _, _ := strings.Cut(rest, `"`)
	own := s.browser()
	own.post("/invite/"+token, url.Values{"password": {testPassword}}).want(t, 303)
	own.get("/admin/tenants").want(t, 200, "support · zawadi@example.org")
	if n := s.count("SELECT count(*) FROM audit_log WHERE actor_name = 'Zawadi' AND actor_kind = 'ADMIN' AND changed = 'password_hash'"); n != 1 {
		t.Error("the new password is not noted as hers")
	}
}

func TestUpsertColleague(t *testing.T) {
	s := newSite(t, nil)
	for _, step := range []struct{ role, is, refusal string }{
		{"", "admin", ""}, {"boss", "", "There are admin, read-only, support."}, {"support", "", "last admin"}, {"admin", "admin", ""},
	} {
		is, err := UpsertColleague(t.Context(), s.db, "first@example.org", testPassword, step.role)
		if is != step.is || (err == nil) != (step.refusal == "") || err != nil && !strings.Contains(err.Error(), step.refusal) {
			t.Errorf("role %q: %q, %v", step.role, is, err)
		}
	}
	for _, step := range []struct{ role, is string }{{"support", "support"}, {"", "support"}, {"read-only", "read-only"}, {"admin", "admin"}} {
		if is, err := UpsertColleague(t.Context(), s.db, "second@example.org", testPassword, step.role); err != nil || is != step.is {
			t.Errorf("role %q: %q, %v", step.role, is, err)
		}
	}
	// Somebody with a lesser role is no first admin: the set-up link stays open for one.
	fresh := newSite(t, nil)
	fresh.colleague("support")
	token, err := CreateSetupLink(t.Context(), fresh.db)
	must(t, err)
	fresh.browser().get("/setup/"+token).want(t, 200)
	fresh.browser().post("/setup/"+token, url.Values{"name": {"First"}, "email": {"first@example.org"}, "password": {testPassword}}).want(t, 303)
	if u, err := fresh.q.GetUserByEmail(t.Context(), "first@example.org"); err != nil || u.Role != queries.UserRoleADMIN || *u.AdminRole != "admin" {
		t.Errorf("the first admin is %+v, %v", u, err)
	}
}
