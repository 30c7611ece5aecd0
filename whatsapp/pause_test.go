package whatsapp

import (
	"testing"

	"github.com/google/uuid"

	"flowhq/queries"
)

// decided waits until n received messages have a decision, and gives the last one's.
func (r *rig) decided(n int) (decision string) {
	r.t.Helper()
	r.await("the message is decided", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN' AND decision IS NOT NULL") == n
	})
	return one[string](r, "SELECT decision FROM message_logs WHERE direction = 'IN' ORDER BY seq DESC LIMIT 1")
}

func (r *rig) takeOver(tenant uuid.UUID, seconds float64) (chat uuid.UUID) {
	r.t.Helper()
	chat = one[uuid.UUID](r, "SELECT id FROM conversations WHERE tenant_id = $1", tenant)
	if _, err := r.q.TakeOverChat(r.ctx(), queries.TakeOverChatParams{TenantID: tenant, ConversationID: chat, PauseSeconds: seconds}); err != nil {
		r.t.Fatal(err)
	}
	return chat
}

// A chat that a person has taken over is not answered, whatever the node remembers of it, nor by the node that runs the tenant next.
// Its messages are logged, decided and unread. Handed back, the bot answers again, from the beginning.
func TestTakenOverChat(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.say(customer, salon, "menu")
	r.inbox(customer, 2)
	chat := r.takeOver(id, 0)
	for i := range 2 { // the second is decided on what the node remembers
		r.say(customer, salon, "menu")
		if got := r.decided(3 + i); got != decisionPaused {
			t.Fatalf("in a chat that was taken over: %s", got)
		}
	}
	n.stop()
	r.run("b", unlimited)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "menu")
	if got := r.decided(5); got != decisionPaused {
		t.Fatalf("after a restart: %s", got)
	}
	if unread, answers := one[int](r, "SELECT unread FROM conversations"), one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'OUT'"); unread != 5 || answers != 2 {
		t.Errorf("%d messages are unread, %d answered; want 5 and 2", unread, answers)
	}
	if _, err := r.q.HandBackChat(r.ctx(), queries.HandBackChatParams{TenantID: id, ConversationID: chat}); err != nil {
		t.Fatal(err)
	}
	if err := r.q.ReadChat(r.ctx(), queries.ReadChatParams{TenantID: id, ConversationID: chat}); err != nil {
		t.Fatal(err)
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 3)
	if unread := one[int](r, "SELECT unread FROM conversations"); unread != 1 {
		t.Errorf("%d messages are unread, want the new one", unread)
	}
	r.clean()
}

// A pause ends by itself with the first message after its time. The bot begins anew then.
func TestPauseEnds(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.takeOver(id, 3600)
	r.exec("UPDATE conversations SET state_json = jsonb_set(state_json, '{misses}', '2') WHERE tenant_id = $1", id)
	r.say(customer, salon, "menu")
	if got := r.decided(2); got != decisionPaused {
		t.Fatalf("before its end: %s", got)
	}
	r.exec("UPDATE conversations SET paused_until = now() - interval '1 second', updated_at = now()")
	r.say(customer, salon, "what is this")
	r.inbox(customer, 2)
	if n := one[int](r, "SELECT count(*) FROM conversations WHERE paused_at IS NULL AND paused_until IS NULL AND state_json->>'misses' = '1'"); n != 1 {
		t.Error("the chat is paused still, or the bot has not begun anew")
	}
	r.say(customer, salon, "menu") // on what the node remembers now
	r.inbox(customer, 3)
	r.clean()
}

// Customers who ask for a person are in the queue until one comes; also those whom the bot may not answer any more.
func TestAskingForAPerson(t *testing.T) {
	r := newRig(t)
	n := r.run("a", func(o *Options) { o.RepliesPerMinute = 1 })
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "naomba mtu")
	if got := r.decided(1); got != decisionReplied {
		t.Fatalf("asking for a person: %s", got)
	}
	r.say(contact(1), salon, "agent")
	if got := r.decided(2); got != decisionRateLimited {
		t.Fatalf("with the limit used up: %s", got)
	}
	if n := one[int](r, "SELECT count(*) FROM conversations WHERE handoff_at IS NOT NULL"); n != 2 {
		t.Errorf("%d customers wait for a person, want 2", n)
	}
	r.exec("UPDATE conversations SET handoff_at = handoff_at - interval '1 hour', updated_at = now()")
	before := r.waitingSince()
	r.say(contact(1), salon, "human")
	r.decided(3)
	if after := r.waitingSince(); after != before {
		t.Error("asking again put a customer behind others")
	}
	r.clean()
}

// waitingSince is since when customers wait for a person.
func (r *rig) waitingSince() string {
	r.t.Helper()
	return one[string](r, "SELECT string_agg(handoff_at::text, ' ' ORDER BY id) FROM conversations")
}

// A customer who writes STOP gets one confirmation and no answer after it, also from the node that runs the tenant next; START brings the
// bot back. A name that the business gave stays whatever WhatsApp calls the customer.
func TestOptedOutChat(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	chat := one[uuid.UUID](r, "SELECT id FROM conversations WHERE tenant_id = $1", id)
	if _, err := r.q.NameContact(r.ctx(), queries.NameContactParams{TenantID: id, ConversationID: chat, Name: "Mama Asha"}); err != nil {
		t.Fatal(err)
	}
	r.say(customer, salon, "STOP")
	r.inbox(customer, 2)
	r.hasEvent(id, eventOptedOut)
	if by := one[string](r, "SELECT opted_out_by FROM conversations WHERE id = $1 AND opted_out_at IS NOT NULL", chat); by != "CUSTOMER" {
		t.Errorf("opted out by %s", by)
	}
	r.say(customer, salon, "bei?") // decided on what the node remembers
	if got := r.decided(3); got != decisionIgnored {
		t.Fatalf("to somebody who wants nothing: %s", got)
	}
	n.stop()
	r.run("b", unlimited)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "mtu")
	if got := r.decided(4); got != decisionIgnored {
		t.Fatalf("after a restart: %s", got)
	}
	r.say(customer, salon, "START")
	r.inbox(customer, 3)
	r.hasEvent(id, eventOptedIn)
	r.say(customer, salon, "menu")
	r.inbox(customer, 4)
	// A person notes it; the node that remembers the chat follows.
	if told, err := r.q.OptChat(r.ctx(), queries.OptChatParams{TenantID: id, ConversationID: chat, OptedOut: true}); err != nil || len(told) != 1 {
		t.Fatalf("%v, %v", told, err)
	}
	r.say(customer, salon, "menu")
	if got := r.decided(7); got != decisionIgnored {
		t.Fatalf("after a person noted it: %s", got)
	}
	if name, out := one[string](r, "SELECT name FROM contacts"), one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'OUT'"); name != "Mama Asha" || out != 4 {
		t.Errorf("the customer is %q and got %d answers, want Mama Asha and 4", name, out)
	}
}
