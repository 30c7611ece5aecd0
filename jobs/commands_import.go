package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"flowhq/queries"
	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// inviteLife is how long a colleague who comes from a file has to choose a password. The link waits in the list of pending links.
const inviteLife = 7 * 24 * time.Hour

// waitingImports is how many files of one person wait to be imported; what is older is forgotten.
const waitingImports = 20

// ImportAsk is a file somebody sends.
type ImportAsk struct {
	ID       uuid.UUID // chosen before it is asked for: sent twice, it is one import
	Table    *tables.Table
	FileName string
	File     []byte
}

// ReadImport takes a file in. It changes nothing but that the file is kept, with its rows as they were read. An *Error with the field "file" says
// what is wrong with it, caused by a *spreadsheet.Error.
func (c *Commands) ReadImport(ctx context.Context, ask ImportAsk, actor Actor) error {
	unreadable := func(err error) error {
		if wrong, ok := errors.AsType[*spreadsheet.Error](err); ok {
			return &Error{Code: Invalid, Message: wrong.Error(), Fields: map[string]string{"file": wrong.Error()}, Err: wrong}
		}
		return err
	}
	file, err := spreadsheet.NewReader(ask.File, ImportLimits)
	if err != nil {
		return unreadable(err)
	}
	var rows []queries.InsertImportRowsParams
	for {
		row, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		p := queries.InsertImportRowsParams{ImportID: ask.ID, Number: int32(len(rows) + 1), Line: int32(row.Line), Cells: row.Cells}
		if wrong, ok := errors.AsType[*spreadsheet.Error](err); ok && wrong.OfRow() {
			p.Fault = new(wrong.Error())
		} else if err != nil {
			return unreadable(err)
		}
		rows = append(rows, p)
	}
	if len(rows) == 0 {
		return unreadable(&spreadsheet.Error{Fault: spreadsheet.Empty})
	}
	p := queries.InsertImportParams{
		ID: ask.ID, UserID: actor.UserID, AskedBy: actor.Name, TableName: ask.Table.Name, FileName: ask.FileName, Header: file.Header(), Total: int32(len(rows)),
	}
	if p.Actor, err = json.Marshal(actor); err != nil {
		return err
	}
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		fresh, err := q.InsertImport(ctx, p)
		if err != nil || fresh == 0 {
			return err
		}
		if _, err = q.InsertImportRows(ctx, rows); err != nil || actor.UserID == nil {
			return err
		}
		return q.DropWaitingImports(ctx, queries.DropWaitingImportsParams{UserID: actor.UserID, Keep: waitingImports})
	})
}

func noImport(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return &Error{Code: NotFound, Message: "There is no such import.", Err: err}
	}
	return err
}

// CheckImport says what a file's columns mean and has every row tried. Fields of a refusal: "mode", "key", ImportFailedColumn, ImportFailedDefault.
func (c *Commands) CheckImport(ctx context.Context, registry *tables.Registry, id uuid.UUID, m ImportMapping, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		i, err := q.LockImport(ctx, id)
		if err != nil {
			return noImport(err)
		}
		if i.StartedAt != nil {
			return conflict("This file is imported already. Send it again to import it once more.")
		}
		t := registry.Table(i.TableName)
		if err := m.check(registry, t, i.Header); err != nil {
			return err
		}
		if err := m.checkDefaults(ctx, tx, registry, t); err != nil {
			return err
		}
		p := queries.CheckImportParams{ID: id}
		if p.Mapping, err = json.Marshal(m); err == nil {
			p.Actor, err = json.Marshal(actor)
		}
		if err != nil {
			return err
		}
		attempt, err := q.CheckImport(ctx, p)
		if err != nil {
			return err
		}
		_, err = c.river.InsertTx(ctx, tx, ImportRun{ImportID: id, Attempt: attempt}, nil)
		return err
	})
}

// checkDefaults refuses a default that every row would be refused for.
func (m ImportMapping) checkDefaults(ctx context.Context, db tables.DB, registry *tables.Registry, t *tables.Table) error {
	var f form
	w := newImporter(registry, t, m, Actor{})
	for _, c := range w.columns {
		if _, mapped := w.at[c.Name]; mapped {
			continue
		}
		_, problem, err := w.value(ctx, db, c, m.Defaults[c.Name])
		if err != nil {
			return err
		}
		if problem != "" {
			f.fail(ImportFailedDefault(c.Name), "%s", problem)
		}
	}
	return f.err()
}

// StartImport imports what was tried; attempt is the one whose report the person saw. Asked twice, it starts once.
func (c *Commands) StartImport(ctx context.Context, id uuid.UUID, attempt int32, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		i, err := q.LockImport(ctx, id)
		switch {
		case err != nil:
			return noImport(err)
		case i.StartedAt != nil:
			return nil
		case i.State != queries.ImportStateCHECKED || i.Attempt != attempt:
			return conflict("This was tried anew meanwhile. Look at the new report first.")
		case i.Refused == i.Total:
			return conflict("Every row is refused: there is nothing to import.")
		}
		p := queries.StartImportParams{ID: id, Attempt: attempt}
		if p.Actor, err = json.Marshal(actor); err != nil {
			return err
		}
		if p.Attempt, err = q.StartImport(ctx, p); err != nil {
			return err
		}
		after, err := json.Marshal(map[string]any{"file": i.FileName, "rows": i.Total, "mapping": json.RawMessage(i.Mapping)})
		if err != nil {
			return err
		}
		// One entry for all: what the import does to audited records has entries of its own.
		if err := q.AuditNote(ctx, queries.AuditNoteParams{
			Action: queries.AuditActionCREATE, TableName: i.TableName, RecordKey: id.String(), RecordTitle: "Import of " + i.FileName, After: after,
		}); err != nil {
			return err
		}
		_, err = c.river.InsertTx(ctx, tx, ImportRun{ImportID: id, Attempt: p.Attempt}, nil)
		return err
	})
}

// CancelImport ends an import after the batch at work: what it did stays done. A try ends without a trace.
func (c *Commands) CancelImport(ctx context.Context, id uuid.UUID, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		ended, err := q.CancelImport(ctx, queries.CancelImportParams{ID: id, EndedBy: actor.Name})
		if err == nil && ended == 0 {
			return conflict("Nothing is at work on this file any more.")
		}
		return err
	})
}

// invitePending makes the link with which a new colleague chooses a password. Nobody knows its token until it is shown.
func invitePending(ctx context.Context, q *queries.Queries, user string) error {
	id, err := uuid.Parse(user)
	if err != nil {
		return err
	}
	return q.CreateAccountLink(ctx, queries.CreateAccountLinkParams{
		ID: newID(), TokenHash: randomHash(), Purpose: queries.LinkPurposeSETPASSWORD, UserID: id, ExpiresAt: time.Now().Add(inviteLife),
	})
}
