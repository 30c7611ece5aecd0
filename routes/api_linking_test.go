package routes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const offerQR = `UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = $2, qr_expires_at = now() + $3::interval WHERE tenant_id = $1`

func TestAPIQR(t *testing.T) {
	t.Parallel()
	noQR := []string{`"qr":null`, `"code":null`, `"expires_at":null`}
	get := func(name, tenant string, status int, contains []string, after func(*testing.T, *api, world)) scenario {
		return scenario{name: name, method: "GET", url: "/tenants/" + tenant + "/qr", status: status, contains: contains, after: after}
	}
	runScenarios(t, []scenario{
		get("not started", "<new>", 200, append(noQR, `"state":"DISCONNECTED"`), func(t *testing.T, a *api, w world) {
			if n := a.count(`SELECT count(*) FROM whatsapp_sessions WHERE tenant_id = $1 AND watched_until BETWEEN now() + interval '40 seconds' AND now() + interval '45 seconds'`, w.fresh); n != 1 {
				t.Error("the session is not marked as watched for 45 seconds")
			}
			a.exec(offerQR, w.fresh, "2@abc,def", "20 seconds")
		}),
		get("on offer", "<new>", 200, []string{`"state":"QR_READY"`, `"code":"2@abc,def"`, `"qr":"data:image/png;base64,`}, func(t *testing.T, a *api, w world) {
			var got qrJSON
			a.call("GET", path("/tenants/%s/qr", w.fresh), a.key, "", nil).into(t, 200, &got)
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*got.QR, "data:image/png;base64,"))
			must(t, err)
			if image, err := png.Decode(bytes.NewReader(raw)); err != nil || image.Bounds().Dx() < 264 || image.Bounds().Dx() != image.Bounds().Dy() {
				t.Errorf("not a square picture of at least 264 pixels: %v", err)
			}
			if left := time.Until(*got.ExpiresAt); left <= 0 || left > 20*time.Second {
				t.Errorf("expires in %v", left)
			}
			a.exec(offerQR, w.fresh, "2@abc,def", "-1 second")
		}),
		get("expired", "<new>", 200, noQR, nil),
		get("linked", "<linked>", 200, append(noQR, `"state":"CONNECTED"`), nil),
		get("unknown", "<gone>", 404, nil, nil),
	})
}

// pairCode asks for a code and, once the request is stored, does what the node would do.
func (a *api) pairCode(t *testing.T, tenant uuid.UUID, node func()) reply {
	t.Helper()
	sub := a.server.Hub.Subscribe(tenant)
	defer sub.Close()
	answer := make(chan reply, 1)
	go func() {
		r, err := a.try("POST", path("/tenants/%s/pair-code", tenant), a.key, `{"phone":"0712 000 002"}`, nil)
		if err != nil {
			t.Error(err)
		}
		answer <- r
	}()
	for asked := false; !asked; {
		select {
		case <-sub.Wake():
			sub.Take()
			asked = a.count(`SELECT count(*) FROM river_job WHERE kind = 'tenant_pair_code' AND args->>'tenant_id' = $1 AND args->>'phone' = '+255712000002'`, tenant.String()) == 1
		case r := <-answer:
			t.Fatalf("answered before the node did anything: %d %s", r.status, r.body)
		case <-time.After(10 * time.Second):
			t.Fatal("the code was not asked for")
		}
	}
	node()
	return <-answer
}

