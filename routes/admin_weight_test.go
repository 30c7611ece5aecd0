package routes

import (
	"bytes"
	"compress/gzip"
	"html"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strings"
	"testing"
)

// What a page may weigh, in bytes as they travel: compressed, with the heads of the answers, fonts aside.
const (
	firstLoad = 100_000 // with everything a browser does not have yet
	laterLoad = 20_000  // with styles, scripts and icons kept from before
)

var (
	pageFiles = regexp.MustCompile(`(?:href|src)="(/assets/[^"#]+)`)
	pageLoads = regexp.MustCompile(`hx-get="([^"]+)" hx-trigger="load"`) // what a page asks for by itself
)

// weigh fetches an address compressed, as a browser does, and gives what it says and how many bytes came.
func (b *browser) weigh(path string) (body string, size int) {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.url+path, nil)
	must(b.t, err)
	r.Header.Set("Accept-Encoding", "gzip") // asked for like this, the client does not unpack it
	res, err := b.Do(r)
	must(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(b.t, err)
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: status %d", path, res.StatusCode)
	}
	head, err := httputil.DumpResponse(res, false)
	must(b.t, err)
	size = len(head) + len(raw)
	if res.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(bytes.NewReader(raw))
		must(b.t, err)
		raw, err = io.ReadAll(unpacked)
		must(b.t, err)
	}
	return string(raw), size
}

// Every page of the admin is light, also with long lists of long texts. The jobs' dashboard is River's own program and is not
// weighed.
func TestAdminPagesAreLight(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	// Texts that compress as badly as real ones: letters in no order, in words.
	s.exec(`
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		SELECT gen_random_uuid(), $1, $2, 'IN', '+2557130000' || lpad(n::text, 2, '0'), '+255712000001',
			(SELECT string_agg(substr(translate(md5(n::text || w), '0123456789', 'aeiouklmnt'), 1, 2 + w % 7), ' ') FROM generate_series(1, 24) w), md5(n::text), 'RECEIVED'
		FROM generate_series(1, 99) n`, s.neema, s.contact)
	s.exec(`
		INSERT INTO contacts (id, tenant_id, name, phone_number)
		SELECT gen_random_uuid(), $1, initcap(translate(left(md5(n::text), 16), '0123456789', 'aeiouklm n')), '+25571400' || lpad(n::text, 4, '0') FROM generate_series(1, 99) n`, s.neema)
	s.exec(`
		INSERT INTO portal_event_logs (id, tenant_id, event_type, payload_json)
		SELECT gen_random_uuid(), $1, 'TENANT_CHANGED', jsonb_build_object('by', md5(n::text), 'text', md5('x' || n)) FROM generate_series(1, 99) n`, s.neema)
	s.exec(`
		WITH t AS (INSERT INTO tenants (id, name, phone_number, status, shard)
			SELECT gen_random_uuid(), initcap(translate(left(md5(n::text), 20), '0123456789', 'aeiouklm n')), '+25571500' || lpad(n::text, 4, '0'), 'PAUSED', 1 FROM generate_series(1, 99) n RETURNING id, name),
		c AS (INSERT INTO tenant_configs (id, tenant_id, template_type, business_name) SELECT id, id, 'BOOKING', name FROM t),
		w AS (INSERT INTO worker_processes (id, tenant_id) SELECT id, id FROM t)
		INSERT INTO whatsapp_sessions (id, tenant_id) SELECT id, id FROM t`)

	pages := []string{"/admin", "/admin?days=7", "/admin/tenants", tenantBase(s.neema), "/admin/ledger", tenantBase(s.neema) + "/ledger", "/admin/keys", "/admin/account",
		"/admin/data/contacts?open=" + s.contact.String()}
	for _, table := range s.server.registry.Tables() {
		pages = append(pages, "/admin/data/"+table.Name)
	}
	kept := map[string]int{} // files that pages share
	for _, page := range pages {
		body, later := b.weigh(page)
		for _, m := range pageLoads.FindAllStringSubmatch(body, -1) {
			_, size := b.weigh(html.UnescapeString(m[1]))
			later += size
		}
		first, seen := later, map[string]bool{}
		for _, m := range pageFiles.FindAllStringSubmatch(body, -1) {
			if name := m[1]; !seen[name] && !strings.HasSuffix(name, ".woff2") {
				seen[name] = true
				if kept[name] == 0 {
					_, kept[name] = b.weigh(name)
				}
				first += kept[name]
			}
		}
		t.Logf("%-60s %6d bytes at first, %5d later", page, first, later)
		if len(seen) < 5 {
			t.Errorf("%s loads only %d files: the page was not understood", page, len(seen))
		}
		if first >= firstLoad {
			t.Errorf("%s: %d bytes at first, at most %d", page, first, firstLoad)
		}
		if later >= laterLoad {
			t.Errorf("%s: %d bytes later, at most %d", page, later, laterLoad)
		}
	}
}
