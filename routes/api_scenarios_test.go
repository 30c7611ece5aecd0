package routes

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// scenario is one request and what must come of it. In url and body, <linked> and <new> stand for the ids of a tenant with a
// linked number and of one without, <gone> for an id that no tenant has, <request> for a set-up request.
type scenario struct {
	name     string
	method   string
	url      string // below APIPrefix
	key      string // "": the one that reaches every tenant; "LINKED": bound to <linked>; "REVOKED"; "none"; else the key itself
	header   map[string]string
	body     string
	status   int
	contains []string
	lacks    []string
	errors   []string // fields that the problem names
	headers  map[string]string
	after    func(t *testing.T, a *api, w world)
}

// world is what a scenario's database holds at first.
type world struct{ linked, fresh, gone, request uuid.UUID }

func (w world) fill(s string) string {
	return strings.NewReplacer("<linked>", w.linked.String(), "<new>", w.fresh.String(), "<gone>", w.gone.String(), "<request>", w.request.String()).Replace(s)
}

func runScenarios(t *testing.T, scenarios []scenario) {
	t.Helper()
	runScenariosOn(t, func(*api, *world) {}, scenarios)
}

// runScenariosOn runs them on a world to which prepare has added something.
func runScenariosOn(t *testing.T, prepare func(*api, *world), scenarios []scenario) {
	t.Helper()
	a := newAPI(t)
	described := newDescription(t)
	w := world{a.newTenant("Asha Salon", "+255712000001", true), a.newTenant("Duka la Juma", "+255712000002", false), uuid.New(), uuid.Nil}
	prepare(a, &w)
	keys := map[string]string{"": a.key, "none": "", "LINKED": a.newKey("salon", &w.linked), "REVOKED": a.newKey("old", nil)}
	a.exec(`UPDATE api_keys SET revoked_at = now() WHERE label = 'old'`)
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			key, known := keys[sc.key]
			if !known {
				key = sc.key
			}
			before := a.written()
			r := a.call(sc.method, APIPrefix+w.fill(sc.url), key, w.fill(sc.body), sc.header)
			if r.status != sc.status {
				t.Fatalf("status %d, want %d: %s", r.status, sc.status, r.body)
			}
			described.check(t, sc.method, sc.url, r)
			for _, want := range sc.contains {
				if !strings.Contains(string(r.body), w.fill(want)) {
					t.Errorf("%s does not contain %s", r.body, w.fill(want))
				}
			}
			for _, lack := range append(sc.lacks, "pgx", "SQLSTATE", "flowhq/") {
				if strings.Contains(string(r.body), w.fill(lack)) {
					t.Errorf("%s contains %s", r.body, w.fill(lack))
				}
			}
			for name, want := range sc.headers {
				if got := r.header.Get(name); !strings.HasPrefix(got, want) || got == "" {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if r.header.Get("Set-Cookie") != "" || r.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("the API sets cookies or allows other origins: %v", r.header)
			}
			if sc.status >= 400 {
				p := r.problem(t)
				for _, field := range sc.errors {
					if p.Errors[field] == "" {
						t.Errorf("no sentence for %q in %s", field, r.body)
					}
				}
				if after := a.written(); after != before {
					t.Errorf("a refused request wrote something: %s, before %s", after, before)
				}
			}
			if sc.after != nil {
				sc.after(t, a, w)
			}
		})
	}
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	unauthorized := map[string]string{"WWW-Authenticate": "Bearer "}
	runScenarios(t, []scenario{
		{name: "no key", method: "GET", url: "/tenants", key: "none", status: 401, headers: unauthorized, lacks: []string{"Asha"}},
		{name: "unknown key", method: "GET", url: "/tenants", key: "fhq_nobody", status: 401, headers: unauthorized, lacks: []string{"Asha"}},
		{name: "revoked key", method: "GET", url: "/tenants", key: "REVOKED", status: 401, headers: unauthorized},
		{name: "another scheme", method: "GET", url: "/tenants", key: "none", header: map[string]string{"Authorization": "Basic Zm9vOmJhcg=="}, status: 401, headers: unauthorized},
		{name: "scheme without key", method: "GET", url: "/tenants", key: "none", header: map[string]string{"Authorization": "Bearer "}, status: 401, headers: unauthorized},
		{name: "a key in a cookie is no key", method: "GET", url: "/tenants", key: "none", header: map[string]string{"Cookie": "Authorization=Bearer x"}, status: 401},
		{name: "the description is open", method: "GET", url: "/openapi.json", key: "none", status: 200, contains: []string{`"openapi": "3.1.0"`}},
		{name: "use is noted", method: "GET", url: "/tenants", status: 200, after: func(t *testing.T, a *api, _ world) {
			if a.count(`SELECT count(*) FROM api_keys WHERE label = 'everything' AND last_used_at > now() - interval '1 minute'`) != 1 {
				t.Error("last_used_at is not set")
			}
			a.exec(`UPDATE api_keys SET last_used_at = '2026-01-01' WHERE label = 'everything'`)
		}},
		{name: "and again after a minute", method: "GET", url: "/tenants", status: 200, after: func(t *testing.T, a *api, _ world) {
			if a.count(`SELECT count(*) FROM api_keys WHERE label = 'everything' AND last_used_at > now() - interval '1 minute'`) != 1 {
				t.Error("last_used_at was not renewed")
			}
			a.exec(`UPDATE api_keys SET last_used_at = now() - interval '30 seconds' WHERE label = 'everything'`)
		}},
		{name: "but not within it", method: "GET", url: "/tenants", status: 200, after: func(t *testing.T, a *api, _ world) {
			if a.count(`SELECT count(*) FROM api_keys WHERE label = 'everything' AND last_used_at < now() - interval '25 seconds'`) != 1 {
				t.Error("last_used_at was renewed within a minute")
			}
		}},
		{name: "a bound key lists its own tenant only", method: "GET", url: "/tenants", key: "LINKED", status: 200, contains: []string{"<linked>", `"next_cursor":null`}, lacks: []string{"<new>", "Juma"}},
		{name: "a bound key reads its own tenant", method: "GET", url: "/tenants/<linked>", key: "LINKED", status: 200, contains: []string{"Asha Salon"}},
		{name: "a bound key creates no tenant", method: "POST", url: "/tenants", key: "LINKED", body: newTenantBody, status: 403},
		{name: "a bound key creates no tenant, whatever it sends", method: "POST", url: "/tenants", key: "LINKED", body: `{`, status: 403},
		{name: "unknown path", method: "GET", url: "/nothing", status: 404},
		{name: "unknown path without a key", method: "GET", url: "/nothing", key: "none", status: 404},
		{name: "unknown path of a tenant", method: "GET", url: "/tenants/<linked>/nothing", status: 404},
		{name: "wrong method", method: "PUT", url: "/tenants", body: `{}`, status: 405, headers: map[string]string{"Allow": "GET, POST"}},
		{name: "wrong method for a tenant", method: "POST", url: "/tenants/<linked>", body: `{}`, status: 405, headers: map[string]string{"Allow": "GET"}},
		{name: "no answer to preflights", method: "OPTIONS", url: "/tenants", header: map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, status: 405},
	})
}

