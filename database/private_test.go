package database_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFreshThenWarmStart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there", "yet")
	db := mustOpen(t, data)
	var user, super, network string
	if err := db.System.QueryRow(t.Context(), `SELECT current_user, current_setting('is_superuser'), current_setting('listen_addresses')`).
		Scan(&user, &super, &network); err != nil {
		t.Fatal(err)
	}
	if user != "flowhq" || super != "off" || network != "" {
		t.Errorf("user %q, superuser %s, listening on %q; want an ordinary role and no network", user, super, network)
	}
	if _, err := db.System.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS answer"); err != nil {
		t.Fatal(err)
	}
	pid := db.ServerPID()
	mustClose(t, db)
	if running(pid) {
		t.Fatal("the server still runs after Close")
	}
	if info, err := os.Stat(filepath.Join(data, "postgres")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cluster's folder: %v, %v", info.Mode(), err)
	}

	started := time.Now()
	db = mustOpen(t, data)
	t.Logf("warm start took %s", time.Since(started))
	var answer int
	if err := db.System.QueryRow(t.Context(), "SELECT answer FROM kept").Scan(&answer); err != nil || answer != 42 {
		t.Errorf("read back %d, %v", answer, err)
	}
}

func TestAdoptsServerOfKilledProcess(t *testing.T) {
	data := t.TempDir()
	first := mustHold(t, data)
	first.kill(t)
	if !running(first.server) {
		t.Fatal("the server died with the process; nothing to adopt")
	}
	db := mustOpen(t, data)
	if db.ServerPID() != first.server {
		t.Errorf("server is process %d, want the adopted %d", db.ServerPID(), first.server)
	}
	mustClose(t, db)
	if running(first.server) {
		t.Error("the adopted server still runs after the last user closed")
	}
}

func TestLastUserStopsServer(t *testing.T) {
	data := t.TempDir()
	for _, order := range []string{"starter leaves first", "starter leaves last"} {
		t.Run(order, func(t *testing.T) {
			starter := mustHold(t, data)
			db := mustOpen(t, data)
			if db.ServerPID() != starter.server {
				t.Fatalf("two servers: %d and %d", starter.server, db.ServerPID())
			}
			if order == "starter leaves first" {
				starter.leave(t)
				if err := db.System.Ping(t.Context()); err != nil {
					t.Fatalf("the server went away under the second process: %v", err)
				}
				mustClose(t, db)
			} else {
				mustClose(t, db)
				if !running(starter.server) {
					t.Fatal("the second process stopped the first one's server")
				}
				starter.leave(t)
			}
			if running(starter.server) {
				t.Error("the server still runs after the last process left")
			}
		})
	}
}

// Whoever uses the server when it dies gets a new one: the process that started it, and one that came later.
func TestServerComesBack(t *testing.T) {
	data := t.TempDir()
	db := mustOpen(t, data)
	holder := mustHold(t, data)
	for _, user := range []string{"two processes", "the one that came later"} {
		if user == "the one that came later" {
			mustClose(t, db)
			db = mustOpen(t, data)
			holder.leave(t)
		}
		pid := db.ServerPID()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if err := db.System.Ping(t.Context()); err == nil && db.ServerPID() != pid {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("%s: not back: %v", user, err)
			}
		}
	}
	pid := db.ServerPID()
	mustClose(t, db)
	if running(pid) {
		t.Error("the new server still runs after the last process left")
	}
}

// Several processes meet an empty folder at once: one creates, all work on the same server.
func TestSeveralFirstStarts(t *testing.T) {
	data := t.TempDir()
	holders := make(chan *holder, 3)
	for range cap(holders) {
		go func() {
			h, err := startHolder(t, "", data, nil)
			if err != nil {
				t.Error(err)
			}
			holders <- h
		}()
	}
	servers := map[int]bool{}
	var all []*holder
	for range cap(holders) {
		if h := <-holders; h != nil {
			servers[h.server] = true
			all = append(all, h)
		}
	}
	for _, h := range all {
		h.leave(t)
	}
	if len(servers) != 1 {
		t.Errorf("servers: %v, want one", servers)
	}
}

// A path beyond what a socket address holds, in a folder nobody else may enter: as root, the server runs as another user,
// who cannot walk there (a checkout in /root). As an ordinary user this covers the length and the odd characters only.
func TestLongPathInClosedHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	data := filepath.Join(home, strings.Repeat("long/", 30), "it's, really", "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Logf("as user %d, path of %d bytes", os.Geteuid(), len(data))
	t.Chdir(home) // as "make run" does
	holder := mustHold(t, data)
	db := mustOpen(t, data)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	holder.leave(t)
	mustClose(t, db)
	db = mustOpen(t, data)
	if pending, err := db.MigrationsPending(t.Context()); err != nil || pending {
		t.Errorf("after a restart: pending %v, %v", pending, err)
	}
	// pg_dump is a child process that gets the same connection string.
	dump := exec.CommandContext(t.Context(), "pg_dump", "--schema-only", db.DSN())
	if out, err := dump.CombinedOutput(); err != nil || !strings.Contains(string(out), "CREATE TABLE public.tenants") {
		t.Errorf("pg_dump through DSN: %v: %.300s", err, out)
	}
}

