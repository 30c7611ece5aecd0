// Package whatsapp runs the WhatsApp side of every tenant this node looks after: one supervised whatsmeow client each.
//
// Follow a message: connection.go (handle) gets it from whatsmeow, content.go and chats.go say what it is and who wrote
// it, inbound.go logs it and asks the bot in one transaction (take_in.go, step.go), outbound.go sends the answer, ticks.go notes what became of it.
// supervisor.go, connection.go and pairing.go keep a tenant connected or offer codes; status.go writes down what is so.
// control.go and logout.go are what jobs ask for. leases.go decides which tenants are this node's. devices.go, gate.go,
// signal_store.go, event_buffer.go, prekeys.go and lids.go are whatsmeow's store, made safe and quick.
//
// Locks, outermost first: a tenant's lock (control.go), whatsmeow's own lock on sends, the gate on Signal sessions. No
// goroutine waits for a database connection while it holds another one.
package whatsapp

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// ErrNotOwner is returned for a tenant whose shard this node does not hold. Whoever holds it can do the work.
var ErrNotOwner = errors.New("this node does not hold the tenant's shard")

// stopTimeout bounds how long an orderly stop of one tenant may take.
const stopTimeout = 10 * time.Second

// Pool runs the tenants of the shards this node holds. Its methods may be called by many goroutines.
type Pool struct {
	o       Options
	q       *queries.Queries
	node    uuid.UUID
	http    *http.Client
	devices *devices
	leases  *leases
	metrics *metrics

	recorder *recorder
	pace     pace
	arrivals chan *supervisor // just connected; somebody is to look whether anything is queued

	codeLife struct{ first, next time.Duration }    // of a QR; only tests change these
	checks   struct{ first, longest time.Duration } // of a restriction whose end is not known

	replies  atomic.Int32  // Options.RepliesPerMinute as Adjust has it now
	beat     atomic.Int64  // Options.HeartbeatInterval, the same
	adjusted chan struct{} // beat changed

	dials chan struct{} // a token for every connection that is being set up
	ticks chan tick

	mu      sync.Mutex
	tenants map[uuid.UUID]*supervisor
	locks   map[uuid.UUID]*tenantLock // start, stop, restart, log out: one at a time for each tenant
	closing bool
}

// New checks the options and prepares a pool; Run brings it to life. The schema must be up to date.
func New(o Options) (*Pool, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := setUpWhatsmeow(&o); err != nil {
		return nil, err
	}
	p := &Pool{
		o: o, q: queries.New(o.DB), node: newID(), dials: make(chan struct{}, maxDials), ticks: make(chan tick, ticksQueue), adjusted: make(chan struct{}, 1),
		tenants: make(map[uuid.UUID]*supervisor), locks: make(map[uuid.UUID]*tenantLock),
	}
	p.replies.Store(int32(o.RepliesPerMinute))
	p.beat.Store(int64(o.HeartbeatInterval))
	p.codeLife.first, p.codeLife.next = firstCodeLife, nextCodeLife
	p.checks.first, p.checks.longest = firstCheck, longestCheck
	p.recorder, p.arrivals = newRecorder(p.q, p.node), make(chan *supervisor, 4*maxDials)
	var err error
	if p.http, err = httpClient(o.Endpoint); err != nil {
		return nil, err
	}
	if p.metrics, err = newMetrics(o.Metrics, p.count); err != nil {
		return nil, err
	}
	p.devices = newDevices(o.DB, waLogger{o.Log, "store"})
	p.leases = newLeases(p.q, p.node, o.NodeName, o.Lease, o.Log)
	p.leases.linking, p.leases.gained, p.leases.aborted, p.leases.lost = p.linking, p.gained, p.abort, p.lost
	return p, nil
}

// Adjust changes two of the options while the pool runs.
func (p *Pool) Adjust(repliesPerMinute int, heartbeat time.Duration) {
	p.replies.Store(int32(repliesPerMinute))
	if p.beat.Swap(int64(heartbeat)) != int64(heartbeat) {
		select {
		case p.adjusted <- struct{}{}:
		default:
		}
	}
}

