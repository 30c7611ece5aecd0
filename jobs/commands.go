package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"flowhq/queries"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// Commands are the things a person or a program can ask for. Each checks, writes and enqueues in one transaction.
type Commands struct {
	db    *pgxpool.Pool
	tx    pgx.Tx // nil, or the transaction that the commands are part of; it names the actor already
	river *river.Client[pgx.Tx]
}

// NewCommands gives commands over the pool of the system's own role; the river client may be one that only inserts.
func NewCommands(db *pgxpool.Pool, client *river.Client[pgx.Tx]) *Commands {
	return &Commands{db: db, river: client}
}

// commandTimeout bounds one command's transaction.
const commandTimeout = 10 * time.Second

func (c *Commands) inTx(ctx context.Context, actor Actor, fn func(context.Context, pgx.Tx, *queries.Queries) error) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	if c.tx != nil {
		return pgx.BeginFunc(ctx, c.tx, func(tx pgx.Tx) error { return fn(ctx, tx, queries.New(tx)) })
	}
	return actor.InTx(ctx, c.db, func(tx pgx.Tx) error { return fn(ctx, tx, queries.New(tx)) })
}

// event writes one line into the tenant's history.
func event(ctx context.Context, q *queries.Queries, tenantID uuid.UUID, actor Actor, kind string, payload map[string]any) error {
	if actor.Name != "" {
		if payload == nil {
			payload = map[string]any{}
		}
		payload["by"] = actor.Name
	}
	var body []byte
	if payload != nil {
		var err error
		if body, err = json.Marshal(payload); err != nil {
			return err
		}
	}
	return q.InsertEvent(ctx, queries.InsertEventParams{
		ID: newID(), TenantID: tenantID, UserID: actor.UserID, EventType: kind, PayloadJson: body,
	})
}

// newID makes a UUIDv7: ids of one process sort by their time.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Actions are what a tenant's present state allows.
type Actions struct{ Start, Stop, Restart, Logout bool }

// Allowed tells which worker actions are legal for a tenant, as the commands will decide.
func Allowed(t queries.GetTenantRow) Actions {
	return allowed(t.WorkerProcess.Desired, t.WorkerProcess.Status, t.WhatsappSession.Jid != nil, t.Tenant.ApprovedAt != nil)
}

func allowed(desired, status queries.WorkerStatus, linked, approved bool) Actions {
	if !approved {
		return Actions{}
	}
	wanted := desired == queries.WorkerStatusRUNNING
	return Actions{
		Start:   !wanted || status == queries.WorkerStatusERROR,
		Stop:    wanted || status != queries.WorkerStatusSTOPPED,
		Restart: wanted,
		Logout:  linked,
	}
}

// StartWorker has the tenant's number connected, or a QR offered where none is linked yet. It returns the job's id.
func (c *Commands) StartWorker(ctx context.Context, tenantID uuid.UUID, actor Actor) (int64, error) {
	return c.worker(ctx, tenantID, actor, queries.AuditActionSTART, "WORKER_START_REQUESTED", queries.WorkerStatusRUNNING, TenantStart{TenantID: tenantID},
		func(a Actions) bool { return a.Start }, "%s is running already. Restart it if something seems stuck.")
}

// StopWorker disconnects the tenant's number and keeps the link.
func (c *Commands) StopWorker(ctx context.Context, tenantID uuid.UUID, actor Actor) (int64, error) {
	return c.worker(ctx, tenantID, actor, queries.AuditActionSTOP, "WORKER_STOP_REQUESTED", queries.WorkerStatusSTOPPED, TenantStop{TenantID: tenantID},
		func(a Actions) bool { return a.Stop }, "%s is stopped already.")
}

// RestartWorker closes the tenant's connection and opens a new one.
func (c *Commands) RestartWorker(ctx context.Context, tenantID uuid.UUID, actor Actor) (int64, error) {
	return c.worker(ctx, tenantID, actor, queries.AuditActionRESTART, "WORKER_RESTART_REQUESTED", queries.WorkerStatusRUNNING, TenantRestart{TenantID: tenantID},
		func(a Actions) bool { return a.Restart }, "%s is not running. Start it instead.")
}

