package whatsapp

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
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

	linking func(shard int16) bool // somebody may be scanning a code of one of its tenants
	gained  func(ctx context.Context, shards []int16) error
	aborted func(shards []int16)               // at once: this node may not act for them any more
	lost    func(shards []int16, orderly bool) // afterwards, in the order of events; closes them where that is orderly

	patience time.Duration       // how long a link under way keeps a shard here that another node should have
	overdue  map[int16]time.Time // since when it does; only balance touches it
	closing  atomic.Bool         // this node takes nothing any more

	mu      sync.Mutex
	held    map[int16]hold
	changes []change // not yet told
	news    chan struct{}
}

// change is a change of what is held. They are told one after the other, by a goroutine of their own, because that takes
// time and renewing must not wait for it.
type change struct {
	shards []int16
	gained bool
	told   chan struct{} // closed afterwards; nil: nobody waits
}

type hold struct {
	epoch   int64
	until   time.Time
	leaving bool // about to be given up: nothing new is started
}

func newLeases(q *queries.Queries, node uuid.UUID, name string, lease time.Duration, log *slog.Logger) *leases {
	return &leases{q: q, node: node, name: name, lease: lease, log: log, patience: firstCodeLife, overdue: make(map[int16]time.Time),
		held: make(map[int16]hold), news: make(chan struct{}, 1)}
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

// run holds a fair share of the shards until ctx ends. Giving them up is the caller's last step, see leave.
func (l *leases) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	l.renew(ctx)
	if err := l.buryDead(ctx); err != nil && ctx.Err() == nil {
		l.log.Warn("processes that died not looked for", "error", err)
	}
	wg.Go(func() { l.every(ctx, l.lease/3, func() { l.renew(ctx) }) })
	wg.Go(func() { l.every(ctx, max(l.lease/60, 20*time.Millisecond), l.expire) })
	wg.Go(func() { l.tell(ctx) })
	balance := func() {
		for l.balance(ctx) {
		}
	}
	balance()
	l.every(ctx, min(l.lease/3, time.Second), balance)
}

func (l *leases) every(ctx context.Context, d time.Duration, fn func()) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			fn()
		}
	}
}

// changed notes a change to be told; l.mu is held, so changes are in the order in which they happened.
func (l *leases) changed(c change) {
	l.changes = append(l.changes, c)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// tell tells changes until ctx ends.
func (l *leases) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.news:
		}
		l.mu.Lock()
		all := l.changes
		l.changes = nil
		l.mu.Unlock()
		for _, c := range all {
			switch {
			case c.gained:
				if err := l.gained(ctx, c.shards); err != nil && ctx.Err() == nil {
					// Without their tenants the shards are of no use here.
					l.log.Error("tenants of new shards not started; giving the shards up", "shards", c.shards, "error", err)
					l.leave(ctx, c.shards)
				}
			case c.told != nil:
				l.lost(c.shards, true)
				close(c.told)
			default:
				l.lost(c.shards, false)
			}
		}
	}
}

// expire drops leases whose deadline came without a renewal, also when the process was paused.
func (l *leases) expire() {
	var expired []int16
	l.mu.Lock()
	for id, h := range l.held {
		if !time.Now().Before(h.until) {
			expired = append(expired, id)
		}
	}
	l.drop(expired)
	l.mu.Unlock()
	if len(expired) > 0 {
		l.log.Error("leases not renewed in time; closing their clients", "shards", expired)
		l.aborted(expired)
	}
}

// drop forgets leases; l.mu is held.
func (l *leases) drop(ids []int16) {
	for _, id := range ids {
		delete(l.held, id)
	}
	if len(ids) > 0 {
		l.changed(change{shards: ids})
	}
}

// renew prolongs every lease in one statement, and says that this node lives.
func (l *leases) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.lease/3)
	defer cancel()
	if !l.closing.Load() {
		if err := l.q.TouchNode(ctx, queries.TouchNodeParams{ID: l.node, Name: l.name, Process: ownProcess()}); err != nil {
			if ctx.Err() == nil {
				l.log.Warn("node not recorded", "error", err)
			}
			return
		}
	}
	ids := l.shards()
	if len(ids) == 0 {
		return
	}
	asked := time.Now()
	rows, err := l.q.RenewShards(ctx, queries.RenewShardsParams{NodeID: &l.node, Ids: ids, LeaseSeconds: l.lease.Seconds()})
	if err != nil {
		l.log.Warn("leases not renewed", "error", err)
		return
	}
	var gone []int16
	l.mu.Lock()
	for _, id := range ids {
		i := slices.IndexFunc(rows, func(r queries.RenewShardsRow) bool { return r.ID == id })
		h, ok := l.held[id]
		switch {
		case !ok:
		case i < 0 || rows[i].Epoch != h.epoch:
			gone = append(gone, id)
		default:
			h.until = asked.Add(l.lease - l.margin())
			l.held[id] = h
		}
	}
	l.drop(gone)
	l.mu.Unlock()
	if len(gone) > 0 {
		l.log.Error("another node took our shards", "shards", gone)
		l.aborted(gone)
	}
}

