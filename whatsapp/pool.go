// Package whatsapp runs the WhatsApp side of every tenant this node looks after: one supervised whatsmeow client each.
//
// Follow a message: connection.go (handle) gets it from whatsmeow, content.go and chats.go say what it is and who wrote
// it, inbound.go logs it and asks the bot in one transaction, outbound.go sends the answer, receipts.go notes its ticks.
// supervisor.go, connection.go and pairing.go keep a tenant connected or offer codes; status.go writes down what is so.
// leases.go decides which tenants are this node's. gate.go, signal_store.go and event_buffer.go make whatsmeow's store safe
// and quick.
package whatsapp

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow"

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

	dials    chan struct{} // a token for every connection that is being set up
	receipts chan receipt

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
		o: o, q: queries.New(o.DB), node: newID(), dials: make(chan struct{}, maxDials), receipts: make(chan receipt, receiptsQueue),
		tenants: make(map[uuid.UUID]*supervisor), locks: make(map[uuid.UUID]*tenantLock),
	}
	var err error
	if p.http, err = httpClient(o.Endpoint); err != nil {
		return nil, err
	}
	if p.metrics, err = newMetrics(o.Metrics, p.count); err != nil {
		return nil, err
	}
	p.devices = newDevices(o.DB, waLogger{o.Log, "store"})
	p.leases = newLeases(p.q, p.node, o.NodeName, o.Lease, o.Log)
	p.leases.gained, p.leases.lost = p.gained, p.lost
	return p, nil
}

