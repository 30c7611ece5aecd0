package simulator

import (
	"sync"
	"sync/atomic"
	"time"
)

// Stats are counts since the start, and what is so now.
type Stats struct {
	UptimeSeconds        float64  `json:"uptime_seconds"`
	Connections          int64    `json:"connections"`
	ConnectionsTotal     int64    `json:"connections_total"`
	Logins               int64    `json:"logins"`
	LoginsTwice          int64    `json:"logins_twice"`    // of a device that had another connection open
	HandshakesMost       int64    `json:"handshakes_most"` // connections between their beginning and their login, at the same time
	LoginsRefused        int64    `json:"logins_refused"`
	Refused              int64    `json:"refused"` // connections turned away by a fault
	Pairings             int64    `json:"pairings"`
	PairingsFailed       int64    `json:"pairings_failed"`
	Devices              int      `json:"devices"`
	DevicesActive        int      `json:"devices_active"`
	Phones               int      `json:"phones"`
	Queued               int      `json:"queued"`                 // stanzas that clients have not confirmed
	MessagesIn           int64    `json:"messages_in"`            // customer to client
	MessagesOut          int64    `json:"messages_out"`           // client to customer, every stanza
	Shown                int64    `json:"shown"`                  // messages that customers' phones show
	Resends              int64    `json:"resends"`                // an id shown before that came again
	Acks                 int64    `json:"acks"`                   // given to clients
	AcksWithheld         int64    `json:"acks_withheld"`          //
	SendErrors           int64    `json:"send_errors"`            // messages refused by a fault
	Timelocked           int64    `json:"timelocked"`             // first messages refused by a timelock
	Redeliveries         int64    `json:"redeliveries"`           // stanzas sent once more after a reconnect
	Duplicates           int64    `json:"duplicates"`             // stanzas doubled by a fault
	DroppedDuplicateKeys int64    `json:"dropped_duplicate_keys"` // messages a phone dropped: their key was used before
	Undecryptable        int64    `json:"undecryptable"`          // messages a phone asked for again
	MissingCopies        int64    `json:"missing_copies"`         // messages without a copy for their recipient
	OwnCopies            int64    `json:"own_copies"`             // copies for the business's own phone
	ReceiptsIn           int64    `json:"receipts_in"`            // from clients
	ReceiptsOut          int64    `json:"receipts_out"`           // from customers
	RetriesIn            int64    `json:"retries_in"`             // clients that could not read a message
	Nacks                int64    `json:"nacks"`                  // acks with an error from clients
	Typing               int64    `json:"typing"`                 //
	PreKeysExhausted     int64    `json:"prekeys_exhausted"`      // bundles given without a one-time prekey
	QueueOverflow        int64    `json:"queue_overflow"`         // stanzas lost because a queue was full
	Connects             []Bucket `json:"connect_histogram"`      // per 100 ms, the last 5 minutes, empty ones left out
	Incidents            []Note   `json:"incidents"`              // the latest 100 messages that something was wrong with
}

// Bucket counts what began in one tenth of a second.
type Bucket struct {
	At         time.Time `json:"at"`
	Connects   int       `json:"connects"`
	Logins     int       `json:"logins"`
	Handshakes int       `json:"handshakes"` // the most at the same time, see Stats.HandshakesMost
}

// Note is a message that something was wrong with.
type Note struct {
	At       time.Time `json:"at"`
	What     string    `json:"what"`
	Business string    `json:"business"`
	Contact  string    `json:"contact"`
	ID       string    `json:"id"`
	Error    string    `json:"error"`
}

type counters struct {
	connections, connectionsTotal, logins, loginsTwice, loginsRefused, refused, pairings, pairingsFailed atomic.Int64
	messagesIn, messagesOut, shown, resends, acks, acksWithheld, sendErrors, redeliveries                atomic.Int64
	duplicates, droppedDuplicateKeys, undecryptable, missingCopies, ownCopies                            atomic.Int64
	receiptsIn, receiptsOut, retriesIn, nacks, typing, preKeysExhausted, overflow                        atomic.Int64
	timelocked                                                                                           atomic.Int64
	histogram                                                                                            histogram
	notesMu                                                                                              sync.Mutex
	notes                                                                                                []Note
}

