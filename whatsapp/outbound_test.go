package whatsapp

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// The connection is made anew while a message is being decided: its answer, which the earlier connection's sender was to get,
// leaves at once and not with the next heartbeat.
func TestAnswerAfterTheConnectionBroke(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited, func(o *Options) { o.HeartbeatInterval = time.Hour })
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	s := n.supervisor(id)
	tx, err := r.db.System.Begin(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(r.ctx(), "SELECT FROM conversations FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	before := s.sender.Load()
	r.say(customer, salon, "menu")
	r.await("its decision waits", func() bool {
		return one[int](r, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1
	})
	r.fault(simulator.Fault{Kind: simulator.FaultDrop, Phone: salon})
	r.await("the next sender has looked at the table", func() bool {
		o := s.sender.Load()
		if o == nil || o == before {
			return false
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.behind {
			o.mu.Unlock()
			o.wake()
			o.mu.Lock()
		}
		return o.idle == nil && !o.behind
	})
	if err := tx.Commit(r.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := r.inbox(customer, 2); len(got) != 2 {
		t.Errorf("%d answers to 2 messages", len(got))
	}
	r.clean()
}

// An answer that was claimed for the connection before waits in the table: no answer to a later message of its chat may go out
// before the new connection's sender has found it.
func TestNewSenderLooksAtTheTableFirst(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	s := n.supervisor(id)
	conversation := one[uuid.UUID](r, "SELECT id FROM conversations WHERE tenant_id = $1", id)
	r.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, attempts, claim_epoch)
		VALUES ($1, $2, $3, 'OUT', '', $4, 'earlier', $5, 'QUEUED', 'BOT', 1, $6)`,
		newID(), id, conversation, "+"+customer, newMessageID(), s.epoch)
	s.sender.Load().stop()
	if o := s.startSender(); o.reserve(conversation) {
		t.Error("a place for an answer before the table was looked at")
	}
	if got := r.inbox(customer, 2); got[1].Text != "earlier" {
		t.Errorf("the phone shows %q", got[1].Text)
	}
	r.clean()
}

// A message of a chat failed while the chat's next answer was being decided, and is in the table only: the answer waits behind it.
func TestAnswerBehindAMessageThatFailed(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	s := n.supervisor(id)
	o := s.sender.Load()
	conversation := one[uuid.UUID](r, "SELECT id FROM conversations WHERE tenant_id = $1", id)
	r.await("the sender has nothing to do", func() bool { return o.reserve(conversation) })
	if err := r.queue(n, id, "+"+customer, "first"); err != nil { // it is claimed when its chat is not being decided about
		t.Fatal(err)
	}
	r.await("the sender has looked at the table", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.idle == nil
	})
	answer := outgoing{id: newID(), conversation: conversation, waID: newMessageID(), text: "second", phone: "+" + customer}
	r.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, attempts, claim_epoch)
		VALUES ($1, $2, $3, 'OUT', '', $4, $5, $6, 'QUEUED', 'BOT', 1, $7)`, answer.id, id, conversation, answer.phone, answer.text, answer.waID, s.epoch)
	o.hand(conversation, []outgoing{answer})
	if got := r.inbox(customer, 3); got[1].Text != "first" || got[2].Text != "second" {
		t.Errorf("the phone shows %q before %q", got[1].Text, got[2].Text)
	}
	r.clean()
}

// A message that was claimed again and again, because an earlier one of its chat had to wait, has all its tries left.
func TestClaimsAreNoTries(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	for i := range 2 {
		r.say(contact(i), salon, "menu")
		r.inbox(contact(i), 1)
	}
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.swapSession("sessions", "session", 0, 1) // the first try cannot encrypt
	if err := r.queue(n, id, "+"+contact(0), "news"); err != nil {
		t.Fatal(err)
	}
	epoch, _ := n.leases.epoch(0)
	for range maxTries {
		if rows, err := r.q.ClaimMessages(r.ctx(), queries.ClaimMessagesParams{TenantID: id, NodeID: &n.node, Epoch: epoch, Most: claimMost,
			Waiting: []uuid.UUID{}, Sent: []uuid.UUID{}}); err != nil || len(rows) != 1 {
			t.Fatal(len(rows), err)
		}
	}
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if m := r.inbox(contact(0), 2)[1]; m.Text != "news" {
		t.Errorf("%+v", m)
	}
	r.clean()
}
