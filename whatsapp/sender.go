package whatsapp

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// outgoing is a message that was claimed for sending.
type outgoing struct {
	id, conversation uuid.UUID
	waID, text       string
	phone, lid       string // of the customer; one may be ""
}

// sender hands the tenant's queued messages to WhatsApp, one after the other in the order of decision, as long as one
// connection lasts. The queue is the table: what is not marked as sent is tried again, with the same id, here or on the
// node that runs the tenant next. Answers that were claimed with their decision come to it directly (reserve, hand); everything
// else it claims itself, when it is woken. It has a goroutine only while there is something to send.
type sender struct {
	s      *supervisor
	link   *link
	ctx    context.Context
	cancel context.CancelFunc
	last   atomic.Bool // the message under way is the last one

	mu       sync.Mutex
	idle     chan struct{}           // closed when the goroutine at work ends; nil: none is at work
	woken    bool                    // since the table was last looked at
	behind   bool                    // the table may hold queued messages that are not in ready
	claiming bool                    // the table is being looked at
	ready    []outgoing              // claimed, in order
	reserved map[uuid.UUID]int       // chats with decisions under way whose answers will come to ready
	waiting  map[uuid.UUID]time.Time // chats that have to wait, until when
	again    *time.Timer             // the next try of what could not be sent yet
	turns    int                     // messages sent from ready since the table was last looked at

	retries backoff
	present bool // shown as online
}

// startSender sends what was queued while the tenant was away, and then whatever the sender is woken for. No answer comes to it
// directly before it has looked at the table once: an earlier one, claimed for another connection, may wait there.
func (s *supervisor) startSender() *sender {
	o := &sender{s: s, link: s.online.Load(), behind: true, retries: backoff{base: time.Second, limit: retryLongest}}
	o.ctx, o.cancel = context.WithCancel(s.ctx)
	s.sender.Store(o)
	select {
	case s.pool.arrivals <- s: // which wakes it, where something is queued
	case <-o.ctx.Done():
	}
	return o
}

// wakeSender tells the sender, where there is one, that something is queued. A sender that comes later looks by itself.
func (s *supervisor) wakeSender() {
	if o := s.sender.Load(); o != nil {
		o.wake()
	}
}

// wake has the sender look at the table.
func (o *sender) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.behind, o.woken = true, true
	o.work()
}

// work starts the goroutine unless it is at work; o.mu is held.
func (o *sender) work() {
	if o.again != nil {
		o.again.Stop()
		o.again = nil
	}
	if o.idle == nil && !o.ended() {
		o.idle = make(chan struct{})
		go o.run(o.idle)
	}
}

func (o *sender) ended() bool { return o.last.Load() || o.ctx.Err() != nil }

// end lets no new work begin. The returned channel is closed when what is under way has ended.
func (o *sender) end() <-chan struct{} {
	o.s.sender.CompareAndSwap(o, nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last.Store(true)
	if o.again != nil {
		o.again.Stop()
	}
	if o.idle != nil {
		return o.idle
	}
	idle := make(chan struct{})
	close(idle)
	return idle
}

// wind lets the message under way finish in an orderly stop, which is when ctx has ended; otherwise the connection is broken.
func (o *sender) wind(ctx context.Context) {
	if o == nil {
		return
	}
	idle := o.end()
	if ctx.Err() != nil {
		select {
		case <-idle:
		case <-o.ctx.Done():
		case <-time.After(lastSend):
		}
	}
	o.cancel()
}

// stop ends the sender and waits for it. A message that is with WhatsApp at this moment stays queued: whether it arrived is not known.
func (o *sender) stop() {
	if o != nil {
		o.cancel()
		<-o.end()
	}
}

// run works until nothing is left that may be sent now.
func (o *sender) run(idle chan struct{}) {
	defer close(idle)
	defer func() {
		if r := recover(); r != nil {
			o.s.log.Error("sender panicked", "panic", r, "stack", string(debug.Stack()))
			o.s.reset(fmt.Errorf("fault in the program: %v", r)) // which ends this sender; until then it does nothing
		}
	}()
	for {
		err := o.drain()
		var pause time.Duration
		if err != nil && o.ctx.Err() == nil {
			pause = o.retries.next()
			o.s.log.Warn("sending paused", "for", pause, "error", err)
		}
		if !o.rest(pause) {
			return
		}
	}
}

// rest ends the goroutine at work, or tells it to go on because something came meanwhile. What has to wait is tried again later,
// after a failure of everything no earlier than its pause ends.
func (o *sender) rest(pause time.Duration) (goOn bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended() && pause == 0 && (o.woken || len(o.ready) > 0) {
		return true
	}
	o.idle = nil
	if pause == 0 {
		for _, until := range o.waiting {
			if d := max(time.Until(until), time.Millisecond); pause == 0 || d < pause {
				pause = d
			}
		}
	}
	if pause > 0 && !o.ended() {
		o.again = time.AfterFunc(pause, o.wake)
	}
	return false
}

// drain sends what is queued until nothing is left that may be sent now.
func (o *sender) drain() error {
	o.greet()
	defer o.leave()
	defer forgetSent(o.link.client)
	for !o.ended() {
		m, err := o.next()
		if err != nil {
			return fmt.Errorf("take the next message: %w", err)
		}
		if m == nil {
			return nil
		}
		if err := o.send(*m); err != nil {
			return err
		}
	}
	return nil
}
