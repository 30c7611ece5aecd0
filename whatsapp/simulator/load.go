package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// Bounds of a load run.
const (
	maxLoadCount   = 1_000_000
	maxLoadSeconds = 3600
	runsKept       = 5
	itemsListed    = 100
)

// LoadRequest asks for messages at a steady rate, whether they are answered or not; or, with Seconds, for as many as are answered.
type LoadRequest struct {
	Tenants  int      `json:"tenants"`          // how many linked businesses get messages, in order of their numbers; 0 means all
	Phones   []string `json:"phones,omitempty"` // or these businesses
	Contacts int      `json:"contacts"`         // customers per business; 0 means 1
	Rate     float64  `json:"rate"`             // messages a second over all
	Count    int      `json:"count"`            // messages in all
	// Seconds asks for a closed loop instead of Rate and Count: for so long each customer has one unanswered message at any time, and
	// sends the next as soon as it is answered.
	Seconds float64 `json:"seconds,omitempty"`
	Text    string  `json:"text"`          // {token} stands for a token of each message's own; empty means "menu"
	LID     bool    `json:"lid,omitempty"` // every second customer writes from @lid
	// Wait is how many seconds to wait for answers after the last message; 0 means 10.
	Wait float64 `json:"wait,omitempty"`
}

// LoadItem is one message of a run.
type LoadItem struct {
	Business string    `json:"business"`
	Contact  string    `json:"contact"`
	ID       string    `json:"id"`
	Token    string    `json:"token"`
	DueAt    time.Time `json:"due_at"`
	Answers  int       `json:"answers"`
}

// LoadReport says how a run went, or goes. Times to answer count from the moment a message was due.
type LoadReport struct {
	ID         string     `json:"id"`
	Running    bool       `json:"running"`
	StartedAt  time.Time  `json:"started_at"`
	Seconds    float64    `json:"seconds"` // from the start to the last answer
	Sent       int        `json:"sent"`
	SendErrors int        `json:"send_errors"`
	FirstError string     `json:"first_error,omitempty"`
	LateMS     float64    `json:"late_ms"` // how far sending fell behind its schedule, at worst
	Answered   int        `json:"answered"`
	Rate       float64    `json:"rate"` // answers a second
	P50        float64    `json:"p50_ms"`
	P90        float64    `json:"p90_ms"`
	P99        float64    `json:"p99_ms"`
	Max        float64    `json:"max_ms"`
	Missing    int        `json:"missing"`
	Doubled    int        `json:"doubled"`
	OutOfOrder int        `json:"out_of_order"`
	MissingIDs []LoadItem `json:"missing_items"`  // at most 100
	DoubledIDs []LoadItem `json:"doubled_items"`  // at most 100
	OrderIDs   []LoadItem `json:"disorder_items"` // at most 100
}

// loadBook keeps the latest runs.
type loadBook struct {
	mu   sync.RWMutex
	next int
	runs []*loadRun
}

type loadItem struct {
	chat       *loadChat
	id         string
	due        time.Time
	sent       bool
	answers    int
	answeredAt time.Time
	disordered bool
}

type loadChat struct {
	business, contact string
	lid               bool
	items             []int // in the order of sending
	unanswered        int   // where the first unanswered one of items may be
	last              int   // the latest answered
}

type loadRun struct {
	id, prefix string
	started    time.Time
	done       chan struct{}

	mu         sync.Mutex
	items      []loadItem
	chats      map[string]*loadChat
	byID       map[string]int
	sent       int
	answered   int
	failed     int
	firstError string
	late       time.Duration
	lastAnswer time.Time
	running    bool
	complete   chan struct{} // closed when everything sent is answered and nothing is left to send
	sending    bool
	free       chan *loadChat // closed loop: chats whose message was answered; nil: messages go out on schedule
}

// StartLoad begins a run and returns its id. Errors say what is wrong with the request.
func (s *Server) StartLoad(r LoadRequest) (string, error) {
	run, err := s.newRun(&r)
	if err != nil {
		return "", err
	}
	s.loads.mu.Lock()
	s.loads.next++
	run.id = strconv.Itoa(s.loads.next)
	s.loads.runs = append(s.loads.runs, run)
	if len(s.loads.runs) > runsKept {
		s.loads.runs = append([]*loadRun(nil), s.loads.runs[1:]...)
	}
	s.loads.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errors.New("the simulator is closed")
	}
	s.work.Go(func() { s.drive(run, r) })
	return run.id, nil
}