// Run holds shards and runs their tenants until ctx ends. Then it closes the clients, finishes what is being handled, and
// gives its shards to the next node; that takes some seconds at most.
func (p *Pool) Run(ctx context.Context) error {
	if err := p.q.EnsureShards(ctx, int32(p.o.Shards-1)); err != nil {
		return fmt.Errorf("prepare shards: %w", err)
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
	writer.Go(func() { p.writeReceipts(writing) })

	<-ctx.Done()
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	background.Wait()
	// The leases are renewed until the last client is closed.
	p.closeAll(work)
	cancel()
	keeping.Wait()
	p.leases.giveUp(work, p.leases.shards())
	closing, cancelClosing := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancelClosing()
	if err := p.q.RemoveNode(closing, p.node); err != nil {
		p.o.Log.Warn("node not signed off", "error", err)
	}
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
func (p *Pool) gained(shards map[int16]int64) {
	ids := make([]int16, 0, len(shards))
	for id := range shards {
		ids = append(ids, id)
	}
	p.o.Log.Info("shards gained", "shards", ids)
	if p.o.ShardsChanged != nil {
		p.o.ShardsChanged(ids, nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	tenants, err := p.q.ListToRun(ctx, ids)
	if err != nil {
		// Without them the shards are of no use here.
		p.o.Log.Error("tenants of new shards not found; giving the shards up", "error", err)
		p.leases.giveUp(ctx, ids)
		return
	}
	spread := min(time.Duration(len(tenants))*20*time.Millisecond, 10*time.Second)
	for _, id := range tenants {
		delay := time.Duration(0)
		if len(tenants) > maxDials {
			delay = mathrand.N(spread)
		}
		if err := p.start(ctx, id, delay); err != nil {
			p.o.Log.Error("tenant not started", "tenant_id", id, "error", err)
		}
	}
}

// lost closes the tenants of shards that are not, or will not be, this node's.
func (p *Pool) lost(shards []int16, orderly bool) {
	var affected []*supervisor
	for _, s := range p.supervisors() {
		for _, id := range shards {
			if s.shard == id {
				affected = append(affected, s)
			}
		}
	}
	p.o.Log.Info("shards lost", "shards", shards, "tenants", len(affected), "orderly", orderly)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if orderly {
		p.stopAll(ctx, affected)
		detail := "moving to another node"
		if err := p.q.HandOverSessions(ctx, queries.HandOverSessionsParams{NodeID: &p.node, Shards: shards, Detail: &detail}); err != nil {
			p.o.Log.Warn("sessions not marked as moving", "error", err)
		}
	} else {
		for _, s := range affected {
			s.abort()
			p.remove(s)
		}
	}
	if p.o.ShardsChanged != nil {
		p.o.ShardsChanged(nil, shards)
	}
}

// Start looks after a tenant: connects it, or offers codes where it is not linked. It returns once that has begun. A tenant
// that rests because WhatsApp refused it, or because its codes ran out, is tried again.
func (p *Pool) Start(ctx context.Context, tenantID uuid.UUID) error {
	return p.start(ctx, tenantID, 0)
}

func (p *Pool) start(ctx context.Context, tenantID uuid.UUID, delay time.Duration) error {
	defer p.lock(tenantID)()
	if s := p.supervisor(tenantID); s != nil {
		s.wake()
		return nil
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if err != nil {
		return fmt.Errorf("start tenant %s: %w", tenantID, err)
	}
	epoch, ok := p.leases.epoch(t.Shard)
	if !ok {
		return ErrNotOwner
	}
	s := newSupervisor(p, tenantID, t.Shard, epoch)
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return ErrNotOwner
	}
	p.tenants[tenantID] = s
	p.mu.Unlock()
	go func() {
		s.run(delay)
		p.remove(s)
	}()
	if now, ok := p.leases.epoch(t.Shard); !ok || now != epoch { // lost meanwhile, and whoever closed the shard's tenants may have missed this one
		s.abort()
		p.remove(s)
		return ErrNotOwner
	}
	return nil
}

// Stop closes a tenant's connection and keeps its link.
func (p *Pool) Stop(ctx context.Context, tenantID uuid.UUID) error {
	defer p.lock(tenantID)()
	return p.stop(ctx, tenantID)
}

func (p *Pool) stop(ctx context.Context, tenantID uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if s := p.supervisor(tenantID); s != nil {
		err := s.stop(ctx)
		p.remove(s)
		if err != nil {
			return err
		}
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	epoch, ok := p.leases.epoch(t.Shard)
	if !ok {
		return ErrNotOwner
	}
	return newSupervisor(p, tenantID, t.Shard, epoch).write(ctx, stoppedStatus(t.Jid != nil))
}

// Restart makes a tenant's connection anew.
func (p *Pool) Restart(ctx context.Context, tenantID uuid.UUID) error {
	if err := p.Stop(ctx, tenantID); err != nil {
		return err
	}
	return p.Start(ctx, tenantID)
}

// Logout removes the device at WhatsApp, forgets its keys, and stops. Where WhatsApp cannot be told, because the tenant is
// not connected, the device is forgotten all the same; the phone shows it until it is removed there.
func (p *Pool) Logout(ctx context.Context, tenantID uuid.UUID) error {
	defer p.lock(tenantID)()
	device := &tenantDevices{devices: p.devices, tenant: tenantID}
	if s := p.supervisor(tenantID); s != nil {
		if l := s.online.Load(); l != nil {
			tell, cancel := context.WithTimeout(ctx, 15*time.Second)
			if err := l.client.Logout(tell); err != nil {
				s.log.Warn("WhatsApp was not told about the logout", "error", err)
			}
			cancel()
		}
		stopping, cancel := context.WithTimeout(ctx, stopTimeout)
		err := s.stop(stopping)
		cancel()
		p.remove(s)
		if err != nil {
			return err
		}
		device = s.device // what whatsmeow still saves on some goroutine is refused from now on
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if t.Jid != nil {
		if err := device.forget(ctx, *t.Jid); err != nil {
			return err
		}
	}
	return p.stop(ctx, tenantID)
}

// Forget does for a tenant whose rows are gone what Logout does: it removes the device at WhatsApp, as far as that can be
// done within 30 seconds, and its keys.
func (p *Pool) Forget(ctx context.Context, tenantID uuid.UUID, jid string) error {
	defer p.lock(tenantID)()
	if s := p.supervisor(tenantID); s != nil {
		if l := s.online.Load(); l != nil {
			tell, cancel := context.WithTimeout(ctx, 15*time.Second)
			_ = l.client.Logout(tell)
			cancel()
		}
		stopping, cancel := context.WithTimeout(ctx, stopTimeout)
		err := s.stop(stopping)
		cancel()
		p.remove(s)
		if err != nil {
			return err
		}
	}
	device := &tenantDevices{devices: p.devices, tenant: tenantID, fail: func(error) {}}
	if jid == "" {
		return nil
	}
	if err := p.unlinkElsewhere(ctx, device, jid); err != nil {
		p.o.Log.Warn("WhatsApp was not told that a device is gone", "tenant_id", tenantID, "error", err)
	}
	return device.forget(ctx, jid)
}

// unlinkElsewhere logs in with a device that nobody runs, only to remove it.
func (p *Pool) unlinkElsewhere(ctx context.Context, d *tenantDevices, jid string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	device, err := d.open(ctx, jid)
	if err != nil || device == nil {
		return err
	}
	cli := whatsmeow.NewClient(device, waLogger{p.o.Log, "whatsmeow"})
	cli.EnableAutoReconnect = false
	cli.SetWebsocketHTTPClient(p.http)
	cli.BackgroundEventCtx = ctx
	cli.SynchronousAck = true
	cli.AddEventHandlerWithSuccessStatus(func(any) bool { return false })
	if err := cli.ConnectContext(ctx); err != nil {
		return err
	}
	defer cli.Disconnect()
	if !cli.WaitForConnection(15 * time.Second) {
		return errors.New("WhatsApp did not let us in")
	}
	return cli.Logout(ctx)
}

// PairCode returns a code to type into the phone with this number, and shows it in the session as well. It starts the
// tenant if need be. ErrAlreadyLinked and ErrNumberRefused are the caller's to explain.
func (p *Pool) PairCode(ctx context.Context, tenantID uuid.UUID, phone string) (string, error) {
	if err := p.Start(ctx, tenantID); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	s := p.supervisor(tenantID)
	if s == nil {
		return "", ErrNotOwner
	}
	request := &pairRequest{phone: phone, reply: make(chan pairReply, 1)}
	select {
	case s.pairs <- request:
	case <-s.done:
		return "", ErrNotOwner
	case <-ctx.Done():
		return "", fmt.Errorf("WhatsApp cannot be reached: %w", ctx.Err())
	}
	select {
	case r := <-request.reply:
		return r.code, r.err
	case <-s.done:
		return "", ErrNotOwner
	case <-ctx.Done():
		return "", fmt.Errorf("WhatsApp did not answer: %w", ctx.Err())
	}
}

// Send has a queued message sent soon: the tenant's sender works through everything that is queued, in order. Where the
// tenant is not connected the message stays queued, and connecting sends it. ErrNotOwner: another node is to do it.
func (p *Pool) Send(ctx context.Context, tenantID, _ uuid.UUID) error {
	if s := p.supervisor(tenantID); s != nil {
		s.wakeSender()
		return nil
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	if _, ok := p.leases.epoch(t.Shard); !ok {
		return ErrNotOwner
	}
	return nil
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

// tenantLock is in the map for as long as somebody holds it or waits for it.
type tenantLock struct {
	sync.Mutex
	users int
}

// lock serialises what is done to a tenant from outside. It returns the unlocking.
func (p *Pool) lock(id uuid.UUID) func() {
	p.mu.Lock()
	l := p.locks[id]
	if l == nil {
		l = new(tenantLock)
		p.locks[id] = l
	}
	l.users++
	p.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(p.locks, id)
		}
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
