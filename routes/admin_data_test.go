package routes

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"flowhq/queries"
)

// dataSite has two businesses with a few customers and messages, and somebody of every role.
type dataSite struct {
	*site
	neema, duka uuid.UUID
	contact     uuid.UUID // Asha, of Neema
}

func newDataSite(t *testing.T) dataSite {
	t.Helper()
	s := dataSite{site: newSite(t, nil)}
	s.neema, s.duka = s.tenant("Neema Salon", 1), s.tenant("Duka la Juma", 2)
	s.person(s.neema, "owner@example.org", queries.UserRoleOWNER)
	s.person(s.neema, "staff@example.org", queries.UserRoleSTAFF)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	for i, name := range []string{"Asha Mushi", "Hassan <script>", ""} {
		id := newID()
		if i == 0 {
			s.contact = id
		}
		s.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, $3, $4)", id, s.neema, name, fmt.Sprintf("+2557130000%02d", i))
		s.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", id, s.neema)
		for n := range 3 {
			s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, created_at)
				VALUES ($1, $2, $3, 'IN', '+255713000000', '+255712000001', $4, $5, 'RECEIVED', now() - $6 * interval '1 hour')`,
				newID(), s.neema, id, fmt.Sprintf("Habari %d, bei ya nywele? <b>", n), fmt.Sprintf("W%d-%d", i, n), i*3+n)
		}
	}
	return s
}

// dataScenario is one request and what its answer must be like.
type dataScenario struct {
	name, method, path string
	form               url.Values
	htmx               bool
	status             int
	has, lacks         []string
	sql                string // gives a number …
	want               int    // … which must be this afterwards
}

func (s dataSite) run(t *testing.T, b *browser, list []dataScenario) {
	t.Helper()
	for _, c := range list {
		var headers []string
		if c.htmx {
			headers = []string{"HX-Request", "true"}
		}
		var got answer
		if c.method == "POST" {
			got = b.post(c.path, c.form, headers...)
		} else {
			got = b.get(c.path, headers...)
		}
		if got.status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.name, got.status, c.status, excerpt(got.body))
			continue
		}
		for _, part := range c.has {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s: the answer lacks %q: %s", c.name, part, excerpt(got.body))
			}
		}
		for _, part := range c.lacks {
			if strings.Contains(got.body, part) {
				t.Errorf("%s: the answer has %q", c.name, part)
			}
		}
		if c.sql != "" {
			if n := s.count(c.sql); n != c.want {
				t.Errorf("%s: %s gives %d, want %d", c.name, c.sql, n, c.want)
			}
		}
	}
}

func q(filter string) string { return "?q=" + url.QueryEscape(filter) }

func TestDataLists(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	messages := "/admin/data/message_logs"
	s.run(t, b, []dataScenario{
		{name: "a page", path: messages, status: 200, has: []string{"<h1", "Messages", "Neema Salon", "Habari 0", "&lt;b&gt;", `hx-get="/admin/data/message_logs/count"`, "/stream?"}, lacks: []string{"<b>?", "Load more"}},
		{name: "only the list for htmx", path: messages, htmx: true, status: 200, has: []string{`<div id="list"`}, lacks: []string{"<html"}},
		{name: "a word", path: messages + q("NYWELE"), status: 200, has: []string{"Habari 0"}},
		{name: "a word that nobody wrote", path: messages + q("gari"), status: 200, has: []string{"Nothing matches", "gari"}, lacks: []string{"Habari 0"}},
		{name: "a filter", path: messages + q(`direction = "IN" && created_at > @now-1h`), status: 200, has: []string{"Habari 0"}, lacks: []string{"Habari 1"}},
		{name: "over a relation", path: messages + q(`tenant.name ~ "salon"`), status: 200, has: []string{"Habari 0"}},
		{name: "over another relation", path: messages + q(`tenant.name ~ "duka"`), status: 200, has: []string{"Nothing matches"}},
		{name: "a column that is not there", path: messages + q(`staus = "IN"`), status: 422, has: []string{"Did you mean status?", "<mark>staus</mark>"}, lacks: []string{`id="list-count"`}},
		{name: "a secret column", path: "/admin/data/users" + q(`password_hash ~ "argon"`), status: 422, has: []string{"no column"}},
		{name: "a hostile filter", path: messages + q(`'; DROP TABLE tenants; --`), status: 200, sql: "SELECT count(*) FROM tenants", want: 2},
		{name: "an unknown order falls back", path: messages + "?sort=message_text%3BDROP", status: 200, has: []string{"Habari 0"}},
		{name: "an unknown place", path: messages + "?cursor=nonsense", htmx: true, status: 422},
		{name: "an unknown table", path: "/admin/data/pg_user", status: 404},
		{name: "a table of another maker", path: "/admin/data/river_job", status: 404},
		{name: "the count", path: messages + "/count", htmx: true, status: 200, has: []string{"9 messages"}},
		{name: "the count of a filter", path: messages + "/count" + q(`tenant.name = "Duka la Juma"`), htmx: true, status: 200, has: []string{"0 messages"}},
		{name: "the count of a broken filter", path: messages + "/count" + q(`x = 1`), htmx: true, status: 200},
		{name: "the order by another column", path: "/admin/data/contacts?sort=name", status: 200, has: []string{`aria-sort="ascending"`, "Hassan &lt;script&gt;"}},
		{name: "secrets are not shown", path: "/admin/data/users", status: 200, has: []string{"owner@example.org"}, lacks: []string{"argon2", "password_hash"}},
		{name: "nor the sessions' tokens", path: "/admin/data/user_sessions", status: 200, lacks: []string{"token_hash", `\x`}},
		{name: "a record's address opens the drawer", path: "/admin/data/contacts?open=" + s.contact.String(), status: 200, has: []string{"data-open-now", `value="Asha Mushi"`}},
		{name: "a record that is gone", path: "/admin/data/contacts?open=" + uuid.NewString(), status: 200, has: []string{"does not exist any more"}},
	})
	for _, table := range s.server.registry.Tables() {
		if got := b.get("/admin/data/" + table.Name); got.status != 200 {
			t.Errorf("%s: status %d: %s", table.Name, got.status, excerpt(got.body))
		}
	}
}

