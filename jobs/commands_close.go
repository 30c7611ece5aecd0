package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"flowhq/queries"
)

// GracePeriod is how long a closed business can be taken back before it is deleted.
const GracePeriod = 14 * 24 * time.Hour

const (
	closingReminder = 2 * 24 * time.Hour // before the end
	deleteAtOnce    = 5000               // messages
)

// CloseTenant ends a business in its owner's name: the worker stops now, the link and everything else stay until the grace period is over.
func (c *Commands) CloseTenant(ctx context.Context, tenantID uuid.UUID, reason string, now time.Time, actor Actor) (ends time.Time, err error) {
	ends = now.Add(GracePeriod)
	err = c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		w, err := q.LockWorker(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		runs := w.Desired == queries.WorkerStatusRUNNING
		n, err := q.CloseTenant(ctx, queries.CloseTenantParams{TenantID: tenantID, ClosingAt: &ends, Reason: reason, Runs: runs})
		if err != nil {
			return err
		}
		if n == 0 {
			return conflict("%s is being closed already.", w.Name)
		}
		if runs {
			if err := q.SetDesired(ctx, queries.SetDesiredParams{TenantID: tenantID, Desired: queries.WorkerStatusSTOPPED}); err != nil {
				return err
			}
			if _, err := c.insert(ctx, tx, TenantStop{TenantID: tenantID}, w.Shard); err != nil {
				return err
			}
		}
		if err := c.mailClosing(ctx, tx, q, MailClosing, tenantID); err != nil {
			return err
		}
		return event(ctx, q, tenantID, actor, "ACCOUNT_CLOSING", map[string]any{"reason": reason})
	})
	return ends, err
}

// KeepTenant takes the closing of a business back; a worker that ran runs again.
func (c *Commands) KeepTenant(ctx context.Context, tenantID uuid.UUID, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		w, err := q.LockWorker(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		t, err := q.GetTenant(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		if n, err := q.KeepTenant(ctx, tenantID); err != nil {
			return err
		} else if n == 0 {
			return conflict("%s is not being closed.", w.Name)
		}
		if t.Tenant.ClosingRuns {
			if err := q.SetDesired(ctx, queries.SetDesiredParams{TenantID: tenantID, Desired: queries.WorkerStatusRUNNING}); err != nil {
				return err
			}
			if _, err := c.insert(ctx, tx, TenantStart{TenantID: tenantID}, w.Shard); err != nil {
				return err
			}
		}
		return event(ctx, q, tenantID, actor, "ACCOUNT_KEPT", nil)
	})
}

func (c *Commands) mailClosing(ctx context.Context, tx pgx.Tx, q *queries.Queries, kind string, tenantID uuid.UUID) error {
	t, err := q.GetTenant(ctx, tenantID)
	if err != nil {
		return err
	}
	owners, err := q.OwnerOf(ctx, &tenantID)
	for _, o := range owners {
		m := Mail{Kind: kind, To: o.Email, Name: o.Name, Lang: mailLang(o.Language), Business: t.TenantConfig.BusinessName, Path: "/portal/data"}
		if err := c.Mail(ctx, tx, m); err != nil {
			return err
		}
	}
	return err
}

// closing refuses what a business that is being closed must not do any more.
func closing(t queries.Tenant) error {
	if t.ClosingAt == nil {
		return nil
	}
	return conflict("%s is being closed: nothing is sent any more.", t.Name)
}

// CloseTenants reminds owners whose business is deleted soon, and deletes those whose time is over.
type CloseTenants struct{}

// Kind names the job in River's tables.
func (CloseTenants) Kind() string { return "close_tenants" }

type closeTenantsWorker struct {
	river.WorkerDefaults[CloseTenants]
	db *pgxpool.Pool
}

func (w *closeTenantsWorker) Work(ctx context.Context, job *river.Job[CloseTenants]) error {
	commands := Commands{db: w.db, river: river.ClientFromContext[pgx.Tx](ctx)}
	return commands.EndClosed(ctx, time.Now(), actorOf(job.JobRow))
}

// EndClosed does what CloseTenants is for, as of a moment.
func (c *Commands) EndClosed(ctx context.Context, now time.Time, actor Actor) error {
	err := c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		soon := now.Add(closingReminder)
		rows, err := q.TakeClosingToTell(ctx, &soon)
		if err != nil {
			return err
		}
		for _, r := range rows {
			m := Mail{Kind: MailClosingSoon, To: r.Email, Name: r.Name, Lang: mailLang(r.Language), Business: r.BusinessName, Path: "/portal/data"}
			if err := c.Mail(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ended, err := queries.New(c.db).ListClosed(ctx, &now)
	for _, id := range ended {
		for n := int64(deleteAtOnce); n == deleteAtOnce; {
			if n, err = queries.New(c.db).DeleteMessagesOf(ctx, queries.DeleteMessagesOfParams{TenantID: id, Most: deleteAtOnce}); err != nil {
				return err
			}
		}
		if err := c.DeleteTenant(ctx, id, actor); err != nil {
			return err
		}
	}
	return err
}
