package whatsapp

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"go.mau.fi/libsignal/state/record"

	"flowhq/queries"
)

// The sessions of a contact cannot be moved to its LID at first: the message waits for it, and nothing is asked for again.
func TestMovingSessionsFails(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	lid := one[string](r, "SELECT lid FROM contacts")
	for _, table := range []string{"whatsmeow_sessions", "whatsmeow_identity_keys"} {
		r.exec("UPDATE "+table+" SET their_id = $1::text || ':' || split_part(their_id, ':', 2) WHERE their_id LIKE $2::text || '%'", customer, lid)
	}
	r.failing(1)
	r.exec("CREATE TRIGGER fail BEFORE INSERT ON whatsmeow_identity_keys FOR EACH ROW EXECUTE FUNCTION fail_row()")
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 2)
	if got := one[int](r, "SELECT last_value FROM fails"); got < 1000 {
		t.Error("nothing failed: the test did not test it")
	}
	if got := one[int](r, "SELECT count(*) FROM whatsmeow_sessions WHERE their_id LIKE $1 || ':%'", customer); got != 0 {
		t.Errorf("%d sessions are left under the number", got)
	}
	if st := r.sim.Stats(); st.RetriesIn != 0 {
		t.Errorf("asked for it again: %+v", st)
	}
	r.clean()
}

// customerAddress is the address of the one customer whose session is known.
func customerAddress(t *testing.T, s *tenantStore) string {
	t.Helper()
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	for address := range s.known.new {
		if !s.own(address) {
			return address
		}
	}
	t.Fatal("no customer's session is known")
	return ""
}

// A process that was paused between reading a session and writing it back, past its lease, must not write it: whoever has the
// shard now has moved it on.
func TestBareWriteIsFenced(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	store := n.supervisor(id).device.store
	address := customerAddress(t, store)
	session, err := store.GetSession(r.ctx(), address)
	if err != nil {
		t.Fatal(err)
	}
	r.exec("UPDATE shards SET epoch = epoch + 1")
	if err := store.PutSession(r.ctx(), address, append(session, 0)); err == nil {
		t.Error("it was written")
	}
	if err := store.DeleteAllSessions(r.ctx(), address[:len(address)-2]); err == nil {
		t.Error("sessions were deleted")
	}
	if got := one[[]byte](r, "SELECT session FROM whatsmeow_sessions WHERE their_id = $1", address); string(got) != string(session) {
		t.Error("another session is stored")
	}
}

// A phone asks for a message again, and the database fails for a moment while that is made: the phone gets it all the same.
func TestDatabaseFailsWhileSendingAgain(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	for i := range 2 {
		r.say(contact(i), salon, "menu")
		r.inbox(contact(i), 1)
	}
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.swapSession("sessions", "session", 0, 1)
	lid := r.swapSession("identity_keys", "identity", 0, 1)
	r.failing(2) // the first write is the send's
	r.exec("CREATE TRIGGER fail BEFORE INSERT ON whatsmeow_sessions FOR EACH ROW WHEN (NEW.their_id LIKE '" + lid + "%') EXECUTE FUNCTION fail_row()")
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	if err := r.queue(n, id, "+"+contact(0), "can you read this"); err != nil {
		t.Fatal(err)
	}
	if m := r.inbox(contact(0), 2)[1]; m.Text != "can you read this" {
		t.Errorf("%+v", m)
	}
	if got := one[int](r, "SELECT last_value FROM fails"); got < 1000 {
		t.Error("nothing failed: the test did not test it")
	}
	r.clean()
}

// swapSession gives what is stored of one customer's session to another, which breaks the session, and returns the other's LID.
func (r *rig) swapSession(table, column string, to, from int) string {
	r.t.Helper()
	lid := func(i int) string {
		return one[string](r, "SELECT lid FROM contacts WHERE phone_number = $1", "+"+contact(i))
	}
	r.exec(fmt.Sprintf(`UPDATE whatsmeow_%[1]s s SET %[2]s = o.%[2]s FROM whatsmeow_%[1]s o
		WHERE s.their_id LIKE $1::text || '%%' AND o.their_id LIKE $2::text || '%%' AND o.our_jid = s.our_jid`, table, column), lid(to), lid(from))
	return lid(to)
}

// A message belongs to an earlier one of a contact's sessions: the present one, on which it was tried first, stays as it was.
func TestMessageOfAnEarlierSession(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	for i := range 2 {
		r.say(contact(i), salon, "menu")
		r.inbox(contact(i), 1)
	}
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	stored := func(i int) *record.SessionStructure {
		raw := one[[]byte](r, `SELECT s.session FROM whatsmeow_sessions s JOIN contacts c ON s.their_id LIKE c.lid || '%' WHERE c.phone_number = $1`, "+"+contact(i))
		s, err := sessions.Deserialize(raw)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	other, own := stored(0).SessionState, stored(1).SessionState
	both := sessions.Serialize(&record.SessionStructure{SessionState: other, PreviousStates: []*record.StateStructure{own}})
	r.exec("UPDATE whatsmeow_sessions s SET session = $1 FROM contacts c WHERE s.their_id LIKE c.lid || '%' AND c.phone_number = $2", both, "+"+contact(1))
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.say(contact(1), salon, "menu")
	r.inbox(contact(1), 2)
	now := stored(1)
	if len(now.PreviousStates) != 1 {
		t.Fatalf("%d earlier sessions, want one", len(now.PreviousStates))
	}
	if !bytes.Equal(now.SessionState.SenderBaseKey, own.SenderBaseKey) {
		t.Error("the session of the message is not the present one")
	}
	if !reflect.DeepEqual(now.PreviousStates[0], other) {
		t.Error("the session that the message does not belong to has moved on")
	}
	r.clean()
}