// However a list is ordered, "Load more" shows every row once.
func TestListsShowEveryRowOnce(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	const n = 2*listSize + 7
	for i := range n {
		var name any = fmt.Sprintf("Customer %d", i%5) // many equals, and some without a value
		if i%4 == 0 {
			name = nil
		}
		s.exec("INSERT INTO contacts (id, tenant_id, name, phone_number, created_at) VALUES ($1, $2, $3, $4, date_trunc('day', now()))", newID(), s.duka, name, fmt.Sprintf("+25571400%04d", i))
	}
	ids, more := regexp.MustCompile(`<tr id="row-([^"]+)"`), regexp.MustCompile(`hx-get="([^"]*cursor=[^"]*)"`)
	for _, sort := range []string{"", "name", "-name", "created_at", "-created_at", "phone_number", "-tenant_id"} {
		seen, address := map[string]int{}, "/admin/data/contacts?"+url.Values{"sort": {sort}, "q": {`tenant.name ~ "duka"`}}.Encode()
		for pages := 0; address != "" && pages < 10; pages++ {
			got := b.get(address, "HX-Request", "true")
			got.want(t, 200)
			for _, m := range ids.FindAllStringSubmatch(got.body, -1) {
				seen[m[1]]++
			}
			address = ""
			if m := more.FindStringSubmatch(got.body); m != nil {
				address = html.UnescapeString(m[1])
			}
		}
		if len(seen) != n {
			t.Errorf("order %q: %d of %d rows", sort, len(seen), n)
		}
		for id, times := range seen {
			if times > 1 {
				t.Errorf("order %q: %s is shown %d times", sort, id, times)
			}
		}
	}
}

