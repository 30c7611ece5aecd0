package whatsapp

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
	"flowhq/queries/ledger"
)

// books is a tenant's ledger, as strict as it can be.
func (r *rig) books(id uuid.UUID) ledger.Account {
	r.t.Helper()
	accounts, err := ledger.Read(r.ctx(), r.db.System, ledger.Options{Tenants: []uuid.UUID{id}, PerKind: 10})
	if err != nil || len(accounts) != 1 {
		r.t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	return accounts[0]
}

// A message that the database refuses for good is let go after three tries, so that those behind it come through, and the ledger
// names it.
func TestGivenUpMessageIsInTheLedger(t *testing.T) {
	r, _, id, other := twoLinked(t)
	since := r.session(other).ReasonSince
	r.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one' USING ERRCODE = '22000'; END $$`)
	r.exec(`CREATE TRIGGER refuse BEFORE INSERT ON message_logs FOR EACH ROW WHEN (NEW.message_text = 'poison') EXECUTE FUNCTION refuse()`)
	poison := r.say(customer, salon, "poison")
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.hasEvent(id, eventDropped)
	r.await("the answer is confirmed", func() bool { return r.books(id).Waiting == 0 })
	a := r.books(id)
	if a.Wrong() != 1 || len(a.Differences) != 1 || a.Received != 2 || a.Logged != 1 {
		t.Fatalf("%+v", a)
	}
	if d := a.Differences[0]; d.Kind != ledger.GivenUp || d.WaMessageID != poison || d.Phone != "+"+customer || d.Detail == "" {
		t.Errorf("%+v", d)
	}
	r.unaffected(other, since)
	r.clean()
}

// A message that cannot be decrypted is known to the ledger, and settled as soon as it has come again.
func TestUndecryptableMessageIsInTheLedger(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.exec("DELETE FROM whatsmeow_sessions WHERE our_jid = $1", *r.session(id).Jid)
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	again := r.say(customer, salon, "menu")
	r.inbox(customer, 2)
	if reason := one[string](r, "SELECT reason::text FROM unlogged_messages WHERE tenant_id = $1 AND wa_message_id = $2", id, again); reason != "UNDECRYPTABLE" {
		t.Errorf("noted as %s", reason)
	}
	r.await("all is confirmed", func() bool { return r.books(id).Waiting == 0 })
	if a := r.books(id); a.Wrong() != 0 || a.Received != 2 || a.Acknowledged != 2 {
		t.Errorf("%+v", a)
	}
	r.clean()
}

// What is no message to be logged is nothing for the ledger either, readable or not.
func TestUndecryptableAndNotToBeLogged(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	s := n.supervisor(id)
	from := types.NewJID(customer, types.DefaultUserServer)
	info := func(waID string) types.MessageInfo {
		return types.MessageInfo{MessageSource: types.MessageSource{Chat: from, Sender: from}, ID: waID, Timestamp: time.Now(), PushName: "Asha"}
	}
	mine, group := info("MINE"), info("GROUP")
	mine.IsFromMe, group.IsGroup = true, true
	for _, evt := range []*events.UndecryptableMessage{
		{Info: mine}, {Info: group},
		{Info: info("REACTION"), DecryptFailMode: events.DecryptFailHide},
		{Info: info("ONCE"), IsUnavailable: true, UnavailableType: events.UnavailableTypeViewOnce},
		{Info: info("AWAY"), IsUnavailable: true},
		{Info: info("LOST")}, {Info: info("LOST")},
	} {
		if !s.handle(s.client, evt) {
			t.Errorf("%s is not acknowledged", evt.Info.ID)
		}
	}
	all := one[string](r, "SELECT string_agg(concat_ws(' ', wa_message_id, reason, phone_number, name), ', ' ORDER BY wa_message_id) FROM unlogged_messages")
	if want := "AWAY UNAVAILABLE +" + customer + " Asha, LOST UNDECRYPTABLE +" + customer + " Asha"; all != want {
		t.Errorf("noted %s, want %s", all, want)
	}
}
