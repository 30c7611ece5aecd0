package jobs

import (
	"context"
	"time"

	"flowhq/queries"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

const (
	hoursPerRun      = 24 * 8           // after an outage, or on an old database, the rest comes with the next runs
	messageCountTime = 30 * time.Second // a run begins no further hour after that
)

// MessageCount counts messages per hour for the overview (message_hours). The present hour is counted on from where the last run ended;
// an hour that is over is counted anew, as a whole, when it is settled and a few times later, for what became of its messages since.
type MessageCount struct{}

// Kind names the job in River's tables.
func (MessageCount) Kind() string { return "count_messages" }

type messageCountWorker struct {
	river.WorkerDefaults[MessageCount]
	db *pgxpool.Pool
}

func (w *messageCountWorker) Work(ctx context.Context, _ *river.Job[MessageCount]) error {
	return CountMessages(ctx, w.db)
}

// CountMessages is one run: every hour in a transaction of its own, the newest first.
func CountMessages(ctx context.Context, db *pgxpool.Pool) error {
	began := time.Now()
	hours, err := queries.New(db).HoursToCount(ctx, hoursPerRun)
	if err != nil {
		return err
	}
	for _, h := range hours {
		if time.Since(began) > messageCountTime {
			return nil
		}
		if err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return countHour(ctx, queries.New(tx), h) }); err != nil {
			return err
		}
	}
	return queries.New(db).ForgetHours(ctx)
}

func countHour(ctx context.Context, q *queries.Queries, h queries.HoursToCountRow) error {
	if err := q.BeginHour(ctx, h.Hour); err != nil {
		return err
	}
	state, err := q.LockHour(ctx, h.Hour)
	if err != nil {
		return err
	}
	from, until := state.CountedUntil, state.SettledUntil
	if h.Closed {
		from, until = h.Hour, h.Hour.Add(time.Hour)
		if err := q.ClearHour(ctx, h.Hour); err != nil {
			return err
		}
	}
	if end := h.Hour.Add(time.Hour); until.After(end) {
		until = end
	}
	if !until.After(from) {
		return nil
	}
	if err := q.CountMessages(ctx, queries.CountMessagesParams{Hour: h.Hour, Since: from, Until: until}); err != nil {
		return err
	}
	return q.EndHour(ctx, queries.EndHourParams{Hour: h.Hour, CountedUntil: until})
}
