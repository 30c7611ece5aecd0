package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
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
		o.s.pool.note(o.s.ctx, tick{tenant: o.s.tenant, waID: m.waID, status: queries.MessageStatusSENT, at: storableTime(resp.Timestamp),
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
