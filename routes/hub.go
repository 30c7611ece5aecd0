package routes

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Kinds of live events, as migration 00004_live.sql announces them, and KindResync: something may have been missed, so
// whoever shows anything shows all of it again.
const (
	KindTenant  = "tenant"
	KindSession = "session"
	KindWorker  = "worker"
	KindMessage = "message"
	KindEvent   = "event"
	KindChat    = "chat" // somebody takes a chat over, hands it back, reads or notes something; messages are announced themselves
	KindResync  = "resync"
)

const (
	liveChannel   = "flowhq_live"
	maxPending    = 256              // events that wait for one slow subscriber before they become one resync
	silence       = 30 * time.Second // a connection that says nothing for so long is asked whether it lives
	listenTimeout = 10 * time.Second
)

// Event says that a row of a tenant changed. A resync carries no ids.
type Event struct {
	Kind   string
	Tenant uuid.UUID
	ID     uuid.UUID // of the row: message, event, session, …
}

// Hub passes what Postgres announces to the open streams of this process, over one connection of its own.
type Hub struct {
	config *pgx.ConnConfig
	log    *slog.Logger

	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// NewHub makes a hub that will listen on its own connection with this configuration (pool.Config().ConnConfig).
func NewHub(config *pgx.ConnConfig, log *slog.Logger) *Hub {
	return &Hub{config: config.Copy(), log: log, subs: map[*Subscription]struct{}{}}
}

// Run listens until ctx ends, and connects again after every failure, with jitter and at most 5 s apart.
func (h *Hub) Run(ctx context.Context) error {
	wait := 100 * time.Millisecond
	for {
		began := time.Now()
		err := h.listen(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > time.Minute {
			wait = 100 * time.Millisecond
		}
		h.log.Warn("live updates interrupted; connecting again", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rand.N(wait)):
		}
		wait = min(2*wait, 5*time.Second)
	}
}

func (h *Hub) listen(ctx context.Context) error {
	starting, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(starting, h.config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // the connection is given up either way
	}()
	if _, err := conn.Exec(starting, "LISTEN "+liveChannel); err != nil {
		return err
	}
	h.publish(Event{Kind: KindResync}) // what happened while nobody listened is unknown
	for {
		waiting, cancel := context.WithTimeout(ctx, silence)
		n, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			if e, err := parseEvent(n.Payload); err != nil {
				h.log.Warn("live event not understood", "payload", n.Payload, "err", err)
			} else {
				h.publish(e)
			}
		case quiet && !conn.IsClosed():
			asking, cancel := context.WithTimeout(ctx, listenTimeout)
			err := conn.Ping(asking)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// payload is the event as it is announced; parseEvent reads it.
func (e Event) payload() string { return e.Kind + " " + e.Tenant.String() + " " + e.ID.String() }

func parseEvent(payload string) (Event, error) {
	words := strings.Split(payload, " ")
	if len(words) != 3 {
		return Event{}, fmt.Errorf("%d words, want 3", len(words))
	}
	tenant, err := uuid.Parse(words[1])
	if err != nil {
		return Event{}, err
	}
	id, err := uuid.Parse(words[2])
	return Event{Kind: words[0], Tenant: tenant, ID: id}, err
}

func (h *Hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		if e.Kind == KindResync || s.tenant == uuid.Nil || s.tenant == e.Tenant {
			s.add(e)
		}
	}
}

// Subscribe delivers the events of one tenant, or of all with uuid.Nil, from now on until Close.
func (h *Hub) Subscribe(tenant uuid.UUID) *Subscription {
	s := &Subscription{hub: h, tenant: tenant, wake: make(chan struct{}, 1), known: map[Event]struct{}{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs[s] = struct{}{}
	return s
}

// Subscription collects events for one stream. It never holds up the hub: equal events wait once, and when too many wait
// they become one resync.
type Subscription struct {
	hub    *Hub
	tenant uuid.UUID
	wake   chan struct{}

	mu      sync.Mutex
	pending []Event
	known   map[Event]struct{} // what is in pending
}

// Wake tells that Take has something. One signal may stand for many events.
func (s *Subscription) Wake() <-chan struct{} { return s.wake }

// Take removes and returns what waits, in order; a resync comes alone.
func (s *Subscription) Take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.pending
	s.pending = nil
	clear(s.known)
	return events
}

// Close ends the subscription. It may be called twice.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

func (s *Subscription) add(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 1 && s.pending[0].Kind == KindResync {
		return // all will be shown again anyway
	}
	if _, waits := s.known[e]; waits {
		return
	}
	if len(s.pending) >= maxPending {
		e = Event{Kind: KindResync}
	}
	if e.Kind == KindResync {
		s.pending = s.pending[:0]
		clear(s.known)
	}
	s.pending = append(s.pending, e)
	s.known[e] = struct{}{}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
