package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// importRows is how many rows a batch takes: what it locks is free again within a moment.
const importRows = 100

// ImportRun works the rows of an import, batch by batch: to try them, when everything a batch did is taken back but its report, or for
// good. Each batch's work, its report and the place where the next begins are one transaction, so whoever goes on after a crash neither
// repeats nor leaves out a row.
type ImportRun struct {
	ImportID uuid.UUID `json:"import_id"`
	Attempt  int32     `json:"attempt"` // of the import; a job of an earlier one does nothing
}

// Kind names the job in River's tables.
func (ImportRun) Kind() string { return "import_run" }

// InsertOpts has imports wait with the bulk runs.
func (ImportRun) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: bulkQueue, MaxAttempts: bulkRetries}
}

type importRunWorker struct {
	river.WorkerDefaults[ImportRun]
	db  *pgxpool.Pool
	log *slog.Logger
}

// NextRetry is soon: what stops an import is a database that is away for a moment.
func (w *importRunWorker) NextRetry(*river.Job[ImportRun]) time.Time {
	return time.Now().Add(5 * time.Second)
}

func (w *importRunWorker) Work(ctx context.Context, job *river.Job[ImportRun]) error {
	client := river.ClientFromContext[pgx.Tx](ctx)
	var rows *importer
	registry, err := tables.Load(ctx, w.db)
	if err == nil {
		rows, err = w.begin(ctx, registry, job.Args)
	}
	if err == nil && rows == nil {
		return nil
	}
	return workOff(ctx, w.log, job.JobRow, err,
		func() (bool, error) { return w.batch(ctx, client, rows, job.Args) },
		func(sentence string) error {
			return queries.New(w.db).FailImport(ctx, queries.FailImportParams{ID: job.Args.ImportID, Attempt: job.Args.Attempt, Error: sentence})
		})
}

// atWork tells whether an import waits for this job.
func (a ImportRun) atWork(i queries.Import) bool {
	return i.Attempt == a.Attempt && (i.State == queries.ImportStateCHECKING || i.State == queries.ImportStateRUNNING)
}

// begin reads what an import means and what its rows so far have taken; nil where the job has nothing to do.
func (w *importRunWorker) begin(ctx context.Context, registry *tables.Registry, args ImportRun) (*importer, error) {
	q := queries.New(w.db)
	i, err := q.GetImport(ctx, args.ImportID)
	if err != nil || !args.atWork(i) {
		return nil, ignoreNoRows(err)
	}
	t := registry.Table(i.TableName)
	if t == nil {
		return nil, conflict("There is no table %s any more.", i.TableName)
	}
	var mapping ImportMapping
	var actor Actor
	if err := errors.Join(json.Unmarshal(i.Mapping, &mapping), json.Unmarshal(i.Actor, &actor)); err != nil {
		return nil, err
	}
	rows := newImporter(registry, t, mapping, actor)
	before, err := q.ListImportClaims(ctx, queries.ListImportClaimsParams{ImportID: i.ID, Place: i.Place})
	for _, b := range before {
		for _, c := range b.Claims {
			rows.claims[c] = b.Line
		}
	}
	return rows, err
}

// errTried takes back what a batch did that only tries.
var errTried = errors.New("tried")

// batch works the next rows in one transaction. more is false once there is nothing left to do.
func (w *importRunWorker) batch(ctx context.Context, client *river.Client[pgx.Tx], rows *importer, args ImportRun) (more bool, err error) {
	err = rows.actor.InTx(ctx, w.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, bulkLimits); err != nil {
			return err
		}
		q := queries.New(tx)
		i, err := q.LockImport(ctx, args.ImportID)
		if err != nil || !args.atWork(i) {
			return ignoreNoRows(err) // forgotten, cancelled, or begun anew
		}
		next, err := q.ListImportRows(ctx, queries.ListImportRowsParams{ImportID: i.ID, After: i.Place, PageSize: importRows})
		if err != nil {
			return err
		}
		did := queries.AdvanceImportParams{ID: i.ID, Place: i.Place}
		var outcomes []queries.SetImportOutcomeParams
		in := &Commands{tx: tx, river: client}
		err = in.inTx(ctx, rows.actor, func(ctx context.Context, tx pgx.Tx, _ *queries.Queries) error {
			rows.commands = in.Within(tx)
			for _, row := range next {
				o := queries.SetImportOutcomeParams{ImportID: row.ImportID, Number: row.Number, Outcome: row.Outcome, Reasons: row.Reasons}
				// What the try refused stays out, also where it would go by now: people start what they have read.
				if i.State == queries.ImportStateCHECKING || row.Outcome == nil || *row.Outcome != queries.ImportOutcomeREFUSED {
					if o, err = rows.row(ctx, tx, row); err != nil {
						return err
					}
				}
				outcomes, did.Place = append(outcomes, o), row.Number
				switch *o.Outcome {
				case queries.ImportOutcomeCREATED:
					did.Created++
				case queries.ImportOutcomeCHANGED:
					did.Changed++
				case queries.ImportOutcomeUNCHANGED:
					did.Unchanged++
				default:
					did.Refused++
				}
			}
			if i.State == queries.ImportStateCHECKING {
				return errTried
			}
			return nil
		})
		if err != nil && !errors.Is(err, errTried) {
			return err
		}
		var saved error
		q.SetImportOutcome(ctx, outcomes).Exec(func(_ int, err error) { saved = errors.Join(saved, err) })
		if saved != nil {
			return saved
		}
		if err := q.AdvanceImport(ctx, did); err != nil {
			return err
		}
		if more = did.Place < i.Total; !more {
			return q.FinishImport(ctx, i.ID)
		}
		return nil
	})
	return more, err
}
