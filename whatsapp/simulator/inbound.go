package simulator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// maxText bounds a message's text in bytes.
const maxText = 65536

// SendRequest is a message from a customer's phone to a business.
type SendRequest struct {
	From string `json:"from"` // the customer's phone number
	To   string `json:"to"`   // the business's phone number
	Text string `json:"text"`
	// LID delivers from the customer's @lid address instead of the phone number.
	LID bool `json:"lid,omitempty"`
	// Kind is text by default; see Kinds.
	Kind string `json:"kind,omitempty"`
	// Target is the id of the message that a reaction, an edit or a deletion is about.
	Target string `json:"target,omitempty"`
	// Name is the customer's push name; empty keeps the present one.
	Name string `json:"name,omitempty"`
	// ID is the message's id; empty makes one.
	ID string `json:"id,omitempty"`
}

// Errors that Send answers with.
var (
	ErrNoDevice    = errors.New("no device is linked to this number")
	ErrUnknownKind = errors.New("unknown kind of message")
)

// Send delivers a message from a customer to every device linked to a business and returns its id. A device that is
// away gets it when it comes back. Errors: ErrNoDevice, ErrUnknownKind, or what is wrong with the request.
func (s *Server) Send(ctx context.Context, r SendRequest) (string, error) {
	from, err := cleanNumber(r.From)
	if err != nil {
		return "", fmt.Errorf("from: %w", err)
	}
	to, err := cleanNumber(r.To)
	if err != nil {
		return "", fmt.Errorf("to: %w", err)
	}
	if len(r.Text) > maxText {
		return "", fmt.Errorf("text: %d bytes, at most %d are allowed", len(r.Text), maxText)
	}
	if r.Kind == "" {
		r.Kind = "text"
	}
	build, ok := kinds[r.Kind]
	if !ok {
		return "", fmt.Errorf("%w %q; known are %s", ErrUnknownKind, r.Kind, kindNames())
	}
	if r.ID == "" {
		r.ID = newStanzaID()
	}
	business := s.phones.find(to)
	if business == nil {
		return "", fmt.Errorf("%w: %s", ErrNoDevice, to)
	}
	devices := business.linked()
	if len(devices) == 0 {
		return "", fmt.Errorf("%w: %s", ErrNoDevice, to)
	}
	contact := s.phones.get(from)
	if r.Name != "" {
		contact.mu.Lock()
		contact.name = r.Name
		contact.mu.Unlock()
	}
	built := build(r, contact, business)
	plain, err := proto.Marshal(built.message)
	if err != nil {
		return "", err
	}
	sender := contact
	if built.fromPhone {
		sender = business
	}
	now := time.Now()
	attrs := s.inboundAttrs(r, contact, business, built, now)
	if !built.hidden {
		contact.mu.Lock()
		contact.box.sentBy(ChatMessage{ID: r.ID, Business: to, Contact: from, Text: r.Text, Kind: r.Kind, At: now, Status: "sent", FromContact: true})
		contact.mu.Unlock()
		s.events.publish(Event{Type: EventSent, Business: to, Contact: from, ID: r.ID, Text: r.Text, Kind: r.Kind})
	}
	for _, d := range devices {
		s.stats.messagesIn.Add(1)
		if built.plaintext {
			d.enqueue(waBinary.Node{Tag: "message", Attrs: attrs, Content: []waBinary.Node{{Tag: "plaintext", Content: plain}}}, false)
			continue
		}
		if err := s.deliver(ctx, d, &sentMessage{from: sender, plain: plain, attrs: attrs}, nil); err != nil {
			return "", err
		}
	}
	return r.ID, nil
}

// inboundAttrs are the attributes of a message stanza, by where it comes from and how its sender is addressed.
func (s *Server) inboundAttrs(r SendRequest, contact, business *phone, b built, now time.Time) waBinary.Attrs {
	contact.mu.Lock()
	name := contact.name
	contact.mu.Unlock()
	attrs := waBinary.Attrs{"id": r.ID, "t": now.Unix(), "type": b.stanza, "notify": name}
	if b.edit != "" {
		attrs["edit"] = b.edit
	}
	who, alt, altName := contact.pn(), contact.lidJID(), "_lid"
	if r.LID {
		who, alt, altName = contact.lidJID(), contact.pn(), "_pn"
		attrs["addressing_mode"] = "lid"
	}
	switch {
	case b.plaintext:
		attrs["from"], attrs["server_id"] = newsletterJID, strconv.Itoa(int(now.Unix()%1_000_000)+100)
		delete(attrs, "addressing_mode")
	case b.fromPhone:
		attrs["from"], attrs["recipient"] = business.pn(), who
		if r.LID {
			attrs["from"], attrs["peer_recipient_pn"] = business.lidJID(), alt
		}
	case !b.chat.IsEmpty():
		attrs["from"], attrs["participant"], attrs["participant"+altName] = b.chat, who, alt
	default:
		attrs["from"], attrs["sender"+altName] = who, alt
	}
	return attrs
}

var newsletterJID = types.NewJID("120363000000000001", types.NewsletterServer)

// again describes a message that is encrypted once more after a retry receipt.
type again struct {
	count  int
	bundle *bundle
}

// deliver encrypts a message for a device and queues it. The sender stays locked until it is queued: the ratchet's
// order is the order on the wire.
func (s *Server) deliver(ctx context.Context, d *device, m *sentMessage, retry *again) error {
	m.from.mu.Lock()
	defer m.from.mu.Unlock()
	node, err := sealLocked(ctx, d, m, retry)
	if err != nil {
		return err
	}
	var extra []waBinary.Node
	if retry == nil && m.from != d.owner && s.faults.takeDuplicate(d.owner.number) {
		second, err := sealLocked(ctx, d, m, nil)
		if err != nil {
			return err
		}
		extra = []waBinary.Node{node, second}
	}
	id, _ := m.attrs["id"].(string)
	d.mu.Lock()
	d.sent.put(id, m)
	d.mu.Unlock()
	d.enqueue(node, retry != nil, extra...)
	return nil
}

func sealLocked(ctx context.Context, d *device, m *sentMessage, retry *again) (waBinary.Node, error) {
	var fresh *bundle
	if retry != nil {
		if fresh = retry.bundle; fresh == nil {
			fresh = d.takeBundle()
		}
	}
	kind, sealed, err := m.from.encrypt(ctx, d, m.plain, fresh)
	if err != nil {
		return waBinary.Node{}, fmt.Errorf("encrypt for %s: %w", d.pn(), err)
	}
	enc := waBinary.Attrs{"v": "2", "type": kind}
	if retry != nil {
		enc["count"] = retry.count
	}
	return waBinary.Node{Tag: "message", Attrs: m.attrs, Content: []waBinary.Node{{Tag: "enc", Attrs: enc, Content: sealed}}}, nil
}
