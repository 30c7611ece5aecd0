package whatsapp

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// maxChanges bounds one statement that writes changes of state.
const maxChanges = 500

// recorder writes changes of state for the whole node, one statement at a time: whatever came meanwhile goes into the next
// one. When hundreds of tenants connect at once that is a few statements instead of hundreds.
type recorder struct {
	q    *queries.Queries
	node uuid.UUID
	todo chan recording

	// One statement over many tenants' rows at a time, heartbeats included: they would wait for each other in a circle.
	rows sync.Mutex
}

type recording struct {
	change stateChange
	done   chan recorded // room for one
}

type recorded struct {
	owned bool // the node still held the tenant's shard; otherwise nothing was written
	err   error
}

// stateChange is one element of what RecordStates takes.
type stateChange struct {
	TenantID          uuid.UUID             `json:"tenant_id"`
	Shard             int16                 `json:"shard"`
	Epoch             int64                 `json:"epoch"`
	State             queries.SessionState  `json:"state"`
	Reason            queries.SessionReason `json:"reason"`
	ReasonUntil       *time.Time            `json:"reason_until"`
	ReasonDetail      *string               `json:"reason_detail"`
	LastQR            *string               `json:"last_qr"`
	QRExpiresAt       *time.Time            `json:"qr_expires_at"`
	PairCode          *string               `json:"pair_code"`
	PairCodeExpiresAt *time.Time            `json:"pair_code_expires_at"`
	RestrictedSince   *time.Time            `json:"restricted_since"`
	RestrictedUntil   *time.Time            `json:"restricted_until"`
	RestrictedChecks  int                   `json:"restricted_checks"`
	RestrictedNumber  *string               `json:"restricted_number"`
	TenantStatus      queries.TenantStatus  `json:"tenant_status"`
	WorkerStatus      queries.WorkerStatus  `json:"worker_status"`
	ProcessName       string                `json:"process_name"`
	LastError         *string               `json:"last_error"`
	Alive             bool                  `json:"alive"`
	EventID           uuid.UUID             `json:"event_id"`
	EventType         *string               `json:"event_type"`
	EventPayload      map[string]any        `json:"event_payload"`

	mayBeLost bool
}

func newRecorder(q *queries.Queries, node uuid.UUID) *recorder {
	return &recorder{q: q, node: node, todo: make(chan recording)}
}

// write has one change written, and tells whether this node still holds the tenant's shard.
func (r *recorder) write(ctx context.Context, change stateChange) (owned bool, err error) {
	job := recording{change: change, done: make(chan recorded, 1)}
	select {
	case r.todo <- job:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case done := <-job.done:
		return done.owned, done.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// run writes until ctx ends.
func (r *recorder) run(ctx context.Context) {
	for {
		var batch []recording
		select {
		case job := <-r.todo:
			batch = append(batch, job)
		case <-ctx.Done():
			return
		}
	gather:
		for len(batch) < maxChanges {
			select {
			case job := <-r.todo:
				batch = append(batch, job)
			default:
				break gather
			}
		}
		r.writeAll(ctx, batch)
	}
}

// writeAll writes a batch. One that is refused for good is written one by one, so that only what is wrong fails.
func (r *recorder) writeAll(ctx context.Context, batch []recording) {
	owned, err := r.statement(ctx, batch)
	if err != nil && len(batch) > 1 && !passing(err) {
		for _, job := range batch {
			r.writeAll(ctx, []recording{job})
		}
		return
	}
	for _, job := range batch {
		job.done <- recorded{owned: slices.Contains(owned, job.change.TenantID), err: err}
	}
}

func (r *recorder) statement(ctx context.Context, batch []recording) ([]uuid.UUID, error) {
	changes, mayBeLost := make([]stateChange, len(batch)), true
	for i, job := range batch {
		changes[i] = job.change
		mayBeLost = mayBeLost && job.change.mayBeLost
	}
	body, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	r.rows.Lock()
	defer r.rows.Unlock()
	return r.q.RecordStates(ctx, queries.RecordStatesParams{Changes: body, NodeID: &r.node, MayBeLost: mayBeLost})
}
