package database_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"flowhq/database"
	"flowhq/database/databasetest"
)

// holdFolder makes the test binary a second process that opens the named data folder, says the server's process id, and
// closes when its standard input ends.
const holdFolder = "FLOWHQ_TEST_HOLD_FOLDER"

func TestMain(m *testing.M) {
	if data := os.Getenv(holdFolder); data != "" {
		if err := hold(data); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	databasetest.Main(m)
}

func hold(data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := database.Open(ctx, database.Options{DataDir: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println(db.ServerPID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return db.Close(ctx)
}

// holder is such a process.
type holder struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	server int // process id of the private server
}

// startHolder runs the given copy of the test binary, or this one, as the given user. It may be called from any goroutine.
func startHolder(t *testing.T, binary, data string, credential *syscall.Credential) (*holder, error) {
	t.Helper()
	if binary == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		binary = self
	}
	cmd := exec.Command(binary)
	cmd.Dir = filepath.Dir(data)
	cmd.Env = append(os.Environ(), holdFolder+"="+data)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	line = strings.TrimSpace(line)
	server, bad := strconv.Atoi(line)
	if err != nil || bad != nil {
		_ = stdin.Close()
		_ = cmd.Wait()
		return nil, fmt.Errorf("second process: %s", line)
	}
	return &holder{cmd: cmd, stdin: stdin, server: server}, nil
}

func mustHold(t *testing.T, data string) *holder {
	t.Helper()
	h, err := startHolder(t, "", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// kill ends the process as kill -9 does.
func (h *holder) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
}

func (h *holder) leave(t *testing.T) {
	t.Helper()
	_ = h.stdin.Close()
	if err := h.cmd.Wait(); err != nil {
		t.Fatalf("the second process did not close well: %v", err)
	}
}

func open(t *testing.T, data string) (*database.Database, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return database.Open(ctx, database.Options{DataDir: data, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// mustOpen opens a private Postgres and closes it, at the latest, with the test.
func mustOpen(t *testing.T, data string) *database.Database {
	t.Helper()
	db, err := open(t, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, db) })
	return db
}

func mustClose(t *testing.T, db *database.Database) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := db.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// running does not count a process that has ended and that nobody waited for, as where a container has no init.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux" && syscall.Kill(pid, 0) == nil
	}
	return !strings.Contains(string(stat), ") Z ")
}

func isOneLine(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %s", word, err)
		}
	}
}
