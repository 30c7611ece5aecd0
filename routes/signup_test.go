package routes

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/settings"
)

// mails are the kinds of mails ordered for an address, oldest first.
func (s *site) mails(to string) (kinds []string) {
	s.t.Helper()
	rows, err := s.db.System.Query(s.t.Context(), "SELECT args FROM river_job WHERE kind = 'mail_send' ORDER BY id")
	must(s.t, err)
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		must(s.t, rows.Scan(&raw))
		var job jobs.MailSend
		must(s.t, json.Unmarshal(raw, &job))
		if strings.Contains(string(raw), "/verify/") || strings.Contains(string(raw), "token") {
			s.t.Errorf("a job holds a secret: %s", raw)
		}
		if job.Mail.To == to {
			kinds = append(kinds, job.Mail.Kind)
		}
	}
	return kinds
}

// link gives the newest link of an address as the admin is shown it.
func (s *site) link(purpose queries.LinkPurpose, email string) string {
	s.t.Helper()
	var id uuid.UUID
	must(s.t, s.db.System.QueryRow(s.t.Context(), `SELECT l.id FROM one_time_links l LEFT JOIN users u ON u.id = l.user_id
		WHERE l.purpose = $1 AND coalesce(l.email, u.email) = $2 AND l.used_at IS NULL ORDER BY l.created_at DESC LIMIT 1`, purpose, email).Scan(&id))
	path, _, err := jobs.RenewLink(context.Background(), s.q, id)
	must(s.t, err)
	return path
}

// A new owner's way in: nothing is made before the address is confirmed, and the link works once.
func TestSignUp(t *testing.T) {
	s := newSite(t, nil)
	b := s.stranger()
	b.get("/signup").want(t, 200, "Wateja wako wajibiwe papo hapo")
	b.post("/signup", url.Values{"name": {""}, "email": {"nope"}}).want(t, 422, "Tafadhali jaza hapa.", "Hii si barua pepe")
	form := url.Values{"name": {"Neema Joseph"}, "email": {" Neema@Salon.example "}}
	for range 2 { // a double tap is one link
		got := b.post("/signup", form)
		if got.want(t, 303); got.header.Get("Location") != "/signup/sent" {
			t.Errorf("leads to %s", got.header.Get("Location"))
		}
	}
	b.get("/signup/sent").want(t, 200, "Msimamizi wako atakupa kiungo")
	if n := s.count("SELECT count(*) FROM users"); n != 0 {
		t.Errorf("%d accounts before the address is confirmed", n)
	}
	if n := s.count("SELECT count(*) FROM one_time_links WHERE purpose = 'SIGN_UP' AND used_at IS NULL"); n != 1 {
		t.Errorf("%d links are open", n)
	}
	admin := s.admin()
	admin.get("/admin/links").want(t, 200, "neema@salon.example", "Neema Joseph", "No mail server is set")
	shown := admin.post("/admin/links/"+regexp.MustCompile(`/admin/links/([0-9a-f-]+)/show`).FindStringSubmatch(admin.get("/admin/links").body)[1]+"/show", nil)
	shown.want(t, 200, s.url+"/verify/")
	first := regexp.MustCompile(`/verify/[\w-]+`).FindString(shown.body)
	path := s.link(queries.LinkPurposeSIGNUP, "neema@salon.example")
	b.get(first).want(t, http.StatusGone) // shown again: the one before is void
	person := s.browser()
	person.Jar.SetCookies(mustURL(t, s.url), []*http.Cookie{{Name: languageCookie, Value: "sw", Path: "/"}})
	person.get(path).want(t, 200, "Chagua nenosiri", "neema@salon.example")
	person.get(path).want(t, 200) // opening uses nothing up
	person.post(path, url.Values{"password": {"short"}}).want(t, 422, "Tumia angalau herufi 10.")
	person.post(path, url.Values{"password": {testPassword}}).want(t, 303)
	person.post(path, url.Values{"password": {testPassword}}).want(t, http.StatusGone)
	person.get("/portal").want(t, 303)
	person.get("/portal/setup").want(t, 200, "Jina la biashara", `<html lang="sw">`)
	person.get("/portal/account").want(t, 200, "neema@salon.example")
	person.post("/portal/worker/start", nil, "HX-Request", "true").want(t, 409)
	if n := s.count("SELECT count(*) FROM users WHERE email = 'neema@salon.example' AND role = 'OWNER' AND tenant_id IS NULL AND language = 'SW'"); n != 1 {
		t.Error("the account is not as it should be")
	}
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	must(t, err)
	return u
}

// Nobody learns from sign-up or reset who has an account.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	s := newSite(t, func(o *Options) {
		mailed := settings.Defaults()
		mailed.MailServer, mailed.MailFrom = "smtp://mail.example:587", "hq@example.com"
		o.Settings = settings.New(o.Database.System, mailed, nil, o.Log)
	})
	tenant := s.tenant("Saluni", 1)
	s.person(tenant, "known@example.org", queries.UserRoleOWNER)
	b := s.browser()
	for _, path := range []string{"/signup", "/forgot"} {
		known := b.post(path, url.Values{"name": {"Asha"}, "email": {"known@example.org"}})
		unknown := b.post(path, url.Values{"name": {"Asha"}, "email": {"unknown@example.org"}})
		if known.status != unknown.status || known.body != unknown.body || known.header.Get("Location") != unknown.header.Get("Location") {
			t.Errorf("%s tells the two apart", path)
		}
	}
	if got := s.mails("known@example.org"); strings.Join(got, " ") != "known reset" {
		t.Errorf("the known address gets %v", got)
	}
	if got := s.mails("unknown@example.org"); strings.Join(got, " ") != "sign_up" {
		t.Errorf("the unknown address gets %v", got)
	}
	blocked := false
	for range 12 {
		blocked = blocked || b.post("/forgot", url.Values{"email": {"known@example.org"}}).status == http.StatusTooManyRequests
	}
	if !blocked {
		t.Error("requests for links are not slowed down")
	}
}

