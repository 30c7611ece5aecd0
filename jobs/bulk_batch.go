package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
)

// BulkFailure is a record that a run could not do its work to.
type BulkFailure struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
}

// bulkBatch is a batch at work in its transaction.
type bulkBatch struct {
	bulkRun
	tx       pgx.Tx
	registry *tables.Registry
	river    *river.Client[pgx.Tx]

	done, gone, below int64
	failures          []BulkFailure
	unfinished        bool // the same records come again: more goes with them than one batch removes
}

// byCommand tells whether each record is changed by a command of its own, which keeps the table's rules.
func (r bulkRun) byCommand() bool {
	switch r.Action {
	case queries.BulkActionEDIT:
		return r.table.Name == "tenants" || r.table.Name == "tenant_configs"
	case queries.BulkActionDELETE:
		return r.table.Name == "tenants" || r.table.Name == "users"
	}
	return true
}

// removesBelow tells whether what goes with the records is removed before them. Of a person it is little, and they may have to stay.
func (r bulkRun) removesBelow() bool {
	return r.Action == queries.BulkActionDELETE && r.table.Name != "users"
}

// firstBelow names the tables of which rows are removed in batches before the record itself; none is all. Of a tenant these are
// the many; the last step needs its customers, to forget their pairs of numbers.
func (r bulkRun) firstBelow() []string {
	if r.table.Name == "tenants" {
		return []string{"message_logs", "portal_event_logs", "unlogged_messages"}
	}
	return nil
}

