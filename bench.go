package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"flowhq/database"
	"flowhq/whatsapp/simulator"

	"github.com/jackc/pgx/v5"
)

// benchPlan is how much is measured. Targets are those of the first release; docs/benchmarks.md explains each row.
type benchPlan struct {
	tenants     []int // connected tenants at which memory is measured, ascending
	loadTenants int   // one of tenants: replies are timed there
	contacts    int   // customers of each tenant while replies are timed
	loads       []benchLoad
	burst       int           // messages sent at once
	starts      int           // starts on a warm data folder
	settle      time.Duration // between the last message and reading the memory
	idle        time.Duration // over which idle CPU is measured, at the largest number of tenants
}

// benchLoad is one open-loop run: messages are sent on schedule, answered or not.
type benchLoad struct {
	rate     float64 // messages a second
	messages int
}

var (
	fullBench = benchPlan{
		tenants: []int{1, 5, 25, 50, 100}, loadTenants: 5, contacts: 4,
		loads: []benchLoad{{1, 30}, {10, 200}, {50, 1000}}, burst: 1000, starts: 5, settle: 3 * time.Second, idle: 16 * time.Second,
	}
	quickBench = benchPlan{
		tenants: []int{1, 5, 10}, loadTenants: 5, contacts: 4,
		loads: []benchLoad{{1, 3}, {10, 30}, {50, 150}}, burst: 200, starts: 3, settle: time.Second, idle: 2 * time.Second,
	}
)

const (
	benchLimit        = 10 * time.Minute // of a whole run
	benchPairing      = 32               // tenants that are linked at the same time
	maxLatencyGap     = 40               // ms, p50 above the echo loop's
	maxSlopeRatio     = 1.5              // memory per tenant, of the echo loop's
	maxStart          = 1                // s, on a warm data folder
	benchWarmRate     = 40               // messages a second before a measured run
	benchSilence      = 300 * time.Millisecond
	benchEchoDatabase = "echo"
)

// bench is one run: the simulator in this process, one Postgres server, and two systems that take turns.
type bench struct {
	plan      benchPlan
	dir       string // temporary; everything is in it
	progress  io.Writer
	began     time.Time
	simulator *simulator.Server
	db        *database.Database
	http      *http.Client
	systems   []*benchSystem // the echo loop, Flow HQ
	rows      []benchRow
	wrong     []string // what was not answered exactly once
}

// bench is the command `flowhq bench`. It fails when a message was not answered exactly once, never for being slow.
func (c command) bench(ctx context.Context) (err error) {
	if len(c.args) > 0 && c.args[0] == benchChildWord {
		c.args = c.args[1:]
		return c.benchChild(ctx)
	}
	var asJSON, quick bool
	if err := c.parse("bench", func(f *flag.FlagSet) {
		f.BoolVar(&asJSON, "json", false, "print JSON instead of a table")
		f.BoolVar(&quick, "quick", false, "a short run, below a minute, for a first impression")
	}); err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return &settingError{"flowhq bench: it reads memory and CPU from /proc, so it runs on Linux only"}
	}
	b := &bench{plan: fullBench, progress: c.stderr, began: time.Now(), http: &http.Client{Timeout: 20 * time.Second}}
	if quick {
		b.plan = quickBench
	}
	ctx, cancel := context.WithTimeout(ctx, benchLimit)
	defer cancel()
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return errors.New("interrupted before the end")
		}
		return err
	}
	report := benchReport{Machine: describeMachine(b.db.ServerVersion()), Took: time.Since(b.began).Round(time.Second).String(), Rows: b.rows, Wrong: b.wrong}
	if err := report.write(c.stdout, asJSON); err != nil {
		return err
	}
	if len(b.wrong) > 0 {
		return fmt.Errorf("%d runs did not answer every message exactly once; they are listed above", len(b.wrong))
	}
	return nil
}

// open starts the simulator and Postgres and prepares both systems; none of them runs yet.
func (b *bench) open(ctx context.Context) (err error) {
	b.note("starting the simulator and a private Postgres")
	if b.dir, err = os.MkdirTemp("", "flowhq-bench-"); err != nil {
		return err
	}
	if b.simulator, err = simulator.Start(ctx, simulator.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	b.db, err = database.Open(ctx, database.Options{DataDir: filepath.Join(b.dir, "data"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	echoDSN, err := createEchoDatabase(ctx, b.db.DSN())
	if err != nil {
		return err
	}
	whatsApp := []string{"WHATSAPP_URL=" + b.simulator.URL(), "WHATSAPP_ROOT_KEY=" + hex.EncodeToString(b.simulator.RootKey())}
	flow := &flowDriver{bench: b, env: append(whatsApp, "DATABASE_URL="+b.db.DSN(), "RATE_LIMIT_MAX_PER_MINUTE=0")}
	echo := &echoDriver{bench: b, env: append(whatsApp[:2:2], "DATABASE_URL="+echoDSN)}
	b.systems = []*benchSystem{
		{name: "echo loop", driver: echo, prefix: "255712", text: "menu {token}"},
		{name: "Flow HQ", driver: flow, prefix: "255713", text: "menu"},
	}
	return flow.createKey(ctx)
}

// createEchoDatabase makes a second database on the private server; only its superuser may.
func createEchoDatabase(ctx context.Context, dsn string) (string, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", err
	}
	owner := config.User
	config.User, config.Database, config.ConnectTimeout = "postgres", "postgres", 5*time.Second
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", fmt.Errorf("create a database for the echo loop: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+benchEchoDatabase+" OWNER "+pgx.Identifier{owner}.Sanitize()); err != nil {
		return "", fmt.Errorf("create a database for the echo loop: %w", err)
	}
	return fmt.Sprintf("host='%s' port=%s user=%s dbname=%s sslmode=disable", config.Host, strconv.Itoa(int(config.Port)), owner, benchEchoDatabase), nil
}

// close ends what open and the run started, also after a failure, and removes the temporary folder.
func (b *bench) close() error {
	var errs []error
	for _, s := range b.systems {
		errs = append(errs, s.stop())
	}
	b.http.CloseIdleConnections()
	if b.simulator != nil {
		errs = append(errs, b.simulator.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if b.db != nil {
		errs = append(errs, b.db.Close(ctx))
	}
	if b.dir != "" {
		errs = append(errs, stopLeftoverPostgres(ctx, b.startFolder()), os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}

// stopLeftoverPostgres stops the private server of a Flow HQ that had to be killed.
func stopLeftoverPostgres(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "postgres", "postmaster.pid")); err != nil {
		return nil
	}
	db, err := database.Open(ctx, database.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return db.Close(ctx)
}

// startFolder is the data folder of the starts that are timed: a private Postgres of its own belongs to a start.
func (b *bench) startFolder() string { return filepath.Join(b.dir, "start") }

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.progress, "%5.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) add(r benchRow) { b.rows = append(b.rows, r) }

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// loopbackAddress is where Flow HQ listens: any free port.
const loopbackAddress = "127.0.0.1:0"
