package simulator

import (
	"sync"
	"time"
)

// Types of events.
const (
	EventMessage      = "message"      // a customer's phone shows a message
	EventSent         = "sent"         // a customer sent a message
	EventReceipt      = "receipt"      // the ticks of a customer's message moved: State is delivered or read
	EventTyping       = "typing"       // the business is typing: State is composing or paused
	EventPresence     = "presence"     // a business's device is available or unavailable
	EventConnected    = "connected"    // a device logged in
	EventDisconnected = "disconnected" // a device's connection ended
	EventLinked       = "linked"       // a device was linked
	EventUnlinked     = "unlinked"     // a device was unlinked
	EventFault        = "fault"        // a fault was set or cleared
)

// Event is something that happened, for pages that show it live.
type Event struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"`
	Type       string    `json:"type"`
	Business   string    `json:"business,omitempty"`
	Contact    string    `json:"contact,omitempty"`
	ID         string    `json:"id,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Text       string    `json:"text,omitempty"`
	State      string    `json:"state,omitempty"`
	Device     int       `json:"device,omitempty"`
	MessageSeq int64     `json:"message_seq,omitempty"` // InboxMessage.Seq
}

const (
	eventsKept      = 2000
	subscriberQueue = 256
)

// signal wakes all who wait for something to happen once more. The zero value is ready.
type signal struct {
	mu   sync.Mutex
	more chan struct{}
}

// next returns a channel that is closed when it happens next. Take it before looking whether it has happened.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more == nil {
		s.more = make(chan struct{})
	}
	return s.more
}

func (s *signal) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
}

// eventHub hands events to subscribers and remembers the latest; a subscriber that does not keep up misses some.
type eventHub struct {
	mu   sync.Mutex
	seq  int64
	ring []Event
	subs map[chan Event]struct{}
}

func newEventHub() *eventHub { return &eventHub{subs: map[chan Event]struct{}{}} }

func (h *eventHub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e.Seq, e.At = h.seq, time.Now()
	if len(h.ring) < eventsKept {
		h.ring = append(h.ring, e)
	} else {
		h.ring[int(h.seq-1)%eventsKept] = e
	}
	for ch := range h.subs {
		select {
		case ch <- e:
		default:
		}
	}
}

// subscribe returns what happened after seq (as far as it is remembered), what happens from now on, and a way to stop.
// A negative seq asks for nothing old.
func (h *eventHub) subscribe(seq int64) (old []Event, live <-chan Event, stop func()) {
	ch := make(chan Event, subscriberQueue)
	h.mu.Lock()
	defer h.mu.Unlock()
	if seq >= 0 {
		for i := max(seq, h.seq-int64(len(h.ring))); i < h.seq; i++ {
			old = append(old, h.ring[int(i)%eventsKept])
		}
	}
	h.subs[ch] = struct{}{}
	return old, ch, func() {
		h.mu.Lock()
		delete(h.subs, ch)
		h.mu.Unlock()
	}
}

// Subscribe returns a channel of events from now on and a function that ends it. The channel is never closed; events
// are dropped when its reader falls 256 behind.
func (s *Server) Subscribe() (<-chan Event, func()) {
	_, live, stop := s.events.subscribe(-1)
	return live, stop
}
