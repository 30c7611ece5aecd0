package simulator

import (
	"context"
	"fmt"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
)

// login authenticates a linked device by its Noise key and makes this its connection.
func (c *conn) login(payload *waWa6.ClientPayload) error {
	number := strconv.FormatUint(payload.GetUsername(), 10)
	if failure := c.s.faults.loginFailure(number, time.Now()); failure != nil {
		c.s.stats.loginsRefused.Add(1)
		c.end(*failure)
		return nil
	}
	p := c.s.phones.find(number)
	var d *device
	if p != nil {
		d = p.deviceByID(uint16(payload.GetDevice()))
	}
	if d == nil || d.noise != c.static {
		c.s.stats.loginsRefused.Add(1)
		c.end(failureNode(401, nil))
		return nil
	}
	previous, ok := d.attach(c)
	if !ok {
		c.end(failureNode(401, nil))
		return nil
	}
	c.device.Store(d)
	if previous != nil {
		if previous.open() {
			c.s.stats.loginsTwice.Add(1)
		}
		previous.end(conflictNode("replaced", ""))
	}
	now := time.Now()
	c.s.stats.logins.Add(1)
	c.s.stats.histogram.login(now)
	c.send(waBinary.Node{Tag: "success", Attrs: waBinary.Attrs{
		"t": now.Unix(), "lid": d.lid(), "location": "sim", "creation": d.linkedAt.Unix(),
	}})
	c.s.events.publish(Event{Type: EventConnected, Business: number, Device: int(d.id)})
	return nil
}

func failureNode(reason int, attrs waBinary.Attrs) waBinary.Node {
	all := waBinary.Attrs{"reason": strconv.Itoa(reason), "location": "sim"}
	for k, v := range attrs {
		all[k] = v
	}
	return waBinary.Node{Tag: "failure", Attrs: all}
}

func conflictNode(kind, code string) waBinary.Node {
	n := waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{}, Content: []waBinary.Node{{Tag: "conflict", Attrs: waBinary.Attrs{"type": kind}}}}
	if code != "" {
		n.Attrs["code"] = code
	}
	return n
}

// activated runs when a client asks for its queue: a new device first hears from its phone.
func (c *conn) activated() {
	d := c.device.Load()
	if d == nil {
		return
	}
	d.mu.Lock()
	first := !d.bootstrapped
	d.bootstrapped = true
	d.mu.Unlock()
	d.activate(c)
	if first {
		if err := c.s.bootstrap(c.s.ctx, d); err != nil {
			c.s.log.Error("simulator could not introduce a device to its phone", "phone", d.owner.number, "error", err)
		}
	}
	d.mu.Lock()
	d.ready = d.conn == c
	d.mu.Unlock()
	c.s.connected.announce()
}

// removeDevice unlinks a device: a live connection hears device_removed, later logins fail with 401.
func (s *Server) removeDevice(d *device, tell bool) {
	d.owner.mu.Lock()
	delete(d.owner.devices, d.id)
	d.owner.mu.Unlock()
	d.mu.Lock()
	d.removed = true
	c := d.conn
	d.queue.Init()
	clear(d.byID)
	d.unsent = nil
	d.mu.Unlock()
	if c != nil && tell {
		c.end(conflictNode("device_removed", "401"))
	}
	for _, p := range s.phones.all() { // nobody can use a session with it again
		p.mu.Lock()
		delete(p.sessions, d.address().String())
		p.mu.Unlock()
	}
	s.touch()
	s.events.publish(Event{Type: EventUnlinked, Business: d.owner.number, Device: int(d.id)})
}

// DeviceInfo describes a linked device.
type DeviceInfo struct {
	Phone     string    `json:"phone"`
	LID       string    `json:"lid"`
	Device    int       `json:"device"`
	JID       string    `json:"jid"`
	Platform  string    `json:"platform"`
	LinkedAt  time.Time `json:"linked_at"`
	Connected bool      `json:"connected"`
	Active    bool      `json:"active"`
	PreKeys   int       `json:"prekeys"`
	Queued    int       `json:"queued"`
}

// Devices lists the linked devices in order of their phone numbers.
func (s *Server) Devices() []DeviceInfo {
	out := []DeviceInfo{}
	for _, p := range s.phones.all() {
		for _, d := range p.linked() {
			d.mu.Lock()
			out = append(out, DeviceInfo{
				Phone: p.number, LID: p.lid, Device: int(d.id), JID: d.pn().String(), Platform: d.platform, LinkedAt: d.linkedAt,
				Connected: d.conn != nil, Active: d.active, PreKeys: len(d.preKeys), Queued: d.queue.Len(),
			})
			d.mu.Unlock()
		}
	}
	return out
}

// WaitConnected returns when a device of this phone is logged in, has asked for its messages and was introduced to its
// phone.
func (s *Server) WaitConnected(ctx context.Context, number string) error {
	number, err := cleanNumber(number)
	if err != nil {
		return err
	}
	for {
		more := s.connected.next()
		if p := s.phones.find(number); p != nil {
			for _, d := range p.linked() {
				d.mu.Lock()
				ready := d.active && d.ready
				d.mu.Unlock()
				if ready {
					return nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no device of %s connected: %w", number, ctx.Err())
		case <-more:
		}
	}
}