func TestColumnsViewsAndPinsAreRemembered(t *testing.T) {
	s := newDataSite(t)
	must(t, UpsertAdmin(t.Context(), s.db, "other@example.org", testPassword))
	b, other := s.fork("admin@example.org"), s.fork("other@example.org")
	contacts := "/admin/data/contacts"
	b.post(contacts+"/columns", url.Values{"column": {"name", "lid", "password_hash"}, "back": {contacts + "?q=asha"}}).want(t, 303)
	page := b.get(contacts)
	page.want(t, 200, `id="sort-lid"`)
	if strings.Contains(page.body, `id="sort-phone_number"`) {
		t.Error("a column that was switched off is shown")
	}
	if got := other.get(contacts); strings.Contains(got.body, `id="sort-lid"`) {
		t.Error("one admin's columns show for another")
	}
	b.post(contacts+"/columns", url.Values{}).want(t, 422)
	if got := b.post(contacts+"/columns", url.Values{"column": {"name"}, "back": {"https://evil.example/"}}); got.header.Get("Location") != contacts {
		t.Errorf("leads to %q", got.header.Get("Location"))
	}

	b.post(contacts+"/views", url.Values{"name": {"Ashas"}, "q": {`name ~ "asha"`}, "sort": {"name"}}, "HX-Request", "true").want(t, 200)
	page = b.get(contacts + "?" + url.Values{"q": {`name ~ "asha"`}, "sort": {"name"}}.Encode())
	page.want(t, 200, "Ashas", `aria-current="true"`)
	if got := other.get(contacts); strings.Contains(got.body, "Ashas") {
		t.Error("one admin's view shows for another")
	}
	b.post(contacts+"/views", url.Values{"name": {""}}).want(t, 422)
	b.post(contacts+"/views", url.Values{"name": {"Broken"}, "q": {"x = 1"}}).want(t, 422)
	id := regexp.MustCompile(`/admin/views/([0-9a-f-]+)/delete`).FindStringSubmatch(page.body)
	if id == nil {
		t.Fatal("the view cannot be forgotten")
	}
	other.post("/admin/views/"+id[1]+"/delete", nil).want(t, 404)
	b.post("/admin/views/"+id[1]+"/delete", nil).want(t, 303)
	if n := s.count("SELECT count(*) FROM saved_views"); n != 0 {
		t.Errorf("%d views are left", n)
	}

	got := b.post("/admin/pins/contacts", url.Values{"current": {"users"}}, "HX-Request", "true")
	got.want(t, 200, `<div id="side-lists"`, `aria-label="Unpin Contacts"`)
	if !strings.Contains(b.get("/admin/account").body, `aria-label="Unpin Contacts"`) {
		t.Error("the pin is forgotten")
	}
	if strings.Contains(other.get("/admin/account").body, `aria-label="Unpin Contacts"`) {
		t.Error("one admin's pin shows for another")
	}
	b.post("/admin/pins/contacts", nil, "HX-Request", "true").want(t, 200, `aria-label="Pin Contacts"`)
	b.post("/admin/pins/pg_user", nil, "HX-Request", "true").want(t, 404)
}

