package main

import (
	"context"
	"fmt"
	"time"
)

// benchUsage is what a system has used so far, or per reply. Only one system runs at a time, so what Postgres did was for it.
type benchUsage struct {
	process, postgres float64 // ms of CPU, user and system together
	transactions      float64 // that wrote something, savepoints included
	wal               float64 // kB of write-ahead log
}

func (b *bench) usage(ctx context.Context, s *benchSystem) (benchUsage, error) {
	process, err := processCPU(s.process.pid())
	if err != nil {
		return benchUsage{}, err
	}
	postgres, err := treeCPU(b.db.ServerPID())
	if err != nil {
		return benchUsage{}, err
	}
	u := benchUsage{process: milliseconds(process), postgres: milliseconds(postgres)}
	// Both are exact at once, unlike the statistics views. A transaction gets a number when it first writes.
	err = b.db.System.QueryRow(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8,
		pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 / 1024`).Scan(&u.transactions, &u.wal)
	if err != nil {
		return benchUsage{}, fmt.Errorf("read Postgres' counters: %w", err)
	}
	return u, nil
}

// since is the usage per reply between two readings.
func (u benchUsage) since(before benchUsage, replies int) benchUsage {
	n := float64(max(replies, 1))
	return benchUsage{
		process: (u.process - before.process) / n, postgres: (u.postgres - before.postgres) / n,
		transactions: (u.transactions - before.transactions) / n, wal: (u.wal - before.wal) / n,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// addUsage adds rows of what a reply costs.
func (b *bench) addUsage(name string, used [2]benchUsage) {
	of := func(figure func(benchUsage) float64) [2]float64 { return [2]float64{figure(used[0]), figure(used[1])} }
	b.addPair("CPU "+name, "ms", of(func(u benchUsage) float64 { return u.process }), compareRatio, noTarget)
	b.addPair("Postgres' CPU "+name, "ms", of(func(u benchUsage) float64 { return u.postgres }), compareRatio, noTarget)
	b.addPair("writing transactions "+name, "", of(func(u benchUsage) float64 { return u.transactions }), compareDifference, noTarget)
	b.addPair("write-ahead log "+name, "kB", of(func(u benchUsage) float64 { return u.wal }), compareRatio, noTarget)
}
