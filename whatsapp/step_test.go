package whatsapp

import (
	"context"
	"errors"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// onConnection is the context of the store's present connection.
func (r *rig) onConnection(s *tenantStore) context.Context {
	s.step.mu.Lock()
	defer s.step.mu.Unlock()
	return context.WithValue(r.ctx(), connectionKey{}, s.step.connection)
}

// A ciphertext on which the Signal library panics costs one message; the tenant goes on.
func TestPanicWhileDecrypting(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	store := n.supervisor(id).device.store
	err := func() (err error) {
		defer func() { _ = recover() }() // as whatsmeow does
		return store.DoDecryptionTxn(r.onConnection(store), func(context.Context) error { panic("crypto/cipher: input not full blocks") })
	}()
	if err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("error %v: the sender is not asked for another copy", err)
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.clean()
}

// A message that is decrypted and never delivered, because it cannot be parsed, does not keep the gate closed.
func TestDecryptedAndNotDelivered(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	store := n.supervisor(id).device.store
	if err := store.DoDecryptionTxn(r.onConnection(store), func(ctx context.Context) error {
		if _, err := store.HasSession(ctx, "255754999998:0"); err != nil {
			return err
		}
		return store.PutBufferedEvent(ctx, [32]byte{1}, []byte{0x0a, 0x01, 'x', 0x01}, time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.ctx(), bareLimit-time.Second)
	defer cancel()
	if err := store.gate.lock(ctx); err != nil {
		t.Fatalf("the gate is closed: %v", err)
	}
	store.gate.unlock()
	if got := one[int](r, "SELECT count(*) FROM whatsmeow_event_buffer WHERE ciphertext_hash = $1 AND plaintext IS NOT NULL", append([]byte{1}, make([]byte, 31)...)); got != 1 {
		t.Errorf("%d plaintexts are kept, want the one", got)
	}
}

// failing makes a function fail() that fails the n-th time it is asked, and only then.
func (r *rig) failing(nth int) {
	r.t.Helper()
	r.exec("CREATE SEQUENCE fails")
	r.exec("SELECT setval('fails', $1, false)", 1000-nth+1)
	r.exec(`CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN
		IF nextval('fails') = 1000 THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '40001'; END IF;
		RETURN true;
	END $$`)
	r.exec("CREATE FUNCTION fail_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM fail(); RETURN NEW; END $$")
}

// The first of two messages cannot be decrypted because the database fails for a moment: the second waits for it.
func TestOrderWhenDecryptingFails(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	lid := func(s *simulator.SendRequest) { s.LID = true }
	r.say(customer, salon, "menu", lid)
	r.inbox(customer, 1)
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second", "third"} {
		r.say(customer, salon, text, lid)
	}
	r.failing(1)
	r.exec("ALTER TABLE whatsmeow_sessions RENAME TO kept")
	r.exec("CREATE VIEW whatsmeow_sessions AS SELECT * FROM kept WHERE fail()")
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.await("all are logged", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN'") == 4 })
	if got := one[int](r, "SELECT last_value FROM fails"); got < 1000 {
		t.Error("nothing failed: the test did not test it")
	}
	if got := one[string](r, "SELECT string_agg(message_text, ' ' ORDER BY seq) FROM message_logs WHERE direction = 'IN'"); got != "menu first second third" {
		t.Errorf("logged in this order: %s", got)
	}
	r.inbox(customer, 4)
	r.clean()
}

// What an earlier connection left behind is not let in once there is a new one: something before it was not stored.
func TestEarlierConnectionIsHalted(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	store := n.supervisor(id).device.store
	before := r.onConnection(store)
	r.fault(simulator.Fault{Kind: simulator.FaultDrop, Phone: salon})
	r.await("there is another connection", func() bool { return r.onConnection(store).Value(connectionKey{}) != before.Value(connectionKey{}) })
	err := store.DoDecryptionTxn(before, func(context.Context) error { return nil })
	if !errors.Is(err, errHalted) || !errors.Is(err, context.Canceled) {
		t.Errorf("a message of an earlier connection was let in: %v", err)
	}
	if err := store.DoDecryptionTxn(r.onConnection(store), func(context.Context) error { return nil }); err != nil {
		t.Errorf("one of the present connection was not: %v", err)
	}
}
