package routes

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flowhq/jobs"
	"flowhq/queries/logbook"
	"flowhq/queries/settings"
)

// logSite notes its requests, and its log, as a process does.
func logSite(t *testing.T) (*site, *logbook.Book, *slog.Logger) {
	t.Helper()
	book := logbook.New("web-1:7")
	log := slog.New(book.Handler(slog.DiscardHandler))
	s := newSite(t, func(o *Options) { o.Logbook, o.Log = book, log })
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		book.Run(ctx, s.db.System, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() { stop(); <-done })
	return s, book, log
}

func TestRequestsAreLogged(t *testing.T) {
	s, _, log := logSite(t)
	b := s.admin()
	tenant := s.tenant("Neema Salon", 1)
	key, err := CreateAPIKey(t.Context(), s.db, "web shop", nil)
	must(t, err)
	page := b.get(tenantBase(tenant))
	page.want(t, 200)
	id := page.header.Get("X-Request-Id")
	b.get("/admin/nothing-here").want(t, 404)
	b.get("/invite/very-secret-token-of-a-person").want(t, 410)
	s.browser().get("/api/v1/tenants", "Authorization", "Bearer "+key).want(t, 200)
	b.get("/healthz").want(t, 200)
	b.get("/admin/jobs/api/states")
	log.With("request", id).Error("it fell over", "password", "pass-1", "err", "dial postgres://flowhq:pass-2@db/flowhq: refused", "header", "Bearer pass-3-pass-3",
		slog.Group("job", "token", "pass-4", "kind", "sweep"), "data", map[string]any{"api_key": "pass-5", "n": 3, "zero": "a\x00b\xff"})
	log.Debug("of no interest")

	s.await("SELECT count(*) FROM logs WHERE message = 'it fell over'", 1)
	for what, c := range map[string]struct {
		sql  string
		want int
	}{
		"a page": {`SELECT count(*) FROM logs WHERE kind = 'REQUEST' AND level = 'INFO' AND method = 'GET' AND path = '/admin/tenants/:id' AND status = 200 AND bytes > 1000
			AND took_ms >= 0 AND who = 'admin@example.org' AND ip = '127.0.0.1' AND node = 'web-1:7' AND request_id = '` + id + `' AND attributes->>'path' = '` + tenantBase(tenant) + `'`, 1},
		"a refusal":               {`SELECT count(*) FROM logs WHERE status = 404 AND level = 'WARN' AND path = '(no route)'`, 1},
		"a program":               {`SELECT count(*) FROM logs WHERE path = '/api/v1/tenants' AND who = 'API key web shop'`, 1},
		"a secret link":           {`SELECT count(*) FROM logs WHERE path = '/invite/:token' AND attributes IS NULL`, 1},
		"health and the poll":     {`SELECT count(*) FROM logs WHERE path LIKE '%health%' OR path LIKE '/admin/jobs%'`, 0},
		"an event":                {`SELECT count(*) FROM logs WHERE kind = 'EVENT' AND level = 'ERROR' AND request_id = '` + id + `' AND attributes->'job'->>'kind' = 'sweep' AND (attributes->'data'->>'n')::int = 3`, 1},
		"a line below info":       {`SELECT count(*) FROM logs WHERE message = 'of no interest'`, 0},
		"no request twice":        {`SELECT count(*) FROM logs WHERE kind = 'EVENT' AND message = 'request'`, 0},
		"secrets in any of these": {`SELECT count(*) FROM logs l WHERE l::text ~ 'pass-|very-secret|` + key + `|` + testPassword + `'`, 0},
	} {
		if got := s.count(c.sql); got != c.want {
			t.Errorf("%s: %d entries, want %d", what, got, c.want)
		}
	}

	// The admin's page: list, chart, drawer, and the way to the rest of a request.
	list := b.get("/admin/data/logs")
	list.want(t, 200, "<h1", "Logs", "GET /admin/tenants/:id 200", "it fell over", `data-plot="logs"`, `hx-get="/admin/data/logs/chart"`, "charts.js", "data-moment")
	b.get("/admin/data/logs"+q(`request_id = "`+id+`"`)).want(t, 200, "GET /admin/tenants/:id 200", "it fell over")
	rows := strings.Count(b.get("/admin/data/logs"+q(`level = "ERROR"`)).body, `id="row-`)
	if rows != 1 {
		t.Errorf("%d errors are listed, want 1", rows)
	}
	entry := ""
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id::text FROM logs WHERE message = 'it fell over'").Scan(&entry))
	b.get("/admin/data/logs/record/"+entry, "HX-Request", "true").want(t, 200, "[redacted]", "sweep", "request_id+%3D+%22"+id)
	b.post("/admin/data/logs/record/"+entry, url.Values{"message": {"never"}}).want(t, http.StatusMethodNotAllowed)
	b.get("/admin/data/contacts/chart").want(t, 404)
}

