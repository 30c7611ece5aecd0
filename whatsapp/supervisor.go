package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow"

	"flowhq/queries"
)

// supervisor runs one tenant: it keeps its client connected, offers codes while it is not linked, and writes down
// every change. One goroutine does all of it; whatsmeow's events reach it through a channel.
type supervisor struct {
	pool   *Pool
	tenant uuid.UUID
	shard  int16
	epoch  int64
	log    *slog.Logger

	ctx    context.Context // of everything the tenant does; ends at once when the lease is lost
	cancel context.CancelFunc
	work   context.Context // of new work; ends first, when the tenant is stopped in an orderly way
	quit   context.CancelFunc
	done   chan struct{}

	events chan any          // connection events
	resets chan error        // the connection has to be made again
	wakes  chan struct{}     // end of a rest
	pairs  chan *pairRequest // codes to link with

	device    *tenantDevices
	client    *whatsmeow.Client // of the link; nil until the first connection
	jid       string            // of the linked device
	phone     string            // the number the tenant means to link, E.164
	tenantSt  queries.TenantStatus
	pending   *pairRequest // asked for while there are no codes
	told      bool         // that the connection is lost
	away      bool         // counted as lost by the node
	pairError string       // why linking failed the last time
	doubt     bool         // the connection ended because the store failed: without the database none is worth making
	given     *given       // read when the shard was gained, for the first connection
	alarm     *time.Timer  // looks whether the restriction is over

	restriction atomic.Pointer[restriction] // nil: none

	online   atomic.Pointer[link]   // while connected
	sender   atomic.Pointer[sender] // while connected
	alive    atomic.Bool            // counts as running in the heartbeat
	seen     atomic.Bool            // the latest keepalive was answered
	resting  atomic.Bool
	linking  atomic.Bool  // codes are shown, or will be in a moment, or one was scanned
	scanned  atomic.Bool  // a phone is linking at this moment
	leaving  atomic.Bool  // being logged out by us
	handling sync.RWMutex // read-locked while a message is taken in

	writing sync.Mutex // of the state; only run changes status
	status  status
	unsaved *status

	number atomic.Pointer[string] // ours, E.164: the linked one, or the one that is meant
	chats  *cache[string, chat]
	config atomic.Pointer[tenantConfig] // as the latest message found it; nil: not known
	poison *cache[string, int]          // tries of messages that could not be taken in

	tries    *cache[uuid.UUID, int] // of messages that could not be sent
	underway atomic.Pointer[underway]

	unmarked unmarked // sent, and not noted in the table yet

	mannersLock sync.Mutex
	manners     []manner // for the sender
}

const (
	tellAfter     = 3               // tries to connect that have to fail until the loss of a connection is an event
	troubledAfter = 2 * time.Minute // until the tenant needs attention
	databasePause = 4 * time.Second // how long a tenant waits at most until it looks again whether the database is back
)

// link is one connection that is logged in.
type link struct {
	client *whatsmeow.Client
	store  *tenantStore
}

func newSupervisor(p *Pool, tenant uuid.UUID, shard int16, epoch int64) *supervisor {
	s := &supervisor{
		pool: p, tenant: tenant, shard: shard, epoch: epoch, log: p.o.Log.With("tenant_id", tenant),
		done:   make(chan struct{}),
		events: make(chan any, 16), resets: make(chan error, 1), wakes: make(chan struct{}, 1), pairs: make(chan *pairRequest),
		chats: newCache[string, chat](128), poison: newCache[string, int](64), tries: newCache[uuid.UUID, int](256),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work, s.quit = context.WithCancel(s.ctx)
	s.device = s.newDevice()
	return s
}

// given is what is read for many tenants at once.
type given struct {
	tenant queries.GetSupervisedRow
	device *deviceRow // nil: not linked, or its rows are gone
	left   bool       // to be left in the state it was found in, where that is not one to connect from
}

func (s *supervisor) newDevice() *tenantDevices {
	return &tenantDevices{devices: s.pool.devices, tenant: s.tenant, fail: s.storeFailed,
		fence: fence{shard: s.shard, node: s.pool.node, epoch: s.epoch}}
}

// run lives until the tenant is stopped or handed over. A panic ends this tenant's worker and nothing else.
func (s *supervisor) run(delay time.Duration) {
	defer close(s.done)
	defer s.cancel()
	defer s.close()
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("worker panicked", "panic", r, "stack", string(debug.Stack()))
			why := "A fault in the program stopped this worker. Restart it; the link is kept."
			s.record(s.ctx, endStatus(queries.SessionReasonRECONNECTING, why, why, eventWorkerError))
		}
	}()
	defer s.lost(nil)
	ctx := s.work
	if delay > 0 && !sleep(ctx, delay) {
		return
	}
	w := newWaits()
	end, left := s.left()
	for ctx.Err() == nil {
		if !left {
			end = s.connect(ctx, &w)
		}
		left = false
		if ctx.Err() != nil {
			return
		}
		if end.final {
			s.lost(nil)
			// First able to hear, then seen to rest: whoever sees it may wake it.
			s.alive.Store(end.watch)
			s.linking.Store(false)
			s.resting.Store(true)
			s.record(ctx, end.status)
			if !s.rest(ctx, end) {
				return
			}
			w = newWaits()
			continue
		}
		if end.now {
			continue
		}
		s.linking.Store(false)
		if end.database { // nothing can be written down, and nobody but us is there to be spared
			if !sleep(ctx, mathrand.N(databasePause)) {
				return
			}
			continue
		}
		s.lost(&w)
		s.trouble(&end, &w)
		s.record(ctx, end.status)
		if !s.pause(ctx, &w, end) {
			return
		}
	}
}

