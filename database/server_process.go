package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxLog is the size in bytes from which the server's log is set aside (as postgres.log.1) at the next start.
const maxLog = 10 << 20

// child is a postgres this process started. It lives on when this process dies.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and was waited for
	err  error         // valid after done
	log  string
	from int64 // where in the log its own lines start
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// complaint is why the server ended, from its own log.
func (c *child) complaint() string {
	f, err := os.Open(c.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	out, err := io.ReadAll(io.NewSectionReader(f, c.from, maxLog))
	if err != nil {
		return err.Error()
	}
	return lastComplaint(string(out), c.err)
}

// serverUser is whom the server programs run as: nil means as ourselves. Postgres refuses root, so root takes the owner
// of an existing cluster, else the system's postgres user, else nobody.
func serverUser(cluster string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	info, err := os.Stat(cluster)
	if err != nil {
		return nil, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
		return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errorf(nil, "FLOWHQ_DATA: Postgres does not run as root, and this machine has neither a user postgres nor nobody: create one, start Flow HQ as an ordinary user, or set DATABASE_URL")
}

// serverCommand prepares initdb or postgres for a cluster. The other user may not be able to walk to the cluster, as in a
// checkout below root's closed home; but it owns the cluster itself. So root opens the folder and hands it down as a
// descriptor: "-D /proc/self/fd/3" leads every server process straight there, past the closed folders above. The returned
// function closes our end.
func serverCommand(cluster string, credential *syscall.Credential, program string, args ...string) (*exec.Cmd, func(), error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/" // one that every user may enter
	// Not the caller's environment: PGPORT, PGDATA and such would be obeyed.
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=", "TZ=UTC"}
	// An own process group, so that Ctrl-C in a terminal reaches the app first and the app decides.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: credential}
	if credential == nil || runtime.GOOS != "linux" {
		cmd.Args = append(cmd.Args, "-D", cluster)
		return cmd, func() {}, nil
	}
	folder, err := os.Open(cluster)
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = []*os.File{folder} // descriptor 3
	cmd.Args = append(cmd.Args, "-D", "/proc/self/fd/3")
	return cmd, func() { _ = folder.Close() }, nil
}

func (s *server) logPath() string { return filepath.Join(s.data, "postgres.log") }

func (s *server) startChild(ctx context.Context) (*child, error) {
	major, err := clusterVersion(s.cluster)
	if err != nil {
		return nil, err
	}
	bin, err := findBinaries(ctx, major, s.cluster)
	if err != nil {
		return nil, err
	}
	credential, err := serverUser(s.cluster)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(s.logPath()); err == nil && info.Size() > maxLog {
		if err := os.Rename(s.logPath(), s.logPath()+".1"); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(s.logPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	// A relative socket folder is relative to the cluster, where every server process stays.
	cmd, done, err := serverCommand(s.cluster, credential, filepath.Join(bin.dir, "postgres"),
		"-c", "listen_addresses=", "-c", "unix_socket_directories=.", "-c", "unix_socket_permissions=0700", "-c", "port=5432")
	if err != nil {
		return nil, err
	}
	defer done()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		if path := pathError(err); path != nil {
			return nil, errorf(err, "FLOWHQ_PG_BIN: %s: %v: the user that runs Postgres must be able to run it", path.Path, path.Err)
		}
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	c := &child{cmd: cmd, done: make(chan struct{}), log: s.logPath(), from: from}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// pid reads the server's process id from postmaster.pid, 0 when there is none.
func (s *server) pid() int { return readPID(filepath.Join(s.cluster, "postmaster.pid")) }

// readPID reads the first line of one of Postgres' lock files; 0 when there is no usable number.
func readPID(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

// serves tells whether a process is a server of this cluster: they all work inside its folder. Where that cannot be
// seen, known is false.
func (s *server) serves(pid int) (yes, known bool) {
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if errors.Is(err, fs.ErrNotExist) && runtime.GOOS == "linux" {
		return false, true
	}
	ours, err2 := os.Stat(s.cluster)
	if err != nil || err2 != nil {
		return false, false
	}
	return os.SameFile(theirs, ours), true
}

// clearStaleLocks is asked when nobody listens. After a power cut Postgres' lock files remain, and the process number in
// them may by now belong to any other program of the same user, for which Postgres would refuse to start. They are removed
// if that is certain. busy means that the process is a server of this cluster, coming up or going down.
func (s *server) clearStaleLocks() (busy bool, err error) {
	for _, name := range []string{"postmaster.pid", socketFile + ".lock"} {
		file := filepath.Join(s.cluster, name)
		pid := readPID(file)
		if pid == 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue // none, or Postgres sees by itself that it is stale
		}
		yes, known := s.serves(pid)
		if yes {
			return true, nil
		}
		if !known {
			continue
		}
		s.log.Warn("removing a stale lock file: its process number is no server of these data", "file", file, "pid", pid)
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may just have ended
			return false, err
		}
	}
	return false, nil
}

// stop ends the server: fast (sessions are cut, data are written out), and if that takes until ctx ends, at once, which
// the next start repairs from the log.
func (s *server) stop(ctx context.Context) error {
	pid := s.pid()
	if pid == 0 {
		return nil
	}
	if yes, known := s.serves(pid); known && !yes {
		// In another container, say: its number means something else here.
		s.log.Warn("the private Postgres runs where this process cannot stop it", "pid", pid)
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the private Postgres (process %d): %w", pid, err)
	}
	if s.awaitStop(ctx, pid) {
		s.log.Info("private Postgres stopped", "pid", pid)
		return nil
	}
	s.log.Warn("the private Postgres is slow to stop; ending it at once", "pid", pid)
	_ = syscall.Kill(pid, syscall.SIGQUIT)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if s.awaitStop(last, pid) {
		return nil
	}
	return fmt.Errorf("the private Postgres (process %d) does not stop", pid)
}

// awaitStop waits until the server took its postmaster.pid away, which is the last thing it does, and is gone.
func (s *server) awaitStop(ctx context.Context, pid int) bool {
	for s.pid() == pid || s.remains(pid) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollInterval):
		}
	}
	return true
}

// remains tells whether a process that was a server of this cluster still is one. One that has ended without being waited
// for, as happens where nobody reaps orphans, does not count.
func (s *server) remains(pid int) bool {
	if s.child != nil && s.child.cmd.Process.Pid == pid {
		return !s.child.ended()
	}
	yes, known := s.serves(pid)
	return yes || !known && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// pathError finds the file a program's start failed on, nil if it failed otherwise.
func pathError(err error) *fs.PathError {
	path, _ := errors.AsType[*fs.PathError](err)
	return path
}

// firstLine is an error's text up to its first line break.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
