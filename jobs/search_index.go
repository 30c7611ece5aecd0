package jobs

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// SearchIndex moves what was written lately into the index of messages' words, so that no message's transaction has to: they wait in the
// index's list of pending entries, and between two runs the fastest node takes in far less than that holds (gin_pending_list_limit in
// migration 00030); were it full, the message that fills it would wait for the move.
type SearchIndex struct{}

// Kind names the job in River's tables.
func (SearchIndex) Kind() string { return "search_index" }

type searchIndexWorker struct {
	river.WorkerDefaults[SearchIndex]
	db *pgxpool.Pool
}

func (w *searchIndexWorker) Work(ctx context.Context, _ *river.Job[SearchIndex]) error {
	_, err := w.db.Exec(ctx, "SELECT gin_clean_pending_list('message_logs_words')")
	return err
}
