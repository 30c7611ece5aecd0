package tables

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	smallTable  = 20_000           // rows: any order and any search of it is quick
	sizeAge     = 30 * time.Second // how long a table's size is believed
	countBudget = 250 * time.Millisecond
	// ExactBudget is how long a person who asks for the exact number waits at most.
	ExactBudget = 15 * time.Second
)

// counts remembers how large a table was.
type counts struct {
	mu   sync.Mutex
	rows int64
	at   time.Time
}

func newCounts() *counts { return &counts{} }

// size is about how many rows a table has: what Postgres believes, of tables that it never looked at what their pages hold.
func (t *Table) size(ctx context.Context, db DB) (int64, error) {
	t.counts.mu.Lock()
	defer t.counts.mu.Unlock()
	if time.Since(t.counts.at) < sizeAge {
		return t.counts.rows, nil
	}
	var rows float64
	err := db.QueryRow(ctx, `SELECT CASE WHEN reltuples < 0 THEN (pg_relation_size(oid) / 8192 * 40)::float8 ELSE reltuples::float8 END
		FROM pg_class WHERE oid = $1::regclass`, quoted(t.Name)).Scan(&rows)
	if err == nil {
		t.counts.rows, t.counts.at = int64(rows), time.Now()
	}
	return t.counts.rows, err
}

// Sortable tells whether a list may be ordered by a column: where an index has that order, or the table is small.
func (c *Column) Sortable(ctx context.Context, db DB) (bool, error) {
	if c.Kind == JSON {
		return false, nil
	}
	if c.indexed && !c.Nullable {
		return true, nil
	}
	n, err := c.table.size(ctx, db)
	return n <= smallTable, err
}

// Count is how many rows a filter lets through.
type Count struct {
	Rows  int64
	About bool // an estimate
}

// Count counts within a budget of time and estimates beyond it.
func (t *Table) Count(ctx context.Context, db DB, f Filter, budget time.Duration) (Count, error) {
	if budget <= 0 {
		budget = countBudget
	}
	if f.Empty() && budget == countBudget {
		if n, err := t.size(ctx, db); err != nil || n > 50*smallTable {
			return Count{n, true}, err
		}
	}
	var b builder
	b.write("SELECT count(*) FROM ", quoted(t.Name), " r WHERE ")
	f.where(&b)
	var n int64
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// A number, not text of a person's: SET takes no parameter.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = "+strconv.FormatInt(budget.Milliseconds(), 10)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...).Scan(&n)
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == pgerrcode.QueryCanceled {
		n, err = t.estimate(ctx, db, f.where)
		return Count{n, true}, err
	}
	return Count{n, false}, err
}

// estimate is what the planner expects of a condition on the row r.
func (t *Table) estimate(ctx context.Context, db DB, where func(*builder)) (int64, error) {
	var b builder
	b.write("EXPLAIN (FORMAT JSON) SELECT FROM ", quoted(t.Name), " r WHERE ")
	where(&b)
	var raw []byte
	if err := db.QueryRow(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...).Scan(&raw); err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Rows int64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) == 0 {
		return 0, err
	}
	return plans[0].Plan.Rows, nil
}