func TestForgottenPassword(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Saluni", 1)
	s.person(tenant, "zawadi@example.org", queries.UserRoleOWNER)
	elsewhere := s.signedIn("zawadi@example.org")
	b := s.browser()
	b.post("/forgot", url.Values{"email": {"zawadi@example.org"}}).want(t, 303)
	path := s.link(queries.LinkPurposeRESETPASSWORD, "zawadi@example.org")
	b.get(strings.Replace(path, "/reset/", "/invite/", 1)).want(t, http.StatusGone) // a link is for one purpose
	b.post(path, url.Values{"password": {"another long password"}}).want(t, 303)
	elsewhere.get("/portal").want(t, 303) // signed out
	b.get("/portal").want(t, 200)
	b.get(path).want(t, http.StatusGone)
}

func TestChangeOfEmail(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Saluni", 1)
	s.person(tenant, "old@example.org", queries.UserRoleSTAFF)
	s.person(tenant, "taken@example.org", queries.UserRoleOWNER)
	b := s.signedIn("old@example.org")
	b.post("/portal/account/email", url.Values{"email": {"new@example.org"}, "current": {"wrong password"}}, "HX-Request", "true").want(t, 422, "present password")
	b.post("/portal/account/email", url.Values{"email": {"new@example.org"}, "current": {testPassword}}, "HX-Request", "true").want(t, 200)
	taken := b.post("/portal/account/email", url.Values{"email": {"taken@example.org"}, "current": {testPassword}}, "HX-Request", "true")
	taken.want(t, 200) // whose it is is not for them to learn
	if got := s.mails("old@example.org"); strings.Join(got, " ") != "email_changing" {
		t.Errorf("the old address gets %v", got)
	}
	path := s.link(queries.LinkPurposeCHANGEEMAIL, "new@example.org")
	s.browser().get(path).want(t, 200, "new@example.org")
	s.browser().post(path, nil).want(t, 303)
	s.signedIn("new@example.org").get("/portal").want(t, 200)
	if n := s.count("SELECT count(*) FROM users WHERE email = 'old@example.org'"); n != 0 {
		t.Error("the old address still is")
	}
}

func TestDevices(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Saluni", 1)
	s.person(tenant, "zawadi@example.org", queries.UserRoleOWNER)
	s.person(tenant, "staff@example.org", queries.UserRoleSTAFF)
	first, second, other := s.signedIn("zawadi@example.org"), s.signedIn("zawadi@example.org"), s.signedIn("staff@example.org")
	ids := regexp.MustCompile(`action="/portal/account/devices/([0-9a-f-]+)/end"`).FindAllStringSubmatch(first.get("/portal/account").body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d devices are listed", len(ids))
	}
	other.post("/portal/account/devices/"+ids[1][1]+"/end", nil).want(t, 404) // somebody else's
	second.get("/portal").want(t, 200)
	first.post("/portal/account/devices/"+ids[1][1]+"/end", nil, "HX-Request", "true").want(t, 200)
	second.get("/portal").want(t, 303)
	first.get("/portal").want(t, 200)
	if got := deviceName("Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"); got != "Chrome, Android" {
		t.Errorf("a phone is called %q", got)
	}
}

func TestStaffByInvitation(t *testing.T) {
	s := newSite(t, nil)
	tenant, rival := s.tenant("Saluni", 1), s.tenant("Rival", 2)
	s.person(tenant, "zawadi@example.org", queries.UserRoleOWNER)
	s.person(rival, "rival@example.org", queries.UserRoleOWNER)
	stranger := s.person(rival, "rivals-staff@example.org", queries.UserRoleSTAFF)
	b := s.signedIn("zawadi@example.org")
	b.post("/portal/people", url.Values{"name": {"Asha"}, "email": {"asha@example.org"}}, "HX-Request", "true").want(t, 200, "asha@example.org")
	b.post("/portal/people", url.Values{"name": {"Asha"}, "email": {"asha@example.org"}}, "HX-Request", "true").want(t, 422, "already")
	path := s.link(queries.LinkPurposeSETPASSWORD, "asha@example.org")
	staff := s.browser()
	staff.post(path, url.Values{"password": {testPassword}}).want(t, 303)
	staff.get("/portal").want(t, 200)
	staff.get("/portal/people").want(t, 403)
	staff.post("/portal/people", url.Values{"name": {"Eve"}, "email": {"eve@example.org"}}).want(t, 403)
	b.post("/portal/people/"+stranger.String()+"/remove", nil).want(t, 404)
	b.post("/portal/people/"+stranger.String()+"/invite", nil).want(t, 404)
	if n := s.count("SELECT count(*) FROM users WHERE id = $1", stranger); n != 1 {
		t.Error("another business's staff is gone")
	}
	var asha uuid.UUID
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id FROM users WHERE email = 'asha@example.org'").Scan(&asha))
	b.post("/portal/people/"+asha.String()+"/remove", nil, "HX-Request", "true").want(t, 200)
	staff.get("/portal").want(t, 303)
	// Should the check of the person ever be forgotten, the door itself shows nobody of another business.
	must(t, s.server.inTenant(t.Context(), tenant, func(q *queries.Queries) error {
		if rows, err := q.ListColleagues(t.Context(), rival); err != nil || len(rows) != 0 {
			t.Errorf("%d people of another business, %v", len(rows), err)
		}
		if _, err := q.LatestSetupRequest(t.Context(), rival); err == nil {
			t.Error("a request of another business is visible")
		}
		return nil
	}))
}