func TestAPIPairCode(t *testing.T) {
	t.Parallel()
	t.Run("arrives", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		id := a.newTenant("Duka la Juma", "+255712000002", false)
		a.exec(`UPDATE whatsapp_sessions SET pair_code = 'OLD1-OLD1' WHERE tenant_id = $1`, id)
		r := a.pairCode(t, id, func() {
			a.exec(`UPDATE whatsapp_sessions SET reason = 'CONNECTING' WHERE tenant_id = $1`, id)
			a.exec(`UPDATE whatsapp_sessions SET last_qr = '2@x', pair_code = 'OLD1-OLD1' WHERE tenant_id = $1`, id)
			a.exec(`UPDATE whatsapp_sessions SET state = 'QR_READY', pair_code = 'ABCD-EFGH', pair_code_expires_at = now() + interval '3 minutes' WHERE tenant_id = $1`, id)
		})
		if r.status != 200 || string(r.body) != `{"code":"ABCD-EFGH"}` {
			t.Errorf("%d %s", r.status, r.body)
		}
		newDescription(t).check(t, "POST", "/tenants/x/pair-code", r)
		if a.count(`SELECT count(*) FROM whatsapp_sessions WHERE watched_until > now()`) != 1 {
			t.Error("the session is not watched")
		}
	})
	for name, c := range map[string]struct{ sql, detail string }{
		"the number is banned":  {`UPDATE whatsapp_sessions SET reason = 'BANNED', reason_since = now(), reason_until = now() + interval '1 hour' WHERE tenant_id = $1`, "suspended"},
		"the account is locked": {`UPDATE whatsapp_sessions SET reason = 'LOCKED', reason_since = now() WHERE tenant_id = $1`, "locked"},
		"somebody scans":        {`UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '1:1@s.whatsapp.net' WHERE tenant_id = $1`, "linked"},
		"the worker fails":      {`UPDATE worker_processes SET status = 'ERROR', last_error = 'No route to WhatsApp.' WHERE tenant_id = $1`, "No route"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			id := a.newTenant("Duka la Juma", "+255712000002", false)
			a.exec(`UPDATE whatsapp_sessions SET reason = 'LOGGED_OUT' WHERE tenant_id = $1`, id) // long ago: no answer to this request
			r := a.pairCode(t, id, func() { a.exec(c.sql, id) })
			if r.status != http.StatusConflict || !strings.Contains(r.problem(t).Detail, c.detail) {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	t.Run("the tenant is removed", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		id := a.newTenant("Duka la Juma", "+255712000002", false)
		r := a.pairCode(t, id, func() {
			a.exec(`DELETE FROM tenants WHERE id = $1`, id)
			a.exec(`SELECT pg_notify('flowhq_live', 'session ' || $1::text || ' ' || $1::text)`, id.String())
		})
		if r.status != http.StatusNotFound {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	t.Run("the process shuts down", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		id := a.newTenant("Duka la Juma", "+255712000002", false)
		if r := a.pairCode(t, id, func() { a.stop() }); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("takes 20 seconds")
		}
		a := newAPI(t)
		id := a.newTenant("Duka la Juma", "+255712000002", false)
		if r := a.pairCode(t, id, func() {}); r.status != http.StatusGatewayTimeout {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		ask := func(name, tenant, body string, status int, errors ...string) scenario {
			return scenario{name: name, method: "POST", url: "/tenants/" + tenant + "/pair-code", body: body, status: status, errors: errors}
		}
		runScenarios(t, []scenario{
			ask("linked already", "<linked>", `{"phone":"+255712000001"}`, 409),
			ask("no number", "<new>", `{"phone":"abc"}`, 422, "phone"),
			ask("missing", "<new>", `{}`, 422, "phone"),
			ask("wrong type", "<new>", `{"phone":255712000002}`, 400, "phone"),
			ask("unknown field", "<new>", `{"phone":"+255712000002","number":"x"}`, 400, "number"),
			ask("no body", "<new>", ``, 415),
			ask("unknown tenant", "<gone>", `{"phone":"+255712000002"}`, 404),
		})
	})
}

// sseEvent is one server-sent event.
type sseEvent struct {
	name string
	data []byte
}

// events opens a tenant's stream. The channel closes when the stream ends.
func (a *api) events(ctx context.Context, t *testing.T, tenant uuid.UUID) <-chan sseEvent {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", a.url+path("/tenants/%s/events", tenant), nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+a.key)
	resp, err := a.client.Do(req)
	must(t, err)
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("%d %s", resp.StatusCode, kind)
	}
	events := make(chan sseEvent, 100)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		var e sseEvent
		in := bufio.NewScanner(resp.Body)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			switch line := in.Text(); {
			case line == "":
				if e.name != "" {
					events <- e
				}
				e = sseEvent{}
			case strings.HasPrefix(line, "event: "):
				e.name = line[7:]
			case strings.HasPrefix(line, "data: "):
				e.data = append(e.data, line[6:]...)
			}
		}
	}()
	return events
}

// next takes the next event, which must be of this name and be as described.
func next(t *testing.T, events <-chan sseEvent, name, schema string) map[string]any {
	t.Helper()
	select {
	case e, open := <-events:
		if !open {
			t.Fatalf("the stream ended before %s", name)
		}
		if e.name != name {
			t.Fatalf("%s %s, want %s", e.name, e.data, name)
		}
		var body map[string]any
		must(t, json.Unmarshal(e.data, &body))
		d := newDescription(t)
		for _, wrong := range d.compare(name, d.at(map[string]any(d), "components", "schemas", schema), body) {
			t.Error(wrong)
		}
		return body
	case <-time.After(10 * time.Second):
		t.Fatalf("no %s within 10 s", name)
	}
	return nil
}

func TestAPIEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, other := a.newTenant("Duka la Juma", "+255712000002", false), a.newTenant("Asha Salon", "+255712000001", true)
	events := a.events(t.Context(), t, id)
	if s := next(t, events, "session", "Session"); s["state"] != "DISCONNECTED" || s["reason"] != "NEVER_LINKED" {
		t.Errorf("at first: %v", s)
	}
	if w := next(t, events, "worker", "Worker"); w["status"] != "STOPPED" {
		t.Errorf("at first: %v", w)
	}
	if q := next(t, events, "qr", "QR"); q["state"] != "DISCONNECTED" || q["qr"] != nil {
		t.Errorf("at first: %v", q)
	}
	if a.count(`SELECT count(*) FROM whatsapp_sessions WHERE tenant_id = $1 AND watched_until > now()`, id) != 1 {
		t.Error("a stream does not mark its session as watched")
	}

	a.say(other, "+255713000002", "Neema", "for somebody else")
	a.exec(`UPDATE worker_processes SET status = 'RUNNING', process_name = 'node1/2' WHERE tenant_id = $1`, id)
	if w := next(t, events, "worker", "Worker"); w["status"] != "RUNNING" || w["process_name"] != "node1/2" {
		t.Errorf("started: %v", w)
	}
	a.exec(offerQR, id, "2@abc,def", "1 minute")
	if s := next(t, events, "session", "Session"); s["state"] != "QR_READY" {
		t.Errorf("on offer: %v", s)
	}
	if q := next(t, events, "qr", "QR"); q["code"] != "2@abc,def" || q["expires_at"] == nil || q["qr"] == nil {
		t.Errorf("on offer: %v", q)
	}
	a.exec(`UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '255712000002:1@s.whatsapp.net', last_qr = NULL, qr_expires_at = NULL WHERE tenant_id = $1`, id)
	if s := next(t, events, "session", "Session"); s["state"] != "CONNECTED" || s["phone_number"] != "+255712000002" {
		t.Errorf("scanned: %v", s)
	}
	if q := next(t, events, "qr", "QR"); q["state"] != "CONNECTED" || q["qr"] != nil {
		t.Errorf("scanned: %v", q)
	}

	a.exec(`UPDATE whatsapp_sessions SET reason = 'RESTRICTED', restricted_since = now(), restricted_until = now() + interval '1 hour', restricted_checks = 1,
		restricted_number = '+255712000002' WHERE tenant_id = $1`, id)
	s := next(t, events, "session", "Session")
	if r, ok := s["restriction"].(map[string]any); !ok || s["state"] != "CONNECTED" || s["reason"] != "RESTRICTED" || r["until"] == nil || r["end_known"] != false ||
		!strings.Contains(s["reason_text"].(string), "checked again at") {
		t.Errorf("restricted: %v", s)
	}

	in := a.say(id, "+255713000002", "Neema", "Habari\nza leo")
	if m := next(t, events, "message", "Message"); m["id"] != in.String() || m["message_text"] != "Habari\nza leo" || m["contact_name"] != "Neema" {
		t.Errorf("said: %v", m)
	}
	var sent struct {
		ID string `json:"id"`
	}
	a.call("POST", path("/tenants/%s/messages", id), a.key, `{"to":"+255713000002","text":"Nzuri"}`, nil).into(t, 202, &sent)
	if m := next(t, events, "message", "Message"); m["id"] != sent.ID || m["status"] != "QUEUED" {
		t.Errorf("sent: %v", m)
	}
	a.exec(`UPDATE message_logs SET status = 'READ' WHERE id = $1`, sent.ID)
	a.announce(id, uuid.MustParse(sent.ID))
	if m := next(t, events, "message", "Message"); m["id"] != sent.ID || m["status"] != "READ" {
		t.Errorf("read: %v", m)
	}

	// After a gap in the announcements, what may have been missed comes again; an unchanged state does not.
	a.server.Hub.publish(Event{Kind: KindResync})
	if m := next(t, events, "message", "Message"); m["id"] != in.String() {
		t.Errorf("after a gap: %v", m)
	}
	if m := next(t, events, "message", "Message"); m["id"] != sent.ID || m["status"] != "READ" {
		t.Errorf("after a gap: %v", m)
	}

	a.stop()
	select {
	case e, open := <-events:
		if open {
			t.Errorf("after shutting down: %s %s", e.name, e.data)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream does not end with the process")
	}
}

func TestAPIEventsRefused(t *testing.T) {
	t.Parallel()
	runScenarios(t, []scenario{
		{name: "unknown tenant", method: "GET", url: "/tenants/<gone>/events", status: 404},
		{name: "another tenant", method: "GET", url: "/tenants/<new>/events", key: "LINKED", status: 404},
		{name: "no key", method: "GET", url: "/tenants/<new>/events", key: "none", status: 401},
		{name: "no key, as a browser would ask", method: "GET", url: "/tenants/<new>/events", key: "none", header: map[string]string{"Accept": "text/event-stream"}, status: 401},
	})
}

// A stream must not outlive the right to see it.
func TestAPIEventsAccess(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.newTenant("Duka la Juma", "+255712000002", false)
	key := a.newKey("salon", &id)
	allowed := a.server.keyStillReaches(program{Tenant: id, hash: hashToken(key)}, id)
	expect := func(want bool, when string) {
		t.Helper()
		if got, err := allowed(t.Context()); err != nil || got != want {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
	expect(true, "at first")
	a.exec(`UPDATE api_keys SET revoked_at = now() WHERE label = 'salon'`)
	expect(false, "revoked")
	a.exec(`UPDATE api_keys SET revoked_at = NULL WHERE label = 'salon'`)
	expect(true, "valid again")
	allowed = a.server.keyStillReaches(program{hash: hashToken(a.key)}, id)
	expect(true, "a key for all")
	a.exec(`DELETE FROM tenants WHERE id = $1`, id)
	expect(false, "the tenant is gone")
}
