package whatsapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"flowhq/queries"
)

const (
	ackTimeout   = 10 * time.Second // WhatsApp's answer to a message
	sendTimeout  = 45 * time.Second // of everything that belongs to sending one
	maxTries     = 8                // of a message whose failure is neither a time-out nor a broken connection
	retryLongest = 30 * time.Second
	lastSend     = 2 * time.Second // for a message that is under way when the tenant is stopped
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

const (
	readyLimit = 64 // answers that come to the sender directly; beyond that they wait in the table
	claimMost  = 16 // messages claimed at once
	readyTurns = 32 // after which the table has its turn
)

// startSender sends what was queued while the tenant was away, and then whatever the sender is woken for.
func (s *supervisor) startSender() *sender {
	o := &sender{s: s, link: s.online.Load(), retries: backoff{base: time.Second, limit: retryLongest}}
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

// reserve keeps a place for the answer of a chat whose message is being decided, so that it need not be found in the table. It
// refuses where the answer might overtake an earlier message of the chat, or be claimed twice. A nil sender refuses.
func (o *sender) reserve(conversation uuid.UUID) bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, waits := o.waiting[conversation]; waits || o.ended() || o.behind || o.claiming || len(o.ready)+len(o.reserved) >= readyLimit {
		return false
	}
	if o.reserved == nil {
		o.reserved = make(map[uuid.UUID]int)
	}
	o.reserved[conversation]++
	return true
}

// hand gives the answers for which a place was reserved, in the order of decision. None: they have to be found in the table.
func (o *sender) hand(conversation uuid.UUID, out []outgoing) {
	defer func() {
		if o.ended() { // its connection broke meanwhile, and the next one's sender may have looked at the table already
			o.s.wakeSender()
		}
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reserved[conversation]--; o.reserved[conversation] <= 0 {
		delete(o.reserved, conversation)
	}
	if o.behind || len(out) == 0 { // an earlier message of the chat may be in the table only
		o.behind, o.woken = true, true
	} else {
		o.ready = append(o.ready, out...)
	}
	o.work()
}

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

// wait keeps a chat's messages back until a time; not earlier than it has to wait anyway. Those that were claimed are found in
// the table again.
func (o *sender) wait(conversation uuid.UUID, until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = make(map[uuid.UUID]time.Time)
	}
	if until.After(o.waiting[conversation]) {
		o.waiting[conversation] = until
	}
	o.behind = true
	o.ready = slices.DeleteFunc(o.ready, func(m outgoing) bool { return m.conversation == conversation })
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

// next is the message to send now; nil: there is none.
func (o *sender) next() (*outgoing, error) {
	if !o.s.pool.leases.holds(o.s.shard, o.s.epoch) {
		return nil, ErrNotOwner
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.behind && (len(o.ready) == 0 || o.turns >= readyTurns) {
		if err := o.claim(); err != nil {
			return nil, err
		}
	}
	if len(o.ready) == 0 {
		return nil, nil
	}
	m := o.ready[0]
	if o.ready = o.ready[1:]; len(o.ready) == 0 {
		o.ready = nil
	}
	o.turns++
	return &m, nil
}

// claim moves queued messages from the table to ready, except those of chats that wait or have messages on their way already.
// o.mu is held, and released meanwhile.
func (o *sender) claim() error {
	aside := make(map[uuid.UUID]struct{})
	held := false // something that is only left out for the moment
	for conversation, until := range o.waiting {
		if time.Now().Before(until) {
			aside[conversation] = struct{}{}
		} else {
			delete(o.waiting, conversation)
		}
	}
	held = len(aside) > 0
	for conversation := range o.reserved {
		aside[conversation], held = struct{}{}, true
	}
	sent := o.s.unmarked.list()
	for _, m := range o.ready {
		aside[m.conversation], held = struct{}{}, true
		sent = append(sent, m.id) // its chat may have become part of another one
	}
	params := queries.ClaimMessagesParams{TenantID: o.s.tenant, Shard: o.s.shard, NodeID: &o.s.pool.node, Epoch: o.s.epoch,
		OnlyKnown: o.s.onlyKnown(), Most: claimMost, Waiting: slices.AppendSeq(make([]uuid.UUID, 0, len(aside)), maps.Keys(aside)), Sent: sent}
	o.claiming, o.woken, o.turns = true, false, 0
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(o.ctx, queryTimeout)
	rows, err := o.s.pool.q.ClaimMessages(ctx, params)
	cancel()
	o.mu.Lock()
	o.claiming = false
	if err != nil {
		o.woken = true
		return err
	}
	slices.SortFunc(rows, func(a, b queries.ClaimMessagesRow) int { return cmp.Compare(*a.Seq, *b.Seq) })
	for _, r := range rows {
		o.ready = append(o.ready, outgoing{id: r.ID, conversation: r.ConversationID, waID: r.WaMessageID, text: r.MessageText,
			phone: deref(r.PhoneNumber), lid: deref(r.Lid)})
	}
	o.behind = held || o.woken || len(rows) == claimMost
	return nil
}

// send hands one message to WhatsApp and notes what became of it. An error means that the others should wait too.
func (o *sender) send(m outgoing) error {
	log := o.s.log.With("message_id", m.id, "wa_message_id", m.waID)
	started := time.Now()
	resp, err := o.deliver(recipient(m), m)
	verdict := judge(err)
	o.s.pool.metrics.sent(verdict.name(), time.Since(started))
	switch {
	case err == nil:
		fault(faultSent)
		o.retries.reset()
		o.s.unmarked.add(m.id)
		o.s.pool.note(o.s.ctx, tick{tenant: o.s.tenant, waID: m.waID, status: queries.MessageStatusSENT, at: resp.Timestamp,
			done: func() { o.s.unmarked.remove(m.id) }})
		o.reached(m)
		return nil
	case verdict.timelocked:
		return o.timelocked(m)
	case verdict.refused != "":
		log.Warn("WhatsApp refused the message", "error", err)
		return o.markFailed(m, verdict.refused)
	case o.ctx.Err() != nil:
		return o.ctx.Err()
	}
	// The table counts claims, also those of messages that had to wait for another one of their chat.
	tries, _ := o.s.tries.get(m.id)
	tries++
	if !verdict.unknown && verdict.pause == 0 && tries >= maxTries {
		log.Error("message given up", "tries", tries, "error", err)
		return o.markFailed(m, fmt.Sprintf("It could not be sent in %d tries: %v", tries, err))
	}
	o.s.tries.set(m.id, tries)
	// Whether it arrived is not known, or it may work later: it stays queued, and its chat waits so that order is kept.
	log.Warn("message not sent yet", "tries", tries, "error", err)
	pause := verdict.pause
	if pause == 0 {
		pause = min(time.Second<<min(tries-1, 5), retryLongest)
	}
	o.wait(m.conversation, time.Now().Add(pause))
	note := either(verdict.note, "Not confirmed by WhatsApp yet; it will be tried again.")
	return o.mark(m, func(ctx context.Context, q *queries.Queries) error {
		return q.NoteFailure(ctx, queries.NoteFailureParams{ID: m.id, TenantID: o.s.tenant, Failure: &note})
	})
}

// deliver is the one place where a message leaves.
func (o *sender) deliver(to types.JID, m outgoing) (resp whatsmeow.SendResponse, err error) {
	defer func() {
		if r := recover(); r != nil {
			o.s.log.Error("sending panicked", "message_id", m.id, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("fault in the program: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(o.ctx, sendTimeout)
	defer cancel()
	ctx, release := o.link.store.withSend(ctx)
	defer release()
	// The claim was fenced, but a process may have been paused since.
	if !o.s.pool.leases.holds(o.s.shard, o.s.epoch) {
		return whatsmeow.SendResponse{}, ErrNotOwner
	}
	fault(faultClaimed)
	ctx, accept := context.WithCancelCause(ctx)
	defer accept(nil)
	o.s.underway.Store(&underway{id: m.waID, accept: accept})
	defer o.s.underway.Store(nil)
	resp, err = o.link.client.SendMessage(ctx, to, textMessage(m.text),
		whatsmeow.SendRequestExtra{ID: m.waID, Timeout: ackTimeout})
	if done, ok := errors.AsType[*accepted](context.Cause(ctx)); ok && err != nil {
		return whatsmeow.SendResponse{ID: m.waID, Timestamp: done.at}, nil
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return resp, err
}

// underway is the message that is with WhatsApp at this moment, its acknowledgement awaited.
type underway struct {
	id     string
	accept context.CancelCauseFunc
}

// accepted ends the wait for an acknowledgement: the customer's phone has the message, so WhatsApp took it. Meanwhile the
// tenant's other customers would wait as well.
type accepted struct{ at time.Time }

func (*accepted) Error() string { return "a receipt came before the acknowledgement" }

// acknowledge ends the wait for a message that a receipt has come for.
func (s *supervisor) acknowledge(waID string, at time.Time) {
	if u := s.underway.Load(); u != nil && u.id == waID {
		u.accept(&accepted{at})
	}
}

// mark writes an outcome. The connection may have ended meanwhile, but not the tenant's life on this node.
func (o *sender) mark(m outgoing, fn func(context.Context, *queries.Queries) error) error {
	err := retry(o.s.ctx, func(ctx context.Context) error { return fn(ctx, o.s.pool.q) })
	o.s.pool.announce(o.s.tenant, []uuid.UUID{m.id})
	return err
}

func (o *sender) markFailed(m outgoing, why string) error {
	why = storable(why, 500)
	err := o.mark(m, func(ctx context.Context, q *queries.Queries) error {
		return q.MarkFailed(ctx, queries.MarkFailedParams{ID: m.id, TenantID: o.s.tenant, Failure: &why})
	})
	if err != nil { // it is queued still, and found in the table again before what comes after it
		o.wait(m.conversation, time.Now())
	}
	return err
}

// recipient is the address of a customer: the LID where it is known, as WhatsApp prefers. A contact has one or the other.
func recipient(m outgoing) types.JID {
	if m.lid != "" {
		return types.NewJID(m.lid, types.HiddenUserServer)
	}
	return types.NewJID(strings.TrimPrefix(m.phone, "+"), types.DefaultUserServer)
}

// verdict is what an error of SendMessage means.
type verdict struct {
	unknown    bool          // it may have arrived
	timelocked bool          // not to somebody who never wrote, for a while
	refused    string        // never; in plain words
	note       string        // why it waits
	pause      time.Duration // until it makes sense to try again; 0: soon
	ok         bool
}

func (v verdict) name() string {
	switch {
	case v.ok:
		return "sent"
	case v.refused != "":
		return "refused"
	case v.unknown:
		return "unknown"
	}
	return "retry"
}

// judge sorts the errors of SendMessage. whatsmeow has no types for some; their texts are part of its pinned version.
func judge(err error) verdict {
	switch {
	case err == nil:
		return verdict{ok: true}
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		code, _ := strconv.Atoi(err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:])
		switch {
		case code == timelock:
			return verdict{timelocked: true}
		case code == 429 || code >= 500:
			return verdict{note: fmt.Sprintf("WhatsApp is busy (error %d); it will be tried again.", code), pause: 5 * time.Second}
		}
		return verdict{refused: fmt.Sprintf("WhatsApp refused the message (error %d).", code)}
	case errors.Is(err, whatsmeow.ErrRecipientADJID), errors.Is(err, whatsmeow.ErrUnknownServer):
		return verdict{refused: "The customer's address is not one that messages can be sent to."}
	case strings.Contains(err.Error(), "no LID found for"):
		return verdict{refused: "This number is not on WhatsApp."}
	case errors.Is(err, whatsmeow.ErrMessageTimedOut), errors.Is(err, whatsmeow.ErrNotConnected), errors.Is(err, whatsmeow.ErrIQTimedOut),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrNotOwner):
		return verdict{unknown: true}
	}
	if _, ok := errors.AsType[*whatsmeow.DisconnectedError](err); ok {
		return verdict{unknown: true}
	}
	return verdict{}
}