// Load does a run and returns its report when all is answered, or when Wait has passed since the last message.
func (s *Server) Load(ctx context.Context, r LoadRequest) (LoadReport, error) {
	id, err := s.StartLoad(r)
	if err != nil {
		return LoadReport{}, err
	}
	run := s.loads.find(id)
	select {
	case <-run.done:
	case <-ctx.Done():
		return run.report(), ctx.Err()
	}
	return run.report(), nil
}

// LoadReport reports on a run that goes on or has ended; the latest five are kept.
func (s *Server) LoadReport(id string) (LoadReport, bool) {
	run := s.loads.find(id)
	if run == nil {
		return LoadReport{}, false
	}
	return run.report(), true
}

func (b *loadBook) find(id string) *loadRun {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, r := range b.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (s *Server) newRun(r *LoadRequest) (*loadRun, error) {
	var businesses []string
	if len(r.Phones) > 0 {
		for _, raw := range r.Phones {
			number, err := cleanNumber(raw)
			if err != nil {
				return nil, fmt.Errorf("phones: %w", err)
			}
			businesses = append(businesses, number)
		}
	} else {
		for _, d := range s.Devices() {
			if len(businesses) == 0 || businesses[len(businesses)-1] != d.Phone {
				businesses = append(businesses, d.Phone)
			}
		}
		if r.Tenants > len(businesses) {
			return nil, fmt.Errorf("tenants: %d wanted, %d businesses have a linked device", r.Tenants, len(businesses))
		} else if r.Tenants > 0 {
			businesses = businesses[:r.Tenants]
		}
	}
	if r.Contacts == 0 {
		r.Contacts = 1
	}
	if r.Text == "" {
		r.Text = "menu"
	}
	if r.Wait == 0 {
		r.Wait = 10
	}
	switch {
	case len(businesses) == 0:
		return nil, ErrNoDevice
	case r.Tenants < 0 || r.Contacts < 0 || r.Contacts > 9999 || len(businesses) > 9999:
		return nil, errors.New("tenants and contacts must be between 1 and 9999")
	case r.Seconds < 0 || r.Seconds > maxLoadSeconds || r.Seconds > 0 && (r.Rate != 0 || r.Count != 0):
		return nil, fmt.Errorf("seconds must be at most %d, and stand without rate and count", maxLoadSeconds)
	case r.Seconds == 0 && (r.Rate <= 0 || r.Rate > 100_000):
		return nil, errors.New("rate must be above 0 and at most 100000 messages a second")
	case r.Seconds == 0 && (r.Count <= 0 || r.Count > maxLoadCount):
		return nil, fmt.Errorf("count must be between 1 and %d", maxLoadCount)
	case r.Wait < 0 || r.Wait > 600:
		return nil, errors.New("wait must be at most 600 seconds")
	case len(r.Text) > maxText:
		return nil, fmt.Errorf("text: %d bytes, at most %d are allowed", len(r.Text), maxText)
	}
	run := &loadRun{
		prefix: "q" + strconv.FormatUint(rand.Uint64N(1<<30), 36) + "-", done: make(chan struct{}), complete: make(chan struct{}),
		items: make([]loadItem, r.Count), chats: map[string]*loadChat{}, byID: make(map[string]int, r.Count), running: true, sending: true,
	}
	for b, business := range businesses {
		for c := range r.Contacts {
			chat := &loadChat{business: business, contact: fmt.Sprintf("2559%04d%04d", b, c), lid: r.LID && c%2 == 1, last: -1}
			run.chats[business+" "+chat.contact] = chat
		}
	}
	if r.Seconds > 0 {
		run.free = make(chan *loadChat, len(run.chats))
		for _, chat := range run.chats {
			run.free <- chat
		}
		return run, nil
	}
	for i := range run.items {
		b := i % len(businesses)
		c := i / len(businesses) % r.Contacts
		item := &run.items[i]
		item.chat = run.chats[businesses[b]+" "+fmt.Sprintf("2559%04d%04d", b, c)]
		item.id = newStanzaID()
		item.chat.items = append(item.chat.items, i)
		run.byID[item.id] = i
	}
	return run, nil
}

// token is what makes message i unlike all others.
func (run *loadRun) token(i int) string { return fmt.Sprintf("%s%06d", run.prefix, i) }
