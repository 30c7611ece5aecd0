package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantForget closes what still runs for a tenant that is gone, unlinks its number at WhatsApp and drops the device's keys.
type TenantForget struct {
	TenantID uuid.UUID `json:"tenant_id"`
	JID      string    `json:"jid,omitempty"` // the linked device, "" where there was none
}

// Kind names the job in River's tables.
func (TenantForget) Kind() string { return "tenant_forget" }

type tenantForgetWorker struct {
	river.WorkerDefaults[TenantForget]
	pool Pool
}

func (w *tenantForgetWorker) Work(ctx context.Context, job *river.Job[TenantForget]) error {
	return w.pool.Forget(ctx, job.Args.TenantID, job.Args.JID)
}
