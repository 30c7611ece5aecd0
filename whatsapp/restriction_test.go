package whatsapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// write has the business write first, or again.
func (r *rig) write(n *node, id uuid.UUID, to string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if err := r.queue(n, id, "+"+to, text); err != nil {
			r.t.Fatal(err)
		}
	}
}

func texts(all []simulator.InboxMessage) string {
	out := make([]string, len(all))
	for i, m := range all {
		out[i], _, _ = strings.Cut(m.Text, "\n")
	}
	return strings.Join(out, " | ")
}

// WhatsApp keeps the number from writing to new customers and says until when: first messages wait until then and go out in order
// by themselves, whoever wrote is answered, and other tenants notice nothing.
func TestRestrictionWithAnEnd(t *testing.T) {
	r := newRig(t)
	ids := r.crowd(2)
	n := r.run("a", unlimited)
	r.allConnected(2)
	began := time.Now()
	r.fault(simulator.Fault{Kind: simulator.FaultTimelock, Phone: crowdNumber(0), Duration: 6 * time.Second})
	s := r.awaitReason(ids[0], queries.SessionReasonRESTRICTED)
	if s.State != queries.SessionStateCONNECTED || s.RestrictedSince == nil || s.RestrictedUntil == nil || s.RestrictedChecks != 0 ||
		s.RestrictedUntil.Sub(began).Round(2*time.Second) != 6*time.Second || s.ReasonUntil == nil || !s.ReasonUntil.Equal(*s.RestrictedUntil) {
		t.Fatalf("%+v", s)
	}
	if row := r.get(ids[0]); row.Tenant.Status != queries.TenantStatusACTIVE || row.WorkerProcess.Status != queries.WorkerStatusRUNNING {
		t.Errorf("%+v", row)
	}
	r.hasEvent(ids[0], eventRestricted)
	r.write(n, ids[0], contact(1), "one", "two")
	r.write(n, ids[0], contact(2), "three")
	for range 3 { // the customer's own chat goes on as always
		r.say(customer, crowdNumber(0), "menu")
	}
	r.inbox(customer, 3)
	r.write(n, ids[1], contact(3), "of another business")
	r.inbox(contact(3), 1)
	r.await("it is said why they wait", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'QUEUED' AND attempts = 0 AND failure LIKE '%new customers%'") == 3
	})
	if held, err := r.q.CountHeld(r.ctx(), ids[0]); err != nil || held != 3 {
		t.Errorf("%d are held, %v", held, err)
	}
	s = r.awaitReason(ids[0], queries.SessionReasonCONNECTED)
	if s.RestrictedUntil != nil || s.RestrictedSince != nil || s.ReasonUntil != nil {
		t.Errorf("afterwards: %+v", s)
	}
	r.hasEvent(ids[0], eventUnrestricted)
	if got := texts(r.inbox(contact(1), 2)); got != "one | two" {
		t.Errorf("got %s", got)
	}
	r.inbox(contact(2), 1)
	order := []string{r.sim.Inbox(contact(1), 0)[1].Text, r.sim.Inbox(contact(2), 0)[0].Text}
	if r.sim.Inbox(contact(1), 0)[1].Seq > r.sim.Inbox(contact(2), 0)[0].Seq {
		t.Errorf("not in the order in which they were written: %v", order)
	}
	r.await("nothing is left", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE failure IS NOT NULL") == 0 })
	if st := r.sim.Stats(); st.Timelocked != 0 {
		t.Errorf("%d messages were tried all the same", st.Timelocked)
	}
	r.clean()
}

// A customer whose first message is held writes: from then on WhatsApp lets messages to them through, so the held ones go out at
// once, before the answer to what they wrote.
func TestReplyInAHeldChat(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	n := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultTimelock, Phone: crowdNumber(0)})
	r.awaitReason(id, queries.SessionReasonRESTRICTED)
	r.write(n, id, contact(1), "first", "second")
	r.write(n, id, contact(2), "not to you")
	r.say(contact(1), crowdNumber(0), "menu", func(s *simulator.SendRequest) { s.LID = true })
	all := r.inbox(contact(1), 3)
	if len(all) != 3 || all[0].Text != "first" || all[1].Text != "second" {
		t.Errorf("got %s", texts(all))
	}
	r.write(n, id, contact(1), "third")
	if all = r.inbox(contact(1), 4); all[3].Text != "third" {
		t.Errorf("got %s", texts(all))
	}
	if s := r.session(id); s.Reason != queries.SessionReasonRESTRICTED || len(r.sim.Inbox(contact(2), 0)) != 0 || r.sim.Stats().Timelocked != 0 {
		t.Errorf("%+v", s)
	}
	r.clean()
}

// It outlives a node, and a stop by a person; WhatsApp may take it back.
func TestRestrictionOutlivesTheNode(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	a := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultTimelock, Phone: crowdNumber(0)})
	told := r.awaitReason(id, queries.SessionReasonRESTRICTED)
	r.write(a, id, contact(1), "held")
	a.stop()
	if s := r.session(id); s.State != queries.SessionStateDISCONNECTED || s.RestrictedUntil == nil || !s.RestrictedUntil.Equal(*told.RestrictedUntil) {
		t.Errorf("between nodes: %+v", s)
	}
	b := r.run("b", unlimited)
	same := func(s queries.WhatsappSession) bool {
		return s.RestrictedUntil != nil && s.RestrictedUntil.Equal(*told.RestrictedUntil) && s.RestrictedSince.Equal(*told.RestrictedSince) && s.RestrictedChecks == 0
	}
	if s := r.awaitReason(id, queries.SessionReasonRESTRICTED); !same(s) {
		t.Errorf("on the next node: %+v", s)
	}
	if err := b.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if s := r.session(id); s.Reason != queries.SessionReasonSTOPPED || !same(s) {
		t.Errorf("stopped: %+v", s)
	}
	if err := b.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonRESTRICTED)
	r.fault(simulator.Fault{Kind: simulator.FaultDrop, Phone: crowdNumber(0)})
	if s := r.awaitReason(id, queries.SessionReasonRECONNECTING); !same(s) {
		t.Errorf("while it reconnects: %+v", s)
	}
	r.awaitReason(id, queries.SessionReasonRESTRICTED)
	if st := r.sim.Stats(); st.Timelocked != 0 || st.MessagesOut != 0 {
		t.Errorf("%+v", st)
	}
	if all := r.events(id); strings.Count(all, eventRestricted) != 1 {
		t.Errorf("events: %s", all)
	}
	r.fault(simulator.Fault{Kind: simulator.FaultClear, Phone: crowdNumber(0)})
	r.inbox(contact(1), 1)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.hasEvent(id, eventUnrestricted)
}

