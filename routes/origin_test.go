package routes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowhq/queries"
)

// Another site's page can make a browser post, cookies and all. Every such post is refused before anything is read of it.
func TestFormsFromAnotherOriginAreRefused(t *testing.T) {
	s := newSite(t, func(o *Options) { o.DemoMode, o.SimulatorURL = true, "http://127.0.0.1:1" })
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	admin, owner := s.admin(), s.signedIn("owner@example.org")
	token, err := CreateSetupLink(t.Context(), s.db)
	must(t, err)
	full := url.Values{ // a value for every form there is
		"name": {"Evil"}, "business_name": {"Evil"}, "phone_number": {"+255712000009"}, "template_type": {"BOOKING"}, "language": {"SW"},
		"email": {"admin@example.org"}, "password": {testPassword}, "current": {testPassword}, "role": {"STAFF"}, "label": {"evil"},
		"confirm": {"Neema Salon"}, "to": {"+255712000008"}, "text": {"evil"}, "phone": {"+255712000001"},
		"business": {tenant.String()}, "customer": {DemoCustomers()[0].Phone},
	}
	before := s.fingerprint()
	for _, r := range s.server.table() {
		if r.role == open || r.role == apiKey || r.role == portalKey || (r.method != "POST" && r.method != anyMethod) {
			continue
		}
		path := strings.NewReplacer(":token", token, ":id", tenant.String(), ":user", newID().String(), ":action", "start", ":link", newID().String(), ":session", newID().String(), "/*", "/api/jobs/cancel").Replace(r.path)
		b := admin
		if strings.HasPrefix(path, "/portal") {
			b = owner
		}
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
			{"Sec-Fetch-Site", "same-site", "Origin", "http://other.127.0.0.1"},
			{"Origin", "https://evil.example"}, // a browser without Sec-Fetch-Site
			{"Origin", "null"},
		} {
			if got := b.do("POST", path, full, headers...); got.status != http.StatusForbidden || !strings.Contains(got.body, "another origin") {
				t.Errorf("POST %s from %v: status %d", path, headers, got.status)
			}
		}
	}
	if after := s.fingerprint(); after != before {
		t.Errorf("something was written:\nbefore %s\nafter  %s", before, after)
	}
	admin.get("/admin/tenants").want(t, 200) // nobody was signed out
}

// fingerprint tells whether any row of interest came, went or changed.
func (s *site) fingerprint() (sum string) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), `
		SELECT concat_ws(' ',
			(SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM tenants t), (SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM tenant_configs c),
			(SELECT md5(string_agg(w::text, ',' ORDER BY id)) FROM worker_processes w), (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u),
			(SELECT md5(string_agg(l::text, ',' ORDER BY id)) FROM one_time_links l), (SELECT count(*) FROM user_sessions),
			(SELECT count(*) FROM api_keys), (SELECT count(*) FROM message_logs), (SELECT count(*) FROM portal_event_logs),
			(SELECT count(*) FROM login_throttles), (SELECT count(*) FROM river_job))`).Scan(&sum))
	return sum
}

func TestSecurityHeaders(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	for _, path := range []string{"/login", "/admin/tenants", "/no/such/page", "/api/v1/tenants"} {
		got := admin.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "script-src 'self'; style-src 'self';", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin",
		} {
			if !strings.Contains(got.header.Get(name), want) {
				t.Errorf("%s: %s is %q, want %q in it", path, name, got.header.Get(name), want)
			}
		}
		if strings.Contains(got.header.Get("Content-Security-Policy"), "unsafe") || !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, got.header.Get("Content-Security-Policy"))
		}
		if got.header.Get("X-Request-Id") == "" || got.header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: request id %q, HSTS %q", path, got.header.Get("X-Request-Id"), got.header.Get("Strict-Transport-Security"))
		}
	}
	if policy := admin.get("/admin/jobs/").header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'self' 'unsafe-inline'") || strings.Contains(policy, "script-src 'self' 'unsafe") {
		t.Errorf("the dashboard's policy: %q", policy)
	}
	if cache := admin.get("/login").header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("pages are cached: %q", cache)
	}
}

// A forwarded address counts only from a proxy that is trusted, and only as far as trusted proxies wrote it.
func TestForwardedAddress(t *testing.T) {
	plain := newSite(t, nil)
	spoof := func(s *site, chain string) string {
		s.browser().post("/login", url.Values{"email": {"x@example.org"}, "password": {"y"}}, "X-Forwarded-For", chain).want(t, 422)
		var key string
		must(t, s.db.System.QueryRow(t.Context(), "DELETE FROM login_throttles WHERE key LIKE 'ip:%' RETURNING key").Scan(&key))
		s.exec("DELETE FROM login_throttles")
		return key
	}
	if got := spoof(plain, "203.0.113.7"); got != "ip:127.0.0.1" {
		t.Errorf("without proxies: %s", got)
	}
	behind := newSiteOn(t, plain.db, func(o *Options) { o.TrustedProxies = prefixes(t, "127.0.0.0/8", "10.0.0.0/8") })
	for chain, want := range map[string]string{
		"203.0.113.7": "ip:203.0.113.7", "1.2.3.4, 203.0.113.7, 10.1.1.1": "ip:203.0.113.7", "": "ip:127.0.0.1", "nonsense": "ip:127.0.0.1",
	} {
		if got := spoof(behind, chain); got != want {
			t.Errorf("chain %q: %s, want %s", chain, got, want)
		}
	}
}
