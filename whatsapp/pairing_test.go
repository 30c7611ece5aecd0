package whatsapp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

const (
	salon    = "255712000001"
	shop     = "255712000002"
	customer = "255754000001"
)

func TestPairByQRAndReply(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)

	row := r.get(id)
	s := row.WhatsappSession
	if s.State != queries.SessionStateCONNECTED || s.Jid == nil || s.LastQr != nil || s.ConnectedAt == nil {
		t.Errorf("session: %+v", s)
	}
	if row.Tenant.Status != queries.TenantStatusACTIVE || row.WorkerProcess.Status != queries.WorkerStatusRUNNING ||
		row.WorkerProcess.ProcessName != "a/0" || row.WorkerProcess.StartedAt == nil {
		t.Errorf("tenant %s, worker %+v", row.Tenant.Status, row.WorkerProcess)
	}
	r.hasEvent(id, eventLinked)
	r.hasEvent(id, eventConnected)

	waID := r.say(customer, salon, "menu", func(s *simulator.SendRequest) { s.Name = "Asha" })
	reply := r.inbox(customer, 1)[0]
	if got := one[string](r, "SELECT decision || ' ' || intent FROM message_logs WHERE wa_message_id = $1", waID); got != "REPLIED MENU" {
		t.Errorf("decision: %s", got)
	}
	r.await("the reply is read", func() bool {
		return one[string](r, "SELECT status::text FROM message_logs WHERE wa_message_id = $1", reply.ID) == "READ"
	})
	m := one[queries.MessageLog](r, "SELECT ROW(m.*) FROM message_logs m WHERE wa_message_id = $1", reply.ID)
	if m.FromNumber != "+"+salon || m.ToNumber != "+"+customer || m.MessageText != reply.Text || m.SentAt == nil || m.DeliveredAt == nil ||
		m.Source != "BOT" || m.InReplyTo == nil || m.Attempts != 1 {
		t.Errorf("reply: %+v", m)
	}
	if name := one[string](r, "SELECT name FROM contacts WHERE tenant_id = $1", id); name != "Asha" {
		t.Errorf("the customer's name is %q", name)
	}
	seen := one[time.Time](r, "SELECT last_seen_at FROM whatsapp_sessions WHERE tenant_id = $1", id)
	r.await("a heartbeat", func() bool {
		return one[time.Time](r, "SELECT last_seen_at FROM whatsapp_sessions WHERE tenant_id = $1", id).After(seen)
	})
	r.clean()
}

