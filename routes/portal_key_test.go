package routes

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"flowhq/queries"
)

// Another front end reads and writes in the name of a person, with a key that is compared in constant time.
func TestPortalKeyEndpoints(t *testing.T) {
	s := newSite(t, func(o *Options) { o.PortalKey = "sesame" })
	tenant, rival := s.tenant("Neema Salon", 1), s.tenant("Rival", 2)
	s.person(tenant, "neema@example.org", queries.UserRoleOWNER)
	s.message(tenant, "Habari", queries.MessageDirectionIN, time.Now())
	s.message(rival, "secret", queries.MessageDirectionIN, time.Now())
	s.exec("UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = '2@abc', qr_expires_at = now() + interval '1 minute' WHERE tenant_id = $1", tenant)
	b := s.browser()
	get := func(path, key, email string, status int, parts ...string) answer {
		t.Helper()
		got := b.get(path, "x-portal-key", key, "x-user-email", email)
		got.want(t, status, parts...)
		if status >= 400 && !strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s refuses as %s", path, got.header.Get("Content-Type"))
		}
		return got
	}
	for _, path := range []string{"/portal/me", "/portal/tenant/current/status", "/portal/tenant/current/logs", "/portal/tenant/current/qr"} {
		get(path, "", "neema@example.org", 401)
		get(path, "sesamE", "neema@example.org", 401)
		get(path, "sesame", "nobody@example.org", 404)
		get(path, "sesame", "", 404)
		if got := get(path, "sesame", "Neema@example.org", 200); strings.Contains(got.body, "secret") || strings.Contains(got.body, rival.String()) {
			t.Errorf("%s shows something of another tenant: %s", path, got.body)
		}
	}
	get("/portal/me", "sesame", "neema@example.org", 200, `"businessName":"Neema Salon"`, `"role":"OWNER"`, `"setupRequest":null`)
	get("/portal/tenant/current/status", "sesame", "neema@example.org", 200, `"sessionState":"QR_READY"`)
	get("/portal/tenant/current/logs?limit=5", "sesame", "neema@example.org", 200, `"messageText":"Habari"`)
	get("/portal/tenant/current/logs?limit=0", "sesame", "neema@example.org", 400)
	get("/portal/tenant/current/qr", "sesame", "neema@example.org", 200, `"qr":"data:image/png;base64,`)

	s.applicant("asha@example.org")
	get("/portal/tenant/current/status", "sesame", "asha@example.org", 404)
	get("/portal/me", "sesame", "asha@example.org", 200, `"tenant":null`)
	send := func(body string) answer {
		r := strings.NewReader(body)
		return b.send("POST", "/portal/setup-request", r, "x-portal-key", "sesame", "x-user-email", "asha@example.org", "Content-Type", "application/json")
	}
	var p problem
	refused := send(`{"businessName": "", "templateType": "BOOKING", "whatsappNumber": "x", "language": "SW"}`)
	refused.want(t, 422)
	must(t, json.Unmarshal([]byte(refused.body), &p))
	if p.Errors["businessName"] == "" || p.Errors["whatsappNumber"] == "" {
		t.Errorf("fields are named %v", p.Errors)
	}
	send(`{"businessName": "Asha Shop", "templateType": "ECOMMERCE", "whatsappNumber": "0712 000 009", "language": "SW"}`).want(t, 201, `"status":"SUBMITTED"`, `"whatsappNumber":"+255712000009"`)
	send(`{"businessName": "Asha Shop", "templateType": "ECOMMERCE", "whatsappNumber": "0712 000 009", "language": "SW"}`).want(t, 409)
	get("/portal/tenant/current/status", "sesame", "asha@example.org", 200, `"status":"NEW"`)
}
