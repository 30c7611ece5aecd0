package routes

import (
	"math"
	"strconv"

	"flowhq/queries"
)

// waitLimits are the ends of the columns of message_hours, in seconds; what took longer has none.
var waitLimits = [...]int{1, 2, 3, 5, 10, 30, 60, 300}

// longWait stands for answers that took longer than the last limit.
const longWait = 600

// waits counts answers by how long their customers waited: below each limit, and longer than the last.
type waits [len(waitLimits) + 1]int64

func waitsOf(r queries.MessagesByHourRow) waits {
	w := waits{r.WaitedUnder1, r.WaitedUnder2, r.WaitedUnder3, r.WaitedUnder5, r.WaitedUnder10, r.WaitedUnder30, r.WaitedUnder60, r.WaitedUnder300}
	w[len(waitLimits)] = r.Answers - w.sum()
	return w
}

func (w *waits) add(other waits) {
	for i := range w {
		w[i] += other[i]
	}
}

func (w waits) sum() (n int64) {
	for _, x := range w {
		n += x
	}
	return n
}

// under is the limit, in seconds, below which this share of the answers stayed; longWait beyond the last, 0 without answers.
func (w waits) under(share float64) int {
	all := w.sum()
	if all == 0 {
		return 0
	}
	need, n := int64(math.Ceil(share*float64(all))), int64(0)
	for i, limit := range waitLimits {
		if n += w[i]; n >= need {
			return limit
		}
	}
	return longWait
}

// words says the same: "under 2 s".
func (w waits) words(share float64) string {
	switch n := w.under(share); {
	case n == 0:
		return "–"
	case n == longWait:
		return "over 5 min"
	case n >= 60:
		return "under " + strconv.Itoa(n/60) + " min"
	default:
		return "under " + strconv.Itoa(n) + " s"
	}
}
