package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// TenantPairCode fetches a code with which a number is linked by typing instead of scanning.
type TenantPairCode struct {
	TenantID uuid.UUID `json:"tenant_id"`
	Phone    string    `json:"phone"` // E.164
}

// Kind names the job in River's tables.
func (TenantPairCode) Kind() string { return "tenant_pair_code" }

type tenantPairCodeWorker struct {
	river.WorkerDefaults[TenantPairCode]
	pool Pool
}

func (w *tenantPairCodeWorker) Work(ctx context.Context, job *river.Job[TenantPairCode]) error {
	_, err := w.pool.PairCode(ctx, job.Args.TenantID, job.Args.Phone)
	return err
}