func TestPairByCode(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.await("the node holds the shard", func() bool { _, ok := n.leases.epoch(0); return ok })
	code, err := n.PairCode(r.ctx(), id, "+"+salon)
	if err != nil {
		t.Fatal(err)
	}
	s := r.session(id)
	if s.PairCode == nil || *s.PairCode != code || s.PairCodeExpiresAt == nil || s.State != queries.SessionStateQRREADY {
		t.Fatalf("code %s, session %+v", code, s)
	}
	if _, err := r.sim.LinkCode(r.ctx(), salon, code); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	if s := r.session(id); s.PairCode != nil || s.LastQr != nil {
		t.Errorf("codes are left: %+v", s)
	}
	if _, err := n.PairCode(r.ctx(), id, "+"+salon); !errors.Is(err, ErrAlreadyLinked) {
		t.Errorf("a code for a linked number: %v", err)
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
}

func TestANumberBelongsToOneTenant(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	first, second := r.tenant("Salon", "+"+salon, 0), r.tenant("Shop", "+"+shop, 1)
	r.link(n, first, salon)
	r.start(n, second)
	s := r.awaitReason(second, queries.SessionReasonWAITINGFORSCAN)
	_, _ = r.sim.Scan(r.ctx(), *s.LastQr, salon)
	r.await("the refusal is shown", func() bool {
		w := r.get(second)
		return w.WorkerProcess.LastError != nil && w.WhatsappSession.Jid == nil
	})
	r.hasEvent(second, eventPairFailed)
	// Another number than expected is the business's own choice.
	s = r.awaitReason(second, queries.SessionReasonWAITINGFORSCAN)
	if _, err := r.sim.Scan(r.ctx(), *s.LastQr, "255712000003"); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(second, queries.SessionReasonCONNECTED)
	r.hasEvent(second, eventOtherNumber)
	if w := r.get(second).WorkerProcess; w.LastError != nil {
		t.Errorf("an old error is still shown: %s", *w.LastError)
	}
}

func TestRestartNeedsNoScan(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	row := r.get(id)
	if row.WhatsappSession.Reason != queries.SessionReasonSTOPPED || row.WorkerProcess.Status != queries.WorkerStatusSTOPPED ||
		row.Tenant.Status != queries.TenantStatusPAUSED || row.WhatsappSession.Jid == nil {
		t.Errorf("stopped: %+v", row)
	}
	if err := n.Start(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	if err := n.Restart(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	n.stop() // as a process that ends
	if s := r.session(id); s.State != queries.SessionStateDISCONNECTED {
		t.Errorf("after the process ended: %+v", s)
	}
	r.say(customer, salon, "menu") // waits at WhatsApp
	r.run("b")
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.inbox(customer, 1)
	if st := r.sim.Stats(); st.Pairings != 1 {
		t.Errorf("%d pairings", st.Pairings)
	}
	r.clean()
}

func TestLogout(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	if err := n.Logout(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	row := r.get(id)
	if row.WhatsappSession.Jid != nil || row.WhatsappSession.Reason != queries.SessionReasonUNLINKED || row.Tenant.Status != queries.TenantStatusPAUSED ||
		row.WorkerProcess.Status != queries.WorkerStatusSTOPPED {
		t.Errorf("logged out: %+v", row)
	}
	if all := r.events(id); strings.Contains(all, eventLoggedOut) {
		t.Errorf("shown as removed on the phone: %s", all)
	}
	if got := len(r.sim.Devices()); got != 0 {
		t.Errorf("WhatsApp still knows %d devices", got)
	}
	if got := one[int](r, "SELECT count(*) FROM whatsmeow_device"); got != 0 {
		t.Errorf("%d devices stored", got)
	}
	r.link(n, id, salon) // and again
	jid := *r.session(id).Jid
	if err := n.Stop(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.exec("DELETE FROM tenants WHERE id = $1", id)
	if err := n.Forget(r.ctx(), id, jid); err != nil {
		t.Fatal(err)
	}
	if devices, keys := len(r.sim.Devices()), one[int](r, "SELECT count(*) FROM prekey_blocks"); devices != 0 || keys != 0 {
		t.Errorf("of a deleted tenant, WhatsApp knows %d devices, and %d keys are stored", devices, keys)
	}
}

// Codes renew themselves; when they run out, a new round begins only while somebody looks.
func TestCodesRunOut(t *testing.T) {
	r := newRig(t)
	r.prepare = func(p *Pool) { p.codeLife.first, p.codeLife.next = 300*time.Millisecond, 100*time.Millisecond }
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.start(n, id)
	first := r.awaitReason(id, queries.SessionReasonWAITINGFORSCAN)
	r.await("the next code", func() bool { s := r.session(id); return s.LastQr != nil && *s.LastQr != *first.LastQr })
	s := r.awaitReason(id, queries.SessionReasonSCANEXPIRED)
	if s.LastQr != nil || s.State != queries.SessionStateDISCONNECTED {
		t.Errorf("a code is still shown: %+v", s)
	}
	r.await("the socket is closed", func() bool { return r.sim.Stats().Connections == 0 })
	if w := r.get(id); w.WorkerProcess.Status != queries.WorkerStatusRUNNING || w.Tenant.Status != queries.TenantStatusQRPENDING {
		t.Errorf("%+v", w)
	}
	beat := r.get(id).WorkerProcess.HeartbeatAt
	r.await("the worker counts as alive", func() bool { b := r.get(id).WorkerProcess.HeartbeatAt; return b != nil && b.After(*beat) })
	// Somebody opens the page, and keeps it open for longer than one round.
	r.exec("UPDATE whatsapp_sessions SET watched_until = now() + interval '1 minute' WHERE tenant_id = $1", id)
	r.awaitReason(id, queries.SessionReasonWAITINGFORSCAN)
	before := r.sim.Stats().ConnectionsTotal
	r.await("a new round on a new connection", func() bool { return r.sim.Stats().ConnectionsTotal > before })
	// A code to type keeps the round open for as long as it is good.
	code, err := n.PairCode(r.ctx(), id, salon)
	if err != nil {
		t.Fatal(err)
	}
	r.await("only the code to type is left", func() bool { s := r.session(id); return s.PairCode != nil && s.LastQr == nil })
	if _, err := r.sim.LinkCode(r.ctx(), salon, code); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
}
