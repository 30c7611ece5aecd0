package database

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	adminRole     = "postgres" // the cluster's superuser; used for set-up only
	ownerRole     = "flowhq"   // what the app logs in as: an ordinary role that owns the database
	ownerDatabase = "flowhq"

	pollInterval  = 10 * time.Millisecond
	watchInterval = 250 * time.Millisecond
	startTimeout  = 5 * time.Minute // replaying the log after a power cut takes its time
	stopTimeout   = 30 * time.Second
	socketFile    = ".s.PGSQL.5432"
	maxSocketPath = 103 // bytes; sockaddr_un holds 108 on Linux, 104 on macOS, with the final NUL
)

// server is this process's use of the private Postgres in DATA/postgres.
//
// The server belongs to the data folder, not to a process. Whoever opens the folder first starts it, others use it, and
// the last one to leave stops it; that is counted with file locks, which the kernel releases even after kill -9:
//
//	DATA/postgres.lock    held exclusively while the server is created, started or stopped
//	DATA/postgres.users   held shared by every process that uses the server
//
// A server left over by a killed process is adopted. Its socket lies in the cluster's own folder, which only the server's
// user may enter (0700), so nobody else can offer or use a socket there and trust authentication is safe.
type server struct {
	data    string // absolute, without symbolic links
	cluster string // data/postgres
	log     *slog.Logger

	users  *os.File // holds the shared lock
	folder *os.File // the cluster, open while its path is too long for a socket address; else nil
	child  *child   // nil: adopted, or not started yet
	start  time.Time

	endWatch func() // returns when the watch has ended; from then on child belongs to close
	closing  sync.Once
	closeErr error
}

// openServer makes sure that the private server of the data folder runs and counts this process as its user.
func openServer(ctx context.Context, data string, log *slog.Logger) (*server, error) {
	if data == "" {
		return nil, errorf(nil, "FLOWHQ_DATA: empty: name a folder for the data, or set DATABASE_URL")
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s := &server{log: log, start: time.Now()}
	if err := s.open(ctx, data); err != nil {
		s.release()
		if _, explained := errors.AsType[*Error](err); explained {
			return nil, err
		}
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, explainPath(path)
		}
		return nil, err
	}
	return s, nil
}

func (s *server) open(ctx context.Context, data string) error {
	data, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	// It holds WhatsApp's keys and people's messages: nobody else's business.
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if s.data, err = filepath.EvalSymlinks(data); err != nil {
		return err
	}
	s.cluster = filepath.Join(s.data, "postgres")

	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.users, err = os.OpenFile(filepath.Join(s.data, "postgres.users"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := flock(ctx, s.users, syscall.LOCK_SH); err != nil {
		return err
	}
	major, err := clusterVersion(s.cluster)
	if err != nil {
		return err
	}
	if major == 0 {
		if err := s.initialise(ctx); err != nil {
			return err
		}
	}
	if err := s.openFolder(); err != nil {
		return err
	}
	if err := s.ensureRunning(ctx); err != nil {
		if s.child != nil {
			_ = s.child.cmd.Process.Signal(syscall.SIGINT)
		}
		return err
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.watch(watching, s.pid())
	}()
	s.endWatch = func() { end(); <-done }
	return nil
}

// watch starts the server again when it ends under us: killed for want of memory, say. Every process that uses it watches;
// the first to get the lock starts it and the others find it running.
func (s *server) watch(ctx context.Context, pid int) {
	wait := watchInterval
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if s.remains(pid) {
			continue
		}
		wait = watchInterval
		s.log.Error("the private Postgres ended unexpectedly; starting it again", "pid", pid, "log", s.logPath())
		if err := s.restart(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("cannot start the private Postgres again; trying on", "err", err)
			wait = 5 * time.Second
			continue
		}
		pid = s.pid()
	}
}

func (s *server) restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.child, s.start = nil, time.Now()
	return s.ensureRunning(ctx)
}

// clusterVersion is the major version that made the cluster, 0 when there is none yet.
func clusterVersion(cluster string) (int, error) {
	entries, err := os.ReadDir(cluster)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	major, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	control, err := os.Stat(filepath.Join(cluster, "global", "pg_control"))
	if bad != nil || err != nil || control.Size() == 0 {
		return 0, errorf(err, "FLOWHQ_DATA: %s is not a complete Postgres cluster (no usable PG_VERSION or global/pg_control): restore it from a backup, or move it away to start empty", cluster)
	}
	return major, nil
}

// openFolder keeps the cluster's folder open where its path does not fit into a socket address (or a comma in it would be
// read as a list of hosts): the kernel then reaches it through /proc.
func (s *server) openFolder() (err error) {
	if len(s.cluster)+1+len(socketFile) <= maxSocketPath && !strings.Contains(s.cluster, ",") {
		return nil
	}
	if runtime.GOOS != "linux" {
		return errorf(nil, "FLOWHQ_DATA: the path %s is too long for a socket or holds a comma: choose a shorter, plainer one", s.data)
	}
	s.folder, err = os.Open(s.cluster)
	return err
}

// dsn is a connection string over the socket, in the form both pgx and libpq read.
func (s *server) dsn(user, database string) string {
	host := s.cluster
	if s.folder != nil {
		// With the process's number rather than "self", so that a child such as pg_dump can use it too.
		host = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.folder.Fd())
	}
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(host)
	return fmt.Sprintf("host='%s' port=5432 user=%s dbname=%s sslmode=disable target_session_attrs=any", quoted, user, database)
}

