package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// binaries is a folder with initdb and postgres of one version.
type binaries struct {
	dir   string
	major int
}

// findBinaries looks where distributions put the server programs, newest version first. With want > 0 only that major
// version counts: the one that made the cluster.
func findBinaries(ctx context.Context, want int, cluster string) (binaries, error) {
	var dirs []string
	if dir := os.Getenv("FLOWHQ_PG_BIN"); dir != "" {
		dirs = []string{dir}
	} else {
		dirs = usualFolders(ctx)
	}
	var found []binaries
	for _, dir := range slices.Compact(dirs) {
		if b, ok := inspectBinaries(ctx, dir); ok && !slices.ContainsFunc(found, func(f binaries) bool { return f.major == b.major }) {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	var others []string
	for _, b := range found {
		if b.major == want || want == 0 && b.major >= minVersion {
			return b, nil
		}
		others = append(others, strconv.Itoa(b.major))
	}
	switch {
	case want > 0 && len(others) > 0:
		return binaries{}, errorf(nil, "FLOWHQ_DATA: %s was made by PostgreSQL %d, this machine has %s: install version %[2]d (apt-get install postgresql-%[2]d), or point FLOWHQ_PG_BIN to its programs",
			cluster, want, strings.Join(others, " and "))
	case os.Getenv("FLOWHQ_PG_BIN") != "":
		return binaries{}, errorf(nil, "FLOWHQ_PG_BIN: %s does not hold initdb and postgres of version %d or newer: name the folder that does, or unset it", dirs[0], minVersion)
	}
	return binaries{}, errorf(nil, "DATABASE_URL: not set, and this machine has no PostgreSQL server programs (version %d or newer): apt-get install postgresql, or set DATABASE_URL (or FLOWHQ_PG_BIN)", minVersion)
}

func usualFolders(ctx context.Context) []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"} {
		matches, _ := filepath.Glob(pattern) // fails only on a malformed pattern
		dirs = append(dirs, matches...)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	return dirs
}

// inspectBinaries asks postgres itself for its version, because folders' names differ between systems.
func inspectBinaries(ctx context.Context, dir string) (binaries, bool) {
	dir, err := filepath.Abs(dir) // programs run with another working directory
	if err != nil {
		return binaries{}, false
	}
	if info, err := os.Stat(filepath.Join(dir, "initdb")); err != nil || info.IsDir() {
		return binaries{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, false
	}
	var major int
	if _, err := fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &major); err != nil {
		return binaries{}, false
	}
	return binaries{dir: dir, major: major}, true
}
