package simulator

import (
	"errors"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/libsignal/signalerror"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// outbound takes a message from a client: it is acknowledged at once, whatever becomes of it, and each copy then goes
// to its phone or device.
func (s *Server) outbound(c *conn, d *device, n *waBinary.Node) {
	to := jidOf(n.Attrs["to"])
	id, _ := n.Attrs["id"].(string)
	if id == "" || to.IsEmpty() {
		return
	}
	s.stats.messagesOut.Add(1)
	contact := s.phones.byJID(to)
	number := ""
	if contact != nil {
		number = contact.number
	}
	retry := n.Attrs["device_fanout"] == "false"
	peer := n.Attrs["category"] == "peer"
	if !retry && !peer {
		if code := s.faults.takeSendError(d.owner.number, number); code != 0 {
			s.stats.sendErrors.Add(1)
			c.send(ackNode(to, id, code))
			return
		}
		if s.timelocked(d.owner, contact) {
			s.stats.timelocked.Add(1)
			c.send(ackNode(to, id, timelockCode))
			return
		}
	}
	if !retry { // the client does not wait for the ack of a retry, but the server gives one all the same
		s.acknowledge(c, d, to, id, !peer)
	} else {
		c.send(ackNode(to, id, 0))
	}
	reached := false
	if list, ok := n.GetOptionalChildByTag("participants"); ok {
		for _, copied := range list.GetChildren() {
			if enc, ok := copied.GetOptionalChildByTag("enc"); ok {
				target := jidOf(copied.Attrs["jid"])
				reached = s.route(d, target, n, enc) == contact || reached
			}
		}
	}
	if enc, ok := n.GetOptionalChildByTag("enc"); ok && to.Server != types.GroupServer {
		reached = s.route(d, to, n, enc) == contact || reached
	}
	if contact != nil && !reached {
		s.stats.missingCopies.Add(1)
		s.log.Warn("simulator message without a copy for its recipient", "business", d.owner.number, "contact", number, "id", id)
	}
}

func ackNode(from types.JID, id string, code int) waBinary.Node {
	n := waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{"class": "message", "id": id, "from": from, "t": time.Now().Unix()}}
	if code != 0 {
		n.Attrs["error"] = strconv.Itoa(code)
	}
	return n
}

// acknowledge confirms a message to its sender, unless a fault withholds or delays that.
func (s *Server) acknowledge(c *conn, d *device, to types.JID, id string, faulty bool) {
	if faulty {
		if s.faults.takeWithhold(d.owner.number) {
			s.stats.acksWithheld.Add(1)
			return
		}
		if delay := s.faults.ackDelay(d.owner.number); delay > 0 {
			time.AfterFunc(delay, func() {
				s.stats.acks.Add(1)
				c.send(ackNode(to, id, 0))
			})
			return
		}
	}
	s.stats.acks.Add(1)
	c.send(ackNode(to, id, 0))
}

// route brings one encrypted copy to the phone or linked device it is meant for and returns that account.
func (s *Server) route(from *device, target types.JID, n *waBinary.Node, enc waBinary.Node) *phone {
	p := s.phones.byJID(target)
	if p == nil {
		return nil
	}
	if target.Device == 0 {
		s.receive(from, p, n, enc)
		return p
	}
	if other := p.deviceByID(target.Device); other != nil && other != from {
		s.forward(from, other, n, enc)
	}
	return p
}

// forward passes a copy on to another linked device, of the same account or of another.
func (s *Server) forward(from, to *device, n *waBinary.Node, enc waBinary.Node) {
	from.owner.mu.Lock()
	name := from.owner.name
	from.owner.mu.Unlock()
	attrs := waBinary.Attrs{"from": from.lid(), "sender_pn": from.owner.pn(), "addressing_mode": "lid", "id": n.Attrs["id"], "t": time.Now().Unix(),
		"type": n.Attrs["type"], "notify": name}
	if from.owner == to.owner {
		attrs["recipient"] = n.Attrs["to"]
		delete(attrs, "sender_pn")
		if pn := n.Attrs["peer_recipient_pn"]; pn != nil {
			attrs["peer_recipient_pn"] = pn
		}
	}
	if edit := n.Attrs["edit"]; edit != nil {
		attrs["edit"] = edit
	}
	content := []waBinary.Node{enc}
	if identity, ok := n.GetOptionalChildByTag("device-identity"); ok {
		content = append(content, identity)
	}
	to.enqueue(waBinary.Node{Tag: "message", Attrs: attrs, Content: content}, false)
}

