package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flowhq/database"
	"flowhq/queries/tables"
	"flowhq/routes"

	"github.com/jackc/pgx/v5"
)

// benchAdminPlan is how large the database is and how often each page is asked for.
type benchAdminPlan struct {
	tenants, messages, requests int
	data                        string // a folder that was seeded before; empty: a temporary one is
	profiles                    string // a folder for the server's CPU profile; empty: none is made
}

const (
	adminTarget     = 15  // ms, p95 of a list with its page rendered
	adminRareTarget = 150 // ms, p95 of a search over all messages for a rare word
	adminWarm       = 10  // requests of each kind before those that count
	adminEmail      = "bench@flowhq.example"
	adminPassword   = "bench admin password"
)

// adminQuestion is one kind of page; each request asks for it a little differently.
type adminQuestion struct {
	name    string
	target  float64
	address func(n int) string
}

// benchAdmin measures the admin's lists on many rows: whole pages over HTTP, asked for one after the other.
func benchAdmin(ctx context.Context, plan benchAdminPlan, note func(string, ...any)) (rows []benchRow, postgres string, err error) {
	dir, err := os.MkdirTemp("", "flowhq-bench-admin-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir)
	data := plan.data
	if data == "" {
		data = filepath.Join(dir, "data")
	}
	db, err := database.Open(ctx, database.Options{DataDir: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, "", err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, db.Close(closing))
	}()
	if err := db.Migrate(ctx); err != nil {
		return nil, "", err
	}
	if plan.data == "" {
		note("filling a database with %d tenants and %d messages", plan.tenants, plan.messages)
		if err := seedDatabase(ctx, db, plan.tenants, plan.messages, func(line string) { note("  %s", line) }); err != nil {
			return nil, "", err
		}
	}
	if err := routes.UpsertAdmin(ctx, db, adminEmail, adminPassword); err != nil {
		return nil, "", err
	}
	questions, err := adminQuestions(ctx, db)
	if err != nil {
		return nil, "", err
	}
	p, err := startBenchProcess(ctx, dir, "flowhq-web", []string{"DATABASE_URL=" + db.DSN()}, "serve", "--role", "web", "--listen", loopbackAddress)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	base, err := readServeAddress(ctx, p)
	if err != nil {
		return nil, "", err
	}
	client, err := adminBrowser(ctx, base)
	if err != nil {
		return nil, "", err
	}
	if plan.profiles != "" {
		if err := p.profile(ctx, profileCPU+filepath.Join(plan.profiles, "admin.cpu.pprof")); err != nil {
			return nil, "", err
		}
		defer func() { err = errors.Join(err, p.profile(context.WithoutCancel(ctx), profileEnd)) }()
	}
	for _, q := range questions {
		note("the admin: %s", q.name)
		var took []float64
		for n := range adminWarm + plan.requests {
			began := time.Now()
			if err := adminGet(ctx, client, base+q.address(n)); err != nil {
				return nil, "", fmt.Errorf("%s: %w", q.name, err)
			}
			if n >= adminWarm {
				took = append(took, float64(time.Since(began).Microseconds())/1000)
			}
		}
		slices.Sort(took)
		rows = append(rows, benchRow{Name: "admin, " + q.name + ", p95", Unit: "ms", FlowHQ: took[len(took)*95/100], Target: q.target})
	}
	note("the admin: what its index of words costs a message")
	inserts, err := benchInserts(ctx, db)
	return append(rows, inserts...), db.ServerVersion(), err
}

// adminQuestions picks tenants, places and words of this database, spread over all there is.
func adminQuestions(ctx context.Context, db *database.Database) ([]adminQuestion, error) {
	const samples = 200
	type tenant struct{ ID, Name string }
	rows, err := db.System.Query(ctx, "SELECT id::text, name FROM tenants ORDER BY md5(id::text) LIMIT $1", samples)
	if err != nil {
		return nil, err
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tenant])
	if err != nil {
		return nil, err
	}
	if len(tenants) == 0 {
		return nil, &settingError{"flowhq bench --admin: this database has no tenants; flowhq seed makes some"}
	}
	type place struct {
		At time.Time
		ID string
	}
	rows, err = db.System.Query(ctx, "SELECT created_at, id::text FROM message_logs TABLESAMPLE SYSTEM (0.2) ORDER BY md5(id::text) LIMIT $1", samples)
	if err != nil {
		return nil, err
	}
	places, err := pgx.CollectRows(rows, pgx.RowToStructByPos[place])
	if err != nil {
		return nil, err
	}
	if len(places) == 0 { // a small database: all of them
		rows, err = db.System.Query(ctx, "SELECT created_at, id::text FROM message_logs ORDER BY md5(id::text) LIMIT $1", samples)
		if err != nil {
			return nil, err
		}
		if places, err = pgx.CollectRows(rows, pgx.RowToStructByPos[place]); err != nil || len(places) == 0 {
			return nil, errors.Join(err, &settingError{"flowhq bench --admin: this database has no messages; flowhq seed makes some"})
		}
	}
	rows, err = db.System.Query(ctx, "SELECT DISTINCT split_part(message_text, ' ', 4) FROM message_logs TABLESAMPLE SYSTEM (0.05) WHERE direction = 'IN' LIMIT $1", samples)
	if err != nil {
		return nil, err
	}
	words, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	words = append(words, "zumaridi")
	list := func(filter string) string {
		return "/admin/data/message_logs?q=" + url.QueryEscape(filter)
	}
	return []adminQuestion{
		{"first page", adminTarget, func(int) string { return list("") }},
		{"page at any depth", adminTarget, func(n int) string {
			p := places[n%len(places)]
			cursor, _ := tables.Cursor(p.At, p.ID) // texts always encode
			return list("") + "&cursor=" + cursor
		}},
		{"filter on an indexed column", adminTarget, func(n int) string { return list(`tenant_id = "` + tenants[n%len(tenants)].ID + `"`) }},
		{"filter over a relation", adminTarget, func(n int) string {
			name := tenants[n%len(tenants)].Name
			if n%2 == 0 { // one tenant by its name, or some forty by a part of it
				name = name[:strings.LastIndex(name, " ")]
			}
			return list(`tenant.name ~ "` + name + `"`)
		}},
		{"search in one tenant's messages", adminTarget, func(n int) string {
			return list(`tenant_id = "` + tenants[n%len(tenants)].ID + `" && message_text ~ "` + words[n%len(words)] + `"`)
		}},
		{"search over all messages for a rare word", adminRareTarget, func(int) string { return list("zumaridi") }},
		{"search over all messages for any word", 0, func(n int) string { return list(words[n%len(words)]) }},
		{"list of tenants", adminTarget, func(int) string { return "/admin/data/tenants" }},
		{"lists of contacts, conversations and events", adminTarget, func(n int) string {
			return "/admin/data/" + []string{"contacts", "conversations", "portal_event_logs"}[n%3]
		}},
		{"a tenant's page", 0, func(n int) string { return "/admin/tenants/" + tenants[n%len(tenants)].ID }},
		{"the list with a message's drawer open", 0, func(n int) string { return "/admin/data/message_logs?open=" + places[n%len(places)].ID }},
		{"overview", 0, func(int) string { return "/admin" }},
		{"the count of a filter, in a request of its own", 0, func(n int) string {
			return strings.Replace(list(`tenant_id = "`+tenants[n%len(tenants)].ID+`"`), "?", "/count?", 1)
		}},
	}, nil
}

// adminBrowser signs in as an admin does.
func adminBrowser(ctx context.Context, base string) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"email": {adminEmail}, "password": {adminPassword}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", base)
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("signing in to the admin: %s", answer.Status)
	}
	return client, nil
}

func adminGet(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, answer.Status)
	}
	return nil
}

// benchAdminOnly is `flowhq bench --admin`: the admin's rows alone.
func (c command) benchAdminOnly(ctx context.Context, plan benchAdminPlan, asJSON bool) error {
	began := time.Now()
	rows, postgres, err := benchAdmin(ctx, plan, func(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) })
	if err != nil {
		return err
	}
	return benchReport{Machine: describeMachine(postgres), Took: time.Since(began).Round(time.Second).String(), Rows: rows, silent: true}.write(c.stdout, asJSON)
}