func TestRecords(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	contact := "/admin/data/contacts/record/" + s.contact.String()
	version := regexp.MustCompile(`name="version" value="([0-9a-f]+)"`)
	open := func(path string) string {
		t.Helper()
		got := b.get(path, "HX-Request", "true")
		got.want(t, 200)
		return version.FindStringSubmatch(got.body)[1]
	}
	v := open(contact)
	form := func(pairs ...string) url.Values {
		values := url.Values{"version": {v}, "name": {"Asha Mushi"}, "phone_number": {"+255713000000"}}
		for i := 0; i+1 < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values
	}
	s.run(t, b, []dataScenario{
		{name: "open", path: contact, htmx: true, status: 200, has: []string{`id="record-body"`, `value="Asha Mushi"`, "Neema Salon", "/record/" + s.contact.String() + "/delete"}},
		{name: "open without a script", path: contact, status: 303},
		{name: "what is wrong is said, what was typed stays", method: "POST", path: contact, htmx: true, form: form("phone_number", "12 typed", "name", "Kept <i>"), status: 422,
			has: []string{`value="12 typed"`, `value="Kept &lt;i&gt;"`, `aria-invalid="true"`, "has no letters"}, sql: "SELECT count(*) FROM contacts WHERE name = 'Asha Mushi'", want: 1},
		{name: "a number that another contact has", method: "POST", path: contact, htmx: true, form: form("phone_number", "0713 000 001"), status: 422, has: []string{"Another contact has this already."}},
		{name: "what must be there", method: "POST", path: contact, htmx: true, form: form("phone_number", ""), status: 422, has: []string{"do not go together"}},
		{name: "a control character", method: "POST", path: contact, htmx: true, form: form("name", "a\x00b"), status: 422, has: []string{"control character"}},
		{name: "what nobody edits is not taken", method: "POST", path: contact, htmx: true, form: form("lid", "stolen", "tenant_id", s.duka.String()), status: 200,
			sql: "SELECT count(*) FROM contacts WHERE lid = 'stolen' OR tenant_id = '" + s.duka.String() + "'", want: 0},
		{name: "save", method: "POST", path: contact, htmx: true, form: form("name", "Asha M.", "phone_number", "0713 000 099"), status: 200, has: []string{"Saved", `value="Asha M."`},
			sql: "SELECT count(*) FROM contacts WHERE name = 'Asha M.' AND phone_number = '+255713000099' AND updated_at > created_at", want: 1},
		{name: "somebody else saved meanwhile", method: "POST", path: contact, htmx: true, form: form("name", "Overwritten"), status: 422,
			has: []string{"Somebody changed this meanwhile", "Asha M.", `value="Overwritten"`}, sql: "SELECT count(*) FROM contacts WHERE name = 'Overwritten'", want: 0},
		{name: "a field that is cleared", method: "POST", path: contact, htmx: true, form: form("version", open(contact), "name", "", "phone_number", "+255713000099"), status: 422},
	})
	s.run(t, b, []dataScenario{
		{name: "save over it knowingly", method: "POST", path: contact, htmx: true, form: form("version", open(contact), "name", "Mine"), status: 200, sql: "SELECT count(*) FROM contacts WHERE name = 'Mine'", want: 1},
		{name: "JSON", path: contact + "/json", status: 200, has: []string{`"name":"Mine"`, `"lid":null`}},
		{name: "a row anew", path: "/admin/data/contacts/row/" + s.contact.String(), htmx: true, status: 200, has: []string{`<tr id="row-` + s.contact.String()}},
		{name: "a duplicate is filled in", path: "/admin/data/contacts/new?from=" + s.contact.String(), htmx: true, status: 200, has: []string{`value="Mine"`, `value="` + s.neema.String() + `"`, "New contact"}},
		{name: "a new one without its tenant", method: "POST", path: "/admin/data/contacts", htmx: true, form: url.Values{"tenant_id": {""}, "name": {"New"}, "phone_number": {"+255713000050"}}, status: 422, has: []string{"Please fill this in."}},
		{name: "a tenant that is not there", method: "POST", path: "/admin/data/contacts", htmx: true, form: url.Values{"tenant_id": {uuid.NewString()}, "phone_number": {"+255713000050"}}, status: 422, has: []string{"does not exist any more"}},
		{name: "a new one", method: "POST", path: "/admin/data/contacts", htmx: true, form: url.Values{"tenant_id": {s.duka.String()}, "name": {"New"}, "phone_number": {"0713 000 050"}}, status: 204,
			sql: "SELECT count(*) FROM contacts WHERE name = 'New' AND phone_number = '+255713000050'", want: 1},
		{name: "the picker", path: "/admin/data/tenants/pick?pick=neema", htmx: true, status: 200, has: []string{s.neema.String(), "Neema Salon"}, lacks: []string{"Duka"}},
		{name: "what goes with it", path: contact + "/delete", htmx: true, status: 200, has: []string{"1 conversation", "3 messages"}},
		{name: "delete", method: "POST", path: contact + "/delete", htmx: true, status: 204, sql: "SELECT count(*) FROM message_logs", want: 6},
		{name: "delete again", method: "POST", path: contact + "/delete", htmx: true, status: 404},
		{name: "messages are not edited", method: "POST", path: "/admin/data/message_logs/record/" + uuid.NewString(), htmx: true, status: 404},
		{name: "tables without new records", path: "/admin/data/nodes/new", htmx: true, status: 404},
		{name: "tables without deletion", method: "POST", path: "/admin/data/nodes/record/" + uuid.NewString() + "/delete", htmx: true, status: 405},
		{name: "a key that is none", path: "/admin/data/contacts/record/%27%20OR%201=1", htmx: true, status: 404},
	})
}

