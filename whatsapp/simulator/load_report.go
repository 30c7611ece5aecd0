package simulator

import (
	"slices"
	"time"
)

// report sums a run up as it stands.
func (run *loadRun) report() LoadReport {
	run.mu.Lock()
	defer run.mu.Unlock()
	out := LoadReport{
		ID: run.id, Running: run.running, StartedAt: run.started, Sent: run.sent, SendErrors: run.failed, FirstError: run.firstError,
		LateMS: milliseconds(run.late), Answered: run.answered, MissingIDs: []LoadItem{}, DoubledIDs: []LoadItem{}, OrderIDs: []LoadItem{},
	}
	if !run.lastAnswer.IsZero() {
		out.Seconds = run.lastAnswer.Sub(run.started).Seconds()
	}
	if out.Seconds > 0 {
		out.Rate = float64(run.answered) / out.Seconds
	}
	latencies := make([]time.Duration, 0, run.answered)
	list := func(into *[]LoadItem, i int) {
		if item := &run.items[i]; len(*into) < itemsListed {
			*into = append(*into, LoadItem{Business: item.chat.business, Contact: item.chat.contact, ID: item.id, Token: run.token(i), DueAt: item.due, Answers: item.answers})
		}
	}
	for i := range run.items {
		item := &run.items[i]
		if !item.sent {
			continue
		}
		switch {
		case item.answers == 0:
			out.Missing++
			list(&out.MissingIDs, i)
			continue
		case item.answers > 1:
			out.Doubled++
			list(&out.DoubledIDs, i)
		}
		if item.disordered {
			out.OutOfOrder++
			list(&out.OrderIDs, i)
		}
		latencies = append(latencies, item.answeredAt.Sub(item.due))
	}
	slices.Sort(latencies)
	out.P50, out.P90, out.P99, out.Max = percentile(latencies, 0.5), percentile(latencies, 0.9), percentile(latencies, 0.99), percentile(latencies, 1)
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile is the smallest value that at least this share of the sorted values does not exceed, in milliseconds.
func percentile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := int(float64(len(sorted))*share+0.999999) - 1
	return milliseconds(sorted[min(max(at, 0), len(sorted)-1)])
}
