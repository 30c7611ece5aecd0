package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantStop disconnects a tenant's number and keeps the link.
type TenantStop struct {
	TenantID uuid.UUID `json:"tenant_id"`
}

// Kind names the job in River's tables.
func (TenantStop) Kind() string { return "tenant_stop" }

type tenantStopWorker struct {
	river.WorkerDefaults[TenantStop]
	pool Pool
}

func (w *tenantStopWorker) Work(ctx context.Context, job *river.Job[TenantStop]) error {
	return w.pool.Stop(ctx, job.Args.TenantID)
}
