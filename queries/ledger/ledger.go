// Package ledger checks that nothing was lost and nothing came twice. For every tenant
//
//	received = logged = decided
//	queued = sent = acknowledged + failed + waiting
//
// and each message that does not fit is a Difference. All of it is read off the tables, in one snapshot, while messages flow.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"flowhq/queries"
)

// What a running system needs. Without them nothing is under way any more.
const (
	Settling = 10 * time.Second
	Patience = 10 * time.Minute
)

// Options says which messages are looked at, and how strictly.
type Options struct {
	Tenants  []uuid.UUID   // none: all
	Since    time.Time     // messages logged from then on; zero: all
	Settling time.Duration // a message younger than this is under way
	Patience time.Duration // how long a message may wait while its number is connected, or be on its way again
	PerKind  int           // how many differences of one kind and tenant are listed; 0: they are only counted
	Timeout  time.Duration // of each statement; 0: the pool's
}

// Account is the ledger of one tenant.
type Account struct {
	TenantID    uuid.UUID
	Name, Phone string

	Received, Logged, Decided          int64
	Answered, RateLimited              int64 // of those decided
	Awaited                            int64 // received, not logged, and on their way again
	Queued, Sent, Acknowledged, Failed int64
	Waiting                            int64 // queued and without an outcome
	Unsent                             int64 // of those: not handed to WhatsApp yet

	Found       map[Kind]int64 // how many differences there are of each kind
	Differences []Difference   // the newest of each kind, newest first
}

// Wrong is the number of differences, listed or not.
func (a Account) Wrong() (n int64) {
	for _, found := range a.Found {
		n += found
	}
	return n
}

// TooSlow reports whether Read ended because a statement took longer than it may.
func TooSlow(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == pgerrcode.QueryCanceled || errors.Is(err, context.DeadlineExceeded)
}

// Read gives the accounts of the tenants by their names. TooSlow tells whether an error means that Since is too far back.
func Read(ctx context.Context, db *pgxpool.Pool, o Options) ([]Account, error) {
	var accounts []Account
	// One snapshot: between two statements messages go on.
	err := pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tune(ctx, tx, o.Timeout); err != nil {
			return err
		}
		var err error
		accounts, err = read(ctx, tx, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return accounts, nil
}

// tune makes the transaction one of few large reads: planned for its window, on no more than one core, and no longer than it may take.
func tune(ctx context.Context, tx pgx.Tx, timeout time.Duration) error {
	_, err := tx.Exec(ctx, `SELECT set_config(name, value, true) FROM (VALUES ('plan_cache_mode', 'force_custom_plan'), ('jit', 'off'),
		('max_parallel_workers_per_gather', '0'), ('work_mem', '64MB')) AS s (name, value)`)
	if err == nil && timeout > 0 {
		_, err = tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, strconv.FormatInt(timeout.Milliseconds(), 10))
	}
	return err
}

func read(ctx context.Context, tx pgx.Tx, o Options) ([]Account, error) {
	q := queries.New(tx)
	tenants, err := q.LedgerTenants(ctx, append([]uuid.UUID{}, o.Tenants...))
	if err != nil {
		return nil, err
	}
	accounts, ids := make([]Account, len(tenants)), make([]uuid.UUID, len(tenants))
	of := make(map[uuid.UUID]*Account, len(tenants))
	for i, t := range tenants {
		accounts[i] = Account{TenantID: t.ID, Name: t.Name, Phone: t.PhoneNumber, Found: map[Kind]int64{}}
		ids[i], of[t.ID] = t.ID, &accounts[i]
	}
	counts, err := q.LedgerCounts(ctx, queries.LedgerCountsParams{TenantIds: ids, Since: o.Since})
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		a := of[c.TenantID]
		a.Logged, a.Decided, a.Answered, a.RateLimited = c.Logged, c.Decided, c.Answered, c.RateLimited
		a.Queued, a.Sent, a.Acknowledged, a.Failed, a.Waiting, a.Unsent = c.Queued, c.Sent, c.Acknowledged, c.Failed, c.Waiting, c.Unsent
	}
	if err := addUnlogged(ctx, q, o, ids, of); err != nil {
		return nil, err
	}
	for i := range accounts {
		a := &accounts[i]
		a.Received = a.Logged + a.Awaited + a.Wrong() // no other check has been made yet
	}
	// The checks join the log with itself. A server that has no statistics, after a crash for example, would do that row by row.
	if _, err := tx.Exec(ctx, "SET LOCAL enable_nestloop = off"); err != nil {
		return nil, err
	}
	found, err := check(ctx, q, o, ids)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "SET LOCAL enable_nestloop = on"); err != nil {
		return nil, err
	}
	perTenant := map[uuid.UUID][]finding{}
	for _, f := range found {
		of[f.TenantID].Found[Kind(f.Kind)] = f.Found
		perTenant[f.TenantID] = append(perTenant[f.TenantID], f)
	}
	if o.PerKind == 0 {
		return accounts, nil
	}
	for tenant, found := range perTenant {
		if err := of[tenant].addMessages(ctx, q, found); err != nil {
			return nil, err
		}
	}
	for i := range accounts {
		slices.SortStableFunc(accounts[i].Differences, func(x, y Difference) int { return y.At.Compare(x.At) })
	}
	return accounts, nil
}

