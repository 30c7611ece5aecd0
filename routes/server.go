// Package routes is the web side of Flow HQ: the admin's and the owners' pages, their live streams and the JSON API, on
// Fiber. Start reading at routes.go, the table of everything that answers.
package routes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gofiber/fiber/v2"

	"flowhq/assets"
	"flowhq/database"
	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/logbook"
	"flowhq/queries/settings"
	"flowhq/queries/tables"
)

// Limits of a request. Streams have none of the times: their handlers return at once and a writer goes on.
const (
	bodyLimit      = 1 << 20 // bytes
	requestTimeout = 20 * time.Second
	readTimeout    = 30 * time.Second
	idleTimeout    = 2 * time.Minute
)

// Options is what the web side works with. Database, Commands, Views, Hub and Context and Settings are required.
type Options struct {
	Context  context.Context // ends when the process shuts down, and every stream with it
	Database *database.Database
	Commands *jobs.Commands
	Views    Views // loaded templates
	Hub      *Hub  // running
	Log      *slog.Logger
	Logbook  *logbook.Book // where requests are noted; nil: nowhere

	Settings       *settings.Store
	PublicURL      string         // "https://hq.example.org"; empty: taken from each request
	SecureCookies  bool           // people reach us by https
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts; none: nobody's
	Location       *time.Location // whose clock and midnight sentences mean; nil: the machine's

	Jobs         http.Handler                    // River's dashboard for the prefix JobsPrefix; nil: 404
	Ready        func(ctx context.Context) error // what a worker needs besides the database; nil: nothing
	Metrics      http.Handler                    // nil: 404
	MetricsToken string                          // bearer token for /metrics from elsewhere; empty: loopback only
	PortalKey    string                          // PORTAL_INTERNAL_KEY; empty: those endpoints answer 404

	OperationsOnly bool // a worker: health and metrics, no pages and no API

	DemoMode     bool
	SimulatorURL string      // control address of the simulator, for the demo
	DemoLogins   []DemoLogin // sample accounts, offered on the sign-in page of the demo
}

// JobsPrefix is where River's dashboard lives.
const JobsPrefix = "/admin/jobs"

// Views renders a template by name. templates.Engine makes one.
type Views interface {
	Render(w io.Writer, name string, data any, layout ...string) error
}

// server holds what handlers share; it does not change after New.
type server struct {
	Options
	system      *queries.Queries // on the System pool
	sessions    *scs.SessionManager
	passwords   *passwords
	crossOrigin *http.CrossOriginProtection
	files       http.Handler     // assets
	registry    *tables.Registry // what the admin knows of the database; nil where there are no pages
	hints       map[string]string
	downloads   chan struct{}   // a place for each download of a business's data
	paths       map[string]bool // of the route table, as it has them
}

// New builds the web application; the caller listens with it and shuts it down.
func New(o Options) (*fiber.App, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.app(), nil
}

func newServer(o Options) (*server, error) {
	if o.Context == nil || o.Database == nil || o.Commands == nil || o.Views == nil || o.Hub == nil || o.Settings == nil {
		return nil, errors.New("routes: Context, Database, Commands, Views, Hub and Settings are required")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	s := &server{Options: o, system: queries.New(o.Database.System), crossOrigin: http.NewCrossOriginProtection(), files: assets.Handler(), downloads: make(chan struct{}, downloadsAtOnce)}
	if o.PublicURL != "" {
		if err := s.crossOrigin.AddTrustedOrigin(o.PublicURL); err != nil {
			return nil, fmt.Errorf("PUBLIC_URL: %w", err)
		}
	}
	var err error
	if s.passwords, err = newPasswords(); err != nil {
		return nil, err
	}
	s.sessions = newSessions(s.system, o.SecureCookies)
	if !o.OperationsOnly {
		reading, cancel := context.WithTimeout(o.Context, requestTimeout)
		defer cancel()
		if s.registry, err = tables.Load(reading, o.Database.System); err != nil {
			return nil, err
		}
		if s.hints, err = filterHints(s.registry); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) app() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                 "Flow HQ",
		Immutable:               true, // what handlers read from a request outlives it
		BodyLimit:               bodyLimit,
		ReadTimeout:             readTimeout,
		IdleTimeout:             idleTimeout, // no WriteTimeout: streams stay open
		ReadBufferSize:          16 << 10,
		EnableTrustedProxyCheck: true, // with no proxies: Fiber believes no forwarded header; see clientIP
		DisableStartupMessage:   true,
		ErrorHandler:            s.fail,
	})
	app.Server().HeaderReceived = s.limitBody
	app.Use(s.observe, s.protect, s.recoverPanic)
	s.paths = map[string]bool{}
	for _, r := range s.table() {
		s.paths[r.path] = true
		chain := s.guards(r)
		if r.method == anyMethod {
			app.All(r.path, chain...)
			continue
		}
		app.Add(r.method, r.path, chain...)
		if r.method == fiber.MethodGet && r.role != apiKey && r.role != portalKey {
			app.Add(fiber.MethodHead, r.path, chain...)
		}
	}
	return app
}
