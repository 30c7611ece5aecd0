package whatsapp

import (
	"bytes"
	"testing"

	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/store"
)

func signalSession(t *testing.T, raw []byte) *record.Session {
	t.Helper()
	session, err := record.NewSessionFromBytes(raw, store.SignalProtobufSerializer.Session, store.SignalProtobufSerializer.State)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// A session in use is stored ahead: what the Signal library reads of it is the same session, its sending chain moved on.
func TestRunAhead(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	known := n.supervisor(id).device.store.known
	var address string
	for a := range known.new {
		if !n.supervisor(id).device.store.own(a) {
			address = a
		}
	}
	p, ok := known.get(address)
	if !ok {
		t.Fatal("the session with the customer is not known")
	}
	now := signalSession(t, p.session)
	stored, a := runAhead(p.session, 5)
	then := signalSession(t, stored)
	want := now.SessionState().SenderChainKey().Current()
	for range 5 {
		want = want.NextKey()
	}
	got := then.SessionState().SenderChainKey().Current()
	if got.Index() != want.Index() || !bytes.Equal(got.Key(), want.Key()) || a.until != got.Index() {
		t.Errorf("stored with key %d (%x), want %d (%x); ahead %+v", got.Index(), got.Key(), want.Index(), want.Key(), a)
	}
	then.SessionState().SetSenderChainKey(now.SessionState().SenderChainKey())
	if !bytes.Equal(then.Serialize(), now.Serialize()) {
		t.Error("something else than the sending chain has changed")
	}
	if !a.covers(p.session) {
		t.Error("the session it was made from is not covered")
	}
	at := now.SessionState().SenderChainKey().Current()
	for i := range 7 {
		at = at.NextKey() // as if a message had been sent
		now.SessionState().SetSenderChainKey(at)
		if got, want := a.covers(now.Serialize()), i < 5; got != want {
			t.Errorf("after %d messages: covered %v", i+1, got)
		}
	}
	if same, none := runAhead([]byte("no session"), 5); string(same) != "no session" || none.covers(p.session) {
		t.Error("what is no session is not left alone")
	}
}

// Messages leave without a write of their session; a crash then must not bring back a key that was used.
func TestCrashAfterMessagesWithoutAWrite(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	n.o.RepliesPerMinute = 0
	shown := 0
	for round := range 3 {
		r.say(customer, salon, "menu")
		shown++
		r.inbox(customer, shown)
		for range 3 * round * aheadSending / 2 {
			if err := r.queue(n, id, "+"+customer, "news"); err != nil {
				t.Fatal(err)
			}
			shown++
		}
		r.inbox(customer, shown)
		s := n.supervisor(id)
		s.abort() // nothing more is written, as after kill -9
		<-s.done
		n.remove(s)
		if err := n.Start(r.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	r.say(customer, salon, "menu")
	if got := r.inbox(customer, shown+1); len(got) != shown+1 {
		t.Errorf("%d messages are shown of %d", len(got), shown+1)
	}
	if st := r.sim.Stats(); st.Undecryptable+st.RetriesIn != 0 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// The first try to write a session fails with its connection, the second one must not take it for done.
func TestSessionIsWrittenAfterAFailedTry(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.exec("CREATE SEQUENCE failures")
	r.exec(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('failures') <= 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
		RETURN NEW;
	END $$`)
	r.exec("CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON whatsmeow_sessions FOR EACH ROW EXECUTE FUNCTION fail()")
	s := n.supervisor(id)
	s.device.store.known.clear() // so that the next message needs a write
	for i := range 3 {
		if err := r.queue(n, id, "+"+customer, "news"); err != nil {
			t.Fatal(err)
		}
		r.inbox(customer, 2+i)
	}
	r.await("all marked as sent, so that none of them takes a key again", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE tenant_id = $1 AND status = 'QUEUED'", id) == 0
	})
	if tries := one[int](r, "SELECT last_value FROM failures"); tries < 2 {
		t.Errorf("%d tries to write a session, want one that failed and others", tries)
	}
	s.abort()
	<-s.done
	n.remove(s)
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if err := r.queue(n, id, "+"+customer, "after the crash"); err != nil {
		t.Fatal(err)
	}
	r.inbox(customer, 5)
	r.clean()
}
