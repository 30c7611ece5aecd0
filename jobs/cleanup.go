package jobs

import (
	"context"

	"flowhq/queries"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// Cleanup deletes what has outlived its use: browser sessions, links, throttles, idempotency keys, nodes that are gone, imports of a week ago.
type Cleanup struct{}

// Kind names the job in River's tables.
func (Cleanup) Kind() string { return "cleanup" }

type cleanupWorker struct {
	river.WorkerDefaults[Cleanup]
	db *pgxpool.Pool
}

func (w *cleanupWorker) Work(ctx context.Context, job *river.Job[Cleanup]) error {
	return actorOf(job.JobRow).InTx(ctx, w.db, func(tx pgx.Tx) error { return queries.New(tx).DeleteExpired(ctx) })
}
