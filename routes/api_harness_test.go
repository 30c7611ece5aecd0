package routes

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
)

// api is a site with a key for its JSON API. The node that would run the tenants is played by the test, through the database.
type api struct {
	*site
	client *http.Client
	key    string             // reaches every tenant
	stop   context.CancelFunc // what the process does first when it shuts down
}

func newAPI(t *testing.T) *api {
	t.Helper()
	// No connection is kept: an idle one would hold up the server's shutdown.
	a := &api{client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	a.site = newSite(t, func(o *Options) { o.Context, a.stop = context.WithCancel(o.Context) })
	t.Cleanup(a.stop)
	a.key = a.newKey("everything", nil)
	return a
}

func (a *api) newKey(label string, tenant *uuid.UUID) string {
	a.t.Helper()
	key := "fhq_" + rand.Text()
	must(a.t, a.q.CreateAPIKey(a.t.Context(), queries.CreateAPIKeyParams{ID: uuid.New(), Label: label, KeyHash: hashToken(key), TenantID: tenant}))
	return key
}

// newTenant makes a tenant; a linked one has a number at WhatsApp and is connected.
func (a *api) newTenant(name, phone string, linked bool) uuid.UUID {
	a.t.Helper()
	id, err := a.server.Commands.CreateTenant(a.t.Context(), jobs.NewTenant{
		Name: name, PhoneNumber: phone, BusinessName: name, TemplateType: "BOOKING", Language: "EN",
	}, jobs.Actor{Name: "test"})
	must(a.t, err)
	if linked {
		a.exec(`UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = $2, push_name = 'Asha' WHERE tenant_id = $1`,
			id, strings.TrimPrefix(phone, "+")+":3@s.whatsapp.net")
		a.exec(`UPDATE worker_processes SET status = 'RUNNING', desired = 'RUNNING' WHERE tenant_id = $1`, id)
	}
	return id
}

// written is what a request may have left in the database; one that is refused must not change it.
func (a *api) written() string {
	a.t.Helper()
	var s string
	must(a.t, a.db.System.QueryRow(a.t.Context(), `SELECT concat_ws(' ',
		(SELECT md5(string_agg(t::text || c::text, '' ORDER BY t.id)) FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id),
		(SELECT md5(string_agg(desired::text, '' ORDER BY tenant_id)) FROM worker_processes), (SELECT count(*) FROM contacts),
		(SELECT count(*) FROM message_logs), (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM portal_event_logs),
		(SELECT count(*) FROM river_job))`).Scan(&s))
	return s
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request with a JSON body, or none where it is empty. A header with an empty value is not sent.
func (a *api) call(method, path, key, body string, header map[string]string) reply {
	a.t.Helper()
	r, err := a.try(method, path, key, body, header)
	must(a.t, err)
	return r
}

func (a *api) try(method, path, key, body string, header map[string]string) (reply, error) {
	ctx, cancel := context.WithTimeout(a.t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		if req.Header.Set(name, value); value == "" {
			req.Header.Del(name)
		}
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, raw}, err
}

// into decodes an answer that should have the given status.
func (r reply) into(t testing.TB, status int, v any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// problem decodes an error and checks that it has all an error must have.
func (r reply) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	in := json.NewDecoder(bytes.NewReader(r.body))
	in.DisallowUnknownFields()
	if err := in.Decode(&p); err != nil {
		t.Fatalf("status %d, not a problem: %v: %s", r.status, err, r.body)
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if p.Status != r.status || p.Title != http.StatusText(r.status) || p.Type == "" || p.Detail == "" {
		t.Errorf("status %d, but the problem says %s", r.status, r.body)
	}
	return p
}

func path(format string, args ...any) string { return APIPrefix + fmt.Sprintf(format, args...) }
