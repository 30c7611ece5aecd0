package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"flowhq/database"
)

// chaosPostgres is a Postgres that nobody watches over: it is down from its stop until start.
type chaosPostgres struct {
	t             *testing.T
	program, data string
	port          string
	credential    *syscall.Credential
	cmd           *exec.Cmd
	done          chan struct{}
	log           *os.File
}

// newChaosPostgres has the database package create a cluster, then serves it on a loopback port. fsync stays on: a killed
// server must keep what it confirmed.
func newChaosPostgres(t *testing.T, logs string) *chaosPostgres {
	t.Helper()
	dir, err := os.MkdirTemp("", "flowhq-chaos-pg-") // the test's own folder is closed for others, and as root the server is another user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	db, err := database.Open(within(t), database.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", db.ServerPID()))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	p := &chaosPostgres{t: t, data: filepath.Join(dir, "postgres")}
	p.program, _, _ = strings.Cut(string(text), "\x00")
	_, p.port, _ = net.SplitHostPort(freeAddress(t))
	if err := os.WriteFile(filepath.Join(p.data, "pg_hba.conf"), []byte("host all all 127.0.0.1/32 trust\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(p.data)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && stat.Uid != 0 {
		p.credential = &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if p.log, err = os.Create(filepath.Join(logs, "postgres.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop(syscall.SIGQUIT)
		_ = p.log.Close()
	})
	p.start()
	return p
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (p *chaosPostgres) url() string {
	return fmt.Sprintf("postgres://flowhq@127.0.0.1:%s/flowhq?sslmode=disable", p.port)
}

// start runs the server and returns when it takes connections. After kill -9 the old server's children hold its shared memory
// for a moment, and a start in that moment fails.
func (p *chaosPostgres) start() {
	p.t.Helper()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if p.cmd == nil || p.ended() {
			p.cmd = exec.Command(p.program, "-D", p.data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+p.port, "-c", "unix_socket_directories=")
			p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = "/", p.log, p.log
			p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
			if err := p.cmd.Start(); err != nil {
				p.t.Fatal(err)
			}
			cmd, done := p.cmd, make(chan struct{})
			p.done = done
			go func() { _ = cmd.Wait(); close(done) }()
		}
		ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Second)
		conn, err := pgx.Connect(ctx, p.url())
		if err == nil {
			_ = conn.Close(ctx)
			cancel()
			return
		}
		cancel()
		last = err
		select {
		case <-p.done: // a start that failed: again
		case <-time.After(50 * time.Millisecond):
		}
	}
	p.t.Fatalf("Postgres does not start: %v", last)
}

// open connects to it, and migrates.
func (p *chaosPostgres) open() *database.Database {
	p.t.Helper()
	db, err := database.Open(within(p.t), database.Options{URL: p.url(), Log: slog.New(slog.DiscardHandler), MaxConns: 4})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = db.Close(ctx) // what was under way when Postgres ended is no matter
	})
	if err := db.Migrate(within(p.t)); err != nil {
		p.t.Fatal(err)
	}
	return db
}

// superuser runs one statement.
func (p *chaosPostgres) superuser(sql string) {
	p.t.Helper()
	conn, err := pgx.Connect(within(p.t), p.url()+"&user=postgres")
	if err == nil {
		_, err = conn.Exec(within(p.t), sql)
		_ = conn.Close(within(p.t))
	}
	if err != nil {
		p.t.Fatalf("%s: %v", sql, err)
	}
}

// breakConnections ends every session of Flow HQ, whatever it is doing; nothing where the server is away.
func (p *chaosPostgres) breakConnections() {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.url()+"&user=postgres")
	if err != nil {
		return
	}
	defer conn.Close(ctx)
	_, _ = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'flowhq %'")
}

func (p *chaosPostgres) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop ends the server with a signal: SIGINT is its fast stop.
func (p *chaosPostgres) stop(how syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(how) // an error where it has ended
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Errorf("Postgres did not end within %s of %s", patience, how)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
