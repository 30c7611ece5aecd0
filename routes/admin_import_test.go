package routes

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// upload sends a file to be imported into a table.
func (b *browser) upload(table, id, name, text string) answer {
	b.t.Helper()
	return b.uploadTo("/admin/data/"+table+"/import", name, text, "import", id)
}

// uploadTo sends a file, and fields given as name, value, name, value.
func (b *browser) uploadTo(path, name, text string, fields ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		must(b.t, form.WriteField(fields[i], fields[i+1]))
	}
	part, err := form.CreateFormFile("file", name)
	must(b.t, err)
	_, err = part.Write([]byte(text))
	must(b.t, err)
	must(b.t, form.Close())
	return b.send("POST", path, &body, "Content-Type", form.FormDataContentType(), "Sec-Fetch-Site", "same-origin", "Origin", b.url)
}

// A file is refused in its form, whatever it holds; a good one is taken in once, and only by who may change its table.
func TestImportUpload(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	id := newID().String()
	for name, c := range map[string]struct {
		text   string
		status int
		has    string
	}{
		"empty":         {"", 422, "Choose a file"},
		"a header":      {"name,phone\n", 422, "no rows"},
		"a NUL":         {"name\nx\x00\n", 422, "Line 2 is not text"},
		"quotes":        {"name\n\"x\n", 422, "Line 2 has a quotation mark"},
		"columns":       {strings.Repeat("a,", 100_000) + "\n1\n", 422, "more than 200 columns"},
		"too large":     {"name\n" + strings.Repeat("0123456789abcde\n", 11<<16), 413, "larger than 10 MB"},
		"far too large": {"name\n" + strings.Repeat("0123456789abcde\n", 16<<16), 413, "at most 10 MB"},
		"rows":          {strings.Repeat("x\n", 50_002), 422, "more than 50000 rows"},
	} {
		b.upload("contacts", id, name+".csv", c.text).want(t, c.status, c.has)
	}
	if n := s.count("SELECT count(*) FROM imports"); n != 0 {
		t.Fatalf("%d imports of refused files", n)
	}
	if got := b.post("/admin/data/contacts", url.Values{"name": {strings.Repeat("x", 2<<20)}}); got.status != 413 || !strings.Contains(got.body, "at most 1 MB") {
		t.Errorf("elsewhere: %d", got.status)
	}
	for range 2 { // a second click
		b.upload("contacts", id, `..\..\w<b>ateja.csv`, "name;phone;x\nAsha;0713000009;\x93y\x94\n").want(t, 303)
	}
	if n := s.count("SELECT count(*) FROM import_rows WHERE import_id = $1 AND cells[3] = '“y”'", id); n != 1 || s.count("SELECT count(*) FROM imports") != 1 {
		t.Errorf("%d rows", n)
	}
	page := "/admin/imports/" + id
	b.get(page).want(t, 200, "w&lt;b&gt;ateja.csv", "“y”", "Try every row")
	b.post(page+"/mapping", url.Values{"mode": {"CREATE"}, "column_0": {"name"}, "column_1": {"name"}}, "HX-Request", "true").want(t, 422, "Column 1 is this already", "needs this", "0713000009")
	b.post(page+"/mapping", url.Values{"mode": {"CREATE"}, "column_0": {"password_hash"}}).want(t, 422, "There is no such column")
	b.post(page+"/mapping", url.Values{"mode": {"CREATE"}, "column_0": {"name"}, "default_tenant_id": {"Nobody"}}).want(t, 422, "There is no tenant “Nobody”")
	b.post(page+"/start", url.Values{"attempt": {"0"}}).want(t, 409)
	b.post(page+"/start", nil).want(t, 422)
	good := url.Values{"mode": {"CREATE"}, "column_0": {"name"}, "column_1": {"phone_number"}, "default_tenant_id": {s.neema.String()}}
	b.post(page+"/mapping", good, "HX-Request", "true").want(t, 200)
	b.get(page).want(t, 200, "Trying", "Every row is tried")
	b.post(page+"/cancel", nil).want(t, 303)
	b.get(page).want(t, 200, "Try every row")
	b.post(page+"/cancel", nil).want(t, 409)

	// Of files that nobody imports, the newest stay.
	s.exec(`INSERT INTO imports (id, user_id, asked_by, table_name, file_name, header, total, created_at) SELECT gen_random_uuid(), $1, '', 'contacts', 'old.csv', '{name}', 1, now() - interval '1 hour' - n * interval '1 minute'
		FROM generate_series(1, 30) n`, s.userID("admin@example.org"))
	last := newID().String()
	b.upload("contacts", last, "last.csv", "name\nx\n").want(t, 303)
	if n := s.count("SELECT count(*) FROM imports WHERE created_at > now() - interval '79 minutes' - interval '30 seconds'"); n != 20 || s.count("SELECT count(*) FROM imports") != 20 {
		t.Errorf("%d imports wait", n)
	}
	s.exec("DELETE FROM imports WHERE id <> $1", id)

	// By role, and by what a table takes.
	s.colleague("support")
	s.exec("INSERT INTO admin_roles (name, description, workers, messages, records, people, system) VALUES ('clerk', '', false, false, true, false, false)")
	s.colleague("clerk")
	clerk, support := s.fork("clerk@example.org"), s.fork("support@example.org")
	for path, want := range map[string][2]int{
		"GET /admin/data/contacts/import": {200, 403}, "GET /admin/data/users/import": {403, 403}, "GET /admin/data/message_logs/import": {404, 403}, "GET " + page: {200, 200},
		"POST " + page + "/mapping": {303, 403}, "POST " + page + "/start": {422, 403}, "POST " + page + "/cancel": {303, 403}, "GET " + page + "/refused.csv": {200, 200},
	} {
		method, path, _ := strings.Cut(path, " ")
		for i, who := range []*browser{clerk, support} {
			form := url.Values{}
			if strings.HasSuffix(path, "/mapping") {
				form = good
			}
			if strings.HasSuffix(path, "/cancel") && i == 0 {
				clerk.post(page+"/mapping", good)
			}
			if got := who.do(method, path, form); got.status != want[i] {
				t.Errorf("%s %s by %s: %d, want %d", method, path, []string{"the clerk", "support"}[i], got.status, want[i])
			}
		}
	}
	support.upload("contacts", newID().String(), "x.csv", "name\nx\n").want(t, 403)
	clerk.upload("users", newID().String(), "x.csv", "name\nx\n").want(t, 403)
	b.get("/admin/imports/"+uuid.Nil.String()).want(t, http.StatusNotFound)
	if n := s.count("SELECT count(*) FROM imports"); n != 1 {
		t.Errorf("%d imports", n)
	}
}
