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
	"time"

	"flowhq/database"
	"flowhq/whatsapp/simulator"
)

// benchLimit bounds a whole run.
const benchLimit = 25 * time.Minute

// bench is one run: the simulator in this process, one Postgres server, and two systems that take turns.
type bench struct {
	plan      benchPlan
	profiles  string // folder for profiles; "": none are made
	dir       string // temporary; everything else is in it
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
func (c command) bench(ctx context.Context) error {
	if len(c.args) > 0 && c.args[0] == benchChildWord {
		c.args = c.args[1:]
		return c.benchChild(ctx)
	}
	var asJSON, quick, admin bool
	var names, profiles, seeded string
	if err := c.parse("bench", func(f *flag.FlagSet) {
		f.BoolVar(&asJSON, "json", false, "print JSON instead of a table")
		f.BoolVar(&quick, "quick", false, "a short run, below a minute, for a first impression")
		f.StringVar(&names, "only", "", "measure only these `steps`, separated by commas: "+stepNames(fullBench.steps()))
		f.StringVar(&profiles, "profile", "", "write profiles of the measured processes to this `folder`, for go tool pprof")
		f.BoolVar(&admin, "admin", false, "the admin's lists on millions of rows instead")
		f.StringVar(&seeded, "data", "", "with --admin: a `folder` that flowhq seed filled (default: a temporary one is filled)")
	}); err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return &settingError{"flowhq bench: it reads memory and CPU from /proc, so it runs on Linux only"}
	}
	b := newBench(fullBench, c.stderr)
	if err := b.prepareProfiles(profiles); err != nil {
		return err
	}
	if admin {
		plan := benchAdminPlan{tenants: 5000, messages: 5_000_000, requests: 200, data: seeded, profiles: b.profiles}
		if quick {
			plan.tenants, plan.messages, plan.requests = 500, 100_000, 40
		}
		return c.benchAdminOnly(ctx, plan, asJSON)
	}
	if quick {
		b.plan = quickBench
	}
	steps, err := only(b.plan.steps(), names)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, benchLimit)
	defer cancel()
	report, err := b.run(ctx, steps)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return errors.New("interrupted before the end")
		}
		return err
	}
	if err := report.write(c.stdout, asJSON); err != nil {
		return err
	}
	if len(report.Wrong) > 0 {
		return fmt.Errorf("%d runs did not answer every message exactly once; they are listed above", len(report.Wrong))
	}
	return nil
}

func newBench(plan benchPlan, progress io.Writer) *bench {
	return &bench{plan: plan, progress: progress, began: time.Now(), http: &http.Client{Timeout: 20 * time.Second}}
}

// run does the steps and leaves nothing behind.
func (b *bench) run(ctx context.Context, steps []benchStep) (report benchReport, err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx); err != nil {
		return report, err
	}
	others, err := b.othersCPU()
	if err != nil {
		return report, err
	}
	if err := b.measure(ctx, steps); err != nil {
		return report, err
	}
	report = benchReport{Machine: describeMachine(b.db.ServerVersion()), Took: time.Since(b.began).Round(time.Second).String(), Rows: b.rows, Wrong: b.wrong}
	report.Others, err = b.othersShare(others)
	return report, err
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
	if b.db, err = database.Open(ctx, database.Options{DataDir: b.dataFolder(), Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	echoDSN, err := b.createEchoDatabase(ctx)
	if err != nil {
		return err
	}
	whatsApp := []string{"WHATSAPP_URL=" + b.simulator.URL(), "WHATSAPP_ROOT_KEY=" + hex.EncodeToString(b.simulator.RootKey())}
	flow := &flowDriver{bench: b, env: append(whatsApp, "DATABASE_URL="+b.db.DSN(), "RATE_LIMIT_MAX_PER_MINUTE=0"), ids: map[string]string{}}
	echo := &echoDriver{bench: b, env: append(whatsApp[:2:2], "DATABASE_URL="+echoDSN)}
	b.systems = []*benchSystem{
		{name: "echo loop", driver: echo, prefix: "255712", text: "menu {token}", database: benchEchoDatabase},
		{name: "Flow HQ", driver: flow, prefix: "255713", text: "menu", database: b.db.System.Config().ConnConfig.Database},
	}
	return flow.createKey(ctx)
}

// measure does the steps. Only one system runs at a time, and they take turns at every step, so that what the machine does
// meanwhile falls on both.
func (b *bench) measure(ctx context.Context, steps []benchStep) error {
	for _, step := range steps {
		for _, s := range b.systems {
			if err := b.link(ctx, s, step.tenants); err != nil {
				return fmt.Errorf("%s: linking up to %d tenants: %w", s.name, step.tenants, err)
			}
		}
		if err := step.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	b.reportMemory()
	b.reportLinking()
	return nil
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

// dataFolder holds the Postgres that both systems use.
func (b *bench) dataFolder() string { return filepath.Join(b.dir, "data") }

// startFolder is the data folder of the starts that are timed: a private Postgres of its own belongs to a start.
func (b *bench) startFolder() string { return filepath.Join(b.dir, "start") }

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.progress, "%5.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) add(r benchRow) { b.rows = append(b.rows, r) }

// addPair adds a row of what was measured of the echo loop and of Flow HQ.
func (b *bench) addPair(name, unit string, measured [2]float64, compare string, t target) {
	b.add(benchRow{Name: name, Unit: unit, Echo: &measured[0], FlowHQ: measured[1], Compare: compare, Target: t.bound, AtLeast: t.least})
}

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
