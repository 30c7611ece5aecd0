package routes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// entry is one line of the audit log.
type entry struct {
	Kind, Name, IP, Request, Action, Table, Key, Title, Changed string
	ActorID, Tenant                                             *uuid.UUID
	Before, After                                               map[string]any
}

// entries are those since the last call.
func (s *site) entries() []entry {
	s.t.Helper()
	rows, err := s.db.System.Query(context.Background(), `SELECT actor_kind::text, actor_name, coalesce(ip, ''), coalesce(request_id, ''), action::text,
		table_name, record_key, record_title, changed, actor_id, tenant_id, before, after FROM audit_log ORDER BY created_at OFFSET $1`, s.seen)
	must(s.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	must(s.t, err)
	s.seen += len(list)
	return list
}

// one is the only entry since the last call.
func (s *site) one(action, table string) entry {
	s.t.Helper()
	list := s.entries()
	if len(list) != 1 || list[0].Action != action || list[0].Table != table {
		s.t.Fatalf("entries %+v, want one %s of %s", list, action, table)
	}
	return list[0]
}

func TestAuditLogNamesWhoAndWhat(t *testing.T) {
	s := newDataSite(t)
	b, admin := s.fork("admin@example.org"), s.userID("admin@example.org")
	s.entries()

	b.post("/admin/tenants/"+s.neema.String()+"/config", url.Values{"business_name": {"Neema & Daughters"}, "template_type": {"BOOKING"}, "language": {"SW"}}).want(t, 303)
	e := s.one("CHANGE", "tenant_configs")
	if e.Kind != "ADMIN" || e.Name != "admin" || e.ActorID == nil || *e.ActorID != admin || e.IP != "127.0.0.1" || len(e.Request) != 12 {
		t.Errorf("an admin's entry names %+v", e)
	}
	if e.Changed != "business_name, language" || e.Before["business_name"] != "Neema Salon" || e.After["business_name"] != "Neema & Daughters" || *e.Tenant != s.neema {
		t.Errorf("an admin's entry says %+v", e)
	}
	b.post("/admin/tenants/"+s.neema.String()+"/config", url.Values{"business_name": {"Neema & Daughters"}, "template_type": {"BOOKING"}, "language": {"SW"}}).want(t, 303)
	if list := s.entries(); len(list) > 0 {
		t.Errorf("a change of nothing is an entry: %+v", list)
	}

	b.post("/admin/tenants/"+s.duka.String()+"/worker/start", nil).want(t, 303)
	if e := s.one("START", "tenants"); e.Key != s.duka.String() || e.Title != "Duka la Juma" || e.Before["worker"] != "STOPPED" || e.After["worker"] != "RUNNING" || e.Kind != "ADMIN" {
		t.Errorf("a start is noted as %+v", e)
	}
	b.post("/admin/tenants/"+s.duka.String()+"/worker/restart", nil).want(t, 303)
	s.one("RESTART", "tenants")
	b.post("/admin/tenants/"+s.duka.String()+"/pair-code", url.Values{"phone": {"+255712000002"}}).want(t, 303)
	s.one("PAIR_CODE", "tenants")
	b.post("/admin/tenants/"+s.duka.String()+"/worker/stop", nil).want(t, 303)
	s.one("STOP", "tenants")

	contact := "/admin/data/contacts/record/" + s.contact.String()
	version := s.version(b, contact)
	b.post(contact, url.Values{"version": {version}, "name": {"Asha M."}, "phone_number": {"+255713000000"}}, "HX-Request", "true").want(t, 200)
	if e := s.one("CHANGE", "contacts"); e.Changed != "name" || e.Before["name"] != "Asha Mushi" || e.After["name"] != "Asha M." {
		t.Errorf("a contact's change is noted as %+v", e)
	}

	// Tables that no trigger watches, changed by hand.
	var message string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id FROM message_logs LIMIT 1").Scan(&message))
	b.post("/admin/data/message_logs/record/"+message+"/delete", nil, "HX-Request", "true").want(t, 204)
	if e := s.one("DELETE", "message_logs"); e.Before["id"] != message || e.Tenant == nil {
		t.Errorf("a message's deletion is noted as %+v", e)
	}
	conversation := "/admin/data/conversations/record/" + s.contact.String()
	b.post(conversation, url.Values{"version": {s.version(b, conversation)}, "state_json": {`{"step": "x"}`}}, "HX-Request", "true").want(t, 200)
	if e := s.one("CHANGE", "conversations"); !strings.Contains(e.Changed, "state_json") || fmt.Sprint(e.After["state_json"]) != "map[step:x]" {
		t.Errorf("a conversation's change is noted as %+v", e)
	}

	// What goes with a tenant is no entry of its own.
	b.post("/admin/tenants/"+s.duka.String()+"/delete", url.Values{"confirm": {"Duka la Juma"}}).want(t, 303)
	if e := s.one("DELETE", "tenants"); e.Before["name"] != "Duka la Juma" || e.After != nil || *e.Tenant != s.duka {
		t.Errorf("a tenant's deletion is noted as %+v", e)
	}

	// Programs, owners, commands, jobs.
	key, err := CreateAPIKey(t.Context(), s.db, "sync", nil)
	must(t, err)
	if e := s.one("CREATE", "api_keys"); e.Kind != "COMMAND" || e.Name != "flowhq apikey create" || e.After["label"] != "sync" {
		t.Errorf("a command's entry is %+v", e)
	}
	res := s.browser().raw("PATCH", "/api/v1/tenants/"+s.neema.String(), `{"name": "Neema"}`, "Authorization", "Bearer "+key, "Content-Type", "application/json")
	res.want(t, 200)
	if e := s.one("CHANGE", "tenants"); e.Kind != "API_KEY" || e.Name != "API key sync" || e.ActorID == nil || e.IP != "127.0.0.1" || e.Changed != "name" {
		t.Errorf("a program's entry is %+v", e)
	}
	s.fork("owner@example.org").post("/portal/worker/start", nil).want(t, 303)
	if e := s.one("START", "tenants"); e.Kind != "OWNER" || e.Name != "Person of owner@example.org" {
		t.Errorf("an owner's entry is %+v", e)
	}
	s.fork("owner@example.org").post("/portal/people", url.Values{"name": {"Baraka"}, "email": {"baraka@example.org"}}).want(t, 303)
	list := s.entries()
	if len(list) != 2 || list[0].Table != "users" || list[1].Table != "one_time_links" || list[0].Kind != "OWNER" || list[1].Kind != "OWNER" || *list[0].Tenant != s.neema {
		t.Errorf("an owner's invitation is noted as %+v", list)
	}
	b.post("/admin/links/"+list[1].Key+"/show", nil).want(t, 200)
	if e := s.one("SHOW", "one_time_links"); e.Title != "baraka@example.org" || e.Kind != "ADMIN" {
		t.Errorf("a link that is shown is noted as %+v", e)
	}
	must(t, jobs.Actor{Kind: queries.ActorKindJOB, Name: "cleanup", Request: "job 7"}.InTx(t.Context(), s.db.System, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE tenants SET name = 'By a job' WHERE id = $1", s.neema)
		return err
	}))
	if e := s.one("CHANGE", "tenants"); e.Kind != "JOB" || e.Name != "cleanup" || e.Request != "job 7" {
		t.Errorf("a job's entry is %+v", e)
	}
	s.exec("UPDATE tenants SET name = 'By hand' WHERE id = $1", s.neema)
	if e := s.one("CHANGE", "tenants"); e.Kind != "SYSTEM" || e.Name != "" {
		t.Errorf("an entry without an actor is %+v", e)
	}
	// What machines write is none, and the actor ends with its transaction.
	s.exec("UPDATE tenants SET status = 'ACTIVE', updated_at = now()")
	s.exec("UPDATE contacts SET name = 'From WhatsApp'")
	s.exec("UPDATE api_keys SET last_used_at = now()")
	must(t, jobs.Actor{}.InTx(t.Context(), s.db.System, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE contacts SET name = 'Again'")
		return err
	}))
	if list := s.entries(); len(list) > 0 {
		t.Errorf("machines' changes are entries: %+v", list)
	}
}

