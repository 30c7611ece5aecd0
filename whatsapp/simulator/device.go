package simulator

import (
	"container/list"
	"strconv"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

const (
	// maxInFlight bounds what a client has not confirmed: whatsmeow's own queue holds 2,048 nodes and loses the order beyond.
	maxInFlight = 1000
	// maxQueue bounds what is kept for a device that is away; the oldest goes first and is counted.
	maxQueue = 50_000
	// lowPreKeys is the count below which whatsmeow uploads new prekeys.
	lowPreKeys = 5
)

// device is a linked (companion) device of a phone.
type device struct {
	s        *Server
	owner    *phone
	id       uint16
	noise    [32]byte
	identity [32]byte
	platform string
	linkedAt time.Time

	mu           sync.Mutex
	regID        uint32
	signed       publicKey
	preKeys      []publicKey
	warnedLow    bool
	removed      bool
	bootstrapped bool // got the app state keys and the history notice from its phone

	conn        *conn
	active      bool // asked for its queue
	ready       bool // and was introduced to its phone
	queue       *list.List
	byID        map[string]*list.Element
	unsent      *list.Element
	inFlight    int
	offlineLeft int // stanzas of the offline queue not sent yet
	offlineAll  int
	sent        sentRing
}

// entry is a stanza kept until the client confirms it.
type entry struct {
	key       string // class and id
	node      waBinary.Node
	extra     []waBinary.Node // deliveries doubled by a fault
	sent      bool            // on the present connection
	tried     bool            // on any connection
	staleAcks int             // acks to come that belong to an older version
}

func newDevice(s *Server, owner *phone, id uint16) *device {
	return &device{s: s, owner: owner, id: id, queue: list.New(), byID: map[string]*list.Element{}, linkedAt: time.Now()}
}

func (d *device) pn() types.JID {
	return types.JID{User: d.owner.number, Server: types.DefaultUserServer, Device: d.id}
}

func (d *device) lid() types.JID {
	return types.JID{User: d.owner.lid, Server: types.HiddenUserServer, Device: d.id}
}

func queueKey(class, id string) string { return class + " " + id }

// attach makes c the device's connection and returns the one it replaces.
func (d *device) attach(c *conn) (previous *conn, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.removed {
		return nil, false
	}
	previous = d.conn
	d.conn, d.active, d.ready = c, false, false
	return previous, true
}

func (d *device) detach(c *conn) {
	d.mu.Lock()
	gone := d.conn == c
	if gone {
		d.conn, d.active, d.ready = nil, false, false
	}
	d.mu.Unlock()
	if gone {
		d.s.events.publish(Event{Type: EventDisconnected, Business: d.owner.number, Device: int(d.id)})
	}
}

// activate sends the offline queue: a preview, the stanzas in order, and how many there were.
func (d *device) activate(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != c || d.active {
		return
	}
	d.active, d.inFlight, d.unsent = true, 0, d.queue.Front()
	messages, receipts, notes := 0, 0, 0
	for e := d.queue.Front(); e != nil; e = e.Next() {
		en := e.Value.(*entry)
		en.sent, en.staleAcks = false, 0
		switch en.node.Tag {
		case "message":
			messages++
		case "receipt":
			receipts++
		default:
			notes++
		}
	}
	d.offlineAll, d.offlineLeft = d.queue.Len(), d.queue.Len()
	if d.offlineAll > 0 {
		c.send(waBinary.Node{Tag: "ib", Content: []waBinary.Node{{Tag: "offline_preview", Attrs: waBinary.Attrs{
			"count": d.offlineAll, "message": messages, "receipt": receipts, "notification": notes, "appdata": 0,
		}}}})
		d.pumpLocked()
		return
	}
	d.offlineDoneLocked()
}

// offlineDoneLocked tells the client that its queue is empty; that is needed even when it held nothing.
func (d *device) offlineDoneLocked() {
	d.conn.send(waBinary.Node{Tag: "ib", Content: []waBinary.Node{{Tag: "offline", Attrs: waBinary.Attrs{"count": d.offlineAll}}}})
}

// pumpLocked sends what may be sent, in order.
func (d *device) pumpLocked() {
	if d.conn == nil || !d.active {
		return
	}
	for d.unsent != nil && d.inFlight < maxInFlight {
		en := d.unsent.Value.(*entry)
		d.unsent = d.unsent.Next()
		node := en.node
		if d.offlineLeft > 0 {
			attrs := make(waBinary.Attrs, len(node.Attrs)+1)
			for k, v := range node.Attrs {
				attrs[k] = v
			}
			attrs["offline"] = "0"
			node.Attrs = attrs
		}
		if en.tried {
			d.s.stats.redeliveries.Add(1)
		}
		en.sent, en.tried = true, true
		d.inFlight++
		d.conn.send(node)
		for _, double := range en.extra {
			d.s.stats.duplicates.Add(1)
			d.conn.send(double)
		}
		en.extra = nil
		if d.offlineLeft > 0 {
			if d.offlineLeft--; d.offlineLeft == 0 {
				d.offlineDoneLocked()
			}
		}
	}
}

// enqueue keeps a stanza until it is confirmed and sends it when the client is there. A stanza of the same id
// replaces the older version; stale says that an ack for that version is still to come.
func (d *device) enqueue(node waBinary.Node, stale bool, extra ...waBinary.Node) {
	id, _ := node.Attrs["id"].(string)
	key := queueKey(node.Tag, id)
	if node.Tag == "receipt" { // a delivery and a read receipt share an id
		kind, _ := node.Attrs["type"].(string)
		key += " " + kind
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.removed {
		return
	}
	en := &entry{key: key, node: node, extra: extra}
	if old := d.byID[key]; old != nil {
		if stale {
			en.staleAcks = old.Value.(*entry).staleAcks + 1
		}
		d.removeLocked(old)
	}
	el := d.queue.PushBack(en)
	d.byID[key] = el
	if d.unsent == nil {
		d.unsent = el
	}
	if d.queue.Len() > maxQueue {
		d.s.stats.overflow.Add(1)
		d.removeLocked(d.queue.Front())
	}
	d.pumpLocked()
	d.s.touch()
}

func (d *device) removeLocked(el *list.Element) {
	en := el.Value.(*entry)
	if d.unsent == el {
		d.unsent = el.Next()
	}
	if en.sent {
		d.inFlight--
	} else if d.offlineLeft > 0 && d.active {
		if d.offlineLeft--; d.offlineLeft == 0 && d.conn != nil {
			d.offlineDoneLocked()
		}
	}
	d.queue.Remove(el)
	delete(d.byID, en.key)
}

// confirm takes a stanza off the queue. An ack may belong to a version that was replaced; a receipt never does.
func (d *device) confirm(key string, ack bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	el := d.byID[key]
	if el == nil {
		return false
	}
	en := el.Value.(*entry)
	if !en.sent {
		return false
	}
	if ack && en.staleAcks > 0 {
		en.staleAcks--
		return false
	}
	d.removeLocked(el)
	d.pumpLocked()
	d.s.touch()
	return true
}

// takeBundle hands out what a session with this device starts from and uses up a one-time prekey if there is one.
func (d *device) takeBundle() *bundle {
	d.mu.Lock()
	b := &bundle{RegID: d.regID, Identity: d.identity, Signed: d.signed}
	if len(d.preKeys) > 0 {
		one := d.preKeys[0]
		d.preKeys = d.preKeys[1:]
		b.OneTime = &one
	} else {
		d.s.stats.preKeysExhausted.Add(1)
	}
	left := len(d.preKeys)
	warn := left < lowPreKeys && !d.warnedLow && d.bootstrapped
	d.warnedLow = d.warnedLow || warn
	d.mu.Unlock()
	if warn {
		d.enqueue(waBinary.Node{Tag: "notification", Attrs: waBinary.Attrs{
			"from": types.ServerJID, "type": "encrypt", "id": newStanzaID(), "t": time.Now().Unix(),
		}, Content: []waBinary.Node{{Tag: "count", Attrs: waBinary.Attrs{"value": strconv.Itoa(left)}}}}, false)
	}
	return b
}

// sentRing remembers the latest messages to a device, for retry receipts that come after the acknowledgement.
type sentRing struct {
	ids  [256]string
	next int
	byID map[string]*sentMessage
}

// sentMessage is what a phone needs to encrypt a message again.
type sentMessage struct {
	from  *phone
	plain []byte
	attrs waBinary.Attrs
}

func (r *sentRing) put(id string, m *sentMessage) {
	if r.byID == nil {
		r.byID = map[string]*sentMessage{}
	}
	if r.byID[id] == nil {
		if old := r.ids[r.next]; old != "" {
			delete(r.byID, old)
		}
		r.ids[r.next] = id
		r.next = (r.next + 1) % len(r.ids)
	}
	r.byID[id] = m
}