// receive is a phone getting one encrypted copy.
func (s *Server) receive(from *device, p *phone, n *waBinary.Node, enc waBinary.Node) {
	id, _ := n.Attrs["id"].(string)
	kind, _ := enc.Attrs["type"].(string)
	sealed, _ := enc.Content.([]byte)
	own := p == from.owner
	p.mu.Lock()
	plain, err := p.decrypt(s.ctx, from, kind, sealed)
	var m waE2E.Message
	if err == nil {
		err = proto.Unmarshal(plain, &m)
	}
	switch {
	case err == nil && own:
		p.box.own.add(id)
		p.mu.Unlock()
		s.ownCopy(from, &m)
	case err == nil:
		shown, fresh := p.box.show(&s.shownSeq, from.owner.number, p.number, id, &m)
		p.mu.Unlock()
		s.touch()
		if fresh {
			s.stats.shown.Add(1)
			s.loads.observe(shown)
			s.events.publish(Event{Type: EventMessage, Business: shown.From, Contact: p.number, ID: id, Text: shown.Text, Kind: shown.Kind, MessageSeq: shown.Seq})
		} else {
			s.stats.resends.Add(1)
		}
		s.receipts(from, p, n, id)
	case errors.Is(err, signalerror.ErrOldCounter):
		seen := p.box.again(from.owner.number, id)
		repeated := own && p.box.own.add(id)
		p.mu.Unlock()
		if repeated {
			return
		}
		if seen {
			s.stats.resends.Add(1)
			s.receipts(from, p, n, id)
			return
		}
		s.stats.droppedDuplicateKeys.Add(1)
		s.stats.note("dropped_duplicate_key", from.owner.number, p.number, id, err)
	default:
		count := enc.AttrGetter().OptionalInt("count")
		node := p.retryLocked(from, n, id, count+1)
		p.mu.Unlock()
		s.stats.undecryptable.Add(1)
		s.stats.note("undecryptable", from.owner.number, p.number, id, err)
		if count < 5 {
			from.enqueue(node, false)
		}
	}
}

// ownCopy is the business's own phone learning what its linked device sent, or what it asks of the phone.
func (s *Server) ownCopy(from *device, m *waE2E.Message) {
	s.stats.ownCopies.Add(1)
	if m.GetProtocolMessage().GetType() == waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_REQUEST && m.GetProtocolMessage() != nil {
		if err := s.sendKeyShare(s.ctx, from); err != nil {
			s.log.Error("simulator could not share app state keys", "phone", from.owner.number, "error", err)
		}
	}
}

// address is how a phone names itself to a client: the way it was addressed.
func (p *phone) address(asked types.JID) types.JID {
	if asked.Server == types.DefaultUserServer {
		return p.pn()
	}
	return p.lidJID()
}

// receipts tells the sender that a message arrived and, after a while, that it was read.
func (s *Server) receipts(from *device, p *phone, n *waBinary.Node, id string) {
	address := p.address(jidOf(n.Attrs["to"]))
	send := func(kind string) {
		attrs := waBinary.Attrs{"from": address, "id": id, "t": time.Now().Unix()}
		if kind != "" {
			attrs["type"] = kind
		}
		s.stats.receiptsOut.Add(1)
		from.enqueue(waBinary.Node{Tag: "receipt", Attrs: attrs}, false)
	}
	send("")
	switch delay := s.opts.ReadDelay; {
	case delay == 0:
		send("read")
	case delay > 0:
		time.AfterFunc(delay, func() {
			if s.ctx.Err() == nil {
				send("read")
			}
		})
	}
}

// retryLocked asks for a message again, with keys for a new session. The phone is locked.
func (p *phone) retryLocked(from *device, n *waBinary.Node, id string, count int) waBinary.Node {
	attrs := waBinary.Attrs{"from": p.address(jidOf(n.Attrs["to"])), "id": id, "type": "retry", "t": time.Now().Unix()}
	if p == from.owner {
		attrs["from"], attrs["recipient"] = p.lidJID(), n.Attrs["to"]
	}
	return waBinary.Node{Tag: "receipt", Attrs: attrs, Content: []waBinary.Node{
		{Tag: "retry", Attrs: waBinary.Attrs{"count": count, "id": id, "t": time.Now().Unix(), "v": "1"}},
		registrationNode(p.regID),
		{Tag: "keys", Content: p.bundleNodes(p.signedPreKey(), p.newOneTime(), false)},
	}}
}
