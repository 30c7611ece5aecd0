package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"flowhq/assets"
	"flowhq/database"
	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/logbook"
	"flowhq/queries/settings"
	"flowhq/routes"
	"flowhq/templates"
	"flowhq/whatsapp"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"
	"riverqueue.com/riverui"
)

// Times a shutdown may take, in the order of its steps; together they stay below the ten seconds that hosts allow.
const (
	drainJobs     = 3 * time.Second
	closeClients  = 3 * time.Second
	closeWeb      = 2 * time.Second
	closeDatabase = 2 * time.Second
)

// app is one process of Flow HQ: opened, migrated and wired by newApp, at work during run.
type app struct {
	config   config
	log      *slog.Logger
	book     *logbook.Book // nil: the log is not kept in the database
	console  *slog.Logger  // the log without the book
	db       *database.Database
	listener *listener
	commands *jobs.Commands
	settings *settings.Store

	web       *fiber.App
	hub       *routes.Hub
	dashboard *riverui.Handler
	pool      *whatsapp.Pool        // nil in a web process
	river     *river.Client[pgx.Tx] // works jobs; in a web process only those of no tenant
	queues    *jobs.ShardQueues
	streams   context.Context // ends before the web server is shut down, and every stream with it
	endStream context.CancelFunc
	demo      *demoOptions
}

// demoOptions is what `flowhq demo` adds: the pages know that WhatsApp is simulated and where.
type demoOptions struct {
	simulatorURL string
	logins       []routes.DemoLogin
}

// newApp opens the database, brings it up to date, takes the address and wires everything; nothing works yet. close ends what it began.
func newApp(ctx context.Context, c config, log *slog.Logger, demo *demoOptions) (_ *app, err error) {
	a := &app{config: c, log: log, console: log, demo: demo}
	a.streams, a.endStream = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	a.config.ProcessName = processName()
	if c.LogDays > 0 {
		a.book = logbook.New(a.config.ProcessName)
		a.log = slog.New(a.book.Handler(log.Handler()))
	}
	if err := a.openDatabase(ctx); err != nil {
		return nil, err
	}
	a.settings = settings.New(a.db.System, c.settings(), c.Fixed, a.log)
	if err := a.settings.Load(ctx); err != nil {
		return nil, err
	}
	if a.listener, err = listen(c.Listen); err != nil {
		a.listener = nil
		return nil, &settingError{fmt.Sprintf("cannot listen on %s (%v): stop what listens there, or choose another address with --listen", c.Listen, errors.Unwrap(err))}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: "flowhq_log_entries_dropped_total", Help: "Entries of the log that were not stored in the database: too many at once, or it was away."},
		func() float64 { return float64(a.book.Dropped()) }))
	if c.Role != roleWeb {
		if err := a.wirePool(registry); err != nil {
			return nil, err
		}
	}
	if err := a.wireJobs(); err != nil {
		return nil, err
	}
	a.commands = jobs.NewCommands(a.db.System, a.river)
	return a, a.wireWeb(registry)
}

// openDatabase opens the database as soon as it is there, and looks whether it has room for this process.
func (a *app) openDatabase(ctx context.Context) error {
	return a.config.whenThere(ctx, a.log, func() (err error) {
		if a.db == nil {
			if a.db, err = openDatabase(ctx, a.config, a.log); err != nil {
				return err
			}
		}
		if err := queries.New(a.db.System).EnsureShards(ctx, int32(a.config.Shards-1)); err != nil {
			return err
		}
		return a.checkBudget(ctx)
	})
}

// processName tells this process from all others of this database.
func processName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// openDatabase connects and migrates. Several processes may do so at once.
func openDatabase(ctx context.Context, c config, log *slog.Logger) (*database.Database, error) {
	size := budgetOf(c.Role, c.Connections)
	o := database.Options{URL: c.DatabaseURL, DataDir: c.DataDir, Log: log, MaxConns: int32(size.system), PortalConns: int32(size.portal)}
	if c.ProcessName != "" {
		o.Name = database.ProcessName(c.Role, c.ProcessName)
	}
	db, err := database.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeDatabase)
		defer cancel()
		return nil, errors.Join(err, db.Close(closing))
	}
	return db, nil
}

// wirePool makes the pool and joins it to River, which works its jobs with the pool, on the queues of the shards that the pool holds.
func (a *app) wirePool(registry *prometheus.Registry) (err error) {
	c, now := a.config, a.settings.Now()
	o := whatsapp.Options{
		DB: a.db.System, Log: a.log, NodeName: c.ProcessName, Metrics: registry,
		RepliesPerMinute: now.RepliesPerMinute, HeartbeatInterval: now.Heartbeat, Lease: c.Lease, Shards: c.Shards,
		ShardsChanged: func(gained, lost []int16) { a.queues.Change(gained, lost) },
	}
	if c.WhatsAppURL != "" {
		o.Endpoint = &whatsapp.Endpoint{URL: c.WhatsAppURL, RootKey: c.WhatsAppRootKey}
	}
	if a.pool, err = whatsapp.New(o); err != nil {
		return err
	}
	a.settings.OnChange(func(v settings.Values) { a.pool.Adjust(v.RepliesPerMinute, v.Heartbeat) })
	return nil
}

func (a *app) wireJobs() (err error) {
	o := jobs.WorkerOptions{
		DB: a.db.System, Log: a.log, RiverLog: riverLog(a.log), NotOwner: whatsapp.ErrNotOwner, SoftStopTimeout: drainJobs,
		Settings: a.settings, Links: a.url(), Node: a.config.ProcessName,
	}
	if a.pool != nil {
		o.Pool = a.pool
	}
	if a.river, err = jobs.NewWorker(o); err != nil {
		return err
	}
	a.settings.OnChange(jobs.Reschedule(a.river, a.log, a.settings.Now()))
	a.queues = jobs.NewShardQueues(a.river, a.log)
	return nil
}

