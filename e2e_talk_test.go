package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// business is a linked tenant.
type business struct{ id, number string }

// talk is customers who write to businesses: numbered messages in each chat, each of which wants one answer. One goroutine uses it.
type talk struct {
	*witness
	api        program
	businesses []business
	chats      []chaosChat // each customer writes to one business; every second pair of them from @lid
	wrote      []int       // by customer
	expected   []int       // messages on each customer's phone
	sent       int
}

func (p *product) talk(web string) *talk {
	return &talk{witness: &witness{t: p.t, db: p.db, sim: p.sim}, api: p.program(&serving{url: web})}
}

// link makes tenants and links them; the first number is given, the others follow it.
func (k *talk) link(first int, n int) {
	k.t.Helper()
	for i := range n {
		b := business{number: fmt.Sprintf("+255712%06d", first+i)}
		b.id = k.api.tenant("Business "+b.number, b.number, []string{"BOOKING", "SUPPORT", "ECOMMERCE"}[i%3], []string{"EN", "SW"}[i%2])
		k.api.link(b.id, b.number, func(code, phone string) error {
			_, err := k.sim.Scan(within(k.t), code, phone)
			return err
		})
		k.businesses = append(k.businesses, b)
	}
}

// customers come n more.
func (k *talk) customers(n int) {
	for range n {
		i := len(k.chats)
		k.chats = append(k.chats, chaosChat{k.businesses[i%len(k.businesses)].number[1:], fmt.Sprintf("25575400%04d", 600+i)})
		k.wrote, k.expected = append(k.wrote, 0), append(k.expected, 0)
	}
}

// write has a customer write the next message.
func (k *talk) write(customer int) {
	k.t.Helper()
	chat := k.chats[customer]
	k.wrote[customer]++
	k.expected[customer]++
	k.sent++
	if _, err := k.sim.Send(within(k.t), simulator.SendRequest{From: chat.contact, To: chat.business, LID: customer%4 >= 2,
		Text: fmt.Sprintf("menu %06d", k.wrote[customer])}); err != nil {
		k.t.Error(err)
	}
}

// writeAll has every customer write once.
func (k *talk) writeAll() {
	k.t.Helper()
	for customer := range k.chats {
		k.write(customer)
	}
}

// tell queues a message of the business's own.
func (k *talk) tell(customer int, text string) {
	k.t.Helper()
	k.expected[customer]++
	k.api.call("POST", "/tenants/"+k.businesses[customer%len(k.businesses)].id+"/messages",
		map[string]string{"to": "+" + k.chats[customer].contact, "text": text}, nil)
}

// meanwhile lets the customers write, one after the other, until the returned function is called.
func (k *talk) meanwhile(pace time.Duration) (stop func()) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			case <-tick.C:
				k.write(i % len(k.chats))
			}
		}
	}()
	return sync.OnceFunc(func() { close(end); <-done })
}

// answered waits until every customer's phone shows what it should.
func (k *talk) answered(what string) {
	k.t.Helper()
	for customer, chat := range k.chats {
		if _, err := k.sim.WaitInbox(within(k.t), chat.contact, k.expected[customer]); err != nil {
			k.t.Fatalf("%s: %v", what, err)
		}
	}
	k.note("%s: all is answered", what)
}

// verdict is the end of the talk: every message answered once and in order, and no device linked twice.
func (k *talk) verdict() {
	k.t.Helper()
	k.answered("at the end")
	k.settled(patience)
	k.judge(k.chats, k.sent)
	if n := len(k.sim.Devices()); n != len(k.businesses) {
		k.t.Errorf("%d devices are linked, want %d", n, len(k.businesses))
	}
	if k.t.Failed() {
		for _, n := range k.notes() {
			k.t.Logf("%s %s", n.at.Format(clockFormat), n.text)
		}
	}
}

// presence is when the devices of businesses were connected, as WhatsApp sees it.
type presence struct {
	mu     sync.Mutex
	events map[string][]simulator.Event // by number in digits
}

// watchConnections notes every connection from now until the test ends.
func (k *talk) watchConnections(t *testing.T) *presence {
	p := &presence{events: map[string][]simulator.Event{}}
	live, stop := k.sim.Subscribe()
	done := make(chan struct{})
	t.Cleanup(func() { stop(); close(done) })
	go func() {
		for {
			select {
			case <-done:
				return
			case e := <-live:
				if e.Type == simulator.EventConnected || e.Type == simulator.EventDisconnected {
					p.mu.Lock()
					p.events[e.Business] = append(p.events[e.Business], e)
					p.mu.Unlock()
				}
			}
		}
	}()
	return p
}

// connects counts the connections that a business has made since a time.
func (p *presence) connects(b business, since time.Time) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events[b.number[1:]] {
		if e.Type == simulator.EventConnected && e.At.After(since) {
			n++
		}
	}
	return n
}

// longest is the longest time that a business, connected at first, was away since then; until now where it still is.
func (p *presence) longest(b business, since time.Time) (longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	open, left := 1, time.Time{}
	for _, e := range p.events[b.number[1:]] {
		if e.At.Before(since) {
			continue
		}
		if e.Type == simulator.EventDisconnected {
			if open--; open == 0 {
				left = e.At
			}
			continue
		}
		if open++; open == 1 {
			longest = max(longest, e.At.Sub(left))
		}
	}
	if open == 0 {
		longest = max(longest, time.Since(left))
	}
	return longest
}
