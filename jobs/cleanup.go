package jobs

import (
	"context"

	"flowhq/queries"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// Cleanup deletes what has outlived its use: browser sessions, links, throttles, idempotency keys, nodes that are gone.
type Cleanup struct{}

// Kind names the job in River's tables.
func (Cleanup) Kind() string { return "cleanup" }

type cleanupWorker struct {
	river.WorkerDefaults[Cleanup]
	db *pgxpool.Pool
}

func (w *cleanupWorker) Work(ctx context.Context, _ *river.Job[Cleanup]) error {
	return queries.New(w.db).DeleteExpired(ctx)
}
