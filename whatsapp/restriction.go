package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

// WhatsApp may keep a number from writing first to new customers for a while (it calls that a reachout timelock). It tells so
// by a notice with the end, or only by refusing a message with error 463. Meanwhile first messages to customers who never
// wrote are held back, and everything else goes out.
const (
	timelock      = 463              // WhatsApp's error
	restrictGrace = 2 * time.Second  // WhatsApp's times are whole seconds, and clocks differ a little
	firstCheck    = 30 * time.Minute // where WhatsApp names no end: when it is tried again, at first
	longestCheck  = 12 * time.Hour   // and at most
	answerPause   = 10 * time.Minute // for an answer that is refused all the same, growing to longestCheck
	heldNote      = "WhatsApp does not let this number write to new customers at the moment; it is sent when it may be."
	answerNote    = "WhatsApp did not take this answer yet; it will be tried again."
)

// restriction is what is known of the present one. It is never changed, only replaced.
type restriction struct {
	since, until time.Time
	checks       int    // 0: WhatsApp named the end; otherwise until is when it is tried for the checks-th time whether it is over
	number       string // E.164
}

// over tells whether first messages may be tried again.
func (r *restriction) over(now time.Time) bool {
	return r == nil || !now.Before(r.until.Add(restrictGrace))
}

// storedRestriction reads what a session's row says.
func storedRestriction(t queries.GetSupervisedRow) *restriction {
	if t.RestrictedSince == nil || t.RestrictedUntil == nil || t.RestrictedNumber == nil {
		return nil
	}
	return &restriction{since: *t.RestrictedSince, until: *t.RestrictedUntil, checks: int(t.RestrictedChecks), number: *t.RestrictedNumber}
}

// onlyKnown tells the sender to leave out chats with customers who never wrote.
func (s *supervisor) onlyKnown() bool { return !s.restriction.Load().over(time.Now()) }

// nextCheck is the restriction that follows the old one, where WhatsApp did not say until when.
func (s *supervisor) nextCheck(old *restriction) *restriction {
	now := time.Now()
	next := &restriction{since: now, checks: 1, number: s.ownNumber()}
	if old != nil {
		next.since, next.checks = old.since, old.checks+1
	}
	wait := s.pool.checks.longest
	if next.checks < 16 {
		wait = min(wait, s.pool.checks.first<<(next.checks-1))
	}
	next.until = now.Add(wait)
	return next
}

// Events about a restriction, for the supervisor.
type (
	firstRefused struct{} // WhatsApp refused a first message
	firstTaken   struct{} // WhatsApp took a first message
	notice       struct { // what WhatsApp says itself
		evt  *events.NotifyAccountReachoutTimelock
		done chan struct{} // closed when it is stored
	}
)

// onRestriction handles these events, and ignores any other.
func (s *supervisor) onRestriction(ctx context.Context, evt any) {
	switch evt := evt.(type) {
	case firstRefused:
		s.restricted(ctx)
	case firstTaken:
		s.unrestricted(ctx)
	case notice:
		s.noticed(ctx, evt.evt)
		close(evt.done)
	}
}

// hearNotice returns when the notice is stored, because WhatsApp says it once and whatsmeow acknowledges it then.
func (s *supervisor) hearNotice(evt *events.NotifyAccountReachoutTimelock) {
	n := notice{evt, make(chan struct{})}
	select {
	case s.events <- n:
	case <-s.ctx.Done():
		return
	}
	select {
	case <-n.done:
	case <-s.ctx.Done():
	}
}

// timelocked is what comes after error 463. A first message waits with all of its kind. An answer should have been taken: it is
// tried again by itself, and says nothing about the others.
func (o *sender) timelocked(m outgoing) error {
	wrote, err := o.customerWrote(m)
	if err != nil {
		o.wait(m.conversation, time.Now())
		return err
	}
	if wrote {
		tries, _ := o.s.tries.get(m.id)
		o.s.tries.set(m.id, tries+1)
		o.wait(m.conversation, time.Now().Add(min(answerPause<<min(tries, 8), longestCheck)))
		return o.mark(m, func(ctx context.Context, q *queries.Queries) error {
			return q.NoteFailure(ctx, queries.NoteFailureParams{ID: m.id, TenantID: o.s.tenant, Failure: new(answerNote)})
		})
	}
	// From now on nothing else of its kind goes out. What was claimed is found in the table again, or left there.
	if old := o.s.restriction.Load(); old.over(time.Now()) && o.s.restriction.CompareAndSwap(old, o.s.nextCheck(old)) {
		o.tell(firstRefused{})
	}
	o.lookAgain()
	return o.s.noteHeld(o.ctx)
}

// lookAgain has the sender look at the table, and find there what it claimed already.
func (o *sender) lookAgain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready = nil
	o.behind, o.woken = true, true
	o.work()
}

