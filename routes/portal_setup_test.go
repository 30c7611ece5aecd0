package routes

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"flowhq/queries"
)

// applicant is an owner who confirmed their address and asked for nothing yet.
func (s *site) applicant(email string) *browser {
	s.t.Helper()
	hash, err := hashPassword(testPassword)
	must(s.t, err)
	english := queries.LanguageEN
	must(s.t, s.q.CreateOwner(s.t.Context(), queries.CreateOwnerParams{ID: newID(), Name: "Owner of " + email, Email: email, PasswordHash: hash, Language: &english}))
	return s.signedIn(email)
}

func setupForm(business, phone string) url.Values {
	return url.Values{"business_name": {business}, "business_kind": {"SALON"}, "template_type": {"BOOKING"}, "language": {"SW"},
		"whatsapp_number": {phone}, "day1": {"1"}, "day6": {"1"}, "from": {"08:30"}, "to": {"18:00"}}
}

func (s *site) latest(business string) (id uuid.UUID, status string) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), "SELECT id, status FROM setup_requests WHERE business_name = $1 ORDER BY created_at DESC LIMIT 1", business).Scan(&id, &status))
	return id, status
}

// From the request over a rejection to a number that is connected; every step is an event, and most a mail.
func TestSetupRequest(t *testing.T) {
	s := newSite(t, nil)
	admin := s.admin()
	b := s.applicant("neema@example.org")
	b.post("/portal/setup", url.Values{"business_name": {""}, "whatsapp_number": {"abc"}, "from": {"9"}, "to": {"18:00"}, "day1": {"1"}}).want(t, 422,
		"Please fill this in.", "A phone number has no letters", "Choose what fits your business best.", "Closing must be after opening")
	if n := s.count("SELECT count(*) FROM tenants"); n != 0 {
		t.Fatal("a refused request made a tenant")
	}
	var both sync.WaitGroup // two taps at once
	for range 2 {
		both.Go(func() {
			if got := b.post("/portal/setup", setupForm("Neema Salon", "0712 000 555")); got.status != 303 {
				t.Errorf("status %d", got.status)
			}
		})
	}
	both.Wait()
	if n := s.count("SELECT count(*) FROM setup_requests") + s.count("SELECT count(*) FROM tenants"); n != 2 {
		t.Fatalf("two taps made %d requests and tenants, want one of each", n)
	}
	b.get("/portal").want(t, 303)
	b.get("/portal/setup").want(t, 200, "Your request is sent", `sse-connect="/portal/setup/stream"`)
	b.get("/portal/messages").want(t, 303)
	b.post("/portal/people", url.Values{"name": {"A"}, "email": {"a@example.org"}}).want(t, 409)

	admin.get("/admin/requests").want(t, 200, "Neema Salon", "neema@example.org", "08:30–18:00", "Waiting")
	id, _ := s.latest("Neema Salon")
	answer := func(do, reason string, status int) answer {
		got := admin.post("/admin/requests", url.Values{"do": {do}, "id": {id.String()}, "reason": {reason}}, "HX-Request", "true")
		got.want(t, status)
		return got
	}
	answer("review", "", 200)
	b.get("/portal/setup").want(t, 200, "We are looking at your request")
	answer("reject", "", 422).want(t, 422, "Say why")
	answer("reject", "The number is a landline <b>.", 200)
	b.get("/portal/setup").want(t, 200, "needs a correction", "The number is a landline &lt;b&gt;.")
	answer("approve", "", 422) // it is answered already
	b.get("/portal/setup?edit=1").want(t, 200, `value="Neema Salon"`, `value="08:30"`)

	b.post("/portal/setup", setupForm("Neema Hair", "0712 000 556")).want(t, 303)
	b.post("/portal/setup", setupForm("Neema Again", "0712 000 557")).want(t, 303) // from a tab that was left open: nothing more
	if n := s.count("SELECT count(*) FROM setup_requests"); n != 2 {
		t.Fatalf("%d requests, want the rejected and the corrected", n)
	}
	id, _ = s.latest("Neema Hair")
	answer("approve", "", 200)
	answer("approve", "", 422)
	b.get("/portal/setup").want(t, 200, "You are in!", `id="link-panel"`)
	b.get("/portal").want(t, 200, "Neema Hair")
	if n := s.count(`SELECT count(*) FROM tenants t JOIN worker_processes w ON w.tenant_id = t.id JOIN tenant_configs c ON c.tenant_id = t.id
		WHERE t.name = 'Neema Hair' AND t.phone_number = '+255712000556' AND approved_at IS NOT NULL AND w.desired = 'RUNNING' AND c.hours_json ? 'sat'`); n != 1 {
		t.Error("the approved tenant is not as asked for")
	}
	if n := s.count("SELECT count(*) FROM river_job WHERE kind = 'tenant_start'"); n != 1 {
		t.Errorf("%d workers start", n)
	}
	s.exec("UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '255712000556:1@s.whatsapp.net'")
	if _, status := s.latest("Neema Hair"); status != "ACTIVE" {
		t.Errorf("a connected number leaves the request %s", status)
	}
	b.get("/portal/setup").want(t, 200, "Your bot answers customers")
	b.post("/portal/setup", setupForm("Once more", "0712 000 558")).want(t, 303)
	var kinds string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT string_agg(event_type, ' ' ORDER BY created_at, id) FROM portal_event_logs").Scan(&kinds))
	if want := "SETUP_SUBMITTED SETUP_REVIEWING SETUP_REJECTED SETUP_SUBMITTED SETUP_APPROVED SETUP_ACTIVE"; kinds != want {
		t.Errorf("events %s, want %s", kinds, want)
	}
	if got := strings.Join(s.mails("neema@example.org"), " "); got != "setup_sent setup_rejected setup_sent setup_approved" {
		t.Errorf("mails %s", got) // setup_active is ordered by the job setup_tell
	}
	if got := strings.Join(s.mails("admin@example.org"), " "); got != "setup_new setup_new" {
		t.Errorf("the operator's mails: %s", got)
	}
}

// Asking for a number takes it from nobody, and tells nobody whose it is; only approving does.
func TestNumbersAreNotTakenByAsking(t *testing.T) {
	s := newSite(t, nil)
	s.tenant("First", 1)
	admin := s.admin()
	one, two := s.applicant("one@example.org"), s.applicant("two@example.org")
	one.post("/portal/setup", setupForm("One", "+255712000001")).want(t, 303)
	two.post("/portal/setup", setupForm("Two", "+255712000002")).want(t, 303)
	s.applicant("three@example.org").post("/portal/setup", setupForm("Three", "+255712000002")).want(t, 303)
	var ids []string
	for _, name := range []string{"One", "Two", "Three"} {
		id, _ := s.latest(name)
		ids = append(ids, id.String())
	}
	admin.post("/admin/requests", url.Values{"do": {"approve"}, "id": ids}, "HX-Request", "true").want(t, 200, "Another tenant already has this phone number.")
	if n := s.count("SELECT count(*) FROM setup_requests WHERE status = 'APPROVED'"); n != 1 {
		t.Errorf("%d are approved, want the one whose number was free", n)
	}
	// A worker of a business that is not approved does not start, whoever asks.
	var tenant uuid.UUID
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id FROM tenants WHERE name = 'One'").Scan(&tenant))
	admin.post(tenantBase(tenant)+"/worker/start", nil, "HX-Request", "true").want(t, http.StatusConflict, "not approved yet")
}
