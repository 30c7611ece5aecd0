package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
)

// Bounds of what a phone remembers.
const (
	maxInbox = 1000
	maxSent  = 300
)

// InboxMessage is a message that a customer's phone shows.
type InboxMessage struct {
	Seq     int64     `json:"seq"` // grows over all phones
	ID      string    `json:"id"`
	From    string    `json:"from"` // the business's number
	To      string    `json:"to"`   // the customer's number
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	About   string    `json:"about,omitempty"` // the message it quotes, edits or reacts to
	At      time.Time `json:"at"`
	Resends int       `json:"resends"` // how often the same id came again; it is shown once
}

// ChatMessage is one line of a chat as the customer's phone shows it, own messages included.
type ChatMessage struct {
	ID          string    `json:"id"`
	Business    string    `json:"business"`
	Contact     string    `json:"contact"`
	Kind        string    `json:"kind"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
	FromContact bool      `json:"from_contact"`
	Status      string    `json:"status,omitempty"` // sent, delivered or read; own messages only
}

// mailbox is what a phone shows. Its phone's lock guards it.
type mailbox struct {
	inbox   []*InboxMessage
	seen    map[string]*InboxMessage
	total   int
	sent    []*ChatMessage
	sentIDs map[string]*ChatMessage
	wroteTo map[string]bool // businesses
	changed chan struct{}
	own     idRing // what the account's own linked devices sent
}

// idRing remembers the latest 500 ids.
type idRing struct {
	ids  []string
	next int
	has  map[string]bool
}

// add notes an id and says whether it was known.
func (r *idRing) add(id string) bool {
	if r.has[id] {
		return true
	}
	if r.has == nil {
		r.has = map[string]bool{}
	}
	if len(r.ids) < 500 {
		r.ids = append(r.ids, id)
	} else {
		delete(r.has, r.ids[r.next])
		r.ids[r.next] = id
		r.next = (r.next + 1) % len(r.ids)
	}
	r.has[id] = true
	return false
}

// show adds a message, numbered from seq, unless its id was shown before, which only counts as a resend.
func (b *mailbox) show(seq *atomic.Int64, business, contact, id string, m *waE2E.Message) (InboxMessage, bool) {
	key := business + " " + id
	if old := b.seen[key]; old != nil {
		old.Resends++
		return *old, false
	}
	kind, text, about := describe(m)
	in := &InboxMessage{Seq: seq.Add(1), ID: id, From: business, To: contact, Kind: kind, Text: text, About: about, At: time.Now()}
	b.add(in)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return *in, true
}

func (b *mailbox) add(in *InboxMessage) {
	if b.seen == nil {
		b.seen = map[string]*InboxMessage{}
	}
	b.seen[in.From+" "+in.ID] = in
	b.inbox = append(b.inbox, in)
	b.total++
	if len(b.inbox) >= maxInbox+100 { // trimmed in batches, so that a full box costs little
		for _, old := range b.inbox[:100] {
			delete(b.seen, old.From+" "+old.ID)
		}
		b.inbox = append(make([]*InboxMessage, 0, maxInbox+100), b.inbox[100:]...)
	}
}

// again counts a repeat of a message that was shown before and says whether it was.
func (b *mailbox) again(business, id string) bool {
	old := b.seen[business+" "+id]
	if old != nil {
		old.Resends++
	}
	return old != nil
}

func (b *mailbox) sentBy(m ChatMessage) {
	if b.sentIDs == nil {
		b.sentIDs, b.wroteTo = map[string]*ChatMessage{}, map[string]bool{}
	}
	b.sent = append(b.sent, &m)
	b.sentIDs[m.ID], b.wroteTo[m.Business] = &m, true
	if len(b.sent) >= maxSent+50 {
		for _, old := range b.sent[:50] {
			delete(b.sentIDs, old.ID)
		}
		b.sent = append(make([]*ChatMessage, 0, maxSent+50), b.sent[50:]...)
	}
}

// mark moves the ticks of a sent message forward.
func (b *mailbox) mark(id, status string) bool {
	m := b.sentIDs[id]
	if m == nil || m.Status == status || m.Status == "read" {
		return false
	}
	m.Status = status
	return true
}

// Inbox lists the messages a customer's phone shows with a Seq above since, oldest first. An empty contact lists those
// of every customer, at most the latest 10,000.
func (s *Server) Inbox(contact string, since int64) []InboxMessage {
	out := []InboxMessage{}
	for _, p := range s.contacts(contact) {
		p.mu.Lock()
		for i := len(p.box.inbox) - 1; i >= 0 && p.box.inbox[i].Seq > since; i-- {
			out = append(out, *p.box.inbox[i])
		}
		p.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b InboxMessage) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(out) > 10_000 {
		out = out[len(out)-10_000:]
	}
	return out
}

func (s *Server) contacts(number string) []*phone {
	if number == "" {
		return s.phones.all()
	}
	number, err := cleanNumber(number)
	if err != nil {
		return nil
	}
	if p := s.phones.find(number); p != nil {
		return []*phone{p}
	}
	return nil
}

// Chat lists a customer's chat with a business in order of time, own messages with their ticks included.
func (s *Server) Chat(contact, business string) []ChatMessage {
	out := []ChatMessage{}
	business, err := cleanNumber(business)
	if err != nil || contact == "" {
		return out
	}
	for _, p := range s.contacts(contact) {
		p.mu.Lock()
		for _, m := range p.box.inbox {
			if m.From == business {
				out = append(out, ChatMessage{ID: m.ID, Business: m.From, Contact: m.To, Kind: m.Kind, Text: m.Text, At: m.At})
			}
		}
		for _, m := range p.box.sent {
			if m.Business == business {
				out = append(out, *m)
			}
		}
		p.mu.Unlock()
	}
	slices.SortStableFunc(out, func(a, b ChatMessage) int { return a.At.Compare(b.At) })
	return out
}

// WaitInbox returns a customer's inbox once its phone has shown n messages in total, or an error when ctx ends first.
func (s *Server) WaitInbox(ctx context.Context, contact string, n int) ([]InboxMessage, error) {
	number, err := cleanNumber(contact)
	if err != nil {
		return nil, err
	}
	p := s.phones.get(number)
	for {
		p.mu.Lock()
		total := p.box.total
		if p.box.changed == nil {
			p.box.changed = make(chan struct{})
		}
		changed := p.box.changed
		p.mu.Unlock()
		if total >= n {
			return s.Inbox(number, 0), nil
		}
		select {
		case <-ctx.Done():
			return s.Inbox(number, 0), fmt.Errorf("%s shows %d of %d messages: %w", number, total, n, ctx.Err())
		case <-changed:
		}
	}
}
