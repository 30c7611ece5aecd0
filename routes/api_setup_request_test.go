package routes

import (
	"testing"

	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
)

// request has an owner of no business yet ask for one.
func (s *site) request(email, business, phone string) uuid.UUID {
	s.t.Helper()
	s.exec("INSERT INTO users (id, name, email, role, password_hash) VALUES (gen_random_uuid(), $2, $1, 'OWNER', 'x')", email, "Owner of "+business)
	user, err := s.q.GetUserByEmail(s.t.Context(), email)
	must(s.t, err)
	id, err := s.commands.SubmitSetup(s.t.Context(), user.ID, jobs.SetupRequest{
		BusinessName: business, BusinessKind: "SALON", TemplateType: "BOOKING", Language: "SW", WhatsAppNumber: phone,
	}, jobs.Actor{Kind: queries.ActorKindOWNER, UserID: &user.ID, Name: user.Name})
	must(s.t, err)
	return id
}

func TestAPISetupRequests(t *testing.T) {
	t.Parallel()
	prepare := func(a *api, w *world) { w.request = a.request("neema@example.org", "Neema Salon", "+255712000009") }
	theirs := func(a *api, w world) uuid.UUID {
		r, err := a.q.GetSetupRequest(t.Context(), w.request)
		must(t, err)
		return r.TenantID
	}
	runScenariosOn(t, prepare, []scenario{
		{name: "none yet", method: "GET", url: "/tenants/<new>/setup-requests", status: 200, contains: []string{`"items":[]`}},
		{name: "another tenant's", method: "GET", url: "/tenants/<new>/setup-requests", key: "LINKED", status: 404, lacks: []string{"Neema"}},
		{name: "of nobody", method: "GET", url: "/tenants/<gone>/setup-requests", status: 404},
		{name: "without a key", method: "POST", url: "/setup-requests/<request>/approve", key: "none", status: 401},
		{name: "approving another tenant's", method: "POST", url: "/setup-requests/<request>/approve", key: "LINKED", status: 404},
		{name: "approving what is not", method: "POST", url: "/setup-requests/<gone>/approve", status: 404},
		{name: "an id that is none", method: "POST", url: "/setup-requests/x/approve", status: 404},
		{name: "rejecting without a reason", method: "POST", url: "/setup-requests/<request>/reject", body: `{"reason": " "}`, status: 422, errors: []string{"reason"}},
		{name: "rejecting", method: "POST", url: "/setup-requests/<request>/reject", body: `{"reason": "The number is a landline."}`, status: 200,
			contains: []string{`"status":"REJECTED"`, `"reason":"The number is a landline."`}},
		{name: "approving what is rejected", method: "POST", url: "/setup-requests/<request>/approve", status: 409,
			after: func(_ *testing.T, a *api, w world) {
				a.exec("UPDATE setup_requests SET status = 'REVIEWING' WHERE id = $1", w.request)
			}},
		{name: "approving", method: "POST", url: "/setup-requests/<request>/approve", status: 200, contains: []string{`"status":"APPROVED"`, `"hours":null`},
			after: func(t *testing.T, a *api, w world) {
				tenant := theirs(a, w)
				if n := a.count("SELECT count(*) FROM worker_processes WHERE tenant_id = $1 AND desired = 'RUNNING'", tenant); n != 1 {
					t.Error("its worker does not start")
				}
				own := a.newKey("own", &tenant)
				if r := a.call("POST", APIPrefix+"/setup-requests/"+w.request.String()+"/approve", own, "", nil); r.status != 403 {
					t.Errorf("a tenant approves itself: %d", r.status)
				}
				if r := a.call("GET", APIPrefix+"/tenants/"+tenant.String()+"/setup-requests", own, "", nil); r.status != 200 {
					t.Errorf("a tenant does not see its own requests: %d", r.status)
				}
			}},
		{name: "approving twice", method: "POST", url: "/setup-requests/<request>/approve", status: 409},
	})
	for _, status := range queries.AllSetupRequestStatusValues() {
		if requestStates[status].Word == "" {
			t.Errorf("%s has no word on the operator's list", status)
		}
	}
}
