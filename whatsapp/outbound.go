package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"flowhq/queries"
)

const (
	ackTimeout   = 10 * time.Second // WhatsApp's answer to a message
	sendTimeout  = 45 * time.Second // of everything that belongs to sending one
	maxAttempts  = 8                // of a message whose failure is neither a time-out nor a broken connection
	retryLongest = 30 * time.Second
	lastSend     = 2 * time.Second  // for a message that is under way when the tenant is stopped
	newChatPause = 10 * time.Minute // after WhatsApp refused a first message to a new customer for now
)

// sender hands the tenant's queued messages to WhatsApp, one after the other in the order of decision, as long as one
// connection lasts. The queue is the table: what is not marked as sent is tried again, with the same id, here or on the
// node that runs the tenant next. It has a goroutine only while there is something to send.
type sender struct {
	s      *supervisor
	link   *link
	ctx    context.Context
	cancel context.CancelFunc
	last   atomic.Bool // the message under way is the last one

	mu    sync.Mutex
	idle  chan struct{} // closed when the goroutine at work ends; nil: none is at work
	more  bool          // woken while at work
	again *time.Timer   // the next try of what could not be sent yet

	waiting map[uuid.UUID]time.Time // chats that have to wait, until when
	retries backoff
	present bool // shown as online
}

// startSender sends what was queued while the tenant was away, and then whatever the sender is woken for.
func (s *supervisor) startSender() *sender {
	o := &sender{s: s, link: s.online.Load(), retries: backoff{base: time.Second, limit: retryLongest}}
	o.ctx, o.cancel = context.WithCancel(s.ctx)
	s.sender.Store(o)
	o.wake()
	return o
}

// wakeSender tells the sender, where there is one, that something is queued. A sender that comes later looks by itself.
func (s *supervisor) wakeSender() {
	if o := s.sender.Load(); o != nil {
		o.wake()
	}
}

func (o *sender) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.again != nil {
		o.again.Stop()
		o.again = nil
	}
	switch {
	case o.last.Load() || o.ctx.Err() != nil:
	case o.idle != nil:
		o.more = true
	default:
		o.idle = make(chan struct{})
		go o.run(o.idle)
	}
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
		} else {
			pause = o.nextWaiting()
		}
		if !o.rest(pause) {
			return
		}
	}
}

// rest ends the goroutine at work, or tells it to go on because it was woken meanwhile.
func (o *sender) rest(pause time.Duration) (goOn bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more && !o.last.Load() && o.ctx.Err() == nil {
		o.more = false
		return true
	}
	o.idle = nil
	if pause > 0 && !o.last.Load() && o.ctx.Err() == nil {
		o.again = time.AfterFunc(pause, o.wake)
	}
	return false
}

// nextWaiting is how long until the first waiting chat may go on; 0: none waits.
func (o *sender) nextWaiting() time.Duration {
	var next time.Duration
	for _, until := range o.waiting {
		if d := max(time.Until(until), time.Millisecond); next == 0 || d < next {
			next = d
		}
	}
	return next
}

// wait keeps a chat's messages back until a time; not earlier than it has to wait anyway.
func (o *sender) wait(conversation uuid.UUID, until time.Time) {
	if o.waiting == nil {
		o.waiting = make(map[uuid.UUID]time.Time)
	}
	if until.After(o.waiting[conversation]) {
		o.waiting[conversation] = until
	}
}

// sent is a message that WhatsApp took and that is not marked yet: the claim of the next one does it.
type sent struct {
	id uuid.UUID
	at time.Time
}

// drain sends what is queued until nothing is left that may be sent now.
func (o *sender) drain() (err error) {
	o.greet()
	defer o.leave()
	defer forgetSent(o.link.client)
	var done *sent
	defer func() {
		if done != nil { // an outcome that is not written means sending again
			err = errors.Join(err, o.markSent(*done))
		}
	}()
	for o.ctx.Err() == nil && !o.last.Load() {
		m, err := o.claim(done)
		if err == nil || errors.Is(err, pgx.ErrNoRows) {
			done = nil
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return fmt.Errorf("take the next message: %w", err)
		}
		if done, err = o.send(m); err != nil {
			return err
		}
	}
	return nil
}

func (o *sender) claim(done *sent) (queries.ClaimMessageRow, error) {
	if !o.s.pool.leases.holds(o.s.shard, o.s.epoch) {
		return queries.ClaimMessageRow{}, ErrNotOwner
	}
	params := queries.ClaimMessageParams{TenantID: o.s.tenant, Waiting: make([]uuid.UUID, 0, len(o.waiting)),
		Shard: o.s.shard, NodeID: &o.s.pool.node, Epoch: o.s.epoch}
	for conversation, until := range o.waiting {
		if time.Now().Before(until) {
			params.Waiting = append(params.Waiting, conversation)
		} else {
			delete(o.waiting, conversation)
		}
	}
	if done != nil {
		params.DoneID, params.DoneAt = &done.id, &done.at
	}
	ctx, cancel := context.WithTimeout(o.ctx, queryTimeout)
	defer cancel()
	return o.s.pool.q.ClaimMessage(ctx, params)
}

