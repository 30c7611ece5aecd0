package simulator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// receiptFrom handles a client's receipt: it confirms stanzas, moves ticks, or asks for a message again.
func (s *Server) receiptFrom(c *conn, d *device, n *waBinary.Node) {
	kind, _ := n.Attrs["type"].(string)
	id, _ := n.Attrs["id"].(string)
	to := jidOf(n.Attrs["to"])
	ack := waBinary.Attrs{"class": "receipt", "id": id, "from": to}
	for _, name := range []string{"type", "participant"} {
		if v, ok := n.Attrs[name]; ok {
			ack[name] = v
		}
	}
	c.send(waBinary.Node{Tag: "ack", Attrs: ack})
	if kind == "retry" {
		s.retryFrom(d, n)
		return
	}
	status := ""
	switch kind {
	case "", "inactive", "sender", "peer_msg":
		status = "delivered"
	case "read", "played":
		status = "read"
	default:
		return
	}
	s.stats.receiptsIn.Add(1)
	ids := []string{id}
	list := n.GetChildByTag("list")
	for _, item := range list.GetChildren() {
		if more, ok := item.Attrs["id"].(string); ok {
			ids = append(ids, more)
		}
	}
	if participant := jidOf(n.Attrs["participant"]); !participant.IsEmpty() {
		to = participant
	}
	contact := s.phones.byJID(to)
	if contact != nil && to.Device > 0 {
		s.forwardReceipt(d, contact, n)
	}
	for _, id := range ids {
		d.confirm(queueKey("message", id), false)
		if contact == nil || contact == d.owner {
			continue
		}
		contact.mu.Lock()
		moved := contact.box.mark(id, status)
		contact.mu.Unlock()
		if moved {
			s.events.publish(Event{Type: EventReceipt, Business: d.owner.number, Contact: contact.number, ID: id, State: status})
		}
	}
}

// forwardReceipt passes a receipt on to the linked device that sent the message.
func (s *Server) forwardReceipt(from *device, owner *phone, n *waBinary.Node) {
	to := owner.deviceByID(jidOf(n.Attrs["to"]).Device)
	if to == nil {
		return
	}
	attrs := waBinary.Attrs{"from": from.lid(), "id": n.Attrs["id"], "t": time.Now().Unix()}
	if kind, ok := n.Attrs["type"]; ok {
		attrs["type"] = kind
	}
	to.enqueue(waBinary.Node{Tag: "receipt", Attrs: attrs, Content: n.Content}, false)
}

// retryFrom encrypts a message again, in a new session and with the same id, for a client that could not read it.
func (s *Server) retryFrom(d *device, n *waBinary.Node) {
	s.stats.retriesIn.Add(1)
	request := n.GetChildByTag("retry")
	id := request.AttrGetter().OptionalString("id")
	if to := jidOf(n.Attrs["to"]); to.Device > 0 {
		if owner := s.phones.byJID(to); owner != nil {
			s.forwardReceipt(d, owner, n)
		}
		return
	}
	d.mu.Lock()
	m := d.sent.byID[id]
	d.mu.Unlock()
	if m == nil {
		s.stats.note("retry_unknown", d.owner.number, jidOf(n.Attrs["to"]).User, id, errors.New("message not remembered"))
		return
	}
	retry := &again{count: request.AttrGetter().OptionalInt("count")}
	if keys, ok := n.GetOptionalChildByTag("keys"); ok {
		reg := childBytes(n, "registration")
		identity := childBytes(&keys, "identity")
		signed, okSigned := parseKey(keys.GetChildByTag("skey"))
		one, okOne := parseKey(keys.GetChildByTag("key"))
		if len(reg) == 4 && len(identity) == 32 && okSigned {
			retry.bundle = &bundle{RegID: binary.BigEndian.Uint32(reg), Identity: [32]byte(identity), Signed: signed}
			if okOne {
				retry.bundle.OneTime = &one
			}
		}
	}
	if err := s.deliver(s.ctx, d, m, retry); err != nil {
		s.log.Error("simulator could not encrypt again", "business", d.owner.number, "id", id, "error", err)
	}
}

// ackFrom takes the stanza a client acknowledges off its queue.
func (s *Server) ackFrom(d *device, n *waBinary.Node) {
	class, _ := n.Attrs["class"].(string)
	id, _ := n.Attrs["id"].(string)
	if code, ok := n.Attrs["error"]; ok {
		s.stats.nacks.Add(1)
		s.stats.note("nack", d.owner.number, jidOf(n.Attrs["to"]).User, id, fmt.Errorf("error %v", code))
	}
	key := queueKey(class, id)
	if class == "receipt" {
		kind, _ := n.Attrs["type"].(string)
		key += " " + kind
	}
	d.confirm(key, true)
}