// Run holds shards and runs their tenants until ctx ends. Then it closes the clients, finishes what is being handled, and
// gives its shards to the next node; that takes some seconds at most.
func (p *Pool) Run(ctx context.Context) error {
	for err := errors.New("none yet"); err != nil; {
		if err = p.q.EnsureShards(ctx, int32(p.o.Shards-1)); ctx.Err() != nil {
			return nil // told to stop before it began
		} else if err != nil {
			p.o.Log.Warn("shards not prepared; trying again", "error", err)
			sleep(ctx, time.Second)
		}
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var background, keeping sync.WaitGroup
	keeping.Go(func() { p.leases.run(work) })
	background.Go(func() { p.heartbeats(ctx) })
	background.Go(func() { p.watches(ctx) })
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	var writer sync.WaitGroup
	writer.Go(func() { p.writeTicks(writing) })
	writer.Go(func() { p.recorder.run(writing) })
	writer.Go(func() { p.greetArrivals(writing) })

	<-ctx.Done()
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	background.Wait()
	// The leases are renewed until the last client is closed.
	p.leases.leaveAll(work)
	p.closeAll(work)
	cancel()
	keeping.Wait()
	p.leases.leave(work, p.leases.shards()) // what came while the rest was given up
	p.leases.signOff(work, queryTimeout)
	stopWriting()
	writer.Wait()
	p.http.CloseIdleConnections()
	return p.devices.sql.Close()
}

// closeAll stops every tenant in an orderly way, all at once.
func (p *Pool) closeAll(ctx context.Context) {
	p.stopAll(ctx, p.supervisors())
}

func (p *Pool) stopAll(ctx context.Context, all []*supervisor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() {
			if err := s.stop(ctx); err != nil {
				s.log.Warn("stop", "error", err)
			}
			p.remove(s)
		})
	}
	wg.Wait()
}

// gained starts the tenants of new shards that should be running, a little apart when they are many.
func (p *Pool) gained(ctx context.Context, shards []int16) error {
	p.o.Log.Info("shards gained", "shards", shards)
	if p.o.ShardsChanged != nil {
		p.o.ShardsChanged(shards, nil)
	}
	query, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	tenants, err := p.readToRun(query, shards)
	if err != nil {
		return err
	}
	spread := min(time.Duration(len(tenants))*time.Millisecond, 10*time.Second) // the limit on dials does the rest
	for _, t := range tenants {
		delay := time.Duration(0)
		if len(tenants) > maxDials {
			delay = mathrand.N(spread)
		}
		unlock := p.lock(t.tenant.ID)
		if !p.woken(t.tenant.ID) {
			if err := p.start(t, delay); errors.Is(err, ErrNotOwner) {
				p.o.Log.Info("tenant not started: its shard is another node's again", "tenant_id", t.tenant.ID)
			} else if err != nil {
				p.o.Log.Error("tenant not started", "tenant_id", t.tenant.ID, "error", err)
			}
		}
		unlock()
	}
	return nil
}

// readToRun reads what the tenants of these shards that should be running need to connect, in two queries for all of them.
func (p *Pool) readToRun(ctx context.Context, shards []int16) ([]*given, error) {
	rows, err := p.q.ListToRun(ctx, shards)
	if err != nil {
		return nil, err
	}
	var jids []string
	for _, r := range rows {
		if r.Jid != nil {
			jids = append(jids, *r.Jid)
		}
	}
	stored, err := p.devices.readAll(ctx, jids)
	if err != nil {
		return nil, err
	}
	all := make([]*given, len(rows))
	for i, r := range rows {
		all[i] = &given{tenant: queries.GetSupervisedRow(r), device: stored[deref(r.Jid)], left: true}
	}
	return all, nil
}

// abort closes the tenants of shards that are not this node's any more.
func (p *Pool) abort(shards []int16) {
	for _, s := range p.of(shards) {
		s.abort()
		p.remove(s)
	}
}

// lost follows the loss of shards. Where it is orderly the tenants are closed first, and shown as moving.
func (p *Pool) lost(shards []int16, orderly bool) {
	p.o.Log.Info("shards lost", "shards", shards, "orderly", orderly)
	if orderly {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout+queryTimeout)
		defer cancel()
		p.stopAll(ctx, p.of(shards))
		if err := p.q.HandOverSessions(ctx, queries.HandOverSessionsParams{NodeID: &p.node, Shards: shards, Detail: new("moving to another node")}); err != nil {
			p.o.Log.Warn("sessions not shown as moving", "error", err)
		}
	}
	if p.o.ShardsChanged != nil {
		p.o.ShardsChanged(nil, shards)
	}
}

// of lists the tenants of these shards that run here.
func (p *Pool) of(shards []int16) []*supervisor {
	return slices.DeleteFunc(p.supervisors(), func(s *supervisor) bool { return !slices.Contains(shards, s.shard) })
}

// linking tells whether a phone may be about to be linked with a tenant of this shard.
func (p *Pool) linking(shard int16) bool {
	return slices.ContainsFunc(p.of([]int16{shard}), func(s *supervisor) bool { return s.linking.Load() })
}

func (p *Pool) supervisor(id uuid.UUID) *supervisor {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tenants[id]
}

func (p *Pool) supervisors() []*supervisor {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*supervisor, 0, len(p.tenants))
	for _, s := range p.tenants {
		all = append(all, s)
	}
	return all
}

func (p *Pool) remove(s *supervisor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenants[s.tenant] == s {
		delete(p.tenants, s.tenant)
	}
}

func (p *Pool) count() (running, connected float64) {
	for _, s := range p.supervisors() {
		running++
		if s.online.Load() != nil {
			connected++
		}
	}
	return running, connected
}
