package whatsapp

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"flowhq/queries"

	"github.com/google/uuid"
)

// leases are the shards this node holds. Each is held until a deadline on this machine's monotonic clock, counted from
// before the renewal was asked for, so this node stops believing in a lease before anybody else can take it.
type leases struct {
	q     *queries.Queries
	node  uuid.UUID
	name  string
	lease time.Duration
	log   *slog.Logger

	gained func(shards map[int16]int64) // with their epochs
	lost   func(shards []int16, orderly bool)

	mu   sync.Mutex
	held map[int16]hold
}

type hold struct {
	epoch   int64
	until   time.Time
	leaving bool // about to be given up: nothing new is started
}

func newLeases(q *queries.Queries, node uuid.UUID, name string, lease time.Duration, log *slog.Logger) *leases {
	return &leases{q: q, node: node, name: name, lease: lease, log: log, held: make(map[int16]hold)}
}

// margin is how long before its end a lease counts as lost.
func (l *leases) margin() time.Duration { return l.lease / 6 }

// holds reports whether this node may act for a shard under this epoch, now.
func (l *leases) holds(shard int16, epoch int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.held[shard]
	return ok && h.epoch == epoch && time.Now().Before(h.until)
}

// epoch returns the epoch under which something new may be started in a shard; false: it may not.
func (l *leases) epoch(shard int16) (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.held[shard]
	return h.epoch, ok && !h.leaving && time.Now().Before(h.until)
}

// shards lists what is held, in order.
func (l *leases) shards() []int16 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]int16, 0, len(l.held))
	for id := range l.held {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// run holds a fair share of the shards until ctx ends. Giving them up is the caller's last step, see giveUp.
func (l *leases) run(ctx context.Context) {
	renew := l.lease / 3
	look := min(renew, time.Second)
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	watchdog := make(chan struct{})
	go func() { defer close(watchdog); l.watch(ctx) }()
	defer func() { <-watchdog }()
	var renewed time.Time
	for {
		if time.Since(renewed) >= renew {
			if l.renew(ctx) {
				renewed = time.Now()
			}
		}
		l.balance(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watch drops leases whose deadline came without a renewal, also when the process was paused.
func (l *leases) watch(ctx context.Context) {
	ticker := time.NewTicker(max(l.lease/60, 20*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var expired []int16
		l.mu.Lock()
		for id, h := range l.held {
			if !time.Now().Before(h.until) {
				expired = append(expired, id)
				delete(l.held, id)
			}
		}
		l.mu.Unlock()
		if len(expired) > 0 {
			l.log.Error("leases not renewed in time; closing their clients", "shards", expired)
			l.lost(expired, false)
		}
	}
}

// renew prolongs every lease in one statement, and says that this node lives.
func (l *leases) renew(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, l.lease/3)
	defer cancel()
	if err := l.q.TouchNode(ctx, queries.TouchNodeParams{ID: l.node, Name: l.name}); err != nil {
		l.log.Warn("node not recorded", "error", err)
		return false
	}
	ids := l.shards()
	if len(ids) == 0 {
		return true
	}
	asked := time.Now()
	rows, err := l.q.RenewShards(ctx, queries.RenewShardsParams{NodeID: &l.node, Ids: ids, LeaseSeconds: l.lease.Seconds()})
	if err != nil {
		l.log.Warn("leases not renewed", "error", err)
		return false
	}
	var gone []int16
	l.mu.Lock()
	for _, id := range ids {
		i := slices.IndexFunc(rows, func(r queries.RenewShardsRow) bool { return r.ID == id })
		h, ok := l.held[id]
		switch {
		case !ok:
		case i < 0 || rows[i].Epoch != h.epoch:
			delete(l.held, id)
			gone = append(gone, id)
		default:
			h.until = asked.Add(l.lease - l.margin())
			l.held[id] = h
		}
	}
	l.mu.Unlock()
	if len(gone) > 0 {
		l.log.Error("another node took our shards", "shards", gone)
		l.lost(gone, false)
	}
	return true
}

// balance takes free shards up to the fair share, and gives up what is beyond it when others are there to take it.
func (l *leases) balance(ctx context.Context) {
	query, cancel := context.WithTimeout(ctx, l.lease/3)
	defer cancel()
	view, err := l.q.ShardsOverview(query, l.lease.Seconds())
	if err != nil {
		if ctx.Err() == nil {
			l.log.Warn("shards not seen", "error", err)
		}
		return
	}
	nodes := max(int(view.Nodes), 1)
	fair := (int(view.Shards) + nodes - 1) / nodes
	have := l.shards()
	switch {
	case len(have) > fair:
		l.giveUp(ctx, have[fair:])
	case view.Free > 0 && len(have) < fair:
		asked := time.Now()
		rows, err := l.q.AcquireShards(query, queries.AcquireShardsParams{NodeID: &l.node, LeaseSeconds: l.lease.Seconds(),
			Wanted: int32(fair - len(have))})
		if err != nil {
			l.log.Warn("no shard taken", "error", err)
			return
		}
		fresh := make(map[int16]int64, len(rows))
		l.mu.Lock()
		for _, r := range rows {
			l.held[r.ID] = hold{epoch: r.Epoch, until: asked.Add(l.lease - l.margin())}
			fresh[r.ID] = r.Epoch
		}
		l.mu.Unlock()
		if len(fresh) > 0 {
			l.gained(fresh)
		}
	}
}

// giveUp closes shards in an orderly way and lets the next node have them at once.
func (l *leases) giveUp(ctx context.Context, ids []int16) {
	if len(ids) == 0 {
		return
	}
	l.mu.Lock()
	for _, id := range ids {
		if h, ok := l.held[id]; ok {
			h.leaving = true
			l.held[id] = h
		}
	}
	l.mu.Unlock()
	l.lost(ids, true)
	l.mu.Lock()
	for _, id := range ids {
		delete(l.held, id)
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	if err := l.q.ReleaseShards(ctx, queries.ReleaseShardsParams{NodeID: &l.node, Ids: ids}); err != nil {
		l.log.Warn("shards not released; they are free when their lease ends", "error", err)
	}
}
