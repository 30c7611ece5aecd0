package routes

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/template/html/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"riverqueue.com/riverui"

	"flowhq/assets"
	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/settings"
	"flowhq/templates"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

// site is the whole web side on a real listener and a database of its own.
type site struct {
	t        *testing.T
	db       *database.Database
	q        *queries.Queries
	server   *server
	commands *jobs.Commands
	url      string
	seen     int // entries of the audit log that a test has looked at
}

const testPassword = "correct horse battery"

// sharedEngine is read once: it does not change, as in a process that serves.
var sharedEngine = sync.OnceValues(func() (*html.Engine, error) { return templates.Engine(assets.URL) })

// newSite serves until the test ends; change may be nil.
func newSite(t *testing.T, change func(*Options)) *site {
	t.Helper()
	return newSiteOn(t, databasetest.New(t), change)
}

// newSiteOn is one more process on the same database.
func newSiteOn(t *testing.T, db *database.Database, change func(*Options)) *site {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("FLOWHQ_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	q := queries.New(db.System)
	must(t, q.EnsureShards(ctx, 3))
	store := settings.New(db.System, settings.Defaults(), nil, log)
	river, err := jobs.NewWorker(jobs.WorkerOptions{DB: db.System, Log: log, RiverLog: log, Settings: store}) // only inserts: it is not started
	must(t, err)
	engine, err := sharedEngine()
	must(t, err)
	dashboard, err := riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(river, nil), Prefix: JobsPrefix, Logger: log})
	must(t, err)
	must(t, dashboard.Start(ctx))
	hub := NewHub(db.System.Config().ConnConfig, log)
	hubDone := make(chan struct{})
	go func() {
		defer close(hubDone)
		_ = hub.Run(ctx)
	}()
	o := Options{
		Context: ctx, Database: db, Commands: jobs.NewCommands(db.System, river), Views: engine, Hub: hub, Log: log,
		Jobs: dashboard, Metrics: promhttp.Handler(), Settings: store, Location: time.UTC,
	}
	if change != nil {
		change(&o)
	}
	s, err := newServer(o)
	must(t, err)
	app := s.app()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		stop()
		if err := app.ShutdownWithTimeout(5 * time.Second); err != nil {
			t.Errorf("shut down: %v", err)
		}
		_ = listener.Close() // a test may end before serving has begun, and then nothing was shut down
		<-served
		<-hubDone
	})
	return &site{t: t, db: db, q: q, server: s, commands: o.Commands, url: "http://" + listener.Addr().String()}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser keeps cookies, of which one chooses English, and follows no redirects.
type browser struct {
	*http.Client
	t   *testing.T
	url string
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	address, err := url.Parse(s.url)
	must(s.t, err)
	jar.SetCookies(address, []*http.Cookie{{Name: languageCookie, Value: "en", Path: "/"}}) // tests read English; language_test.go does not
	// No connection is kept: an idle one would hold up the server's shutdown.
	return &browser{t: s.t, url: s.url, Client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// do sends one request; headers are given as name, value, name, value.
func (b *browser) do(method, path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	if form == nil {
		return b.send(method, path, nil, headers...)
	}
	return b.send(method, path, strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// send sends one request with a body of any kind.
func (b *browser) send(method, path string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, body)
	must(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(r)
	must(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(b.t, err)
	return answer{res.StatusCode, res.Header, string(raw)}
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.do("GET", path, nil, headers...)
}

// post sends a form as a page of this site does: with the browser's own mark of where it came from.
func (b *browser) post(path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.do("POST", path, form, append([]string{"Sec-Fetch-Site", "same-origin", "Origin", b.url}, headers...)...)
}

func (a answer) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d; location %q, body:\n%s", a.status, status, a.header.Get("Location"), excerpt(a.body))
	}
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			t.Fatalf("body lacks %q:\n%s", p, excerpt(a.body))
		}
	}
}

func excerpt(s string) string {
	if i := strings.Index(s, "<main"); i > 0 {
		s = s[i:]
	}
	return s[:min(len(s), 3000)]
}

// admin makes an admin and gives their signed-in browser.
func (s *site) admin() *browser {
	s.t.Helper()
	must(s.t, UpsertAdmin(context.Background(), s.db, "admin@example.org", testPassword))
	return s.signedIn("admin@example.org")
}

func (s *site) signedIn(email string) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/login", url.Values{"email": {email}, "password": {testPassword}}).want(s.t, http.StatusSeeOther)
	return b
}

// colleague makes one of the operator's people, whose address is their role's.
func (s *site) colleague(role string) {
	s.t.Helper()
	_, err := UpsertColleague(context.Background(), s.db, role+"@example.org", testPassword, role)
	must(s.t, err)
}

// tenant makes a business whose number ends in n.
func (s *site) tenant(name string, n int) uuid.UUID {
	s.t.Helper()
	id, err := s.commands.CreateTenant(context.Background(), jobs.NewTenant{
		Name: name, BusinessName: name, PhoneNumber: fmt.Sprintf("+2557120000%02d", n), TemplateType: "BOOKING", Language: "EN",
	}, jobs.Actor{Name: "test"})
	must(s.t, err)
	return id
}

// person makes an account of a tenant, with testPassword.
func (s *site) person(tenant uuid.UUID, email string, role queries.UserRole) uuid.UUID {
	s.t.Helper()
	ctx, id := context.Background(), newID()
	must(s.t, s.q.CreatePerson(ctx, queries.CreatePersonParams{ID: id, TenantID: tenant, Name: "Person of " + email, Email: email, Role: role}))
	hash, err := hashPassword(testPassword)
	must(s.t, err)
	must(s.t, s.q.SetPassword(ctx, queries.SetPasswordParams{UserID: id, PasswordHash: hash}))
	return id
}

// count runs a query that gives one number.
func (s *site) count(sql string, args ...any) (n int) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

// exec runs a statement.
func (s *site) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.db.System.Exec(context.Background(), sql, args...)
	must(s.t, err)
}

// withUser tells the session store whose new session this is, as withSession does.
func withUser(ctx context.Context, user uuid.UUID) context.Context {
	return context.WithValue(ctx, sessionWriteKey{}, sessionWrite{user: &user})
}

// await waits until a query's number is want. It asks the database, which has no other way to tell.
func (s *site) await(sql string, want int, args ...any) {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for s.count(sql, args...) != want {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is not %d after 10 s", sql, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
