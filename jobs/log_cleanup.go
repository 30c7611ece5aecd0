package jobs

import (
	"context"
	"time"

	"flowhq/queries"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

const (
	logCleanupInterval = time.Hour // a little each time rather than a day's entries at once
	logsAtOnce         = 10_000
)

// LogCleanup deletes entries of the log that are older than the retention.
type LogCleanup struct{}

// Kind names the job in River's tables.
func (LogCleanup) Kind() string { return "log_cleanup" }

type logCleanupWorker struct {
	river.WorkerDefaults[LogCleanup]
	db   *pgxpool.Pool
	keep time.Duration
}

func (w *logCleanupWorker) Work(ctx context.Context, _ *river.Job[LogCleanup]) error {
	return DeleteOldLogs(ctx, w.db, w.keep)
}

// DeleteOldLogs deletes in small steps, each committed, so that a run that is cut short has done its part.
func DeleteOldLogs(ctx context.Context, db *pgxpool.Pool, keep time.Duration) error {
	before := time.Now().Add(-keep)
	for {
		n, err := queries.New(db).DeleteOldLogs(ctx, queries.DeleteOldLogsParams{Before: before, Most: logsAtOnce})
		if err != nil || n < logsAtOnce {
			return err
		}
	}
}