// balance takes free shards up to the fair share, or gives up one shard beyond it, which others are there to take. True: there may
// be more to do at once. One by one, each of the shard's tenants is away for its own move only, and who has the rest is seen anew.
func (l *leases) balance(ctx context.Context) (again bool) {
	if l.closing.Load() {
		return false
	}
	query, cancel := context.WithTimeout(ctx, l.lease/3)
	defer cancel()
	view, err := l.q.ShardsOverview(query, l.lease.Seconds())
	if err != nil {
		if ctx.Err() == nil {
			l.log.Warn("shards not seen", "error", err)
		}
		return false
	}
	nodes := max(int(view.Nodes), 1)
	fair := (int(view.Shards) + nodes - 1) / nodes
	have := l.shards()
	if len(have) > fair {
		id, anyway, ok := l.movable(have, len(have)-fair)
		return ok && l.giveUp(ctx, id, anyway)
	}
	clear(l.overdue)
	if view.Free > 0 && len(have) < fair {
		asked := time.Now()
		rows, err := l.q.AcquireShards(query, queries.AcquireShardsParams{NodeID: &l.node, LeaseSeconds: l.lease.Seconds(),
			Wanted: int32(fair - len(have))})
		if err != nil {
			l.log.Warn("no shard taken", "error", err)
			return false
		}
		fresh := make([]int16, 0, len(rows))
		l.mu.Lock()
		for _, r := range rows {
			l.held[r.ID] = hold{epoch: r.Epoch, until: asked.Add(l.lease - l.margin())}
			fresh = append(fresh, r.ID)
		}
		if len(fresh) > 0 {
			l.changed(change{shards: fresh, gained: true})
		}
		l.mu.Unlock()
	}
	return false
}

// movable chooses the shard to give up, of those that are held, when some are too many: one in which nobody is linking a phone. A code
// does not outlive the move of its shard, so the others are waited for, as long as patience lasts; then one moves anyway.
func (l *leases) movable(have []int16, tooMany int) (id int16, anyway, ok bool) {
	for _, id := range slices.Backward(have) {
		if !l.linking(id) {
			return id, false, true
		}
	}
	for _, id := range have[len(have)-tooMany:] {
		since, waits := l.overdue[id]
		switch {
		case !waits:
			l.overdue[id] = time.Now()
			l.log.Info("a shard moves later: a phone is being linked", "shard", id, "at_most", l.patience)
		case time.Since(since) > l.patience:
			return id, true, true
		}
	}
	return 0, false, false
}

// giveUp closes a shard in an orderly way, in turn with other changes, and lets the next node have it at once. False: it stays for now.
func (l *leases) giveUp(ctx context.Context, id int16, anyway bool) bool {
	shard := []int16{id}
	l.mu.Lock()
	l.leaving(shard, true)
	l.mu.Unlock()
	// From here on nobody begins to link; somebody may have until now.
	if !anyway && l.linking(id) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.leaving(shard, false)
		return false
	}
	delete(l.overdue, id)
	told := make(chan struct{})
	l.mu.Lock()
	l.changed(change{shards: shard, told: told})
	l.mu.Unlock()
	select {
	case <-told:
		l.release(ctx, shard)
		return true
	case <-ctx.Done():
		return false
	}
}

// leaveAll gives every shard up for good, all at once, so that none waits for another's slowest tenant. This node counts no more among
// those that share the shards, or the others would leave its part to it.
func (l *leases) leaveAll(ctx context.Context) {
	l.closing.Store(true)
	l.signOff(ctx, time.Second) // a database that hangs must not keep the clients open
	var wg sync.WaitGroup
	for _, id := range l.shards() {
		wg.Go(func() { l.leave(ctx, []int16{id}) })
	}
	wg.Wait()
}

// signOff takes this node off the list.
func (l *leases) signOff(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	if err := l.q.RemoveNode(ctx, l.node); err != nil {
		l.log.Warn("node not signed off", "error", err)
	}
}

// leave does the same at once, for when nothing is told any more.
func (l *leases) leave(ctx context.Context, ids []int16) {
	if len(ids) == 0 {
		return
	}
	l.mu.Lock()
	l.leaving(ids, true)
	l.mu.Unlock()
	l.lost(ids, true)
	l.release(ctx, ids)
}

// leaving marks shards in which nothing new is started, or may be again; l.mu is held.
func (l *leases) leaving(ids []int16, on bool) {
	for _, id := range ids {
		if h, ok := l.held[id]; ok {
			h.leaving = on
			l.held[id] = h
		}
	}
}

func (l *leases) release(ctx context.Context, ids []int16) {
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
