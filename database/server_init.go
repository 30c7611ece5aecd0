package database

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// clusterSettings is appended to the postgresql.conf that initdb wrote.
const clusterSettings = `

#------------------------------------------------------------------------------
# Flow HQ
#------------------------------------------------------------------------------
# Written once, when Flow HQ created this cluster; yours to change from here on. A change counts from the server's next
# start. What is not named keeps Postgres' default; every commit is on disk before it counts. Socket and addresses are
# given on the command line (see postmaster.opts): the server listens on no network address, only on the socket in this
# folder. To look around:  psql -h THIS_FOLDER -U flowhq flowhq
shared_buffers = 128MB
max_connections = 100
synchronous_commit = on
password_encryption = scram-sha-256
log_timezone = 'UTC'
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off		# the log is cut only when the server starts
`

// initialise creates the cluster beside its final place and moves it there when it is complete, so that a crash never
// leaves half a cluster behind. Names postgres.init-* are such attempts and hold no data yet.
func (s *server) initialise(ctx context.Context) error {
	bin, err := findBinaries(ctx, 0, s.cluster)
	if err != nil {
		return err
	}
	if old, err := filepath.Glob(filepath.Join(s.data, "postgres.init-*")); err == nil {
		for _, attempt := range old {
			_ = os.RemoveAll(attempt)
		}
	}
	s.log.Info("creating a private Postgres", "folder", s.cluster, "version", bin.major)
	fresh, err := os.MkdirTemp(s.data, "postgres.init-")
	if err != nil {
		return err
	}
	if err := s.fillCluster(ctx, bin, fresh); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, s.cluster); err != nil {
		return errorf(err, "FLOWHQ_DATA: cannot move the new cluster to %s: %v", s.cluster, errors.Unwrap(err))
	}
	return syncFolder(s.data)
}

func (s *server) fillCluster(ctx context.Context, bin binaries, fresh string) error {
	credential, err := serverUser(fresh)
	if err != nil {
		return err
	}
	if credential != nil {
		if err := os.Chown(fresh, int(credential.Uid), int(credential.Gid)); err != nil {
			return err
		}
	}
	// Messages stay English: the last line of a failure is quoted, and read by us.
	initdb := func(locale string) (string, error) {
		cmd, done, err := serverCommand(fresh, credential, filepath.Join(bin.dir, "initdb"), "--username="+adminRole,
			"--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale="+locale, "--lc-messages=C", "--data-checksums")
		if err != nil {
			return "", err
		}
		defer done()
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			return "", err
		}
		stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGINT) })
		defer stop()
		err = cmd.Wait()
		return out.String(), err
	}
	out, err := initdb("C.UTF-8")
	if err != nil && strings.Contains(out, "invalid locale") {
		out, err = initdb("C")
	}
	if err != nil {
		if path := pathError(err); path != nil {
			return path
		}
		return errorf(err, "FLOWHQ_DATA: cannot create a private Postgres in %s: %s", s.cluster, lastComplaint(out, err))
	}
	conf, err := os.OpenFile(filepath.Join(fresh, "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString(clusterSettings)
	return errors.Join(err, conf.Sync(), conf.Close())
}

// lastComplaint is the line of a program's output that says what went wrong.
func lastComplaint(out string, err error) string {
	last := ""
	for line := range strings.Lines(out) {
		for _, mark := range []string{"FATAL:", "PANIC:", "ERROR:", "error:", "could not"} {
			if _, after, ok := strings.Cut(line, mark); ok {
				last = strings.TrimSpace(after)
				if mark == "could not" {
					last = mark + after
				}
				break
			}
		}
	}
	last = strings.TrimSpace(last)
	switch {
	case last == "":
		return fmt.Sprintf("it ended without a reason (%v)", err)
	case strings.Contains(last, "No space left on device"):
		return "the disk is full (" + last + "): free some space"
	}
	return last
}

// syncFolder makes a rename inside the folder survive a power cut.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
