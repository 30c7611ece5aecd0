package whatsapp

import (
	"context"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// How lost connections come back. A single one is back within a second. When many are lost at once each waits a random time out of
// a span that grows with their number, and the limit on dials of the node (maxDials) does the rest.
const (
	gatherLost  = 50 * time.Millisecond // until it is known how many connections were lost together
	firstPause  = 500 * time.Millisecond
	longestWait = time.Minute
	lostSpread  = 5 * time.Millisecond // of the span for each lost connection
	// Where WhatsApp answers and turns a connection away, asking often makes it no better.
	refusedPause   = 5 * time.Second
	longestRefused = 10 * time.Minute
)

// pace spreads the reconnects of a node.
type pace struct {
	away atomic.Int64 // tenants whose connection is lost

	mu   sync.Mutex
	back chan struct{} // closed when WhatsApp could be reached again
}

// spread is a random time within the span that the lost connections of the node share.
func (p *pace) spread(least time.Duration) time.Duration {
	return mathrand.N(max(least, time.Duration(p.away.Load())*lostSpread)) + time.Millisecond
}

// reached says that WhatsApp could be reached by somebody who could not before.
func (p *pace) reached() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.back != nil {
		close(p.back)
		p.back = nil
	}
}

func (p *pace) whenBack() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.back == nil {
		p.back = make(chan struct{})
	}
	return p.back
}

// waits is where a tenant's tries to connect stand.
type waits struct {
	lost    backoff // after a connection that broke, or could not be made
	refused backoff
	since   time.Time // of the loss; zero: it is not lost

	unreachable bool // the latest try did not reach WhatsApp at all
}

func newWaits() waits {
	return waits{lost: backoff{base: firstPause, limit: longestWait}, refused: backoff{base: refusedPause, limit: longestRefused}}
}

// reset begins anew, after a connection that lasted or a rest.
func (w *waits) reset() {
	w.lost.reset()
	w.refused.reset()
}

// pause waits until it is time for the next try; false: ctx ended first.
func (s *supervisor) pause(ctx context.Context, w *waits, end ending) bool {
	p := &s.pool.pace
	w.unreachable = end.unreachable
	if w.lost.failures == 0 && !sleep(ctx, gatherLost) {
		return false
	}
	var wait time.Duration
	if end.refused {
		wait = w.refused.next()
	} else {
		wait = max(w.lost.next(), p.spread(time.Millisecond))
	}
	s.log.Info("connecting again", "in", wait, "why", end.status.detail)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var back <-chan struct{}
	if end.unreachable {
		back = p.whenBack()
	}
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-back:
		return sleep(ctx, min(wait, p.spread(firstPause)))
	}
}
