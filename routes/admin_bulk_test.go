package routes

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestExport(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	s.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) SELECT gen_random_uuid(), $1, '=cmd|'' /C calc''!A' || n, '+25571500' || lpad(n::text, 4, '0') FROM generate_series(1, 2 * $2 + 5) n", s.duka, exportRows)
	read := func(got answer) [][]string {
		t.Helper()
		got.want(t, 200)
		body, marked := strings.CutPrefix(got.body, "\ufeff")
		if !marked {
			t.Error("it does not say that it is UTF-8")
		}
		lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		must(t, err)
		return lines
	}
	lines := read(b.get("/admin/data/contacts/export?format=csv&" + url.Values{"q": {`tenant.name ~ "duka"`}}.Encode()))
	if len(lines) != 2*exportRows+6 {
		t.Fatalf("%d lines", len(lines))
	}
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		seen[strings.Join(line, ",")] = true
		for i, cell := range line {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "+") {
				t.Fatalf("%s: %q", lines[0][i], cell)
			}
		}
	}
	if len(seen) != 2*exportRows+5 {
		t.Errorf("%d different lines", len(seen))
	}
	got := b.post("/admin/data/contacts/export", url.Values{"format": {"json"}, "keys": {s.contact.String() + " " + uuid.NewString() + " nonsense"}})
	got.want(t, 200)
	var records []map[string]any
	must(t, json.Unmarshal([]byte(got.body), &records))
	if len(records) != 1 || records[0]["name"] != "Asha Mushi" || records[0]["phone_number"] != "+255713000000" {
		t.Errorf("the one that was chosen: %v", records)
	}
	if !strings.HasPrefix(got.header.Get("Content-Disposition"), `attachment; filename="contacts-`) {
		t.Errorf("it is no file: %q", got.header.Get("Content-Disposition"))
	}
	if got := b.get("/admin/data/contacts/export?format=json&q=nobody"); got.body != "[]\n" {
		t.Errorf("nothing is %q", got.body)
	}
	for _, table := range s.server.registry.Tables() {
		for _, format := range []string{"csv", "json"} {
			got := b.get("/admin/data/" + table.Name + "/export?format=" + format)
			got.want(t, 200)
			for _, secret := range append([]string{"argon2"}, table.Secret...) {
				if table.Name != "bulk_runs" && regexp.MustCompile(`\b`+secret+`\b`).MatchString(got.body) {
					t.Errorf("%s as %s has %s", table.Name, format, secret)
				}
			}
		}
	}
	b.get("/admin/data/contacts/export?format=exe").want(t, 422)
	b.get("/admin/data/contacts/export"+q("x = 1")).want(t, 422)
}