func (b *bulkBatch) work(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if b.removesBelow() {
		if b.table.Name == "tenants" {
			if err := b.quiet(ctx, keys[0]); err != nil {
				return err
			}
		}
		n, err := b.table.DeleteBelow(ctx, b.tx, keys, b.firstBelow(), bulkRows)
		if b.below, b.unfinished = n, n >= bulkRows; err != nil || b.unfinished {
			return err
		}
	}
	if !b.byCommand() {
		ok, err := b.try(ctx, func(tx pgx.Tx) error {
			n, err := b.together(ctx, tx, keys)
			b.done, b.gone = n, int64(len(keys))-n
			return err
		})
		if ok || err != nil {
			return err
		}
		b.done, b.gone, b.failures = 0, 0, nil // one by one, then, to learn which of them it is
	}
	for _, key := range keys {
		if err := b.one(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// together does what needs no command to all records in one statement and tells how many were there.
func (b *bulkBatch) together(ctx context.Context, tx pgx.Tx, keys []string) (int64, error) {
	if b.Action == queries.BulkActionDELETE {
		return b.table.DeleteAll(ctx, tx, keys)
	}
	return b.table.SetAll(ctx, tx, keys, b.changes)
}

// try does something in a savepoint. ok is false where the record's own values or state refuse it; b.failures then has why, for a
// record without a name yet.
func (b *bulkBatch) try(ctx context.Context, what func(tx pgx.Tx) error) (ok bool, err error) {
	err = pgx.BeginFunc(ctx, b.tx, what)
	if err == nil {
		return true, nil
	}
	if reason := bulkReason(b.table, err); reason != "" {
		b.failures = append(b.failures, BulkFailure{Reason: reason})
		return false, nil
	}
	return false, err
}

func (b *bulkBatch) one(ctx context.Context, key string) error {
	rec, err := b.registry.Read(ctx, b.tx, b.table, key)
	if errors.Is(err, tables.ErrGone) {
		b.gone++
		return nil
	}
	if err != nil {
		return err
	}
	ok, err := b.try(ctx, func(tx pgx.Tx) error {
		if b.byCommand() {
			return b.command(ctx, tx, rec)
		}
		n, err := b.together(ctx, tx, []string{key})
		if err == nil && n == 0 {
			return conflict("It was deleted meanwhile.")
		}
		return err
	})
	if ok {
		b.done++
	} else if err == nil {
		last := &b.failures[len(b.failures)-1]
		last.Key, last.Title = key, rec.Title
	}
	return err
}

// command does to one record what its table's rules ask for.
func (b *bulkBatch) command(ctx context.Context, tx pgx.Tx, rec tables.Record) error {
	in := &Commands{tx: tx, river: b.river}
	if b.table.Name == "users" {
		return b.removeUser(ctx, tx, rec)
	}
	tenant, err := b.tenantOf(rec)
	if err != nil {
		return err
	}
	switch b.Action {
	case queries.BulkActionSTART:
		_, err = in.StartWorker(ctx, tenant, b.actor)
	case queries.BulkActionSTOP:
		_, err = in.StopWorker(ctx, tenant, b.actor)
	case queries.BulkActionRESTART:
		_, err = in.RestartWorker(ctx, tenant, b.actor)
	case queries.BulkActionEDIT:
		err = in.UpdateTenant(ctx, tenant, TenantChangeOf(b.changes), b.actor)
	case queries.BulkActionDELETE:
		if err = in.DeleteTenant(ctx, tenant, b.actor); err == nil {
			// Rows that are gone announce nothing themselves.
			_, err = tx.Exec(ctx, "SELECT pg_notify('flowhq_live', 'tenant ' || $1::text || ' ' || $1::text)", tenant.String())
		}
	}
	return err
}

// tenantOf is the tenant that a record is, or belongs to.
func (b *bulkBatch) tenantOf(rec tables.Record) (uuid.UUID, error) {
	column := b.table.Column("tenant_id")
	if column == nil {
		column = b.table.Column("id")
	}
	return uuid.Parse(rec.Value(column).Text)
}

// quiet stops a tenant before its messages are removed, so that none come after them.
func (b *bulkBatch) quiet(ctx context.Context, key string) error {
	id, err := uuid.Parse(key)
	if err != nil {
		return nil // no tenant: it counts as gone
	}
	err = pgx.BeginFunc(ctx, b.tx, func(tx pgx.Tx) error {
		_, err := (&Commands{tx: tx, river: b.river}).StopWorker(ctx, id, b.actor)
		return err
	})
	if _, refused := errors.AsType[*Error](err); refused {
		return nil // stopped already, or gone
	}
	return err
}

func (b *bulkBatch) removeUser(ctx context.Context, tx pgx.Tx, rec tables.Record) error {
	if b.UserID != nil && rec.Key == b.UserID.String() {
		return conflict("This is your own account. Another admin can delete it.")
	}
	if err := b.table.Delete(ctx, tx, rec.Key); err != nil {
		return err
	}
	tenant := rec.Value(b.table.Column("tenant_id"))
	if tenant.Null {
		return nil
	}
	id, err := uuid.Parse(tenant.Text)
	if err != nil {
		return err
	}
	return event(ctx, queries.New(tx), id, b.actor, "PERSON_REMOVED", map[string]any{"person": rec.Title})
}

// save notes what the batch did.
func (b *bulkBatch) save(ctx context.Context, q *queries.Queries, place string) error {
	var known []BulkFailure
	if err := json.Unmarshal(b.Failures, &known); err != nil {
		return err
	}
	all := append(known, b.failures...)
	raw, err := json.Marshal(all[:min(len(all), bulkFailures)])
	if err != nil {
		return err
	}
	return q.AdvanceBulkRun(ctx, queries.AdvanceBulkRunParams{
		ID: b.ID, Done: b.done, Failed: int64(len(b.failures)), Gone: b.gone, BelowDone: b.below, Failures: raw, Place: place,
	})
}

// bulkReason words why one record was refused; empty where the fault is not the record's.
func bulkReason(t *tables.Table, err error) string {
	if refusal, ok := errors.AsType[*Error](err); ok {
		if len(refusal.Fields) > 0 {
			return strings.Join(slices.Sorted(maps.Values(refusal.Fields)), " ")
		}
		return refusal.Message
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	switch {
	case pg.Code == pgerrcode.UniqueViolation:
		return "Another " + t.Singular + " has this already."
	case pg.Code == pgerrcode.ForeignKeyViolation && strings.Contains(pg.Detail, "still referenced"):
		return "Other records need this one."
	case pgerrcode.IsIntegrityConstraintViolation(pg.Code), pgerrcode.IsDataException(pg.Code), pg.Code == pgerrcode.RaiseException, strings.HasPrefix(pg.Code, "FHQ"):
		return "The database refused it: " + pg.Message + "."
	}
	return ""
}
