// Package databasetest gives every test a real Postgres database of its own, cloned from one that was migrated once. A
// package that uses it needs
//
//	func TestMain(m *testing.M) { databasetest.Main(m) }
package databasetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/database"
)

const template = "flowhq_template"

// cluster is the test process's private Postgres. It starts with the first New.
type cluster struct {
	once sync.Once
	err  error
	dir  string
	db   *database.Database // keeps the server running
	mu   sync.Mutex         // Postgres copies a template for one at a time

	watcher *exec.Cmd
	alive   io.Closer // held open as long as this process lives
}

// shared is the one exception to "no global state": New has only a testing.TB to go by.
var shared cluster

// Main runs a package's tests, stops the server they started, clears up what else they share, and exits with their status.
func Main(m *testing.M, clear ...func()) {
	code := m.Run()
	for _, fn := range clear {
		fn()
	}
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "databasetest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// New opens an own, migrated, empty database, which is dropped when the test ends.
func New(t testing.TB) *database.Database {
	t.Helper()
	shared.once.Do(func() { shared.err = shared.start() })
	if shared.err != nil {
		t.Fatalf("databasetest: %v", shared.err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name := "test_" + uuid.NewString()
	quoted := pgx.Identifier{name}.Sanitize()
	if err := shared.admin(ctx, "CREATE DATABASE "+quoted+" TEMPLATE "+template+" OWNER flowhq"); err != nil {
		t.Fatalf("databasetest: %v", err)
	}
	db, err := database.Open(ctx, database.Options{URL: shared.db.DSN() + " dbname=" + name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("databasetest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		closing, cancelClosing := context.WithTimeout(ctx, 10*time.Second)
		defer cancelClosing()
		if err := db.Close(closing); err != nil {
			t.Errorf("databasetest: %v: the test or what it started still holds a connection", err)
		}
		if err := shared.admin(ctx, "DROP DATABASE "+quoted+" WITH (FORCE)"); err != nil {
			t.Errorf("databasetest: %v", err)
		}
	})
	return db
}

func (c *cluster) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var err error
	if c.dir, err = os.MkdirTemp("", "flowhq-test-"); err != nil {
		return err
	}
	if c.db, err = database.Open(ctx, database.Options{DataDir: c.dir, Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	if err := c.watch(); err != nil {
		return err
	}
	// Nothing here needs to outlive a power cut.
	for _, sql := range []string{
		"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off", "ALTER SYSTEM SET full_page_writes = off",
		"SELECT pg_reload_conf()", "CREATE DATABASE " + template + " OWNER flowhq",
	} {
		if err := c.admin(ctx, sql); err != nil {
			return err
		}
	}
	db, err := database.Open(ctx, database.Options{URL: c.db.DSN() + " dbname=" + template, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.Close(ctx) // a template must not be in use
}

// admin runs one statement as the superuser of the test's server.
func (c *cluster) admin(ctx context.Context, sql string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, err := pgx.Connect(ctx, c.db.DSN()+" user=postgres dbname=postgres")
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// watch leaves a small process behind that ends the server and removes its folder when this process dies without Main's
// leave: a test's panic, a time-out, Ctrl-C. It waits for the end of its standard input, which we never write to.
func (c *cluster) watch() error {
	cmd := exec.Command("sh", "-c", `read -r never; kill -QUIT "$1" 2>/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"`,
		"sh", fmt.Sprint(c.db.ServerPID()), c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if c.alive, err = cmd.StdinPipe(); err != nil {
		return err
	}
	c.watcher = cmd
	return cmd.Start()
}

func (c *cluster) stop() error {
	if c.db == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := c.db.Close(ctx)
	if c.watcher != nil {
		err = errors.Join(err, c.alive.Close(), c.watcher.Wait()) // it removes the folder
	}
	return err
}
