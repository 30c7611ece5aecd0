package whatsapp

import (
	"context"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// watchInterval is how often the node looks whether somebody opened the link page of a tenant whose codes ran out.
const watchInterval = 2 * time.Second

// arrivalsDelay is how long tenants that just connected are gathered before somebody looks whether they have something queued.
const arrivalsDelay = 10 * time.Millisecond

// heartbeats marks this node's workers alive, in one statement, until ctx ends.
func (p *Pool) heartbeats(ctx context.Context) {
	ticker := time.NewTicker(time.Duration(p.beat.Load()))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.adjusted:
			ticker.Reset(time.Duration(p.beat.Load()))
			continue
		case <-ticker.C:
		}
		params := queries.HeartbeatParams{NodeID: &p.node}
		for _, s := range p.supervisors() {
			s.recordUnsaved(ctx)
			s.tryNoteHeld(ctx)
			if !s.alive.Load() {
				continue
			}
			connected := s.online.Load() != nil
			if connected && !s.seen.Load() {
				continue // its last keepalive was not answered
			}
			params.Alive = append(params.Alive, s.tenant)
			if connected {
				params.Seen = append(params.Seen, s.tenant)
			}
		}
		if len(params.Alive) == 0 {
			continue
		}
		query, cancel := context.WithTimeout(ctx, queryTimeout)
		p.recorder.rows.Lock()
		forgotten, err := p.q.Heartbeat(query, params)
		p.recorder.rows.Unlock()
		if err != nil && ctx.Err() == nil {
			p.o.Log.Warn("heartbeat not recorded", "error", err)
		}
		cancel()
		for _, id := range forgotten {
			if s := p.supervisor(id); s != nil {
				s.recordAgain()
			}
		}
		if err := p.wakeSenders(ctx, params.Seen); err != nil && ctx.Err() == nil {
			p.o.Log.Warn("queued messages not looked for", "error", err)
		}
	}
}

// wakeSenders wakes the senders of those among these connected tenants that have something queued. Senders are woken by what
// queues a message; this finds what nobody woke them for, such as the answer of a node that was paused while it committed.
func (p *Pool) wakeSenders(ctx context.Context, connected []uuid.UUID) error {
	if len(connected) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	waiting, err := p.q.TenantsWithQueued(ctx, connected)
	for _, id := range waiting {
		if s := p.supervisor(id); s != nil {
			s.wakeSender()
		}
	}
	return err
}

// greetArrivals does the same for tenants that just connected, in one query for those that connected meanwhile. Where it cannot
// be known their senders look for themselves, and go on looking.
func (p *Pool) greetArrivals(ctx context.Context) {
	for {
		var arrived []*supervisor
		select {
		case <-ctx.Done():
			return
		case s := <-p.arrivals:
			arrived = append(arrived, s)
		}
		sleep(ctx, arrivalsDelay)
		for len(p.arrivals) > 0 {
			arrived = append(arrived, <-p.arrivals)
		}
		ids := make([]uuid.UUID, len(arrived))
		for i, s := range arrived {
			ids[i] = s.tenant
		}
		if err := p.wakeSenders(ctx, ids); err != nil {
			for _, s := range arrived {
				s.wakeSender()
			}
		}
	}
}

// watches begins a new round of codes for tenants whose codes ran out, and somebody came back to look.
func (p *Pool) watches(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		resting := false
		for _, s := range p.supervisors() {
			resting = resting || s.resting.Load() && s.alive.Load()
		}
		if !resting {
			continue
		}
		query, cancel := context.WithTimeout(ctx, queryTimeout)
		tenants, err := p.q.ListWatched(query, p.leases.shards())
		cancel()
		if err != nil {
			p.o.Log.Warn("link pages not looked for", "error", err)
			continue
		}
		for _, id := range tenants {
			if s := p.supervisor(id); s != nil {
				s.wake()
			}
		}
	}
}
