package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantLogout unlinks a tenant's number from WhatsApp and stops its worker.
type TenantLogout struct {
	TenantID uuid.UUID `json:"tenant_id"`
}

// Kind names the job in River's tables.
func (TenantLogout) Kind() string { return "tenant_logout" }

type tenantLogoutWorker struct {
	river.WorkerDefaults[TenantLogout]
	pool Pool
}

func (w *tenantLogoutWorker) Work(ctx context.Context, job *river.Job[TenantLogout]) error {
	return w.pool.Logout(ctx, job.Args.TenantID)
}