// Whatever a bound key asks of another tenant is answered as if that did not exist, and nothing happens.
func TestAPIBoundKeyEverywhere(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	own, other := a.newTenant("Asha Salon", "+255712000001", true), a.newTenant("Duka la Juma", "+255712000002", true)
	key := a.newKey("salon", &own)
	before := a.written()
	walked := 0
	for _, route := range a.server.apiRoutes() {
		if !strings.Contains(route.path, ":id") {
			continue
		}
		walked++
		var answers []string
		for _, id := range []string{
			other.String(), uuid.NewString(), "nonsense", "%00", "..%2f" + own.String(), "{" + own.String() + "}", "urn:uuid:" + own.String(),
			strings.ReplaceAll(own.String(), "-", ""),
		} {
			r := a.call(route.method, strings.ReplaceAll(route.path, ":id", id), key, `{"to":"+255713000000","text":"x"}`, nil)
			if r.status != http.StatusNotFound {
				t.Errorf("%s %s with id %s: %d, want 404", route.method, route.path, id, r.status)
				continue
			}
			r.problem(t)
			answers = append(answers, string(r.body))
		}
		if len(answers) > 1 && answers[0] != answers[1] {
			t.Errorf("%s %s tells another tenant's id from an unknown one: %s, %s", route.method, route.path, answers[0], answers[1])
		}
	}
	if walked < 12 {
		t.Errorf("only %d routes walked", walked)
	}
	if after := a.written(); after != before {
		t.Errorf("something was written: %s, before %s", after, before)
	}
}