func riverLog(log *slog.Logger) *slog.Logger {
	return slog.New(quiet{log.Handler()}).With("room", "river")
}

func (a *app) wireWeb(registry *prometheus.Registry) error {
	c := a.config
	engine, err := templates.Engine(assets.URL)
	if err != nil {
		return err
	}
	a.hub = routes.NewHub(a.db.System.Config().ConnConfig, a.log)
	a.dashboard, err = riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(a.river, nil), Prefix: routes.JobsPrefix, Logger: riverLog(a.log),
	})
	if err != nil {
		return err
	}
	o := routes.Options{
		Context: a.streams, Database: a.db, Commands: a.commands, Views: engine, Hub: a.hub, Log: a.log, Logbook: a.book,
		PublicURL: c.PublicURL, SecureCookies: strings.HasPrefix(c.PublicURL, "https:"), TrustedProxies: c.TrustedProxies,
		Settings: a.settings, Jobs: a.dashboard, MetricsToken: c.MetricsToken, PortalKey: c.PortalKey,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		Ready:   a.ready, OperationsOnly: c.Role == roleWorker,
	}
	if a.demo != nil {
		o.DemoMode, o.SimulatorURL, o.DemoLogins = true, a.demo.simulatorURL, a.demo.logins
	}
	a.web, err = routes.New(o)
	return err
}

func (a *app) ready(ctx context.Context) error {
	if a.pool == nil {
		return nil
	}
	return a.pool.Ready(ctx)
}

// url is the address that people on this machine open.
func (a *app) url() string {
	if a.config.PublicURL != "" {
		return a.config.PublicURL
	}
	host, port, _ := net.SplitHostPort(a.listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// run works until ctx ends or something fails, then stops in order: no new jobs, clients closed and shards handed over, streams
// ended, web server shut down. It leaves the database to close.
func (a *app) run(ctx context.Context, started func()) error {
	g, ctx := errgroup.WithContext(ctx)
	pool, stopPool := context.WithCancel(context.Background())
	defer stopPool()
	stopped := make(chan struct{})
	defer a.keepLog()()
	if err := a.config.whenThere(ctx, a.log, func() error { return a.river.Start(context.WithoutCancel(ctx)) }); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	g.Go(func() error { a.queues.Run(a.streams); return nil })
	g.Go(func() error { a.settings.Run(a.streams); return nil })
	if a.pool != nil {
		g.Go(func() error {
			defer close(stopped)
			return a.pool.Run(pool)
		})
	} else {
		close(stopped)
	}
	if a.config.Role != roleWorker { // which has no page that could be live
		g.Go(func() error { return a.hub.Run(a.streams) })
		if err := a.dashboard.Start(a.streams); err != nil {
			return fmt.Errorf("start the job dashboard: %w", err)
		}
	}
	g.Go(func() error { return a.web.Listener(a.listener) })
	g.Go(func() error {
		<-ctx.Done()
		a.stop(stopPool, stopped)
		return nil
	})
	started()
	err := g.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// keepLog writes what the process notes to the database until the function it returns is called, which waits for the last entries.
func (a *app) keepLog() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.book.Run(ctx, a.db.System, a.console)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (a *app) stop(stopPool context.CancelFunc, poolStopped <-chan struct{}) {
	a.log.Info("stopping")
	a.endStream()
	ctx, cancel := context.WithTimeout(context.Background(), drainJobs+time.Second)
	if err := a.river.Stop(ctx); err != nil {
		a.log.Warn("some jobs did not end in time; they are taken up again by whoever runs next", "err", err)
	}
	cancel()
	stopPool()
	select {
	case <-poolStopped:
	case <-time.After(closeClients):
		a.log.Warn("WhatsApp clients did not close in time")
	}
	a.listener.hangUp(false)
	if err := a.web.ShutdownWithTimeout(closeWeb); err != nil {
		a.log.Warn("requests were cut off: they did not end in time", "connections", a.listener.hangUp(true), "err", err)
	}
	a.listener.Close() // a stop may come before serving has begun, and then nothing was shut down
}

// close gives back what newApp took. It may be called at any stage.
func (a *app) close() {
	a.endStream()
	if a.listener != nil {
		a.listener.Close() // after run: closed already
	}
	if a.db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeDatabase)
		defer cancel()
		if err := a.db.Close(ctx); err != nil {
			a.log.Warn("database not closed in time", "err", err)
		}
	}
}

// serve is the command: it says where it listens and, while there is no admin, how to become the first.
func serve(ctx context.Context, c config, stdout, stderr io.Writer) error {
	a, err := newApp(ctx, c, c.logger(stderr), nil)
	if err != nil && ctx.Err() != nil {
		return nil // told to stop while it waited
	} else if err != nil {
		return err
	}
	defer a.close()
	return a.run(ctx, func() {
		fmt.Fprintf(stdout, "Flow HQ %s is at %s\n", a.config.Role, a.url())
		if a.config.Role == roleWorker {
			return
		}
		admins, err := queries.New(a.db.System).CountAdmins(ctx)
		if err != nil || admins > 0 {
			return
		}
		token, err := routes.CreateSetupLink(ctx, a.db)
		if err != nil {
			a.log.Error("no set-up link", "err", err)
			return
		}
		fmt.Fprintf(stdout, "Become the first admin within 30 minutes: %s/setup/%s\n", a.url(), token)
	})
}
