package routes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flowhq/queries"
)

func tenantValues(change ...string) url.Values {
	v := url.Values{
		"name": {"Neema"}, "business_name": {"Neema Salon"}, "phone_number": {"0712 000 001"}, "template_type": {"BOOKING"}, "language": {"SW"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

func TestCreateTenant(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	got := admin.post("/admin/tenants", tenantValues(), "HX-Request", "true")
	got.want(t, 200)
	page := got.header.Get("HX-Redirect")
	admin.get(page).want(t, 200, "Neema Salon", "is created", "Tenant created")
	if again := admin.get(page); strings.Contains(again.body, "is created. Start") {
		t.Error("the notice is shown twice")
	}
	if n := s.count(`SELECT count(*) FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id JOIN whatsapp_sessions w ON w.tenant_id = t.id
		JOIN worker_processes p ON p.tenant_id = t.id WHERE t.phone_number = '+255712000001'`); n != 1 {
		t.Errorf("%d complete tenants", n)
	}
	// The same form again: the number is taken.
	admin.post("/admin/tenants", tenantValues(), "HX-Request", "true").want(t, 422, "Another tenant already has this phone number.")

	for name, bad := range map[string][]string{
		"unknown template": {"template_type", "CASINO"}, "unknown language": {"language", "XX"}, "phone": {"phone_number", "12"},
		"letters": {"phone_number", "call me"}, "no name": {"name", "  "}, "long name": {"name", strings.Repeat("n", 121)},
		"broken UTF-8": {"business_name", "Neema\xff"}, "control character": {"name", "a\x00b"}, "missing field": {"business_name", ""},
	} {
		for _, htmx := range []string{"true", ""} {
			got := admin.post("/admin/tenants", tenantValues(append([]string{"phone_number", "+255712000002"}, bad...)...), "HX-Request", htmx)
			if got.status != 422 || !strings.Contains(got.body, `aria-invalid="true"`) || !strings.Contains(got.body, `class="err"`) {
				t.Errorf("%s: status %d, no field is marked:\n%s", name, got.status, excerpt(got.body))
			}
		}
	}
	if n := s.count("SELECT count(*) FROM tenants"); n != 1 {
		t.Errorf("%d tenants, want 1", n)
	}
}

func TestTenantForms(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	id := s.tenant("Neema Salon", 1)
	base := tenantBase(id)
	before := s.fingerprint()
	for name, form := range map[string]struct {
		path string
		v    url.Values
		part string
	}{
		"rate is no number":   {"/config", tenantValues("replies_per_minute", "many"), "Choose a number"},
		"rate too high":       {"/config", tenantValues("replies_per_minute", "10001"), "Choose a number"},
		"unknown language":    {"/config", tenantValues("language", "FR"), "Choose SW"},
		"empty message":       {"/messages", url.Values{"to": {"+255713000001"}, "text": {" "}}, "Please fill this in."},
		"message to nobody":   {"/messages", url.Values{"to": {"x"}, "text": {"Hello"}}, "phone number"},
		"long message":        {"/messages", url.Values{"to": {"+255713000001"}, "text": {strings.Repeat("x", 4097)}}, "too long"},
		"number not linked":   {"/messages", url.Values{"to": {"+255713000001"}, "text": {"Hello"}}, "no linked WhatsApp number"},
		"code for no number":  {"/pair-code", url.Values{"phone": {""}}, "Please fill this in."},
		"delete without name": {"/delete", url.Values{"confirm": {"neema"}}, "Type the name exactly"},
		"person without mail": {"/people", url.Values{"name": {"X"}, "email": {"x@"}, "role": {"OWNER"}}, "not an e-mail address"},
	} {
		got := admin.post(base+form.path, form.v, "HX-Request", "true")
		if got.status != 422 || !strings.Contains(got.body, form.part) {
			t.Errorf("%s: status %d, want 422 with %q:\n%s", name, got.status, form.part, excerpt(got.body))
		}
		if got := admin.post(base+form.path, form.v); got.status != 422 {
			t.Errorf("%s without htmx: status %d", name, got.status)
		}
	}
	for _, path := range []string{"/worker/explode", "/people/" + newID().String() + "/invite", "/people/x/remove"} {
		admin.post(base+path, nil).want(t, 404)
	}
	for _, id := range []string{"x", newID().String()} {
		admin.get("/admin/tenants/"+id).want(t, 404)
		admin.post("/admin/tenants/"+id+"/worker/start", nil).want(t, 404)
		admin.post("/admin/tenants/"+id+"/delete", url.Values{"confirm": {"Neema Salon"}}).want(t, 404)
	}
	if after := s.fingerprint(); after != before {
		t.Errorf("something was written:\nbefore %s\nafter  %s", before, after)
	}

	admin.post(base+"/config", tenantValues("business_name", "Neema & Daughters", "replies_per_minute", "", "language", "EN"), "HX-Request", "true").
		want(t, 200, "Neema &amp; Daughters", "Saved")
	admin.post(base+"/worker/stop", nil, "HX-Request", "true").want(t, 409)
	start := admin.post(base+"/worker/start", nil, "HX-Request", "true")
	start.want(t, 200, `id="state-panel"`, "Starting")
	if start.header.Get("HX-Trigger") != "" {
		t.Errorf("a toast says what the panel shows: %q", start.header.Get("HX-Trigger"))
	}
	twice := admin.post(base+"/worker/start", nil, "HX-Request", "true")
	twice.want(t, 409, "is running already")
	if !strings.Contains(twice.header.Get("HX-Trigger"), "is running already") {
		t.Errorf("no error toast: %q", twice.header.Get("HX-Trigger"))
	}
	admin.post(base+"/delete", url.Values{"confirm": {"Neema Salon"}}).want(t, 303)
	admin.get(base).want(t, 404)
}

func TestTenantList(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	for i := range pageSize + 2 {
		s.tenant(fmt.Sprintf("Business %02d", i), i)
	}
	s.exec("UPDATE tenants SET status = 'ACTIVE' WHERE name = 'Business 03'")
	first := admin.get("/admin/tenants")
	first.want(t, 200, "Business 31")
	if strings.Contains(first.body, "Business 01") {
		t.Error("the first page shows everything")
	}
	more := regexp.MustCompile(`hx-get="(/admin/tenants\?cursor=[^"]+)"`).FindStringSubmatch(first.body)
	if more == nil {
		t.Fatalf("no way to older tenants:\n%s", excerpt(first.body))
	}
	rest := admin.get(strings.ReplaceAll(more[1], "&amp;", "&"), "HX-Request", "true")
	rest.want(t, 200, "Business 01", "Business 00")
	if strings.Contains(rest.body, "Business 02") || strings.Contains(rest.body, "<main") {
		t.Error("the second page is not just the rest")
	}
	found := admin.get("/admin/tenants?status=ACTIVE", "HX-Request", "true")
	found.want(t, 200, "Business 03")
	if strings.Contains(found.body, "Business 04") {
		t.Error("the filter lets others through")
	}
	admin.get("/admin/tenants?q=siness+07").want(t, 200, "Business 07")
	for _, q := range []string{"%25", "_", "zzz"} { // patterns are plain text
		admin.get("/admin/tenants?q="+q).want(t, 200, "No tenant matches")
	}
	admin.get("/admin/tenants?status=NONSENSE").want(t, 422)
	admin.get("/admin/tenants?cursor=nonsense").want(t, 422)
}

func TestOlderMessages(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	id := s.tenant("Neema Salon", 1)
	for i := range 2*pageSize + 1 {
		s.message(id, fmt.Sprintf("words %03d", i), queries.MessageDirectionIN, time.Now().Add(time.Duration(i-100)*time.Second))
	}
	next := regexp.MustCompile(`hx-get="([^"]+/messages\?cursor=[^"]+)"`)
	body, seen := admin.get(tenantBase(id)).body, map[string]bool{}
	for page := 0; ; page++ {
		for _, m := range regexp.MustCompile(`words \d{3}`).FindAllString(body, -1) {
			seen[m] = true
		}
		more := next.FindStringSubmatch(body)
		if more == nil {
			break
		}
		if page > 5 {
			t.Fatal("the list does not end")
		}
		body = admin.get(more[1], "HX-Request", "true").body
	}
	if len(seen) != 2*pageSize+1 {
		t.Errorf("%d messages seen, want %d", len(seen), 2*pageSize+1)
	}
}

func TestKeys(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	tenant := s.tenant("Neema Salon", 1)
	made := admin.post("/admin/keys", url.Values{"label": {"shop"}, "tenant_id": {tenant.String()}}, "HX-Request", "true")
	made.want(t, 200, "Copy it now")
	key := regexp.MustCompile(`fhq_[0-9a-f]{64}`).FindString(made.body)
	api := s.browser()
	api.get("/api/v1/tenants/"+tenant.String(), "Authorization", "Bearer "+key).want(t, 200)
	if page := admin.get("/admin/keys"); strings.Contains(page.body, key) || !strings.Contains(page.body, "shop") {
		t.Error("the list shows the key, or not its label")
	}
	var id string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id::text FROM api_keys").Scan(&id))
	admin.post("/admin/keys/"+id+"/revoke", nil, "HX-Request", "true").want(t, 200)
	api.get("/api/v1/tenants/"+tenant.String(), "Authorization", "Bearer "+key).want(t, 401)
	for name, v := range map[string]url.Values{
		"no label": {"label": {""}}, "no tenant": {"label": {"x"}, "tenant_id": {"x"}}, "gone tenant": {"label": {"x"}, "tenant_id": {newID().String()}},
	} {
		if got := admin.post("/admin/keys", v, "HX-Request", "true"); got.status != 422 || !strings.Contains(got.body, "aria-invalid") {
			t.Errorf("%s: status %d\n%s", name, got.status, excerpt(got.body))
		}
	}
	if n := s.count("SELECT count(*) FROM api_keys"); n != 1 {
		t.Errorf("%d keys", n)
	}
}

// brokenViews fail or panic for one template.
type brokenViews struct {
	Views
	name  string
	panic bool
}

func (v brokenViews) Render(w io.Writer, name string, data any, layout ...string) error {
	if name == v.name && v.panic {
		panic("secret cause")
	}
	if name == v.name {
		return errors.New("secret cause")
	}
	return v.Views.Render(w, name, data, layout...)
}

// What went wrong inside is for the log; people get a number to quote.
func TestInternalFailuresStayInside(t *testing.T) {
	for _, panics := range []bool{false, true} {
		s := newSite(t, func(o *Options) { o.Views = brokenViews{o.Views, "admin/keys", panics} })
		admin := s.admin()
		got := admin.get("/admin/keys")
		got.want(t, 500, "Something went wrong", got.header.Get("X-Request-Id"))
		htmx := admin.post("/admin/keys", url.Values{"label": {"x"}}, "Accept", "application/json")
		htmx.want(t, 500, htmx.header.Get("X-Request-Id"))
		if strings.Contains(got.body+htmx.body, "secret") || !strings.HasPrefix(htmx.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s\n%s", got.body, htmx.body)
		}
		admin.get("/admin/account").want(t, 200) // the process goes on
	}
}

func TestRefusedRequests(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	admin.get("/no/such/page").want(t, 404, "There is no page at this address.")
	admin.do("DELETE", "/admin/tenants", nil).want(t, 405)
	admin.post("/admin/tenants", url.Values{"name": {strings.Repeat("x", bodyLimit+1)}}).want(t, http.StatusRequestEntityTooLarge)
	api := s.browser().get("/api/v1/nothing")
	api.want(t, 404, `"status":404`)
	if !strings.HasPrefix(api.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("content type %q", api.header.Get("Content-Type"))
	}
}

func TestOperations(t *testing.T) {
	var ready atomic.Bool
	s := newSite(t, func(o *Options) {
		o.MetricsToken = "metrics token"
		o.Ready = func(context.Context) error {
			if !ready.Load() {
				return errors.New("no shards yet")
			}
			return nil
		}
	})
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	b := s.browser()
	b.get("/healthz").want(t, 200)
	if got := b.get("/readyz"); got.status != 503 || strings.Contains(got.body, "shards") {
		t.Errorf("not ready: %d %s", got.status, got.body)
	}
	ready.Store(true)
	b.get("/readyz").want(t, 200)
	for _, path := range []string{"/healthz", "/login"} { // what watches over servers often asks like this
		if head := b.do("HEAD", path, nil); head.status != 200 || head.body != "" {
			t.Errorf("HEAD %s: status %d, body %q", path, head.status, head.body)
		}
	}
	if head := s.fork("admin@example.org").do("HEAD", "/admin/stream", nil); head.status != 200 || head.body != "" {
		t.Errorf("HEAD of a stream: status %d, body %q", head.status, head.body)
	}
	b.get("/metrics").want(t, 200, "go_goroutines")
	b.get("/metrics", "X-Forwarded-For", "203.0.113.7").want(t, 401)
	b.get("/metrics", "X-Forwarded-For", "203.0.113.7", "Authorization", "Bearer wrong").want(t, 401)
	b.get("/metrics", "X-Forwarded-For", "203.0.113.7", "Authorization", "Bearer metrics token").want(t, 200)

	page := b.get("/login")
	css := regexp.MustCompile(`/assets/[^"]+/css/app\.css`).FindString(page.body)
	got := b.get(css)
	got.want(t, 200)
	if cache := got.header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
		t.Errorf("style sheet: Cache-Control %q", cache)
	}
	jobs := s.admin().get("/admin/jobs/")
	jobs.want(t, 200, `id="root"`)
	script := regexp.MustCompile(`/admin/jobs/assets/[^"]+\.js`).FindString(jobs.body)
	asset := s.signedIn("admin@example.org").get(script)
	asset.want(t, 200)
	if cache := asset.header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
		t.Errorf("dashboard's script: Cache-Control %q", cache)
	}
	b.get(script).want(t, 303)
}