// LogoutWorker unlinks the number from WhatsApp and stops the worker; linking again needs a new scan.
func (c *Commands) LogoutWorker(ctx context.Context, tenantID uuid.UUID, actor Actor) (int64, error) {
	return c.worker(ctx, tenantID, actor, queries.AuditActionLOGOUT, "LOGOUT_REQUESTED", queries.WorkerStatusSTOPPED, TenantLogout{TenantID: tenantID},
		func(a Actions) bool { return a.Logout }, "%s has no linked number to log out.")
}

func (c *Commands) worker(ctx context.Context, tenantID uuid.UUID, actor Actor, action queries.AuditAction, kind string, desired queries.WorkerStatus,
	job river.JobArgs, legal func(Actions) bool, refusal string,
) (jobID int64, err error) {
	err = c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		w, err := q.LockWorker(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		if !w.Approved {
			return errNotApproved(w.Name)
		}
		if desired == queries.WorkerStatusRUNNING {
			if w.Closing {
				return conflict("%s is being closed. Keep it first, then start it.", w.Name)
			}
		}
		if !legal(allowed(w.Desired, w.Status, w.Jid != nil, true)) {
			return conflict(refusal, w.Name)
		}
		if err := q.SetDesired(ctx, queries.SetDesiredParams{TenantID: tenantID, Desired: desired}); err != nil {
			return err
		}
		if err := event(ctx, q, tenantID, actor, kind, nil); err != nil {
			return err
		}
		if err := workerNote(ctx, q, tenantID, action, w, desired); err != nil {
			return err
		}
		jobID, err = c.insert(ctx, tx, job, w.Shard)
		return err
	})
	return jobID, err
}

// workerNote is the audit log's entry of what somebody asked of a worker: what it should be before and after.
func workerNote(ctx context.Context, q *queries.Queries, tenantID uuid.UUID, action queries.AuditAction, w queries.LockWorkerRow, desired queries.WorkerStatus) error {
	return q.AuditNote(ctx, queries.AuditNoteParams{
		Action: action, TableName: "tenants", RecordKey: tenantID.String(), RecordTitle: w.Name, TenantID: &tenantID,
		Before: fmt.Appendf(nil, `{"worker": %q}`, w.Desired), After: fmt.Appendf(nil, `{"worker": %q}`, desired),
	})
}

// RequestPairCode asks for a code to link the number by typing it on the phone. The code arrives in
// whatsapp_sessions.pair_code, announced on the live channel as "session".
func (c *Commands) RequestPairCode(ctx context.Context, tenantID uuid.UUID, phone string, actor Actor) (jobID int64, err error) {
	var f form
	number := f.phone("phone", phone)
	if err := f.err(); err != nil {
		return 0, err
	}
	err = c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		w, err := q.LockWorker(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		if !w.Approved {
			return errNotApproved(w.Name)
		}
		if w.State == queries.SessionStateCONNECTED {
			return conflict("%s is linked already. Log the number out first.", w.Name)
		}
		if err := q.SetDesired(ctx, queries.SetDesiredParams{TenantID: tenantID, Desired: queries.WorkerStatusRUNNING}); err != nil {
			return err
		}
		if err := q.ForgetPairCode(ctx, tenantID); err != nil {
			return err
		}
		if err := event(ctx, q, tenantID, actor, "PAIR_CODE_REQUESTED", map[string]any{"phone": number}); err != nil {
			return err
		}
		if err := workerNote(ctx, q, tenantID, queries.AuditActionPAIRCODE, w, queries.WorkerStatusRUNNING); err != nil {
			return err
		}
		jobID, err = c.insert(ctx, tx, TenantPairCode{TenantID: tenantID, Phone: number}, w.Shard)
		return err
	})
	return jobID, err
}

func (c *Commands) insert(ctx context.Context, tx pgx.Tx, job river.JobArgs, shard int16) (int64, error) {
	res, err := c.river.InsertTx(ctx, tx, job, &river.InsertOpts{Queue: ShardQueue(shard)})
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", job.Kind(), err)
	}
	return res.Job.ID, nil
}

// IsNotFound tells whether an error means that the tenant, or what was asked for, does not exist.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == NotFound
}