// What changes something says who it was: in routes and jobs a transaction begins in one place only.
func TestTransactionsNameTheirActor(t *testing.T) {
	files, err := filepath.Glob("../[rj]o*s/*.go")
	must(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		must(t, err)
		if strings.HasSuffix(file, "_test.go") || slices.Contains([]string{"actor.go", "message_count.go"}, filepath.Base(file)) { // that one counts, and changes nothing of people's
			continue
		}
		text := strings.NewReplacer("pgx.BeginFunc(ctx, b.tx, ", "", "pgx.BeginFunc(ctx, c.tx, ", "").Replace(string(raw)) // a savepoint in one that has its actor
		if strings.Contains(text, "pgx.Begin") || strings.Contains(text, ".Begin(") {
			t.Errorf("%s begins a transaction by itself: use s.change or Actor.InTx", file)
		}
	}
	if len(files) < 50 {
		t.Errorf("%d files", len(files))
	}
}

// A name with anything in it reaches the log as it is, and nothing else of the database.
func TestAuditLogTakesAnyName(t *testing.T) {
	s := newSite(t, nil)
	id := s.tenant("Neema Salon", 1)
	for _, name := range []string{`'; DROP TABLE audit_log; --`, `\'`, "Zoë 😀", strings.Repeat("x", 5000), "a\nb"} {
		s.entries()
		must(t, jobs.Actor{Kind: queries.ActorKindADMIN, Name: name, IP: name}.InTx(t.Context(), s.db.System, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE tenants SET name = name || '.' WHERE id = $1", id)
			return err
		}))
		if e := s.one("CHANGE", "tenants"); e.Name != name || e.IP != name {
			t.Errorf("%q is noted as %q, %q", name, e.Name, e.IP)
		}
	}
}