// It ended while nobody ran the tenant.
func TestRestrictionThatEndedMeanwhile(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	r.exec(`UPDATE whatsapp_sessions SET restricted_since = now() - interval '2 days', restricted_until = now() - interval '1 day',
		restricted_number = $2 WHERE tenant_id = $1`, id, "+"+crowdNumber(0))
	n := r.run("a", unlimited)
	s := r.awaitReason(id, queries.SessionReasonCONNECTED)
	if s.RestrictedUntil != nil {
		t.Errorf("%+v", s)
	}
	r.hasEvent(id, eventUnrestricted)
	r.write(n, id, contact(1), "hello")
	r.inbox(contact(1), 1)
}

// WhatsApp refuses a first message and names no end: one message at a time finds out whether it is over, with growing pauses.
func TestRestrictionWithoutAnEnd(t *testing.T) {
	r := newRig(t)
	r.prepare = func(p *Pool) { p.checks.first, p.checks.longest = 500*time.Millisecond, time.Second }
	id := r.crowd(1)[0]
	n := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultTimelock, Phone: crowdNumber(0), Silent: true})
	var checks []int32
	for i := range 4 {
		r.write(n, id, contact(i), "hello")
	}
	r.await("the third check is awaited", func() bool {
		s := r.session(id)
		if s.RestrictedUntil != nil && !slices.Contains(checks, s.RestrictedChecks) {
			checks = append(checks, s.RestrictedChecks)
			if s.Reason != queries.SessionReasonRESTRICTED || s.State != queries.SessionStateCONNECTED {
				t.Errorf("%+v", s)
			}
		}
		return s.RestrictedChecks >= 3
	})
	if refused := r.sim.Stats().Timelocked; refused < 3 || refused > int64(checks[len(checks)-1]) {
		t.Errorf("checks %v were %d messages", checks, refused)
	}
	r.say(customer, crowdNumber(0), "menu")
	r.inbox(customer, 1)
	r.fault(simulator.Fault{Kind: simulator.FaultClear, Phone: crowdNumber(0)})
	for i := range 4 {
		r.inbox(contact(i), 1)
	}
	s := r.awaitReason(id, queries.SessionReasonCONNECTED)
	if s.RestrictedUntil != nil || s.RestrictedChecks != 0 {
		t.Errorf("afterwards: %+v", s)
	}
	for i := range 3 {
		if r.sim.Inbox(contact(i), 0)[0].Seq > r.sim.Inbox(contact(i+1), 0)[0].Seq {
			t.Error("they did not go out in order")
		}
	}
	if all := r.events(id); strings.Count(all, eventRestricted) != 1 || strings.Count(all, eventUnrestricted) != 1 {
		t.Errorf("events: %s", all)
	}
	r.clean()
}

// An answer to somebody who wrote is refused with the same error: that chat waits, no other does, and the number is not restricted.
func TestAnswerRefusedAsFirstMessage(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	n := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultSendError, Phone: crowdNumber(0), Contact: contact(1), Count: 1, Code: timelock})
	r.say(contact(1), crowdNumber(0), "menu")
	r.await("it waits with a reason", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'QUEUED' AND attempts = 1 AND failure IS NOT NULL") == 1
	})
	r.say(customer, crowdNumber(0), "menu")
	r.inbox(customer, 1)
	r.write(n, id, contact(2), "hello")
	r.inbox(contact(2), 1)
	if s := r.session(id); s.Reason != queries.SessionReasonCONNECTED || s.RestrictedUntil != nil {
		t.Errorf("%+v", s)
	}
}

// Another number is linked: what WhatsApp said about the one before does not hold for it.
func TestRestrictionIsOfTheNumber(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	n := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultTimelock, Phone: crowdNumber(0)})
	r.awaitReason(id, queries.SessionReasonRESTRICTED)
	for _, link := range []struct {
		number string
		reason queries.SessionReason
	}{{crowdNumber(0), queries.SessionReasonRESTRICTED}, {shop, queries.SessionReasonCONNECTED}} {
		if err := n.Logout(r.ctx(), id); err != nil {
			t.Fatal(err)
		}
		if s := r.session(id); s.Reason != queries.SessionReasonUNLINKED {
			t.Errorf("%+v", s)
		}
		if err := n.Start(r.ctx(), id); err != nil {
			t.Fatal(err)
		}
		s := r.awaitReason(id, queries.SessionReasonWAITINGFORSCAN)
		if _, err := r.sim.Scan(r.ctx(), *s.LastQr, link.number); err != nil {
			t.Fatal(err)
		}
		if s = r.awaitReason(id, link.reason); (s.RestrictedUntil != nil) != (link.reason == queries.SessionReasonRESTRICTED) {
			t.Errorf("%s: %+v", link.number, s)
		}
	}
}
