package whatsapp

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// twoLinked is a rig with two connected tenants: one that gets into trouble, one that must not notice.
func twoLinked(t *testing.T) (r *rig, n *node, troubled, other uuid.UUID) {
	r = newRig(t)
	n = r.run("a", unlimited)
	troubled, other = r.tenant("Salon", "+"+salon, 0), r.tenant("Shop", "+"+shop, 0)
	r.link(n, troubled, salon)
	r.link(n, other, shop)
	return r, n, troubled, other
}

// unaffected checks that the other tenant stayed connected and answers.
func (r *rig) unaffected(other uuid.UUID, connectedAt time.Time) {
	r.t.Helper()
	before := len(r.sim.Inbox("255754999999", 0))
	r.say("255754999999", shop, "menu")
	r.inbox("255754999999", before+1)
	if s := r.session(other); s.State != queries.SessionStateCONNECTED || !s.ReasonSince.Equal(connectedAt) {
		r.t.Errorf("the other tenant noticed: %+v", s)
	}
}

func TestStatesThatWhatsAppImposes(t *testing.T) {
	tests := []struct {
		name   string
		fault  simulator.Fault
		reason queries.SessionReason
		event  string
		linked bool // still
		until  bool
	}{
		{"logged out from the phone", simulator.Fault{Kind: simulator.FaultLogout}, queries.SessionReasonLOGGEDOUT, eventLoggedOut, false, false},
		{"replaced elsewhere", simulator.Fault{Kind: simulator.FaultReplace}, queries.SessionReasonREPLACED, eventReplaced, true, false},
		{"banned for a time", simulator.Fault{Kind: simulator.FaultBan, Duration: time.Hour, Code: 102}, queries.SessionReasonBANNED, eventBanned, true, true},
		{"locked", simulator.Fault{Kind: simulator.FaultLocked}, queries.SessionReasonLOCKED, eventLocked, false, false},
		{"banned for good", simulator.Fault{Kind: simulator.FaultBanned}, queries.SessionReasonBANNED, eventBanned, false, false},
		{"outdated", simulator.Fault{Kind: simulator.FaultOutdated}, queries.SessionReasonOUTDATED, eventOutdated, true, false},
	}
	r, n, troubled, other := twoLinked(t)
	since := r.session(other).ReasonSince
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault.Phone = salon
			r.fault(tt.fault)
			s := r.awaitReason(troubled, tt.reason)
			row := r.get(troubled)
			if s.State != queries.SessionStateDISCONNECTED || row.Tenant.Status != queries.TenantStatusERROR ||
				row.WorkerProcess.Status != queries.WorkerStatusERROR || row.WorkerProcess.LastError == nil {
				t.Errorf("%+v", row)
			}
			if (s.Jid != nil) != tt.linked {
				t.Errorf("linked with %v", s.Jid)
			}
			if tt.until && (s.ReasonUntil == nil || time.Until(*s.ReasonUntil) < 50*time.Minute || time.Until(*s.ReasonUntil) > 70*time.Minute) {
				t.Errorf("until %v", s.ReasonUntil)
			}
			r.hasEvent(troubled, tt.event)
			r.unaffected(other, since)
			r.fault(simulator.Fault{Kind: simulator.FaultClear})
			if tt.linked {
				if err := n.Start(r.ctx(), troubled); err != nil {
					t.Fatal(err)
				}
				r.awaitReason(troubled, queries.SessionReasonCONNECTED)
			} else {
				r.link(n, troubled, salon)
			}
		})
	}
	r.clean()
}

func TestDroppedConnectionComesBack(t *testing.T) {
	r, _, troubled, other := twoLinked(t)
	since := r.session(other).ReasonSince
	for _, kind := range []string{simulator.FaultDrop, simulator.FaultRestart} {
		r.fault(simulator.Fault{Kind: kind, Phone: salon})
		r.awaitReason(troubled, queries.SessionReasonRECONNECTING)
		if status := r.get(troubled).Tenant.Status; status != queries.TenantStatusACTIVE {
			t.Errorf("while reconnecting the tenant is %s, want ACTIVE", status)
		}
		r.say(customer, salon, "menu")
		r.awaitReason(troubled, queries.SessionReasonCONNECTED)
	}
	r.inbox(customer, 2)
	r.unaffected(other, since)
	if all := r.events(troubled); strings.Count(all, eventConnected) != 1 {
		t.Errorf("a short break is no event: %s", all)
	}
	r.clean()
}