// left is the state to stay in that an earlier owner of the tenant left it in; false: there is none.
func (s *supervisor) left() (ending, bool) {
	if s.given == nil || !s.given.left {
		return ending{}, false
	}
	end, ok := leftStatus(s.given.tenant)
	if ok {
		s.restriction.Store(storedRestriction(s.given.tenant))
		s.given = nil
	}
	return end, ok
}

// lost counts the tenant among those of the node whose connection is lost, or takes it off (nil).
func (s *supervisor) lost(w *waits) {
	switch {
	case w == nil && s.away:
		s.away = false
		s.pool.pace.away.Add(-1)
	case w != nil && !s.away && s.jid != "":
		s.away = true
		s.pool.pace.away.Add(1)
	}
	if w != nil && w.since.IsZero() {
		w.since = time.Now()
	}
}

// trouble makes an event of a loss that lasts, and then something that needs attention.
func (s *supervisor) trouble(end *ending, w *waits) {
	if s.jid == "" {
		return
	}
	if w.lost.failures+w.refused.failures >= tellAfter && !s.told {
		s.told, end.status.event = true, eventDisconnected
	}
	if time.Since(w.since) > troubledAfter {
		end.status.tenant = queries.TenantStatusERROR
	}
}

// ending says how a connection ended and what comes next.
type ending struct {
	status   status
	final    bool       // rest until somebody asks
	now      bool       // connect again without a pause
	database bool       // it did not begin: the database is away
	watch    bool       // a rest that ends when somebody looks
	until    *time.Time // a rest that ends by itself

	unreachable bool // WhatsApp could not be reached
	refused     bool // WhatsApp turned the connection away
}

// rest waits until connecting makes sense again; false: the tenant is stopped.
func (s *supervisor) rest(ctx context.Context, end ending) bool {
	defer func() {
		s.resting.Store(false)
		select {
		case <-s.wakes:
		default:
		}
	}()
	var timer <-chan time.Time
	if end.until != nil {
		left := max(time.Until(*end.until), 0)
		t := time.NewTimer(left + mathrand.N(min(left/10, time.Minute)+time.Second))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.wakes:
	case <-timer:
	case s.pending = <-s.pairs:
	}
	return true
}

// wake ends a rest, where there is one.
func (s *supervisor) wake() {
	if !s.resting.Load() {
		return
	}
	select {
	case s.wakes <- struct{}{}:
	default:
	}
}

// storeFailed is told by the store that a message could not be taken in: it stays with WhatsApp, which delivers it again
// on a new connection.
func (s *supervisor) storeFailed(err error) {
	if s.ctx.Err() == nil {
		s.reset(fmt.Errorf("the database did not answer: %w", err))
	}
}

// reset has the connection made again.
func (s *supervisor) reset(err error) {
	select {
	case s.resets <- err:
	default:
	}
}

// stop ends the supervisor in an orderly way: no new work, what is being handled is finished within the time of ctx.
func (s *supervisor) stop(ctx context.Context) error {
	s.quit()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.cancel()
		return errors.Join(errors.New("the worker did not stop in time"), ctx.Err())
	}
}

// abort ends everything at once: this node may not act for the tenant any more.
func (s *supervisor) abort() {
	s.cancel()
	if l := s.online.Swap(nil); l != nil {
		go hangUp(l.client)
	}
}

// close leaves no socket and no half-handled message behind.
func (s *supervisor) close() {
	s.online.Store(nil)
	s.alive.Store(false)
	if s.client == nil {
		return
	}
	hangUp(s.client)
	idle := make(chan struct{})
	go func() {
		s.handling.Lock() // once nobody reads
		defer s.handling.Unlock()
		close(idle)
	}()
	select {
	case <-idle:
	case <-s.ctx.Done():
	case <-time.After(5 * time.Second):
		s.log.Warn("a message was still being handled")
	}
	if s.ctx.Err() == nil {
		s.pool.flushTicks(s.ctx)
	}
	if s.device.store != nil && s.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(s.ctx, 2*time.Second)
		defer cancel()
		if err := s.device.store.flush(ctx, &unit{}); err != nil {
			s.log.Debug("buffered plaintexts not cleared", "error", err)
		}
	}
}
