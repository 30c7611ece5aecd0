package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// MessageSend hands one queued message, and every earlier one of its chat, to WhatsApp. It carries ids only: the row is the
// truth, and a second try is the same message.
type MessageSend struct {
	TenantID  uuid.UUID `json:"tenant_id"`
	MessageID uuid.UUID `json:"message_id"`
}

// Kind names the job in River's tables.
func (MessageSend) Kind() string { return "message_send" }

type messageSendWorker struct {
	river.WorkerDefaults[MessageSend]
	pool Pool
}

func (w *messageSendWorker) Work(ctx context.Context, job *river.Job[MessageSend]) error {
	return w.pool.Send(ctx, job.Args.TenantID, job.Args.MessageID)
}

// NextRetry comes soon: an unanswered send is usually a broken connection that is back within seconds. The row stays queued
// whatever becomes of the job; reconnecting sends it too.
func (w *messageSendWorker) NextRetry(job *river.Job[MessageSend]) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt)*time.Second, 30*time.Second))
}