func TestBulkQuestions(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	keys := func(ids ...string) string { return strings.Join(ids, " ") }
	messages, contacts := "/admin/data/message_logs/bulk", "/admin/data/contacts/bulk"
	s.exec(`INSERT INTO contacts (id, tenant_id, name, phone_number) SELECT gen_random_uuid(), $1, 'Many ' || n, '+25571600' || lpad(n::text, 4, '0') FROM generate_series(1, 150) n`, s.duka)
	runs := "SELECT count(*) FROM bulk_runs"
	s.run(t, b, []dataScenario{
		{name: "what goes with it", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"DELETE"}, "keys": {s.contact.String()}}, status: 200,
			has: []string{"Delete 1 contact?", "3 messages", "1 conversation"}, lacks: []string{"bulk-typed"}},
		{name: "the number of many", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"DELETE"}, "all": {"1"}, "q": {`tenant.name ~ "duka"`}}, status: 200,
			has: []string{"Delete 150 contacts?", "bulk-typed"}},
		{name: "everything", method: "POST", path: messages + "/ask", htmx: true, form: url.Values{"action": {"DELETE"}, "all": {"1"}}, status: 200, has: []string{"No filter is set", "Delete 9 messages?"}},
		{name: "the fields one can set", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"EDIT"}, "keys": {s.contact.String()}}, status: 200,
			has: []string{`value="name"`, "disabled"}, lacks: []string{`value="tenant_id"`, `value="lid"`}},
		{name: "its editor", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"EDIT"}, "keys": {s.contact.String()}, "column": {"name"}}, status: 200, has: []string{`id="f-name"`}},
		{name: "nothing selected", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"DELETE"}}, status: 422},
		{name: "a table that nobody edits", method: "POST", path: messages + "/ask", htmx: true, form: url.Values{"action": {"EDIT"}, "all": {"1"}}, status: 405},
		{name: "no workers", method: "POST", path: contacts + "/ask", htmx: true, form: url.Values{"action": {"START"}, "all": {"1"}}, status: 405},
		{name: "no number typed", method: "POST", path: contacts, htmx: true, form: url.Values{"action": {"DELETE"}, "all": {"1"}, "count": {"153"}, "typed": {"12"}}, status: 422, has: []string{"Type the number exactly"}, sql: runs},
		{name: "more than was shown", method: "POST", path: contacts, htmx: true, form: url.Values{"action": {"DELETE"}, "all": {"1"}, "count": {"3"}, "typed": {"153"}}, status: 422, has: []string{"there are more"}, sql: runs},
		{name: "a fixed column", method: "POST", path: contacts, htmx: true, form: url.Values{"action": {"EDIT"}, "all": {"1"}, "count": {"153"}, "column": {"tenant_id"}, "tenant_id": {s.duka.String()}}, status: 422, sql: runs},
		{name: "a wrong value", method: "POST", path: contacts, htmx: true, form: url.Values{"action": {"EDIT"}, "keys": {s.contact.String()}, "count": {"1"}, "column": {"phone_number"}, "phone_number": {"12x"}}, status: 422,
			has: []string{`value="12x"`, `aria-invalid="true"`}, sql: runs},
		{name: "a run that is not there", path: "/admin/bulk/" + uuid.NewString(), status: 404},
	})
	// A double click sends the same form twice; it is one run.
	form := url.Values{"action": {"DELETE"}, "all": {"1"}, "count": {"153"}, "typed": {"1 5 3"}, "run": {uuid.NewString()}}
	for range 2 {
		b.post(contacts, form).want(t, 303)
	}
	if n := s.count(runs); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	page := "/admin/bulk/" + form.Get("run")
	b.get(page).want(t, 200, "Delete 153 contacts", "Waiting", "0 of 153", "Cancel this run", page+"/stream")
	b.get("/admin/data/contacts").want(t, 200, "Delete 153 contacts", page)
	b.post(page+"/cancel", nil, "HX-Request", "true").want(t, 200, "Cancelled", "Back to contacts")
	b.post(page+"/cancel", nil, "HX-Request", "true").want(t, 409)
	// One's own account and what is gone do not stop a run; see jobs.TestBulkEdit. A key that names nothing is no error either.
	b.post(contacts, url.Values{"action": {"DELETE"}, "keys": {keys(uuid.NewString(), "nonsense")}, "count": {"2"}}).want(t, 303)
}

// A tenant with very many messages is not deleted while the person waits, nor the program.
func TestLargeTenantIsDeletedByARun(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		SELECT gen_random_uuid(), $1, $2, 'IN', '', '', 'Habari', 'many ' || n, 'RECEIVED' FROM generate_series(1, $3::int) n`, s.neema, s.contact, manyMessages)
	got := b.post(tenantBase(s.neema)+"/delete", url.Values{"confirm": {"Neema Salon"}})
	got.want(t, 303)
	if to := got.header.Get("Location"); !strings.HasPrefix(to, "/admin/bulk/") {
		t.Fatalf("leads to %s", to)
	}
	b.get(got.header.Get("Location")).want(t, 200, "Delete 1 tenant")
	if s.count("SELECT count(*) FROM tenants") != 2 || s.count("SELECT count(*) FROM river_job WHERE kind = 'bulk_run'") != 1 {
		t.Error("it is not left to a job")
	}
	b.post(tenantBase(s.duka)+"/delete", url.Values{"confirm": {"Duka la Juma"}}).want(t, 303)
	if s.count("SELECT count(*) FROM tenants") != 1 {
		t.Error("a small one has to wait")
	}
}
