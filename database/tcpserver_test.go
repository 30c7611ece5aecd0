package database_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"flowhq/database"
)

// tcpServer is a Postgres as a hosting company runs it: on a TCP port, with passwords.
type tcpServer struct {
	data string
	port string
}

func openQuiet(ctx context.Context, data string) (*database.Database, error) {
	return database.Open(ctx, database.Options{DataDir: data, Log: slog.New(slog.DiscardHandler)})
}

// startTCPServer lets the package create a cluster, then serves it on a loopback port for the length of the test.
func startTCPServer(t *testing.T) *tcpServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "flowhq-tcp-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	db, err := openQuiet(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", db.ServerPID()))
	if err != nil {
		t.Fatal(err)
	}
	program, _, _ := strings.Cut(string(text), "\x00")
	mustClose(t, db)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &tcpServer{data: filepath.Join(dir, "postgres"), port: strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)}
	_ = listener.Close()
	if err := os.WriteFile(filepath.Join(s.data, "pg_hba.conf"), []byte("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // here the server comes by the path
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-D", s.data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+s.port, "-c", "unix_socket_directories=", "-c", "fsync=off")
	cmd.Dir = "/"
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner(t, s.data)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := pgx.Connect(t.Context(), s.url("postgres", "", "postgres"))
		if err == nil {
			_ = conn.Close(t.Context())
			return s
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *tcpServer) url(user, password, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/%s?sslmode=disable", user, password, s.port, database)
}

func (s *tcpServer) pid() int {
	text, _ := os.ReadFile(filepath.Join(s.data, "postmaster.pid"))
	line, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(line)
	return pid
}

// exec runs statements as the superuser, one after the other.
func (s *tcpServer) exec(t *testing.T, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.url("postgres", "", database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
