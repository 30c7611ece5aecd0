package simulator

import (
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// handle works on one node from a client, on the connection's own goroutine: a client's nodes are handled in order.
func (s *Server) handle(c *conn, n *waBinary.Node) {
	d := c.device.Load()
	if d == nil {
		if n.Tag == "iq" {
			s.unpairedQuery(c, n)
		}
		return
	}
	switch n.Tag {
	case "iq":
		s.query(c, d, n)
	case "message":
		s.outbound(c, d, n)
	case "receipt":
		s.receiptFrom(c, d, n)
	case "ack":
		s.ackFrom(d, n)
	case "presence":
		s.presenceFrom(c, d, n)
	case "chatstate":
		s.typingFrom(d, n)
	case "ib", "call", "notification":
		// Nothing waits for an answer to these.
	default:
		s.log.Debug("simulator node not handled", "tag", n.Tag)
	}
}

// reply answers an iq with a result.
func (c *conn) reply(n *waBinary.Node, content ...waBinary.Node) {
	out := waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": replyFrom(n), "type": "result", "id": n.Attrs["id"]}}
	if len(content) > 0 {
		out.Content = content
	}
	c.send(out)
}

// replyError answers an iq with an error.
func (c *conn) replyError(n *waBinary.Node, code int, text string) {
	c.send(waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": replyFrom(n), "type": "error", "id": n.Attrs["id"]},
		Content: []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": code, "text": text}}}})
}

func replyFrom(n *waBinary.Node) any {
	if to := jidOf(n.Attrs["to"]); !to.IsEmpty() {
		return to
	}
	return types.ServerJID
}

// unpairedQuery handles what a client may ask before it is linked.
func (s *Server) unpairedQuery(c *conn, n *waBinary.Node) {
	if c.pairAnswer(n) {
		return
	}
	kind, _ := n.Attrs["type"].(string)
	switch {
	case kind == "result" || kind == "error":
	case n.Attrs["xmlns"] == "md" && n.GetChildByTag("link_code_companion_reg").Tag == "link_code_companion_reg":
		c.linkCodeQuery(n)
	case kind == "set" || n.Attrs["xmlns"] == "w:p":
		c.reply(n)
	default:
		c.replyError(n, 501, "feature-not-implemented")
	}
}

// query answers every iq of a linked device: clients wait up to 75 s for some of them.
func (s *Server) query(c *conn, d *device, n *waBinary.Node) {
	kind, _ := n.Attrs["type"].(string)
	if kind == "result" || kind == "error" {
		return
	}
	space, _ := n.Attrs["xmlns"].(string)
	switch space {
	case "w:p":
		c.reply(n)
	case "passive":
		c.reply(n)
		if _, ok := n.GetOptionalChildByTag("active"); ok {
			c.activated()
		}
	case "encrypt":
		s.encryptQuery(c, d, n, kind)
	case "usync":
		s.usyncQuery(c, d, n)
	case "w:sync:app:state":
		s.appStateQuery(c, d, n)
	case "md":
		if _, ok := n.GetOptionalChildByTag("remove-companion-device"); ok {
			c.reply(n)
			s.removeDevice(d, false)
			return
		}
		c.answerPlain(n, kind)
	case "privacy":
		if kind == "get" {
			c.reply(n, privacySettings())
		} else {
			c.reply(n)
		}
	case "blocklist":
		c.reply(n, waBinary.Node{Tag: "list", Attrs: waBinary.Attrs{"dhash": "0"}})
	case "abt":
		c.reply(n, waBinary.Node{Tag: "props", Attrs: waBinary.Attrs{"protocol": "1", "hash": "0", "refresh": "86400"}})
	case "w:profile:picture", "w:g2", "w:biz", "newsletter":
		c.replyError(n, 404, "item-not-found")
	case "w:m":
		// Media hosts would be outside: there are none here.
		c.replyError(n, 503, "service-unavailable")
	default:
		c.answerPlain(n, kind)
	}
}

func (c *conn) answerPlain(n *waBinary.Node, kind string) {
	if kind == "set" {
		c.reply(n)
		return
	}
	c.replyError(n, 501, "feature-not-implemented")
}

func privacySettings() waBinary.Node {
	var content []waBinary.Node
	for _, name := range []string{"readreceipts", "last", "online", "profile", "status", "groupadd", "calladd"} {
		content = append(content, waBinary.Node{Tag: "category", Attrs: waBinary.Attrs{"name": name, "value": "all"}})
	}
	return waBinary.Node{Tag: "privacy", Content: content}
}

// presenceFrom learns a device's push name and shows whether the business is online.
func (s *Server) presenceFrom(c *conn, d *device, n *waBinary.Node) {
	kind, _ := n.Attrs["type"].(string)
	switch kind {
	case "available", "unavailable", "":
		s.events.publish(Event{Type: EventPresence, Business: d.owner.number, Device: int(d.id), State: kind})
	case "subscribe":
		to := jidOf(n.Attrs["to"])
		c.send(waBinary.Node{Tag: "presence", Attrs: waBinary.Attrs{"from": to, "type": "unavailable", "last": time.Now().Add(-time.Minute).Unix()}})
	}
}

// typingFrom shows that the business is typing to a customer.
func (s *Server) typingFrom(d *device, n *waBinary.Node) {
	contact := s.phones.byJID(jidOf(n.Attrs["to"]))
	if contact == nil || len(n.GetChildren()) == 0 {
		return
	}
	s.stats.typing.Add(1)
	s.events.publish(Event{Type: EventTyping, Business: d.owner.number, Contact: contact.number, State: n.GetChildren()[0].Tag})
}