// addUnlogged adds what was received and is not in the log.
func addUnlogged(ctx context.Context, q *queries.Queries, o Options, ids []uuid.UUID, of map[uuid.UUID]*Account) error {
	rows, err := q.LedgerUnlogged(ctx, queries.LedgerUnloggedParams{TenantIds: ids, Since: o.Since,
		PatienceSeconds: o.Patience.Seconds(), PerKind: int32(max(1, o.PerKind))})
	for _, r := range rows {
		a, kind := of[r.TenantID], Kind(r.Kind)
		if kind == awaited {
			a.Awaited = r.Found
			continue
		}
		a.Found[kind] = r.Found
		if o.PerKind > 0 {
			a.Differences = append(a.Differences, Difference{Kind: kind, At: r.FirstSeenAt, WaMessageID: r.WaMessageID,
				Name: r.Name, Phone: r.PhoneNumber, Detail: r.Detail})
		}
	}
	return err
}

// finding is what a check says about a logged message.
type finding = queries.LedgerDecisionsRow

// check runs the checks of what is logged.
func check(ctx context.Context, q *queries.Queries, o Options, ids []uuid.UUID) ([]finding, error) {
	params := queries.LedgerDecisionsParams{TenantIds: ids, Since: o.Since, SettlingSeconds: o.Settling.Seconds(), PerKind: int32(max(1, o.PerKind))}
	all, err := q.LedgerDecisions(ctx, params)
	if err != nil {
		return nil, err
	}
	answers, err := q.LedgerAnswers(ctx, queries.LedgerAnswersParams(params))
	if err != nil {
		return nil, err
	}
	for _, r := range answers {
		all = append(all, finding(r))
	}
	outcomes, err := q.LedgerOutcomes(ctx, queries.LedgerOutcomesParams(params))
	if err != nil {
		return nil, err
	}
	for _, r := range outcomes {
		all = append(all, finding(r))
	}
	stuck, err := q.LedgerStuck(ctx, queries.LedgerStuckParams{TenantIds: ids, PatienceSeconds: o.Patience.Seconds(), PerKind: params.PerKind})
	for _, r := range stuck {
		all = append(all, finding(r))
	}
	return all, err
}

// addMessages lists an account's differences with the messages they are about.
func (a *Account) addMessages(ctx context.Context, q *queries.Queries, found []finding) error {
	kinds := map[uuid.UUID][]Kind{}
	var ids []uuid.UUID
	for _, f := range found {
		kinds[f.MessageID] = append(kinds[f.MessageID], Kind(f.Kind))
		ids = append(ids, f.MessageID)
	}
	messages, err := q.MessagesByID(ctx, queries.MessagesByIDParams{TenantID: a.TenantID, Ids: ids})
	for _, m := range messages {
		for _, kind := range kinds[m.MessageLog.ID] {
			a.Differences = append(a.Differences, Difference{Kind: kind, At: m.MessageLog.CreatedAt, WaMessageID: m.MessageLog.WaMessageID,
				Name: deref(m.ContactName), Phone: deref(m.ContactPhone), Message: &m})
		}
	}
	return err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