func (c *counters) note(what, business, contact, id string, err error) {
	c.notesMu.Lock()
	defer c.notesMu.Unlock()
	if len(c.notes) >= 200 {
		c.notes = append([]Note(nil), c.notes[100:]...)
	}
	c.notes = append(c.notes, Note{At: time.Now(), What: what, Business: business, Contact: contact, ID: id, Error: err.Error()})
}

const (
	bucketWidth = 100 * time.Millisecond
	bucketsKept = 3000
)

// histogram is a ring of buckets, one per tenth of a second.
type histogram struct {
	mu         sync.Mutex
	buckets    []Bucket
	handshakes int // at present
	most       int
}

func (h *histogram) init() { h.buckets = make([]Bucket, bucketsKept) }

func (h *histogram) at(now time.Time) *Bucket {
	start := now.Truncate(bucketWidth)
	b := &h.buckets[int(start.UnixMilli()/bucketWidth.Milliseconds())%bucketsKept]
	if !b.At.Equal(start) {
		*b = Bucket{At: start}
	}
	return b
}

func (h *histogram) connect(now time.Time) {
	h.mu.Lock()
	h.at(now).Connects++
	h.mu.Unlock()
}

func (h *histogram) login(now time.Time) {
	h.mu.Lock()
	h.at(now).Logins++
	h.mu.Unlock()
}

// handshake notes that one began; the returned function notes its end, once.
func (h *histogram) handshake(now time.Time) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handshakes++
	h.most = max(h.most, h.handshakes)
	b := h.at(now)
	b.Handshakes = max(b.Handshakes, h.handshakes)
	return sync.OnceFunc(func() {
		h.mu.Lock()
		h.handshakes--
		h.mu.Unlock()
	})
}

func (h *histogram) handshakesMost() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(h.most)
}

func (h *histogram) list(now time.Time) []Bucket {
	out := []Bucket{}
	h.mu.Lock()
	defer h.mu.Unlock()
	first := now.Truncate(bucketWidth).Add(-(bucketsKept - 1) * bucketWidth)
	for i := range bucketsKept {
		start := first.Add(time.Duration(i) * bucketWidth)
		if b := h.buckets[int(start.UnixMilli()/bucketWidth.Milliseconds())%bucketsKept]; b.At.Equal(start) {
			out = append(out, b)
		}
	}
	return out
}

// Stats returns the present counts.
func (s *Server) Stats() Stats {
	now := time.Now()
	c := &s.stats
	out := Stats{
		UptimeSeconds: now.Sub(s.started).Seconds(), Connections: c.connections.Load(), ConnectionsTotal: c.connectionsTotal.Load(),
		Logins: c.logins.Load(), LoginsTwice: c.loginsTwice.Load(), HandshakesMost: c.histogram.handshakesMost(), LoginsRefused: c.loginsRefused.Load(), Refused: c.refused.Load(), Pairings: c.pairings.Load(), PairingsFailed: c.pairingsFailed.Load(),
		MessagesIn: c.messagesIn.Load(), MessagesOut: c.messagesOut.Load(), Shown: c.shown.Load(), Resends: c.resends.Load(), Acks: c.acks.Load(),
		AcksWithheld: c.acksWithheld.Load(), SendErrors: c.sendErrors.Load(), Timelocked: c.timelocked.Load(), Redeliveries: c.redeliveries.Load(), Duplicates: c.duplicates.Load(),
		DroppedDuplicateKeys: c.droppedDuplicateKeys.Load(), Undecryptable: c.undecryptable.Load(), MissingCopies: c.missingCopies.Load(), OwnCopies: c.ownCopies.Load(),
		ReceiptsIn: c.receiptsIn.Load(), ReceiptsOut: c.receiptsOut.Load(), RetriesIn: c.retriesIn.Load(), Nacks: c.nacks.Load(), Typing: c.typing.Load(),
		PreKeysExhausted: c.preKeysExhausted.Load(), QueueOverflow: c.overflow.Load(), Connects: c.histogram.list(now), Incidents: []Note{},
	}
	for _, p := range s.phones.all() {
		out.Phones++
		for _, d := range p.linked() {
			out.Devices++
			d.mu.Lock()
			if d.active {
				out.DevicesActive++
			}
			out.Queued += d.queue.Len()
			d.mu.Unlock()
		}
	}
	c.notesMu.Lock()
	out.Incidents = append(out.Incidents, c.notes[max(0, len(c.notes)-100):]...)
	c.notesMu.Unlock()
	return out
}