// reached follows a message that WhatsApp took. A first message shows that a restriction whose end was not known is over.
func (o *sender) reached(m outgoing) {
	if r := o.s.restriction.Load(); r == nil || !r.over(time.Now()) {
		return
	}
	if wrote, err := o.customerWrote(m); err == nil && !wrote {
		o.tell(firstTaken{})
	}
}

// customerWrote tells whether the customer that a message is for ever wrote to us.
func (o *sender) customerWrote(m outgoing) (wrote bool, err error) {
	err = retry(o.s.ctx, func(ctx context.Context) (err error) {
		wrote, err = o.s.pool.q.CustomerWrote(ctx, queries.CustomerWroteParams{ConversationID: m.conversation, TenantID: o.s.tenant})
		return err
	})
	return wrote, err
}

// tell hands the supervisor an event.
func (o *sender) tell(evt any) {
	select {
	case o.s.events <- evt:
	case <-o.ctx.Done():
	}
}

// noticed takes WhatsApp's own word about a restriction.
func (s *supervisor) noticed(ctx context.Context, evt *events.NotifyAccountReachoutTimelock) {
	if !evt.IsActive {
		s.unrestricted(ctx)
		return
	}
	old := s.restriction.Load()
	next := &restriction{since: time.Now(), until: evt.TimeEnforcementEnds.Time, number: s.ownNumber()}
	if !next.until.After(time.Now()) { // it names none
		if !old.over(time.Now()) {
			return
		}
		next = s.nextCheck(old)
	} else if old != nil {
		next.since = old.since
	}
	s.restriction.Store(next)
	s.restricted(ctx)
}

// restricted writes down that the number is restricted, or until when now.
func (s *supervisor) restricted(ctx context.Context) {
	r := s.restriction.Load()
	if r == nil {
		return
	}
	s.log.Warn("the number may not write to new customers", "until", r.until, "check", r.checks)
	st := s.status
	st.event = ""
	if st.restriction == nil {
		st.event = eventRestricted
		st.eventDetail = map[string]any{"restricted_until": r.until.UTC().Format(time.RFC3339), "end_known": r.checks == 0}
	}
	s.record(ctx, st)
	s.awaitEnd()
	if o := s.sender.Load(); o != nil {
		o.lookAgain()
	}
	s.tryNoteHeld(ctx)
}

// unrestricted writes down that it is over, and lets go what was held back.
func (s *supervisor) unrestricted(ctx context.Context) {
	if s.restriction.Swap(nil) == nil {
		return
	}
	s.log.Info("the number may write to new customers again")
	st := s.status
	st.event, st.eventDetail = eventUnrestricted, nil
	s.record(ctx, st)
	s.wakeSender()
}

// awaitEnd sets the alarm that looks whether the restriction is over.
func (s *supervisor) awaitEnd() {
	r := s.restriction.Load()
	if r == nil {
		return
	}
	wait := max(time.Until(r.until.Add(restrictGrace)), 0)
	s.setAlarm(wait)
}

func (s *supervisor) setAlarm(wait time.Duration) {
	if s.alarm == nil {
		s.alarm = time.NewTimer(wait)
		return
	}
	s.alarm.Reset(wait)
}

// restrictionEnds is the alarm's channel; none while nothing is awaited.
func (s *supervisor) restrictionEnds() <-chan time.Time {
	if s.alarm == nil {
		return nil
	}
	return s.alarm.C
}

// checkRestriction ends a restriction whose time is over. Where WhatsApp named no end, the first message that was held back is
// the test; without one nobody waits for it.
func (s *supervisor) checkRestriction(ctx context.Context) {
	r := s.restriction.Load()
	switch {
	case r == nil:
		return
	case !r.over(time.Now()):
		s.awaitEnd()
		return
	case r.checks == 0:
		s.unrestricted(ctx)
		return
	}
	query, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if held, err := s.pool.q.CountHeld(query, s.tenant); err == nil && held == 0 {
		s.unrestricted(ctx)
		return
	}
	s.wakeSender()
	s.setAlarm(time.Minute) // in case nothing comes of it
}

// noteHeld says of each message that is held back why it waits.
func (s *supervisor) noteHeld(ctx context.Context) error {
	if !s.onlyKnown() {
		return nil
	}
	return retry(ctx, func(ctx context.Context) error {
		noted, err := s.pool.q.NoteHeld(ctx, queries.NoteHeldParams{TenantID: s.tenant, Note: heldNote})
		s.pool.announce(s.tenant, noted)
		return err
	})
}

// tryNoteHeld does it where nothing depends on it: the next heartbeat does it again.
func (s *supervisor) tryNoteHeld(ctx context.Context) {
	if err := s.noteHeld(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("held messages not marked", "error", err)
	}
}
