package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Windows are how far back ReadQuickly looks, longest first.
func Windows() []time.Duration {
	return []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, time.Hour}
}

// What a person who waits for a page is given: about two seconds, at worst a few.
const (
	quickMessages = 250_000
	quickTimeout  = 3 * time.Second // of one statement
)

// ReadQuickly is Read for a page. It looks back as far as asked, or less far where there are too many messages, and says how far.
// An error that is TooSlow means that not even the last hour could be read in time.
func ReadQuickly(ctx context.Context, db *pgxpool.Pool, o Options, asked time.Duration) (accounts []Account, window time.Duration, err error) {
	windows := Windows()
	last := windows[len(windows)-1]
	o.Timeout = quickTimeout
	for _, window = range windows {
		if window > asked && window != last {
			continue
		}
		o.Since = time.Now().Add(-window)
		if window != last {
			messages, err := estimate(ctx, db, o)
			if err != nil {
				return nil, 0, err
			}
			if messages > quickMessages {
				continue
			}
		}
		if accounts, err = Read(ctx, db, o); err == nil || !TooSlow(err) || ctx.Err() != nil {
			break
		}
	}
	return accounts, window, err
}

// estimate is about how many messages Read would look at, as the planner guesses it without looking.
func estimate(ctx context.Context, db *pgxpool.Pool, o Options) (messages int64, err error) {
	sql, args := "EXPLAIN (FORMAT JSON) SELECT FROM message_logs WHERE created_at >= $1", []any{o.Since}
	if len(o.Tenants) > 0 {
		sql, args = sql+" AND tenant_id = ANY($2)", append(args, o.Tenants)
	}
	var plan []struct {
		Plan struct {
			Rows int64 `json:"Plan Rows"`
		}
	}
	if err := db.QueryRow(ctx, sql, args...).Scan(&plan); err != nil {
		return 0, fmt.Errorf("estimate the ledger: %w", err)
	}
	return plan[0].Plan.Rows, nil
}