// send hands one message to WhatsApp and notes what became of it. An error means that the others should wait too.
func (o *sender) send(m queries.ClaimMessageRow) (*sent, error) {
	log := o.s.log.With("message_id", m.ID, "wa_message_id", m.WaMessageID)
	started := time.Now()
	resp, err := o.deliver(recipient(m), m)
	verdict := judge(err)
	o.s.pool.metrics.sent(verdict.name(), time.Since(started))
	switch {
	case err == nil:
		fault(faultSent)
		o.retries.reset()
		return &sent{id: m.ID, at: resp.Timestamp}, nil
	case verdict.refused != "":
		log.Warn("WhatsApp refused the message", "error", err)
		return nil, o.markFailed(m, verdict.refused)
	case o.ctx.Err() != nil:
		return nil, o.ctx.Err()
	case !verdict.unknown && verdict.pause == 0 && m.Attempts >= maxAttempts:
		log.Error("message given up", "attempts", m.Attempts, "error", err)
		return nil, o.markFailed(m, fmt.Sprintf("It could not be sent in %d tries: %v", m.Attempts, err))
	}
	// Whether it arrived is not known, or it may work later: it stays queued, and its chat waits so that order is kept.
	log.Warn("message not sent yet", "attempts", m.Attempts, "error", err)
	pause := verdict.pause
	if pause == 0 {
		pause = min(time.Second<<min(m.Attempts-1, 5), retryLongest)
	}
	o.wait(m.ConversationID, time.Now().Add(pause))
	note := either(verdict.note, "Not confirmed by WhatsApp yet; it will be tried again.")
	return nil, o.mark(func(ctx context.Context, q *queries.Queries) error {
		return q.NoteFailure(ctx, queries.NoteFailureParams{ID: m.ID, TenantID: o.s.tenant, Failure: &note})
	})
}

// deliver is the one place where a message leaves.
func (o *sender) deliver(to types.JID, m queries.ClaimMessageRow) (resp whatsmeow.SendResponse, err error) {
	defer func() {
		if r := recover(); r != nil {
			o.s.log.Error("sending panicked", "message_id", m.ID, "panic", r, "stack", string(debug.Stack()))
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
	o.s.underway.Store(&underway{id: m.WaMessageID, accept: accept})
	defer o.s.underway.Store(nil)
	resp, err = o.link.client.SendMessage(ctx, to, textMessage(m.MessageText),
		whatsmeow.SendRequestExtra{ID: m.WaMessageID, Timeout: ackTimeout})
	if done, ok := errors.AsType[*accepted](context.Cause(ctx)); ok && err != nil {
		return whatsmeow.SendResponse{ID: m.WaMessageID, Timestamp: done.at}, nil
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
func (o *sender) mark(fn func(context.Context, *queries.Queries) error) error {
	return retry(o.s.ctx, func(ctx context.Context) error { return fn(ctx, o.s.pool.q) })
}

func (o *sender) markSent(d sent) error {
	return o.mark(func(ctx context.Context, q *queries.Queries) error {
		return q.MarkSent(ctx, queries.MarkSentParams{ID: d.id, TenantID: o.s.tenant, SentAt: &d.at})
	})
}

func (o *sender) markFailed(m queries.ClaimMessageRow, why string) error {
	why = storable(why, 500)
	return o.mark(func(ctx context.Context, q *queries.Queries) error {
		return q.MarkFailed(ctx, queries.MarkFailedParams{ID: m.ID, TenantID: o.s.tenant, Failure: &why})
	})
}

// recipient is the address of a customer: the LID where it is known, as WhatsApp prefers. A contact has one or the other.
func recipient(m queries.ClaimMessageRow) types.JID {
	if m.Lid != nil {
		return types.NewJID(*m.Lid, types.HiddenUserServer)
	}
	return types.NewJID(strings.TrimPrefix(deref(m.PhoneNumber), "+"), types.DefaultUserServer)
}

// verdict is what an error of SendMessage means.
type verdict struct {
	unknown bool          // it may have arrived
	refused string        // never; in plain words
	note    string        // why it waits
	pause   time.Duration // until it makes sense to try again; 0: soon
	ok      bool
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

// timelock is WhatsApp's error for a number that may not write to new customers for a while.
const timelock = 463

// judge sorts the errors of SendMessage. whatsmeow has no types for some; their texts are part of its pinned version.
func judge(err error) verdict {
	switch {
	case err == nil:
		return verdict{ok: true}
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		code, _ := strconv.Atoi(err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:])
		switch {
		case code == timelock:
			return verdict{note: "WhatsApp does not let this number write to new customers at the moment.", pause: newChatPause}
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