// ensureRunning connects to the server, starting it first if none runs. It is called under the lock, so nobody else
// starts or stops it meanwhile.
func (s *server) ensureRunning(ctx context.Context) error {
	told := false
	for {
		err := s.probe(ctx)
		switch {
		case err == nil && s.child == nil:
			s.log.Debug("using the private Postgres that already runs", "pid", s.pid(), "folder", s.cluster)
			return nil
		case err == nil:
			s.log.Info("private Postgres is ready", "pid", s.pid(), "folder", s.cluster, "took", time.Since(s.start).Round(time.Millisecond))
			return nil
		case sqlState(err) == codeStartingUp:
			if !told && time.Since(s.start) > 2*time.Second {
				told = true
				s.log.Info("waiting for the private Postgres, which is starting up or shutting down", "folder", s.cluster)
			}
		case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF):
			// It died while we asked.
		case !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ECONNREFUSED):
			return err
		case s.child != nil && s.child.ended():
			line := s.child.complaint()
			// Sessions of a server that was killed outright need a moment to notice.
			if !strings.Contains(line, "shared memory block") || time.Since(s.start) > 15*time.Second {
				return errorf(nil, "FLOWHQ_DATA: the private Postgres in %s did not start: %s (see %s)", s.cluster, line, s.logPath())
			}
			s.child = nil
		case s.child == nil:
			busy, err := s.clearStaleLocks()
			if err != nil {
				return err
			}
			if busy { // it listens soon, or is just ending
				break
			}
			if s.child, err = s.startChild(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return errorf(ctx.Err(), "FLOWHQ_DATA: the private Postgres in %s was not ready within %s: see %s", s.cluster, time.Since(s.start).Round(time.Second), s.logPath())
		case <-time.After(pollInterval):
		}
	}
}

// probe connects as the superuser, makes sure that this server serves this cluster, and creates what the app logs in to
// where it is missing (also after a crash between creating the cluster and this).
func (s *server) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := connectAs(ctx, s.dsn(adminRole, adminRole))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var identifier uint64
	var hasOwner, hasPortal, hasDatabase bool
	err = conn.QueryRow(ctx, `SELECT (SELECT system_identifier::text FROM pg_control_system())::numeric,
		EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_roles WHERE rolname = $2),
		EXISTS (SELECT FROM pg_database WHERE datname = $3)`, ownerRole, portalRole, ownerDatabase).
		Scan(&identifier, &hasOwner, &hasPortal, &hasDatabase)
	if err != nil {
		return fmt.Errorf("ask the private Postgres who it is: %w", err)
	}
	if mine, err := s.identifier(); err != nil {
		return err
	} else if mine != identifier {
		return errorf(nil, "FLOWHQ_DATA: the Postgres that answers in %s serves other data: stop process %d, then try again", s.cluster, s.pid())
	}
	for _, step := range []struct {
		done bool
		sql  string
	}{
		{hasOwner, "CREATE ROLE " + ownerRole + " LOGIN"},
		{hasPortal, "CREATE ROLE " + portalRole + " NOLOGIN NOBYPASSRLS"},
		{hasOwner && hasPortal, "GRANT " + portalRole + " TO " + ownerRole},
		{hasDatabase, "CREATE DATABASE " + ownerDatabase + " OWNER " + ownerRole},
	} {
		if step.done {
			continue
		}
		if _, err := conn.Exec(ctx, step.sql); err != nil {
			return fmt.Errorf("set up the private Postgres: %w", err)
		}
	}
	return nil
}

// identifier reads the cluster's own number: the first eight bytes of pg_control.
func (s *server) identifier() (uint64, error) {
	f, err := os.Open(filepath.Join(s.cluster, "global", "pg_control"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var b [8]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return 0, fmt.Errorf("read pg_control: %w", err)
	}
	return binary.NativeEndian.Uint64(b[:]), nil
}

// close ends this process's use and stops the server when no other process uses it. It waits until it has stopped or ctx
// ends. Repeated calls return the first result.
func (s *server) close(ctx context.Context) error {
	s.closing.Do(func() { s.closeErr = s.leave(ctx) })
	return s.closeErr
}

func (s *server) leave(ctx context.Context) error {
	s.endWatch()
	defer s.release()
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("stop the private Postgres: %w", err)
	}
	defer unlock()
	// Ours is shared: getting it exclusively means that there is no other.
	err = syscall.Flock(int(s.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		s.log.Debug("leaving the private Postgres to the other process that uses it", "pid", s.pid())
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop the private Postgres: %w", err)
	}
	return s.stop(ctx)
}

// release closes the files; with them go the locks.
func (s *server) release() {
	for _, f := range []*os.File{s.users, s.folder} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// lock is held while the server is created, started or stopped.
func (s *server) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.data, "postgres.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, f, syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// flock waits for a lock until ctx ends; the system call itself could not be interrupted.
func flock(ctx context.Context, f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
		select {
		case <-ctx.Done():
			return errorf(ctx.Err(), "FLOWHQ_DATA: another process is starting or stopping the private Postgres and does not finish: see who holds %s", f.Name())
		case <-time.After(pollInterval):
		}
	}
}

// explainPath names the remedy for a folder or file that cannot be used.
func explainPath(err *fs.PathError) error {
	remedy := "choose a folder this user can write to"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		remedy = "the disk is full: free some space"
	case errors.Is(err, syscall.EROFS):
		remedy = "the disk is read-only: choose another folder"
	case errors.Is(err, fs.ErrPermission):
		remedy = fmt.Sprintf("user %d may not use it: choose a folder this user can write to, or start as the user who owns it", os.Geteuid())
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		remedy = "a file is in the way: choose another folder"
	}
	return errorf(err, "FLOWHQ_DATA: %s: %v: %s", err.Path, err.Err, remedy)
}
