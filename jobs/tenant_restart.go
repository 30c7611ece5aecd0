package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantRestart closes a tenant's connection and opens a new one.
type TenantRestart struct {
	TenantID uuid.UUID `json:"tenant_id"`
}

// Kind names the job in River's tables.
func (TenantRestart) Kind() string { return "tenant_restart" }

type tenantRestartWorker struct {
	river.WorkerDefaults[TenantRestart]
	pool Pool
}

func (w *tenantRestartWorker) Work(ctx context.Context, job *river.Job[TenantRestart]) error {
	return w.pool.Restart(ctx, job.Args.TenantID)
}
