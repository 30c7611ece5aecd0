package routes

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// liveEvent is one server-sent event as a browser gets it.
type liveEvent struct{ name, data string }

// listen opens a stream and gives its events until the test ends.
func (b *browser) listen(path string) <-chan liveEvent {
	b.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	b.t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, "GET", b.url+path, nil)
	must(b.t, err)
	r.Header.Set("Accept", "text/event-stream")
	client := *b.Client
	client.Timeout = 0
	res, err := client.Do(r)
	must(b.t, err)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		b.t.Fatalf("stream %s: status %d, type %s", path, res.StatusCode, res.Header.Get("Content-Type"))
	}
	events := make(chan liveEvent, 1000)
	go func() {
		defer res.Body.Close()
		defer close(events)
		var e liveEvent
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "data":
				e.data += value + "\n"
			case "":
				if lines.Text() == "" && e.name != "" {
					events <- e
					e = liveEvent{}
				}
			}
		}
	}()
	return events
}

// awaitEvent reads until an event of this name holds all parts, and gives its data.
func awaitEvent(t *testing.T, events <-chan liveEvent, name string, parts ...string) string {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case e, more := <-events:
			if !more {
				t.Fatalf("the stream ended before %s with %q", name, parts)
			}
			found := e.name == name
			for _, p := range parts {
				found = found && strings.Contains(e.data, p)
			}
			if found {
				return e.data
			}
		case <-deadline:
			t.Fatalf("no event %s with %q in 15 s", name, parts)
		}
	}
}

func TestTenantStream(t *testing.T) {
	s := newSite(t, nil)
	tenant, other := s.tenant("Neema Salon", 1), s.tenant("Other", 2)
	s.message(tenant, "written before", queries.MessageDirectionIN, time.Now().Add(-time.Hour))
	admin := s.admin()
	events := admin.listen(tenantBase(tenant) + "/stream")

	// First the present state, so that nothing is lost between page and stream.
	awaitEvent(t, events, "session", `id="state-panel"`, `id="link-panel"`)
	awaitEvent(t, events, "message", "written before")
	awaitEvent(t, events, "event", "Tenant created")
	if n := s.count("SELECT count(*) FROM whatsapp_sessions WHERE watched_until > now() AND tenant_id = $1", tenant); n != 1 {
		t.Error("the pool does not learn that somebody waits for a code")
	}

	s.exec("UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = '2@one,two', qr_expires_at = now() + interval '1 minute' WHERE tenant_id = $1", tenant)
	awaitEvent(t, events, "session", "data:image/png;base64,", "Waiting for scan")
	s.exec("UPDATE whatsapp_sessions SET pair_code = 'ABCD-EFGH', pair_code_expires_at = now() + interval '1 minute' WHERE tenant_id = $1", tenant)
	awaitEvent(t, events, "session", `id="pair-form"`, "ABCD-EFGH")
	s.exec("UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', last_qr = NULL, jid = '255712000001:3@s.whatsapp.net', pair_code = NULL WHERE tenant_id = $1", tenant)
	awaitEvent(t, events, "session", `data-state="connected"`, `id="send-form"`)
	s.message(other, "of another tenant", queries.MessageDirectionIN, time.Now())
	reply := s.message(tenant, "a reply", queries.MessageDirectionOUT, time.Now())
	awaitEvent(t, events, "message", "a reply", "Queued")
	s.exec("UPDATE message_logs SET status = 'READ' WHERE id = $1", reply)
	s.announce(tenant, reply)
	awaitEvent(t, events, "message", "a reply", "Read")
	s.exec("UPDATE worker_processes SET status = 'ERROR', last_error = 'It fell over' WHERE tenant_id = $1", tenant)
	awaitEvent(t, events, "session", "It fell over")

	s.exec("DELETE FROM tenants WHERE id = $1", tenant)
	s.server.Hub.publish(Event{Kind: KindResync})
	for e := range events { // a tenant that is gone ends its streams
		if strings.Contains(e.data, "of another tenant") {
			t.Error("another tenant's message")
		}
	}
}

