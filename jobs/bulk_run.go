package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"flowhq/queries"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// bulkQueue is worked by every process: runs belong to no tenant, and must not keep the sweeps of the queue "default" waiting.
const bulkQueue = "bulk"

const (
	bulkSlice    = 10 * time.Second // a job works so long and comes again; one that died with its node is noticed soon
	bulkRows     = 1000             // records of a batch that one statement changes …
	bulkCommands = 20               // … and where each is a command of its own
	bulkFailures = 100              // failures that are kept with their reasons
	bulkRetries  = 30
)

// bulkLimits keep a batch from holding up others: it waits for nobody's locks for long, and nobody waits long for its own.
const bulkLimits = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'"

// countLimit is how long a run may count what goes with the records before it begins; without the number it shows less.
const countLimit = 5 * time.Second

// BulkRun works off one run of bulk_runs, batch by batch. Each batch's work and the place where the next begins are one
// transaction, so whoever goes on after a crash neither repeats nor skips a record.
type BulkRun struct {
	RunID uuid.UUID `json:"run_id"`
}

// Kind names the job in River's tables.
func (BulkRun) Kind() string { return "bulk_run" }

// InsertOpts has runs wait in a queue of their own.
func (BulkRun) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: bulkQueue, MaxAttempts: bulkRetries}
}

type bulkRunWorker struct {
	river.WorkerDefaults[BulkRun]
	db  *pgxpool.Pool
	log *slog.Logger
}

// NextRetry is soon: what stops a run is a database that is away for a moment.
func (w *bulkRunWorker) NextRetry(*river.Job[BulkRun]) time.Time {
	return time.Now().Add(5 * time.Second)
}

func (w *bulkRunWorker) Work(ctx context.Context, job *river.Job[BulkRun]) error {
	id, client := job.Args.RunID, river.ClientFromContext[pgx.Tx](ctx)
	registry, err := tables.Load(ctx, w.db)
	var actor Actor
	if err == nil {
		actor, err = w.begin(ctx, registry, id)
	}
	return workOff(ctx, w.log, job.JobRow, err,
		func() (bool, error) { return w.batch(ctx, client, registry, id, actor) },
		func(sentence string) error {
			return queries.New(w.db).FailBulkRun(ctx, queries.FailBulkRunParams{ID: id, Error: sentence})
		})
}

// workOff works batches for a while and has the job come again. begun is what went wrong before the first; fail says for good why there will
// be no more.
func workOff(ctx context.Context, log *slog.Logger, job *rivertype.JobRow, begun error, batch func() (more bool, err error), fail func(sentence string) error) error {
	err := begun
	for until := time.Now().Add(bulkSlice); err == nil; {
		var more bool
		if more, err = batch(); err == nil && !more {
			return nil
		}
		if err == nil && time.Now().After(until) {
			return river.JobSnooze(0)
		}
	}
	if ctx.Err() != nil {
		return river.JobSnooze(0) // this node stops; another one goes on
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == pgerrcode.LockNotAvailable || pg.Code == pgerrcode.DeadlockDetected) {
		return river.JobSnooze(time.Second) // somebody is at these records; they go first
	}
	if refusal, ok := errors.AsType[*Error](err); ok {
		return fail(refusal.Message)
	}
	if job.Attempt >= job.MaxAttempts {
		log.Error("a run over many records is given up", "job", job.Kind, "args", string(job.EncodedArgs), "err", err)
		if failed := fail("The database refused the work again and again. The server's log says why."); failed != nil {
			return failed
		}
	}
	return err
}

