package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// MaxBulkKeys is how many records a run takes by their keys; for more there is the filter.
const MaxBulkKeys = 5000

// BulkAsk is something to be done to many records of a table.
type BulkAsk struct {
	RunID   uuid.UUID // chosen before it is asked for: asked twice, it is one run
	Table   *tables.Table
	Action  queries.BulkAction
	Filter  string
	Zone    *time.Location     // of the filter's dates
	Keys    []string           // nil: all that the filter lets through
	Changes map[string]*string // of an EDIT: columns and what they are set to; nil is no value
	Total   int64              // about how many records it will be
}

var bulkAudit = map[queries.BulkAction]queries.AuditAction{
	queries.BulkActionEDIT: queries.AuditActionCHANGE, queries.BulkActionDELETE: queries.AuditActionDELETE, queries.BulkActionSTART: queries.AuditActionSTART,
	queries.BulkActionSTOP: queries.AuditActionSTOP, queries.BulkActionRESTART: queries.AuditActionRESTART,
}

// Bulk orders a run. What its table does not allow is refused.
func (c *Commands) Bulk(ctx context.Context, ask BulkAsk, actor Actor) error {
	switch {
	case ask.Action == queries.BulkActionDELETE && !ask.Table.Deletable:
		return conflict("%s cannot be deleted by hand.", ask.Table.Plural)
	case ask.Action == queries.BulkActionEDIT && len(ask.Changes) == 0:
		return &Error{Code: Invalid, Message: "Choose what to change."}
	case ask.Action != queries.BulkActionEDIT && ask.Action != queries.BulkActionDELETE && !ask.Table.Workers:
		return conflict("%s have no workers to start or stop.", ask.Table.Plural)
	case ask.Keys != nil && len(ask.Keys) == 0:
		return &Error{Code: Invalid, Message: "Nothing is selected."}
	case len(ask.Keys) > MaxBulkKeys:
		return &Error{Code: Invalid, Message: "These are too many to name one by one. Use a filter and select all that match."}
	}
	for name := range ask.Changes {
		if col := ask.Table.Column(name); col == nil || !col.Shared() {
			return conflict("The column %s cannot be set for many records at once.", name)
		}
	}
	run := queries.InsertBulkRunParams{
		ID: ask.RunID, UserID: actor.UserID, AskedBy: actor.Name, TableName: ask.Table.Name, Action: ask.Action, Filter: ask.Filter,
		Zone: ask.Zone.String(), Keys: ask.Keys, Total: ask.Total,
	}
	var err error
	if run.Changes, err = json.Marshal(ask.Changes); err != nil {
		return err
	}
	if run.Actor, err = json.Marshal(actor); err != nil {
		return err
	}
	about, err := json.Marshal(map[string]any{"filter": ask.Filter, "chosen": len(ask.Keys), "changes": ask.Changes})
	if err != nil {
		return err
	}
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		if fresh, err := q.InsertBulkRun(ctx, run); err != nil || fresh == 0 {
			return err
		}
		// One entry for all: what the run does to audited records has entries of its own.
		if err := q.AuditNote(ctx, queries.AuditNoteParams{
			Action: bulkAudit[ask.Action], TableName: ask.Table.Name, RecordKey: ask.RunID.String(), RecordTitle: "Bulk run", After: about,
		}); err != nil {
			return err
		}
		_, err := c.river.InsertTx(ctx, tx, BulkRun{RunID: ask.RunID}, nil)
		return err
	})
}

// CancelBulk ends a run after the batch at work. What it did stays done.
func (c *Commands) CancelBulk(ctx context.Context, runID uuid.UUID, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		if _, err := q.GetBulkRun(ctx, runID); errors.Is(err, pgx.ErrNoRows) {
			return &Error{Code: NotFound, Message: "There is no such run.", Err: err}
		} else if err != nil {
			return err
		}
		ended, err := q.CancelBulkRun(ctx, queries.CancelBulkRunParams{ID: runID, EndedBy: actor.Name})
		if err == nil && ended == 0 {
			return conflict("This run is over already.")
		}
		return err
	})
}