func TestListStream(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	admin := s.admin()
	events := admin.listen("/admin/stream")
	awaitEvent(t, events, "tenant", "tenant-"+tenant.String(), "New")
	s.exec("UPDATE tenants SET status = 'ACTIVE' WHERE id = $1", tenant)
	awaitEvent(t, events, "tenant", "tenant-"+tenant.String(), "Active")
	awaitEvent(t, events, "tenant", `id="count-all" class="num count">1<`, `id="count-ACTIVE" class="num count">1<`)
	added := s.tenant("Second", 2)
	awaitEvent(t, events, "tenant", "tenant-"+added.String())
	awaitEvent(t, events, "tenant", `id="count-all" class="num count">2<`)
	admin.post(tenantBase(added)+"/delete", url.Values{"confirm": {"Second"}}).want(t, 303)
	awaitEvent(t, events, "tenant", "tenant-"+added.String(), "data-gone")
	awaitEvent(t, events, "tenant", `id="count-all" class="num count">1<`)
}

func TestPortalStream(t *testing.T) {
	s := newSite(t, nil)
	mine, theirs := s.tenant("Mine", 1), s.tenant("Theirs", 2)
	s.person(mine, "owner@example.org", queries.UserRoleOWNER)
	owner := s.signedIn("owner@example.org")
	home, messages := owner.listen("/portal/stream?page=home"), owner.listen("/portal/stream?page=messages&tenant="+theirs.String())
	awaitEvent(t, home, "session", `id="portal-state"`, `id="link-panel"`)
	s.message(theirs, "their secret", queries.MessageDirectionIN, time.Now())
	s.message(mine, "my message", queries.MessageDirectionIN, time.Now())
	awaitEvent(t, home, "message", "my message")
	awaitEvent(t, home, "session", `id="portal-state"`)
	for e := range untilEvent(messages, "my message") {
		if strings.Contains(e.data, "secret") || strings.Contains(e.data, "portal-state") {
			t.Errorf("on the message page: %s", e.data)
		}
	}
	owner.get("/portal/stream?page=nonsense").want(t, 422)
	s.exec("DELETE FROM portal_event_logs")
	began := time.Now()
	owner.listen("/portal/stream?page=events") // returns once the headers are there
	if took := time.Since(began); took > heartbeat/2 {
		t.Errorf("a stream with nothing to say opens after %s", took)
	}
}

// untilEvent gives the events up to the one that holds the text.
func untilEvent(events <-chan liveEvent, text string) func(func(liveEvent) bool) {
	return func(yield func(liveEvent) bool) {
		for e := range events {
			if !yield(e) || strings.Contains(e.data, text) {
				return
			}
		}
	}
}

// Whatever a stream could have missed, a resync brings again.
func TestResyncShowsEverything(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	events := s.admin().listen(tenantBase(tenant) + "/stream")
	awaitEvent(t, events, "event", "Tenant created")
	s.exec("ALTER TABLE message_logs DISABLE TRIGGER live_insert")
	s.message(tenant, "nobody was told", queries.MessageDirectionIN, time.Now())
	s.server.Hub.publish(Event{Kind: KindResync})
	awaitEvent(t, events, "message", "nobody was told")
}

// Streams end with the process, at once: newSite's clean-up fails if shutting down takes long.
func TestStreamsEndWithTheProcess(t *testing.T) {
	stop := func() {}
	s := newSite(t, func(o *Options) { o.Context, stop = context.WithCancel(o.Context) })
	tenant := s.tenant("Neema Salon", 1)
	events := s.admin().listen(tenantBase(tenant) + "/stream")
	awaitEvent(t, events, "session", "state-panel")
	stop()
	for {
		select {
		case _, more := <-events:
			if !more {
				return
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the stream goes on")
		}
	}
}

func TestEventLines(t *testing.T) {
	var b strings.Builder
	w := &eventWriter{bufio.NewWriter(&b)}
	w.send("message", []byte("<li>\r\n one</li>\n\nend"))
	w.comment("beat")
	must(t, w.flush())
	if want := "event: message\ndata: <li>\ndata:  one</li>\ndata: \ndata: end\n\n: beat\n\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestTenantsOfEvents(t *testing.T) {
	a, b := uuid.New(), uuid.New()
	got := tenantsOf([]Event{{KindSession, a, a}, {KindMessage, b, b}, {KindWorker, a, a}, {KindTenant, b, b}})
	if len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("%v", got)
	}
}