func TestDuplicateDelivery(t *testing.T) {
	r, _, _, _ := twoLinked(t)
	r.fault(simulator.Fault{Kind: simulator.FaultDuplicate, Phone: salon, Count: 5})
	for range 5 {
		r.say(customer, salon, "menu")
	}
	r.inbox(customer, 5)
	r.say(customer, salon, "menu") // handled after all the copies
	if got := len(r.inbox(customer, 6)); got != 6 {
		t.Errorf("%d answers to 6 messages", got)
	}
	if got := one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN'"); got != 6 {
		t.Errorf("%d messages logged of 6", got)
	}
	r.clean()
}

// WhatsApp's word for an answer never comes. The customer's ticks say as much, so it is not sent again.
// An acknowledgement that does not come holds up nobody else: the customer's receipt says that the message was taken.
func TestWithheldAckHoldsUpNobody(t *testing.T) {
	r, _, _, _ := twoLinked(t)
	r.fault(simulator.Fault{Kind: simulator.FaultWithholdAcks, Phone: salon, Count: 1})
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	const another = "255755000099"
	r.say(another, salon, "menu")
	ctx, cancel := context.WithTimeout(t.Context(), ackTimeout/2)
	defer cancel()
	if _, err := r.sim.WaitInbox(ctx, another, 1); err != nil {
		t.Error("another customer's answer waited for the acknowledgement that did not come")
	}
	r.await("both are read", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == 2 })
	r.clean()
}

func TestWithheldAck(t *testing.T) {
	r, _, troubled, _ := twoLinked(t)
	r.fault(simulator.Fault{Kind: simulator.FaultWithholdAcks, Phone: salon, Count: 1})
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.await("the ticks are noted", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == 1 })
	r.fault(simulator.Fault{Kind: simulator.FaultDrop, Phone: salon})
	r.awaitReason(troubled, queries.SessionReasonRECONNECTING)
	r.awaitReason(troubled, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "menu")
	if got := r.inbox(customer, 2); len(got) != 2 || got[0].Resends != 0 {
		t.Errorf("%+v", got)
	}
	r.clean()
}

// The program died after sending and before noting it: the message is sent again under the same id, and shown once.
func TestSentButNotMarked(t *testing.T) {
	r, n, troubled, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.await("the ticks are noted", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == 1 })
	r.exec("UPDATE message_logs SET status = 'QUEUED', sent_at = NULL WHERE direction = 'OUT'")
	if err := n.Restart(r.ctx(), troubled); err != nil {
		t.Fatal(err)
	}
	r.await("it is sent again", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'OUT' AND status <> 'QUEUED' AND attempts = 2") == 1
	})
	if got := r.inbox(customer, 1); len(got) != 1 || got[0].Resends != 1 {
		t.Errorf("%+v", got)
	}
	r.clean()
}

