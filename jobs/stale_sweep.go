package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"flowhq/queries"
	"flowhq/queries/settings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// StaleSweep marks workers without a heartbeat, and their tenants, ERROR, and restarts those that should be running. The first sweep
// after none was possible, because the database or everything was away, only takes note: nobody could show a sign of life either.
type StaleSweep struct{}

// Kind names the job in River's tables.
func (StaleSweep) Kind() string { return "stale_sweep" }

type staleSweepWorker struct {
	river.WorkerDefaults[StaleSweep]
	db       *pgxpool.Pool
	log      *slog.Logger
	settings *settings.Store
}

const lastSweep = `SELECT coalesce(max(finalized_at) > now() - make_interval(secs => $2), false) FROM river_job WHERE kind = $1 AND state = 'completed'`

func (w *staleSweepWorker) Work(ctx context.Context, job *river.Job[StaleSweep]) error {
	client := river.ClientFromContext[pgx.Tx](ctx)
	now := w.settings.Now()
	return actorOf(job.JobRow).InTx(ctx, w.db, func(tx pgx.Tx) error {
		var looked bool
		if err := tx.QueryRow(ctx, lastSweep, StaleSweep{}.Kind(), max(now.StaleAfter/2, 2*now.StaleCheck).Seconds()).Scan(&looked); err != nil {
			return fmt.Errorf("look for the last sweep: %w", err)
		}
		if !looked {
			w.log.Info("first look at workers' heartbeats for a while; the next one counts")
			return nil
		}
		q := queries.New(tx)
		stale, err := q.MarkStaleWorkers(ctx, queries.MarkStaleWorkersParams{
			Before:    time.Now().Add(-now.StaleAfter),
			LastError: fmt.Sprintf("No sign of life for %s. Restarting.", now.StaleAfter),
		})
		if err != nil || len(stale) == 0 {
			return err
		}
		restarts := make([]river.InsertManyParams, 0, len(stale))
		for _, s := range stale {
			w.log.Warn("worker is stale", "tenant_id", s.TenantID, "process", s.ProcessName, "heartbeat_at", s.HeartbeatAt)
			payload := map[string]any{"process": s.ProcessName, "threshold": now.StaleAfter.String()}
			if s.HeartbeatAt != nil {
				payload["last_heartbeat"] = s.HeartbeatAt.UTC().Format(time.RFC3339)
			}
			if err := event(ctx, q, s.TenantID, Actor{}, "WORKER_STALE", payload); err != nil {
				return err
			}
			restarts = append(restarts, river.InsertManyParams{
				Args: TenantRestart{TenantID: s.TenantID}, InsertOpts: &river.InsertOpts{Queue: ShardQueue(s.Shard)},
			})
		}
		_, err = client.InsertManyFastTx(ctx, tx, restarts)
		return err
	})
}
