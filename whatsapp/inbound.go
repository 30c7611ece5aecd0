package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

// receive takes one message in: everything about it is one transaction, and only when that is committed does whatsmeow
// acknowledge it. False: it was not taken in; the connection is made anew, and WhatsApp delivers it again.
func (s *supervisor) receive(cli *whatsmeow.Client, evt *events.Message) bool {
	s.handling.RLock()
	defer s.handling.RUnlock()
	store, ok := cli.Store.EventBuffer.(*tenantStore)
	if !ok {
		return false // not linked any more
	}
	step := store.takeStep(evt)
	ok = s.takeInMessage(evt, store, step)
	return store.finish(s.ctx, step, ok) && ok
}

// takeInMessage does so with the step of the Signal session that decrypting the message has made.
func (s *supervisor) takeInMessage(evt *events.Message, store *tenantStore, step *unit) (ok bool) {
	log := s.log.With("wa_message_id", evt.Info.ID)
	defer func() {
		if r := recover(); r != nil {
			log.Error("taking in a message panicked", "panic", r, "stack", string(debug.Stack()))
			ok = s.giveUp(evt.Info, fmt.Errorf("fault in the program: %v", r))
		}
	}()
	if s.ctx.Err() != nil {
		return false
	}
	if !fromPerson(evt.Info) {
		return true
	}
	kind, text, ok := content(evt)
	if !ok {
		return true
	}
	started := time.Now()
	in := inbound{id: newID(), waID: storable(evt.Info.ID, 128), kind: kind, text: storable(text, maxTextRunes),
		info: evt.Info, to: s.ownNumber()}
	err := retry(s.ctx, func(ctx context.Context) (err error) {
		if in.from, err = s.who(ctx, evt.Info); err != nil {
			return err
		}
		return s.takeIn(ctx, in, store, step)
	})
	switch {
	case err == nil:
		step.stored()
		fault(faultLogged)
		s.pool.metrics.handled.Observe(time.Since(started).Seconds())
		return true
	case s.ctx.Err() != nil:
		return false
	case errors.Is(err, ErrNotOwner):
	case !passing(err):
		log.Error("message not logged", "error", err)
		return s.giveUp(evt.Info, err)
	}
	log.Warn("message not logged; it stays with WhatsApp until it can be", "error", err)
	s.reset(err)
	return false
}

// giveUp decides about a message that cannot be taken in. It is refused twice, so that it comes again; then it is let go,
// because everything behind it would wait for ever, and the ledger keeps it.
func (s *supervisor) giveUp(info types.MessageInfo, err error) bool {
	tries, _ := s.poison.get(info.ID)
	s.poison.set(info.ID, tries+1)
	if tries < 2 {
		s.reset(err)
		return false
	}
	if noting := s.noteUnlogged(info, queries.UnloggedReasonGIVENUP, err); noting != nil && passing(noting) {
		s.reset(noting)
		return false
	}
	s.event(s.ctx, eventDropped, map[string]any{"wa_message_id": info.ID, "error": storable(err.Error(), 300)})
	return true
}

// ownNumber is the number that is linked, or the one that is meant to be.
func (s *supervisor) ownNumber() string {
	if n := s.number.Load(); n != nil {
		return *n
	}
	return ""
}