// begin marks the run as begun, once, with the number of records that will go with deleted ones, and gives whoever asked for it.
func (w *bulkRunWorker) begin(ctx context.Context, registry *tables.Registry, id uuid.UUID) (Actor, error) {
	q := queries.New(w.db)
	run, err := q.GetBulkRun(ctx, id)
	if err != nil {
		return Actor{}, ignoreNoRows(err)
	}
	r, err := readRun(registry, run)
	if err != nil || run.State != queries.BulkStateWAITING {
		return r.actor, err
	}
	var below int64
	if r.removesBelow() {
		counting, cancel := context.WithTimeout(ctx, countLimit)
		defer cancel()
		if below, err = r.table.CountBelow(counting, w.db, r.filter, run.Keys, r.firstBelow()); err != nil && counting.Err() == nil {
			return r.actor, err
		}
	}
	return r.actor, q.BeginBulkRun(ctx, queries.BeginBulkRunParams{ID: id, BelowTotal: below})
}

func ignoreNoRows(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// batch works the next records of a run in one transaction. more is false once there is nothing left to do.
func (w *bulkRunWorker) batch(ctx context.Context, client *river.Client[pgx.Tx], registry *tables.Registry, id uuid.UUID, actor Actor) (more bool, err error) {
	err = actor.InTx(ctx, w.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, bulkLimits); err != nil {
			return err
		}
		q := queries.New(tx)
		run, err := q.LockBulkRun(ctx, id)
		if err != nil || run.State != queries.BulkStateRUNNING {
			return ignoreNoRows(err) // forgotten, cancelled, or done by somebody else
		}
		r, err := readRun(registry, run)
		if err != nil {
			return err
		}
		keys, next, err := r.next(ctx, registry, tx)
		if err != nil {
			return err
		}
		b := bulkBatch{bulkRun: r, tx: tx, registry: registry, river: client}
		if err := b.work(ctx, keys); err != nil {
			return err
		}
		if b.unfinished {
			next = run.Place
		}
		if err := b.save(ctx, q, next); err != nil {
			return err
		}
		if more = b.unfinished || next != ""; !more {
			return q.FinishBulkRun(ctx, id)
		}
		return nil
	})
	return more, err
}

// bulkRun is a run with what its row's words mean.
type bulkRun struct {
	queries.BulkRun
	table   *tables.Table
	filter  tables.Filter
	changes map[string]*string
	actor   Actor
}

func readRun(registry *tables.Registry, row queries.BulkRun) (r bulkRun, err error) {
	r = bulkRun{BulkRun: row, table: registry.Table(row.TableName)}
	if err := json.Unmarshal(row.Actor, &r.actor); err != nil {
		return r, err
	}
	if r.table == nil {
		return r, conflict("There is no table %s any more.", row.TableName)
	}
	zone, err := time.LoadLocation(row.Zone)
	if err != nil {
		return r, conflict("This server does not know the time zone %s.", row.Zone)
	}
	if r.filter, err = r.table.Parse(row.Filter, row.CreatedAt.In(zone)); err != nil {
		return r, &Error{Code: Conflict, Message: "The filter does not work any more: " + err.Error(), Err: err}
	}
	if row.Changes != nil {
		err = json.Unmarshal(row.Changes, &r.changes)
	}
	return r, err
}

// size is how many records a batch takes.
func (r bulkRun) size() int {
	switch {
	case r.Action == queries.BulkActionDELETE && r.table.Name == "tenants":
		return 1 // its messages alone are many batches
	case r.byCommand():
		return bulkCommands
	}
	return bulkRows
}

// next gives the keys of the next batch and the place after them, which is empty at the end. A list goes from the newest record
// to the oldest, so those that come while the run is at work are not part of it.
func (r bulkRun) next(ctx context.Context, registry *tables.Registry, db tables.DB) (keys []string, place string, err error) {
	if r.Keys != nil {
		from, _ := strconv.Atoi(r.Place) // "" is the start
		to := min(from+r.size(), len(r.Keys))
		if to < len(r.Keys) {
			place = strconv.Itoa(to)
		}
		return r.Keys[min(from, to):to], place, nil
	}
	page, err := registry.List(ctx, db, tables.ListQuery{Table: r.table, Filter: r.filter, Sort: r.table.Sort(""), After: r.Place, Limit: r.size()})
	for _, row := range page.Rows {
		keys = append(keys, row.Key)
	}
	return keys, page.Next, err
}
