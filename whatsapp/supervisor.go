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
	pairError string       // why linking failed the last time

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
	config atomic.Pointer[queries.TenantConfig] // as the latest message found it; nil: not known
	poison *cache[string, int]                  // tries of messages that could not be taken in

	tries    *cache[uuid.UUID, int] // of messages that could not be sent
	underway atomic.Pointer[underway]

	unmarked unmarked // sent, and not noted in the table yet

	mannersLock sync.Mutex
	manners     []manner // for the sender
}

// databasePause is how long a tenant waits at most until it looks again whether the database is back.
const databasePause = 4 * time.Second

// tellAfter is how many tries to connect have to fail until the loss of a connection is an event.
const tellAfter = 3

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
	ctx := s.work
	if delay > 0 && !sleep(ctx, delay) {
		return
	}
	wait := backoff{base: time.Second, limit: time.Minute}
	for ctx.Err() == nil {
		end := s.connect(ctx, &wait)
		if ctx.Err() != nil {
			return
		}
		if end.final {
			// First able to hear, then seen to rest: whoever sees it may wake it.
			s.alive.Store(end.watch)
			s.linking.Store(false)
			s.resting.Store(true)
			s.record(ctx, end.status)
			if !s.rest(ctx, end) {
				return
			}
			wait.reset()
			continue
		}
		if end.now {
			continue
		}
		s.alive.Store(false) // until it is connected again
		s.linking.Store(false)
		if end.database { // nothing can be written down, and nobody but us is there to be spared
			if !sleep(ctx, mathrand.N(databasePause)) {
				return
			}
			continue
		}
		if wait.failures == tellAfter && s.jid != "" && !s.told {
			s.told, end.status.event = true, eventDisconnected
		}
		s.record(ctx, end.status)
		pause := wait.next()
		s.log.Info("connecting again", "in", pause, "why", end.status.detail)
		if !sleep(ctx, pause) {
			return
		}
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
		t := time.NewTimer(time.Until(*end.until) + (&backoff{base: time.Minute, limit: time.Minute}).next())
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