// Where a table has rules, a record obeys them: tenants and their settings change by command, with an event.
func TestRecordsObeyTheirRules(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	config := s.id("SELECT id FROM tenant_configs WHERE tenant_id = $1", s.neema)
	path := "/admin/data/tenant_configs/record/" + config
	version := regexp.MustCompile(`name="version" value="([0-9a-f]+)"`).FindStringSubmatch(b.get(path, "HX-Request", "true").body)[1]
	form := func(hours, replies string) url.Values {
		return url.Values{"version": {version}, "business_name": {"Neema"}, "template_type": {"SUPPORT"}, "language": {"EN"}, "hours_json": {hours}, "replies_per_minute": {replies}}
	}
	me := s.id("SELECT id FROM users WHERE email = 'admin@example.org'")
	owner := s.id("SELECT id FROM users WHERE email = 'owner@example.org'")
	s.run(t, b, []dataScenario{
		{name: "hours that are no JSON", method: "POST", path: path, htmx: true, form: form("{\n\"mon\"", ""), status: 422, has: []string{"not valid JSON: look at line 2"}},
		{name: "hours that the bot does not understand", method: "POST", path: path, htmx: true, form: form(`{"someday": 1}`, ""), status: 422, has: []string{"{&#34;someday&#34;: 1}"}},
		{name: "replies out of range", method: "POST", path: path, htmx: true, form: form("", "10001"), status: 422, has: []string{"Choose a number from 0"}},
		{name: "save", method: "POST", path: path, htmx: true, form: form("", "5"), status: 200, sql: "SELECT count(*) FROM portal_event_logs WHERE event_type = 'TENANT_CHANGED'", want: 1},
		{name: "saved", path: path, htmx: true, status: 200, sql: "SELECT replies_per_minute FROM tenant_configs WHERE business_name = 'Neema'", want: 5},
		{name: "an old version", method: "POST", path: path, htmx: true, form: form("", "6"), status: 422, has: []string{"Somebody changed this meanwhile"}},
		{name: "an address that is none", method: "POST", path: "/admin/data/users/record/" + owner, htmx: true, form: url.Values{"name": {"Owner"}, "email": {"nobody"}}, status: 422, has: []string{"not an e-mail address"}},
		{name: "one's own account", method: "POST", path: "/admin/data/users/record/" + me + "/delete", htmx: true, status: 409, has: []string{"your own account"}},
		{name: "an owner", method: "POST", path: "/admin/data/users/record/" + owner + "/delete", htmx: true, status: 204, sql: "SELECT count(*) FROM portal_event_logs WHERE event_type = 'PERSON_REMOVED'", want: 1},
		{name: "a tenant", method: "POST", path: "/admin/data/tenants/record/" + s.duka.String() + "/delete", htmx: true, status: 204, sql: "SELECT count(*) FROM river_job WHERE kind = 'tenant_forget'", want: 1},
	})
}

// id runs a query that gives one id.
func (s *site) id(sql string, args ...any) (id string) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(context.Background(), strings.Replace(sql, "SELECT id", "SELECT id::text", 1), args...).Scan(&id))
	return id
}

// A sign-in is listed under a name of its own and ends when it is deleted.
func TestSignInsCanBeEnded(t *testing.T) {
	s := newDataSite(t)
	b, owner := s.fork("admin@example.org"), s.fork("owner@example.org")
	owner.get("/portal").want(t, 200)
	session := s.id("SELECT id FROM user_sessions WHERE user_id = (SELECT id FROM users WHERE email = 'owner@example.org')")
	b.get("/admin/data/user_sessions").want(t, 200, session)
	b.post("/admin/data/user_sessions/record/"+session+"/delete", nil, "HX-Request", "true").want(t, 204)
	owner.get("/portal").want(t, 303)
}

// Open lists learn of new and changed rows; a row that fits no more is only marked.
func TestListsAreLive(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	page := b.get("/admin/data/users" + q(`role = "STAFF"`))
	page.want(t, 200)
	stream := regexp.MustCompile(`sse-connect="([^"]+)"`).FindStringSubmatch(page.body)
	if stream == nil {
		t.Fatal("the list has no stream")
	}
	events := b.listen(html.UnescapeString(stream[1]))
	id := s.person(s.duka, "new@example.org", queries.UserRoleSTAFF)
	awaitEvent(t, events, "event", `<tr id="row-`+id.String()+`" data-into="rows"`)
	s.exec("UPDATE users SET name = 'Renamed' WHERE id = $1", id)
	awaitEvent(t, events, "event", "Renamed")
	s.exec("UPDATE users SET role = 'OWNER' WHERE id = $1", id)
	awaitEvent(t, events, "event", `<tr id="row-`+id.String()+`" data-left`)
}

// A record as JSON is what the table says, with real numbers.
func TestRecordJSON(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	id := s.id("SELECT id FROM message_logs LIMIT 1")
	got := b.get("/admin/data/message_logs/record/" + id + "/json")
	got.want(t, 200)
	var object map[string]any
	must(t, json.Unmarshal([]byte(got.body), &object))
	if object["id"] != id || object["attempts"] != 0.0 || object["queued"] != false || object["status"] != "RECEIVED" || object["sent_at"] != nil {
		t.Errorf("%v", object)
	}
	if len(object) != len(s.server.registry.Table("message_logs").Columns) {
		t.Errorf("%d columns", len(object))
	}
}