// After a power cut postmaster.pid is left over, and its number belongs to some other program of the server's user.
func TestStalePIDFile(t *testing.T) {
	data := t.TempDir()
	first := mustHold(t, data)
	first.kill(t)
	if err := syscall.Kill(first.server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(data, "postgres", "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command("sleep", "300")
	other.SysProcAttr = &syscall.SysProcAttr{Credential: owner(t, filepath.Join(data, "postgres"))}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n%s", other.Process.Pid, rest), 0o600); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, data)
	if db.ServerPID() == other.Process.Pid {
		t.Error("the other program's process id is still in postmaster.pid")
	}
	mustClose(t, db)
	if !running(other.Process.Pid) {
		t.Error("the other program was stopped")
	}
}

// owner is who owns a file, when we are root and it is somebody else; else nil.
func owner(t *testing.T, path string) *syscall.Credential {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() != 0 || stat.Uid == 0 {
		return nil
	}
	return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
}

// Root starts the app as another user; an ordinary user's test run is that case by itself.
func TestOrdinaryUser(t *testing.T) {
	dir, err := os.MkdirTemp("", "flowhq-user-") // the test's own folder is closed for others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, data := filepath.Join(dir, "database.test"), filepath.Join(dir, "data")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, self, binary)
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var credential *syscall.Credential
	if os.Geteuid() == 0 {
		credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		for _, path := range []string{dir, data} {
			if err := os.Chown(path, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 { // fresh, then warm
		h, err := startHolder(t, binary, data, credential)
		if err != nil {
			t.Fatal(err)
		}
		if credential != nil {
			if info, err := os.Stat(fmt.Sprintf("/proc/%d", h.server)); err == nil && info.Sys().(*syscall.Stat_t).Uid != 65534 {
				t.Errorf("the server runs as %d", info.Sys().(*syscall.Stat_t).Uid)
			}
		}
		h.leave(t)
	}
	if credential == nil {
		return
	}
	// The same folder later as root: the server keeps running as its owner.
	db := mustOpen(t, data)
	mustClose(t, db)
	// And a folder the user may not write to.
	if err := os.Chown(data, 0, 0); err != nil {
		t.Fatal(err)
	}
	_, err = startHolder(t, binary, data, credential)
	isOneLine(t, err, "FLOWHQ_DATA", "permission denied")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableFolders(t *testing.T) {
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		build func(t *testing.T, data string)
		words []string
	}{
		{"half initialised", func(t *testing.T, data string) { write(t, data+"/postgres/PG_VERSION", "15\n") }, []string{"not a complete Postgres cluster", "backup"}},
		{"something else", func(t *testing.T, data string) { write(t, data+"/postgres/holiday.jpg", "x") }, []string{"not a complete Postgres cluster"}},
		{"other version", func(t *testing.T, data string) {
			write(t, data+"/postgres/PG_VERSION", "9\n")
			write(t, data+"/postgres/global/pg_control", "x")
		}, []string{"made by PostgreSQL 9", "install version 9"}},
		{"a file in the way", func(t *testing.T, data string) { write(t, data, "x") }, []string{"in the way"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			test.build(t, data)
			before := listing(t, data)
			_, err := open(t, data)
			isOneLine(t, err, append(test.words, "FLOWHQ_DATA", data)...)
			if after := listing(t, data); !strings.HasPrefix(after, before) && !strings.Contains(after, "postgres") {
				t.Errorf("the folder was changed: %s, before %s", after, before)
			}
		})
	}

	t.Run("no server programs", func(t *testing.T) {
		t.Setenv("FLOWHQ_PG_BIN", t.TempDir())
		_, err := open(t, t.TempDir())
		isOneLine(t, err, "FLOWHQ_PG_BIN", "initdb")
	})
	t.Run("full disk", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Log("only root can mount a small disk")
			return
		}
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
			t.Logf("cannot mount a small disk here: %v", err)
			return
		}
		defer func() { _ = syscall.Unmount(disk, 0) }()
		_, err := open(t, disk)
		isOneLine(t, err, "FLOWHQ_DATA", "disk is full")
		left, _ := filepath.Glob(disk + "/postgres.init-*")
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("damaged settings", func(t *testing.T) {
		data := t.TempDir()
		mustClose(t, mustOpen(t, data))
		conf := filepath.Join(data, "postgres", "postgresql.conf")
		if err := os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := open(t, data)
		isOneLine(t, err, "did not start", "postgres.log")
	})
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// Whatever listens on Postgres' usual port, and whatever libpq's variables say, the private server is another one.
func TestBesideAnotherPostgres(t *testing.T) {
	other := startTCPServer(t)
	t.Setenv("PGHOST", "127.0.0.1")
	t.Setenv("PGPORT", other.port)
	t.Setenv("PGUSER", "postgres")
	t.Setenv("PGDATABASE", "postgres")
	t.Setenv("PGDATA", other.data)
	if l, err := net.Listen("tcp", "127.0.0.1:5432"); err == nil {
		defer l.Close()
	}
	db := mustOpen(t, t.TempDir())
	var address *string
	var port string
	if err := db.System.QueryRow(t.Context(), "SELECT host(inet_server_addr()), current_setting('port')").Scan(&address, &port); err != nil {
		t.Fatal(err)
	}
	if address != nil || port != "5432" || db.ServerPID() == other.pid() {
		t.Errorf("connected to %v, port %s, process %d", address, port, db.ServerPID())
	}
}

func BenchmarkWarmOpen(b *testing.B) {
	data := b.TempDir()
	for i := 0; i <= b.N; i++ {
		b.StopTimer()
		if i > 0 {
			b.StartTimer()
		}
		db, err := openQuiet(b.Context(), data)
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
