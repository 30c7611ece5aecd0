package jobs

import (
	"context"
	"time"

	"flowhq/queries"
	"flowhq/queries/settings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

const rowsAtOnce = 10_000

// Retention deletes what is older than the operator wants it kept; see settings.Keep.
type Retention struct{}

// Kind names the job in River's tables.
func (Retention) Kind() string { return "retention" }

type retentionWorker struct {
	river.WorkerDefaults[Retention]
	db       *pgxpool.Pool
	settings *settings.Store
}

func (w *retentionWorker) Work(ctx context.Context, _ *river.Job[Retention]) error {
	return DeleteOld(ctx, w.db, w.settings.Now().Keep, time.Now())
}

// DeleteOld deletes in small steps, each committed, so that nobody waits for it and a run that is cut short has done its part.
func DeleteOld(ctx context.Context, db *pgxpool.Pool, keep settings.Keep, now time.Time) error {
	q := queries.New(db)
	for _, old := range []struct {
		days int
		step func(before time.Time) (int64, error)
	}{
		{keep.Logs, func(before time.Time) (int64, error) {
			return q.DeleteOldLogs(ctx, queries.DeleteOldLogsParams{Before: before, Most: rowsAtOnce})
		}},
		{keep.Events, func(before time.Time) (int64, error) {
			return q.DeleteOldEvents(ctx, queries.DeleteOldEventsParams{Before: before, Most: rowsAtOnce})
		}},
		{keep.Runs, func(before time.Time) (int64, error) {
			return q.DeleteOldRuns(ctx, queries.DeleteOldRunsParams{Before: before, Most: rowsAtOnce})
		}},
		{keep.Unlogged, func(before time.Time) (int64, error) {
			return q.DeleteOldUnlogged(ctx, queries.DeleteOldUnloggedParams{Before: before, Most: rowsAtOnce})
		}},
		{keep.Messages, func(before time.Time) (int64, error) {
			return q.DeleteOldMessages(ctx, queries.DeleteOldMessagesParams{Before: before, Most: rowsAtOnce})
		}},
	} {
		if old.days == 0 {
			continue
		}
		for {
			n, err := old.step(now.AddDate(0, 0, -old.days))
			if err != nil {
				return err
			}
			if n < rowsAtOnce {
				break
			}
		}
	}
	return nil
}
