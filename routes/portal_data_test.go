package routes

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flowhq/jobs"
	"flowhq/queries"
)

func TestOwnersData(t *testing.T) {
	s := newSite(t, nil)
	mine, other := s.tenant("Neema Salon", 1), s.tenant("Rival", 2)
	s.person(mine, "owner@example.org", queries.UserRoleOWNER)
	s.person(mine, "staff@example.org", queries.UserRoleSTAFF)
	s.person(other, "rival@example.org", queries.UserRoleOWNER)
	s.message(mine, "habari, nataka miadi", queries.MessageDirectionIN, time.Now())
	s.message(other, "the rival's secret", queries.MessageDirectionIN, time.Now())
	s.exec(`INSERT INTO canned_answers (id, tenant_id, title, body) VALUES (gen_random_uuid(), $1, 'Bei', '=1+1')`, mine)
	s.exec(`INSERT INTO contact_notes (id, tenant_id, contact_id, body) SELECT gen_random_uuid(), tenant_id, id, 'anadaiwa' FROM contacts WHERE tenant_id = $1`, mine)
	b := s.signedIn("owner@example.org")

	got := b.get("/portal/data/download")
	got.want(t, http.StatusOK)
	archive, err := zip.NewReader(bytes.NewReader([]byte(got.body)), int64(len(got.body)))
	must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		must(t, err)
		raw, err := io.ReadAll(r)
		must(t, err)
		files[f.Name] = string(raw)
	}
	for name, has := range map[string]string{
		"README.txt": "Neema Salon", "tenants.csv": "Neema Salon", "tenant_configs.csv": "BOOKING", "users.csv": "owner@example.org", "contacts.csv": "255713", "conversations.csv": "id",
		"message_logs.csv": "nataka miadi", "contact_notes.csv": "anadaiwa", "canned_answers.csv": "'=1+1", "bot_settings_versions.csv": "number", "setup_requests.csv": "id", "portal_event_logs.csv": "TENANT_CREATED",
	} {
		if !strings.Contains(files[name], has) {
			t.Errorf("%s lacks %q:\n%.400s", name, has, files[name])
		}
	}
	var hash string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT password_hash FROM users WHERE email = 'owner@example.org'").Scan(&hash))
	for name, text := range files {
		for _, secret := range []string{"secret", "Rival", "rival@", hash, "password_hash", other.String()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}

	// Closing asks for the password, is quiet at once, and can be taken back.
	s.exec(`UPDATE worker_processes SET desired = 'RUNNING', status = 'RUNNING' WHERE tenant_id = $1`, mine)
	s.exec(`UPDATE whatsapp_sessions SET jid = '255712000001:1@s.whatsapp.net' WHERE tenant_id = $1`, mine)
	b.post("/portal/data/close", url.Values{"reason": {"Nimehama"}, "password": {"wrong"}}).want(t, http.StatusUnprocessableEntity, "Nimehama")
	b.post("/portal/data/close", url.Values{"reason": {"Nimehama"}, "password": {testPassword}}).want(t, http.StatusSeeOther)
	b.post("/portal/data/close", url.Values{"password": {testPassword}}).want(t, http.StatusConflict)
	desired := func() (d string) {
		must(t, s.db.System.QueryRow(t.Context(), "SELECT desired::text FROM worker_processes WHERE tenant_id = $1", mine).Scan(&d))
		return d
	}
	if desired() != "STOPPED" {
		t.Errorf("the worker of a closed business is to be %s", desired())
	}
	for _, who := range []*browser{b, s.signedIn("staff@example.org")} {
		if page := who.get("/portal/inbox"); page.status != http.StatusSeeOther || page.header.Get("Location") != "/portal/data" {
			t.Errorf("a closed business's inbox: %d %s", page.status, page.header.Get("Location"))
		}
		who.get("/portal/data").want(t, http.StatusOK, "This account is deleted on")
		who.post("/portal/canned", url.Values{"title": {"a"}, "body": {"b"}}).want(t, http.StatusConflict)
	}
	s.signedIn("staff@example.org").post("/portal/data/keep", nil).want(t, http.StatusForbidden)
	_, err = s.commands.QueueMessage(t.Context(), jobs.OutgoingMessage{TenantID: mine, To: "+255754000001", Text: "x", Source: "API"})
	if err == nil || !strings.Contains(err.Error(), "being closed") {
		t.Errorf("a program's message for a closed business: %v", err)
	}
	_, err = s.commands.StartWorker(t.Context(), mine, jobs.Actor{})
	if err == nil || !strings.Contains(err.Error(), "being closed") {
		t.Errorf("starting a closed business: %v", err)
	}
	admin := s.admin()
	admin.get("/admin/tenants/"+mine.String()).want(t, http.StatusOK, "Its owner closed this business", "Nimehama")
	admin.get("/admin").want(t, http.StatusOK, "Closing their account")
	b.get("/portal/data/download").want(t, http.StatusOK)
	b.post("/portal/data/keep", nil).want(t, http.StatusSeeOther)
	if desired() != "RUNNING" {
		t.Errorf("the worker of a business that stays is to be %s", desired())
	}
	b.get("/portal/inbox").want(t, http.StatusOK)
	b.post("/portal/data/keep", nil).want(t, http.StatusConflict)

	// Two days before the end its owner is reminded, once; at the end everything of it is gone, and nothing of others.
	ends, err := s.commands.CloseTenant(t.Context(), mine, "", time.Now(), jobs.Actor{})
	must(t, err)
	count := func(sql string, args ...any) (n int) {
		must(t, s.db.System.QueryRow(t.Context(), sql, args...).Scan(&n))
		return n
	}
	mails := func(kind string) int {
		return count("SELECT count(*) FROM river_job WHERE kind = 'mail_send' AND args->'mail'->>'kind' = $1", kind)
	}
	for _, step := range []struct {
		at            time.Time
		told, tenants int
	}{{time.Now(), 0, 2}, {ends.Add(-49 * time.Hour), 0, 2}, {ends.Add(-47 * time.Hour), 1, 2}, {ends.Add(-time.Minute), 1, 2}, {ends.Add(time.Minute), 1, 1}, {ends.Add(time.Hour), 1, 1}} {
		must(t, s.commands.EndClosed(t.Context(), step.at, jobs.Actor{}))
		if told, tenants := mails("closing_soon"), count("SELECT count(*) FROM tenants"); told != step.told || tenants != step.tenants {
			t.Errorf("%s before the end: %d reminders and %d tenants, want %d and %d", ends.Sub(step.at), told, tenants, step.told, step.tenants)
		}
	}
	if n := mails("closing"); n != 2 {
		t.Errorf("%d mails about closing, want 2", n)
	}
	if left := count("SELECT (SELECT count(*) FROM users WHERE tenant_id = $1) + (SELECT count(*) FROM message_logs WHERE tenant_id = $1) + (SELECT count(*) FROM contacts WHERE tenant_id = $1)", mine); left != 0 {
		t.Errorf("%d records of a deleted business are left", left)
	}
	if n := count("SELECT count(*) FROM message_logs WHERE tenant_id = $1", other); n != 1 {
		t.Errorf("another business has %d messages, want 1", n)
	}
}
