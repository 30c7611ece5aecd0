package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantStart connects a tenant's number, or offers a QR where none is linked.
type TenantStart struct {
	TenantID uuid.UUID `json:"tenant_id"`
}

// Kind names the job in River's tables.
func (TenantStart) Kind() string { return "tenant_start" }

type tenantStartWorker struct {
	river.WorkerDefaults[TenantStart]
	pool Pool
}

func (w *tenantStartWorker) Work(ctx context.Context, job *river.Job[TenantStart]) error {
	return w.pool.Start(ctx, job.Args.TenantID)
}
