package tables

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	mostBars        = 80
	histogramBudget = 2 * time.Second
)

// barWidths are those that people can read off a clock or a calendar.
var barWidths = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
}

// Histogram counts the rows that a filter lets through, of each value of an enum, in steps of time.
type Histogram struct {
	From   time.Time // where the first step begins
	Step   time.Duration
	Values []string  // of the enum
	Counts [][]int64 // of each step, as Values
}

// Histogram counts within the span the filter names; where it names none, from the first row to now. It gives up, with an error of
// Postgres' or of the context, where that takes too long.
func (t *Table) Histogram(ctx context.Context, db DB, f Filter, now time.Time) (Histogram, error) {
	by, at := t.byName[t.Chart], t.Sort("").Column
	h := Histogram{Values: by.Enum}
	var first *time.Time
	if err := db.QueryRow(ctx, "SELECT min("+at.ref("r")+") FROM "+quoted(t.Name)+" r").Scan(&first); err != nil {
		return h, err
	}
	from, to := f.span(at)
	if first == nil {
		first = &now
	}
	if from.Before(*first) {
		from = *first
	}
	if to.IsZero() || to.After(now) {
		to = now
	}
	if to.Sub(from) < time.Minute {
		from = to.Add(-time.Minute)
	}
	for _, h.Step = range barWidths {
		h.From = from.Truncate(h.Step)
		if to.Sub(h.From) <= mostBars*h.Step {
			break
		}
	}
	h.Counts = make([][]int64, min(int(to.Sub(h.From)/h.Step)+1, 10*mostBars))
	for i := range h.Counts {
		h.Counts[i] = make([]int64, len(h.Values))
	}
	var b builder
	b.write("SELECT floor(extract(epoch FROM ", at.ref("r"), " - ")
	b.bind(h.From)
	b.write(") / ", strconv.Itoa(int(h.Step/time.Second)), ")::int, array_position(enum_range(NULL::", by.Type, "), ", by.ref("r"), ") - 1, count(*) FROM ", quoted(t.Name), " r WHERE ", at.ref("r"), " >= ")
	b.bind(h.From)
	b.write(" AND ", at.ref("r"), " <= ")
	b.bind(to)
	b.write(" AND ")
	f.where(&b)
	b.write(" GROUP BY 1, 2")
	return h, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = "+strconv.FormatInt(histogramBudget.Milliseconds(), 10)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, b.sql.String(), append([]any{pgx.QueryExecModeCacheDescribe}, b.args...)...)
		if err != nil {
			return err
		}
		var step, value int
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&step, &value, &n}, func() error {
			if step >= 0 && step < len(h.Counts) {
				h.Counts[step][value] += n
			}
			return nil
		})
		return err
	})
}

// span is what a filter says about a time, where all rows must fit it; zero where it says nothing.
func (f Filter) span(at *Column) (from, to time.Time) {
	return spanOf(f.any, at)
}

func spanOf(anyOf [][]term, at *Column) (from, to time.Time) {
	if len(anyOf) != 1 {
		return from, to
	}
	later := func(t time.Time) {
		if t.After(from) {
			from = t
		}
	}
	sooner := func(t time.Time) {
		if !t.IsZero() && (to.IsZero() || t.Before(to)) {
			to = t
		}
	}
	for _, t := range anyOf[0] {
		if t.cond == nil {
			a, b := spanOf(t.group, at)
			later(a)
			sooner(b)
			continue
		}
		bound, ok := t.cond.value.bind.(time.Time)
		if !ok || t.cond.step != nil || t.cond.col != at {
			continue
		}
		switch t.cond.op {
		case ">", ">=":
			later(bound)
		case "<", "<=":
			sooner(bound)
		case "=":
			later(bound)
			if t.cond.value.until.IsZero() {
				sooner(bound)
			} else {
				sooner(t.cond.value.until)
			}
		}
	}
	return from, to
}