func TestAuditLogHoldsNoSecrets(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	tenant := s.tenant("Neema Salon", 1)
	b.post("/admin/tenants/"+tenant.String()+"/people", url.Values{"name": {"Neema"}, "email": {"neema@example.org"}, "role": {"OWNER"}}).want(t, 200)
	b.post("/admin/keys", url.Values{"label": {"sync"}}).want(t, 200)
	b.post("/admin/account/password", url.Values{"current": {testPassword}, "password": {testPassword + "2"}}).want(t, 303)
	b.post("/logout", nil).want(t, 303)
	var all string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT string_agg(a::text, ' ') FROM audit_log a").Scan(&all))
	for _, secret := range []string{"argon2", `\\x`, "fhq_", testPassword} {
		if strings.Contains(all, secret) {
			t.Errorf("the audit log holds %q: %s", secret, all)
		}
	}
	if n := s.count("SELECT count(*) FROM audit_log WHERE changed = 'password_hash' AND before ->> 'password_hash' = '(secret)' AND actor_kind = 'ADMIN'"); n != 1 {
		t.Errorf("%d entries say that a password changed, want 1", n)
	}
	rows, err := s.db.System.Query(t.Context(), "SELECT encode(key_hash, 'hex') FROM api_keys UNION ALL SELECT encode(token_hash, 'hex') FROM one_time_links")
	must(t, err)
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	for _, h := range hashes {
		if strings.Contains(all, h) {
			t.Error("the audit log holds the hash of a key or a link")
		}
	}
	if len(hashes) < 2 {
		t.Errorf("%d hashes to look for", len(hashes))
	}
}

func TestAuditLogIsNeverChanged(t *testing.T) {
	s := newDataSite(t)
	before := s.count("SELECT count(*) FROM audit_log")
	for _, sql := range []string{"UPDATE audit_log SET actor_name = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log", "UPDATE audit_log SET ip = NULL WHERE false"} {
		if _, err := s.db.System.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s went through", sql)
		}
	}
	if n := s.count("SELECT count(*) FROM audit_log"); n != before || n == 0 {
		t.Errorf("%d entries, %d before", n, before)
	}
	var id string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id FROM audit_log LIMIT 1").Scan(&id))
	b := s.fork("admin@example.org")
	b.post("/admin/data/audit_log/record/"+id, url.Values{"actor_name": {"nobody"}}, "HX-Request", "true").want(t, http.StatusMethodNotAllowed)
	b.post("/admin/data/audit_log/record/"+id+"/delete", nil, "HX-Request", "true").want(t, http.StatusMethodNotAllowed)
	b.get("/admin/data/audit_log/new", "HX-Request", "true").want(t, http.StatusNotFound)
	// Ids sort by time.
	if n := s.count("SELECT count(*) FROM audit_log WHERE substring(id::text, 15, 1) <> '7'"); n > 0 {
		t.Errorf("%d ids are not of version 7", n)
	}
	var at uuid.UUID
	must(t, s.db.System.QueryRow(t.Context(), "SELECT time_ordered_id()").Scan(&at))
	sec, nsec := at.Time().UnixTime()
	if off := time.Since(time.Unix(sec, nsec)); at.Version() != 7 || off > time.Minute || off < -time.Minute {
		t.Errorf("%s is of version %d and %s old", at, at.Version(), off)
	}
}