func TestRefusedMessageIsFailed(t *testing.T) {
	r, _, _, _ := twoLinked(t)
	r.fault(simulator.Fault{Kind: simulator.FaultSendError, Phone: salon, Count: 1, Code: 400})
	r.say(customer, salon, "menu")
	r.await("it is failed", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'FAILED'") == 1 })
	if why := one[string](r, "SELECT failure FROM message_logs WHERE status = 'FAILED'"); !strings.Contains(why, "400") {
		t.Errorf("reason: %s", why)
	}
	r.say(customer, salon, "menu") // and the chat goes on
	r.inbox(customer, 1)
}

// The database loses the connection in the middle of a message's transaction, and later refuses for good: the message is not
// acknowledged, comes again, and is answered once.
func TestDatabaseFailsWhileTakingIn(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	r.exec("CREATE SEQUENCE failures")
	r.exec(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('failures') <= TG_ARGV[0]::bigint THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
		RETURN NEW;
	END $$`)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	for round, failures := range []int{1, 4} { // fewer than the tries of one delivery, and more
		t.Run(strconv.Itoa(failures), func(t *testing.T) {
			r.exec("ALTER SEQUENCE failures RESTART")
			r.exec(fmt.Sprintf("CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON message_logs FOR EACH ROW WHEN (NEW.direction = 'OUT') EXECUTE FUNCTION fail(%d)", failures))
			r.say(customer, salon, "menu")
			r.inbox(customer, round+1)
			r.awaitReason(id, queries.SessionReasonCONNECTED)
		})
	}
	r.say(customer, salon, "menu")
	if got := len(r.inbox(customer, 3)); got != 3 {
		t.Errorf("%d answers to 3 messages", got)
	}
	if got := one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN'"); got != 3 {
		t.Errorf("%d messages logged of 3", got)
	}
	if st := r.sim.Stats(); st.Redeliveries == 0 {
		t.Error("nothing was delivered again: the test did not test it")
	}
	r.clean()
}

// The database is gone between decrypting something that is no customer's text and storing it: nothing is acknowledged, nothing
// asked for again.
func TestDatabaseFailsWhileDecrypting(t *testing.T) {
	r, _, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.exec("ALTER TABLE whatsmeow_event_buffer RENAME TO away")
	r.say(customer, salon, "", func(s *simulator.SendRequest) { s.Kind = "protocol" })
	r.awaitReason(id, queries.SessionReasonRECONNECTING)
	r.exec("ALTER TABLE away RENAME TO whatsmeow_event_buffer")
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "menu")
	r.inbox(customer, 2)
	if st := r.sim.Stats(); st.RetriesIn != 0 || st.Redeliveries == 0 {
		t.Errorf("asked again %d, delivered again %d", st.RetriesIn, st.Redeliveries)
	}
	r.clean()
}

func TestPanicEndsOneWorkerOnly(t *testing.T) {
	r, n, id, other := twoLinked(t)
	since := r.session(other).ReasonSince
	n.supervisor(id).events <- (*events.PairError)(nil) // what nobody expects
	r.await("the worker shows an error", func() bool { return r.get(id).WorkerProcess.Status == queries.WorkerStatusERROR })
	r.hasEvent(id, eventWorkerError)
	r.unaffected(other, since)
	if err := n.Restart(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
}

// The session with a customer is broken on our side. Where we notice, a new one is made; where only the customer's phone
// does, it asks for the message again. Other messages go both ways meanwhile.
func TestBrokenSession(t *testing.T) {
	const swap = `UPDATE whatsmeow_%s s SET %s = o.%[2]s FROM whatsmeow_%[1]s o, contacts c, contacts d
		WHERE c.phone_number = $1 AND s.their_id LIKE c.lid || '%%' AND d.phone_number = $2 AND o.their_id LIKE d.lid || '%%' AND o.our_jid = s.our_jid`
	for _, tt := range []struct {
		name  string
		swaps []string
		asks  bool
	}{
		{"we notice", []string{fmt.Sprintf(swap, "sessions", "session")}, false},
		{"the phone notices", []string{fmt.Sprintf(swap, "sessions", "session"), fmt.Sprintf(swap, "identity_keys", "identity")}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, n, id, _ := twoLinked(t)
			for i := range 2 {
				r.say(contact(i), salon, "menu")
				r.inbox(contact(i), 1)
			}
			if err := n.Stop(r.ctx(), id); err != nil {
				t.Fatal(err)
			}
			for _, sql := range tt.swaps {
				r.exec(sql, "+"+contact(0), "+"+contact(1))
			}
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
			if asked := r.sim.Stats().Undecryptable > 0; asked != tt.asks {
				t.Errorf("the phone asked again: %v", asked)
			}
			for i := range 2 {
				for range 5 {
					r.say(contact(i), salon, "menu")
				}
			}
			r.inbox(contact(0), 7)
			r.inbox(contact(1), 6)
			r.clean()
		})
	}
}

// The database is away for longer than a lease lasts, while customers write: nothing is lost, nothing doubled, and all comes
// back by itself.
func TestDatabaseAway(t *testing.T) {
	r, _, id, _ := twoLinked(t)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	admin, err := pgx.Connect(r.ctx(), r.db.DSN()+" dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.Background())
	name := one[string](r, "SELECT current_database()")
	do := func(sql string, args ...any) {
		t.Helper()
		if _, err := admin.Exec(r.ctx(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	_ = r.live.Close(r.ctx()) // it would be ended too
	quoted := pgx.Identifier{name}.Sanitize()
	do("ALTER DATABASE " + quoted + " ALLOW_CONNECTIONS false")
	do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
	for i := range 6 {
		r.say(contact(i), salon, "menu")
	}
	awaySince := time.Now()
	for r.sim.Stats().Connections > 0 { // the leases ran out: the node let go
		if time.Since(awaySince) > 20*time.Second {
			t.Fatal("the clients were not closed")
		}
		time.Sleep(50 * time.Millisecond) // the simulator announces no closed connections
	}
	do("ALTER DATABASE " + quoted + " ALLOW_CONNECTIONS true")
	if r.live, err = pgx.Connect(r.ctx(), r.db.DSN()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.live.Exec(r.ctx(), "LISTEN flowhq_live"); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	for i := range 6 {
		if got := r.inbox(contact(i), 1); len(got) != 1 || got[0].Resends != 0 {
			t.Errorf("%+v", got)
		}
	}
	if got := one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN' AND decision = 'REPLIED'"); got != 7 {
		t.Errorf("%d messages logged of 7", got)
	}
	r.clean()
}

// A crash of Postgres may cost the latest state; a heartbeat notices and puts it right.
func TestLostStateIsWrittenAgain(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.exec("UPDATE whatsapp_sessions SET state = 'DISCONNECTED', reason = 'CONNECTING' WHERE tenant_id = $1", id)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
}
