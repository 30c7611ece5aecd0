package whatsapp

import (
	"context"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// watchInterval is how often the node looks whether somebody opened the link page of a tenant whose codes ran out.
const watchInterval = 2 * time.Second

// heartbeats marks this node's workers alive, in one statement, until ctx ends.
func (p *Pool) heartbeats(ctx context.Context) {
	ticker := time.NewTicker(p.o.HeartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		params := queries.HeartbeatParams{NodeID: &p.node}
		for _, s := range p.supervisors() {
			s.recordUnsaved(ctx)
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
		forgotten, err := p.q.Heartbeat(query, params)
		if err != nil && ctx.Err() == nil {
			p.o.Log.Warn("heartbeat not recorded", "error", err)
		}
		cancel()
		for _, id := range forgotten {
			if s := p.supervisor(id); s != nil {
				s.recordAgain()
			}
		}
		p.wakeSenders(ctx, params.Seen)
	}
}

// wakeSenders wakes the senders of those among these connected tenants that have something queued. Senders are woken by what
// queues a message; this finds what nobody woke them for, such as the answer of a node that was paused while it committed.
func (p *Pool) wakeSenders(ctx context.Context, connected []uuid.UUID) {
	if len(connected) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	waiting, err := p.q.TenantsWithQueued(ctx, connected)
	if err != nil {
		if ctx.Err() == nil {
			p.o.Log.Warn("queued messages not looked for", "error", err)
		}
		return
	}
	for _, id := range waiting {
		if s := p.supervisor(id); s != nil {
			s.wakeSender()
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