func TestAuditLogInTheAdmin(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	b.post("/admin/tenants/"+s.neema.String()+"/config", url.Values{"business_name": {"Neema <b>"}, "template_type": {"BOOKING"}, "language": {"EN"}}).want(t, 303)
	var id, config string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id, record_key FROM audit_log WHERE table_name = 'tenant_configs' AND action = 'CHANGE'").Scan(&id, &config))
	log := "/admin/data/audit_log"
	s.run(t, b, []dataScenario{
		{name: "the list", path: log, status: 200, has: []string{"Audit log", "Bot setting", "Change", "business_name"}, lacks: []string{"New change"}},
		{name: "by actor", path: log + q(`actor_kind = "OWNER"`), status: 200, has: []string{"Nothing matches"}},
		{name: "by name, table and time", path: log + q(`actor_name = "admin" && table_name = "tenant_configs" && created_at > @now-1h`), status: 200, has: []string{"business_name"}},
		{name: "one change", path: log + "/record/" + id, htmx: true, status: 200, has: []string{"Neema Salon", "Neema &lt;b&gt;", `class="changed"`, "127.0.0.1", "Business name", "/admin/data/tenant_configs?open=" + config},
			lacks: []string{"Save", "Delete…", "Duplicate"}},
		{name: "a record leads to its history", path: "/admin/data/tenant_configs/record/" + config, htmx: true, status: 200, has: []string{"audit_log?q=table_name", "%22" + config + "%22"}},
		{name: "a tenant's page, too", path: "/admin/tenants/" + s.neema.String(), status: 200, has: []string{"audit_log?q=tenant_id", "%22" + s.neema.String() + "%22"}},
		{name: "a tenant's history", path: historyPath(t, b, "/admin/tenants/"+s.neema.String()), status: 200, has: []string{"Neema Salon", "Bot setting"}, lacks: []string{"Duka"}},
	})
}

// historyPath follows a page's link to the history.
func historyPath(t *testing.T, b *browser, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(b.get(page).body, `href="/admin/data/audit_log?q=`)
	if !ok {
		t.Fatalf("%s has no link to its history", page)
	}
	query, _, _ := strings.Cut(rest, `"`)
	return "/admin/data/audit_log?q=" + strings.ReplaceAll(query, "&#43;", "+")
}

// Somebody who pauses or cancels jobs is named, too, and only who may can.
func TestJobsDashboardIsNoted(t *testing.T) {
	s := newDataSite(t)
	s.colleague("support")
	s.exec("INSERT INTO river_queue (name, created_at, updated_at) VALUES ('default', now(), now())")
	s.entries()
	const pause = "/admin/jobs/api/queues/default/pause"
	headers := []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json", "Accept", "application/json"}
	refused := s.fork("support@example.org").raw("PUT", pause, "{}", headers...)
	refused.want(t, http.StatusForbidden, "may not change jobs")
	if n := s.count("SELECT count(*) FROM river_queue WHERE paused_at IS NOT NULL"); n != 0 {
		t.Error("support paused a queue")
	}
	s.fork("admin@example.org").raw("PUT", pause, "{}", headers...).want(t, 200)
	if e := s.one("JOBS", "river_job"); e.Key != "PUT queues/default/pause" || e.Kind != "ADMIN" {
		t.Errorf("a paused queue is noted as %+v", e)
	}
	if n := s.count("SELECT count(*) FROM river_queue WHERE paused_at IS NOT NULL"); n != 1 {
		t.Error("the admin did not pause the queue")
	}
}

func (s *site) userID(email string) uuid.UUID {
	s.t.Helper()
	u, err := s.q.GetUserByEmail(context.Background(), email)
	must(s.t, err)
	return u.ID
}

// version is what a record's form sends along.
func (s *site) version(b *browser, path string) string {
	s.t.Helper()
	got := b.get(path, "HX-Request", "true")
	got.want(s.t, 200)
	_, rest, _ := strings.Cut(got.body, `name="version" value="`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

// raw sends a body as it is.
func (b *browser) raw(method, path, body string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	must(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(r)
	must(b.t, err)
	defer res.Body.Close()
	var raw json.RawMessage
	_ = json.NewDecoder(res.Body).Decode(&raw)
	return answer{res.StatusCode, res.Header, string(raw)}
}