// The chart over the logs counts what the list's filter lets through, in steps of its span.
func TestLogChart(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	b.get("/admin/data/logs/chart").want(t, 200, `id="log-series"`)
	s.exec(`INSERT INTO logs (id, created_at, level, kind, message, node)
		SELECT gen_random_uuid(), '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute', (ARRAY['INFO','INFO','WARN','ERROR'])[1 + n % 4]::log_level, 'EVENT', 'n' || n, 'a' FROM generate_series(0, 119) n`)
	chart := func(filter string) string {
		t.Helper()
		got := b.get("/admin/data/logs/chart" + q(filter))
		got.want(t, 200)
		return got.body
	}
	hour := `created_at >= "2026-03-01T10:00:00Z" && created_at < "2026-03-01T11:00:00Z"`
	for filter, parts := range map[string][]string{
		hour:                                  {"info: 30, warning: 15, error: 15", "&#34;step&#34;:60"},
		hour + ` && level = "ERROR"`:          {"info: 0, warning: 0, error: 15"},
		`created_at < "2026-03-01T12:00:00Z"`: {"info: 60, warning: 30, error: 30", "&#34;step&#34;:120"},
		`(created_at >= "2026-03-01T11:59:00Z" && level = "ERROR") && created_at < "2026-03-01T13:00:00Z"`: {"error: 1."},
		`level = "WARN"`:            {"warning: 30"},
		`created_at > "2027-01-01"`: {"info: 0, warning: 0, error: 0"},
		`created_at > "0001-01-01"`: {"info: 60"},
		`nonsense = 1`:              {`data-series=""`},
		"n119":                      {"error: 1."},
	} {
		got := chart(filter)
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%s: the chart lacks %q: %.600s", filter, part, got)
			}
		}
	}
}

func TestLogsAreKeptForTheRetention(t *testing.T) {
	s := newSite(t, nil)
	s.exec(`INSERT INTO logs (id, created_at, level, kind, message, node)
		SELECT gen_random_uuid(), now() - interval '7 days' + n * interval '1 minute', 'INFO', 'EVENT', 'old', 'a' FROM generate_series(-20500, 500) n WHERE n <> 0`)
	must(t, jobs.DeleteOld(t.Context(), s.db.System, settings.Keep{Logs: 7}, time.Now()))
	if n := s.count("SELECT count(*) FROM logs"); n != 500 {
		t.Errorf("%d entries are left, want the 500 of the last seven days", n)
	}
}

// A queue that nobody empties takes what it holds and counts the rest, and says so as soon as it can.
func TestLostLogEntriesAreCounted(t *testing.T) {
	s := newSite(t, nil)
	book := logbook.New("busy:1")
	log := slog.New(book.Handler(slog.DiscardHandler))
	for range 6000 {
		log.Info("too fast")
	}
	lost := book.Dropped()
	if lost < 1000 || lost != book.Unsaid() {
		t.Fatalf("%d of 6000 are lost, %d unsaid", lost, book.Unsaid())
	}
	run := func(ctx context.Context) { book.Run(ctx, s.db.System, slog.New(slog.DiscardHandler)) }
	ended, end := context.WithCancel(context.Background())
	end()
	run(ended) // writes what waits
	if n := s.count("SELECT count(*) FROM logs WHERE message = 'too fast'"); n != 6000-int(lost) {
		t.Errorf("%d entries are kept, %d lost of 6000", n, lost)
	}
	if n := s.count("SELECT sum(dropped)::int FROM logs WHERE message = $1 AND level = 'WARN'", logbook.DroppedMessage); n != int(lost) {
		t.Errorf("the log tells of %d lost entries, want %d", n, lost)
	}
	s.admin().get("/admin/data/logs").want(t, 200, "entries of the last 24 hours were not kept")

	// Without the table, as without the database: what cannot be written is lost, counted, and told of later.
	s.exec("ALTER TABLE logs RENAME TO logs_away")
	log.Info("gone")
	run(ended)
	s.exec("ALTER TABLE logs_away RENAME TO logs")
	log.Info("back")
	run(ended)
	if n := s.count("SELECT count(*) FROM logs WHERE message = 'gone'"); n != 0 || book.Dropped() != lost+1 {
		t.Errorf("%d entries are lost, want %d", book.Dropped(), lost+1)
	}
	if n := s.count("SELECT count(*) FROM logs WHERE dropped = 1 OR message = 'back'"); n != 2 {
		t.Errorf("%d entries tell of the gap and of after it, want 2", n)
	}
}
