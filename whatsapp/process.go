package whatsapp

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"flowhq/queries"
)

// machine names this boot of this machine and the process namespace within it; only there does a process id say who is meant.
// "" where that cannot be known (no /proc).
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// ownProcess identifies this process among all that ever ran on this machine: "boot namespace pid start"; "": it cannot be told.
func ownProcess() string {
	place := machine()
	started, ok := processStart(fmt.Sprint(os.Getpid()))
	if place == "" || !ok {
		return ""
	}
	return fmt.Sprintf("%s %d %s", place, os.Getpid(), started)
}

// processStart is when a process began, in ticks since the boot; false: there is no such process, or only what is left of a dead one.
func processStart(pid string) (string, bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", false
	}
	// The second field is the program's name in brackets, which may hold anything. State is the third, start the 22nd.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}

// buryDead frees the shards of nodes that were processes of this machine and are no more, so that a restart after a crash need
// not wait for their leases to end.
func (l *leases) buryDead(ctx context.Context) error {
	place := machine()
	if place == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	nodes, err := l.q.ListNodeProcesses(ctx, queries.ListNodeProcessesParams{Machine: place, ID: l.node})
	if err != nil {
		return err
	}
	for _, n := range nodes {
		pid, started, ok := strings.Cut(strings.TrimPrefix(n.Process, place+" "), " ")
		if now, alive := processStart(pid); !ok || alive && now == started {
			continue
		}
		l.log.Info("taking over from a process that died", "pid", pid)
		if err := l.q.BuryNode(ctx, n.ID); err != nil {
			return err
		}
	}
	return nil
}
