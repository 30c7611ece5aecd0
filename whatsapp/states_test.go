package whatsapp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// WhatsApp answers and turns the connection away, for a reason of its own or one that whatsmeow has no word for: the tenant needs
// attention, says why, and is back by itself when WhatsApp lets it in.
func TestRefused(t *testing.T) {
	r := newRig(t)
	ids := r.crowd(2)
	r.run("a", unlimited)
	r.allConnected(2)
	since := r.session(ids[1]).ReasonSince
	for _, code := range []int{409, 413} { // the client is not liked; a token is missing that only Messenger's clients have
		r.fault(simulator.Fault{Kind: simulator.FaultFailure, Phone: crowdNumber(0), Code: code})
		s := r.awaitReason(ids[0], queries.SessionReasonREFUSED)
		row := r.get(ids[0])
		if s.State != queries.SessionStateDISCONNECTED || s.ReasonDetail == nil || *s.ReasonDetail == "" || s.Jid == nil ||
			row.Tenant.Status != queries.TenantStatusERROR || row.WorkerProcess.Status != queries.WorkerStatusRUNNING || row.WorkerProcess.LastError == nil {
			t.Errorf("%d: %+v", code, row)
		}
		if code == 409 && !strings.Contains(*s.ReasonDetail, "409") {
			t.Errorf("said %q", *s.ReasonDetail)
		}
		r.fault(simulator.Fault{Kind: simulator.FaultClear})
		r.awaitReason(ids[0], queries.SessionReasonCONNECTED)
		if row := r.get(ids[0]); row.Tenant.Status != queries.TenantStatusACTIVE || row.WorkerProcess.LastError != nil {
			t.Errorf("back: %+v", row)
		}
	}
	if s := r.session(ids[1]); !s.ReasonSince.Equal(since) {
		t.Errorf("the other tenant noticed: %+v", s)
	}
}

// An error of the stream that nobody has a word for ends the connection; the next one is made soon, and what WhatsApp said is kept.
func TestStreamError(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultStreamError, Phone: crowdNumber(0), Code: 516})
	if s := r.awaitReason(id, queries.SessionReasonRECONNECTING); s.ReasonDetail == nil || !strings.Contains(*s.ReasonDetail, "516") {
		t.Errorf("%+v", s)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, crowdNumber(0), "menu")
	r.inbox(customer, 1)
	r.clean()
}

// Turned away before the handshake, as by a server that starts anew: a reason is shown, and whoever gets in first brings the others.
func TestRefusedThenBack(t *testing.T) {
	r := newRig(t)
	ids := r.crowd(3)
	r.run("a", unlimited)
	r.allConnected(3)
	r.fault(simulator.Fault{Kind: simulator.FaultRefuse, Duration: 3 * time.Second})
	r.fault(simulator.Fault{Kind: simulator.FaultDrop})
	for _, id := range ids {
		if s := r.awaitReason(id, queries.SessionReasonRECONNECTING); s.ReasonDetail == nil {
			t.Error("no word about why")
		}
		if w := r.get(id); w.Tenant.Status != queries.TenantStatusACTIVE || w.WorkerProcess.Status != queries.WorkerStatusRUNNING {
			t.Errorf("%+v", w)
		}
	}
	r.allConnected(3)
}

// A tenant that goes on trying lives: its heartbeats go on, so that nobody restarts it, which would make it ask more often.
func TestReconnectingIsAlive(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultRefuse, Duration: time.Hour})
	r.fault(simulator.Fault{Kind: simulator.FaultDrop})
	r.awaitReason(id, queries.SessionReasonRECONNECTING)
	refused := r.sim.Stats().Refused
	r.await("it tries again", func() bool { return r.sim.Stats().Refused > refused })
	beat := *r.get(id).WorkerProcess.HeartbeatAt
	seen := *r.session(id).LastSeenAt
	r.await("a heartbeat", func() bool { return r.get(id).WorkerProcess.HeartbeatAt.After(beat) })
	if s := r.session(id); !s.LastSeenAt.Equal(seen) {
		t.Error("the session counts as seen although it is not connected")
	}
	r.await("the loss is an event", func() bool { return strings.Contains(r.events(id), eventDisconnected) })
}

func TestBanEndsByItself(t *testing.T) {
	r := newRig(t)
	id := r.crowd(1)[0]
	a := r.run("a", unlimited)
	r.allConnected(1)
	r.fault(simulator.Fault{Kind: simulator.FaultBan, Phone: crowdNumber(0), Duration: 3 * time.Second, Code: 101})
	s := r.awaitReason(id, queries.SessionReasonBANNED)
	if s.ReasonUntil == nil || s.Jid == nil {
		t.Fatalf("%+v", s)
	}
	until, refused := *s.ReasonUntil, r.sim.Stats().LoginsRefused
	a.stop() // another node takes over, and does not ask before the end either
	r.run("b", unlimited)
	r.await("the next node has it", func() bool { return strings.HasPrefix(r.get(id).WorkerProcess.ProcessName, "b/") })
	if s := r.session(id); s.Reason != queries.SessionReasonBANNED || s.ReasonUntil == nil || !s.ReasonUntil.Equal(until) {
		t.Errorf("on the next node: %+v", s)
	}
	s = r.awaitReason(id, queries.SessionReasonCONNECTED)
	if s.ConnectedAt.Before(until) || r.sim.Stats().LoginsRefused != refused {
		t.Errorf("banned until %s, connected at %s, %d logins refused meanwhile", until, s.ConnectedAt, r.sim.Stats().LoginsRefused-refused)
	}
	if r.get(id).Tenant.Status != queries.TenantStatusACTIVE {
		t.Errorf("%+v", r.get(id))
	}
	r.hasEvent(id, eventConnected)
}

// What WhatsApp ended stays ended on the next node, which asks nothing; a person's start does.
func TestEndedStatesOutliveTheNode(t *testing.T) {
	faults := []struct {
		kind   string
		reason queries.SessionReason
	}{
		{simulator.FaultLogout, queries.SessionReasonLOGGEDOUT},
		{simulator.FaultReplace, queries.SessionReasonREPLACED},
		{simulator.FaultLocked, queries.SessionReasonLOCKED},
		{simulator.FaultBanned, queries.SessionReasonBANNED},
		{simulator.FaultOutdated, queries.SessionReasonOUTDATED},
	}
	r := newRig(t)
	ids := r.crowd(len(faults) + 1)
	fine := ids[len(faults)]
	a := r.run("a", unlimited)
	r.allConnected(len(ids))
	for i, f := range faults {
		r.fault(simulator.Fault{Kind: f.kind, Phone: crowdNumber(i)})
	}
	errors := map[uuid.UUID]string{}
	for i, f := range faults {
		r.awaitReason(ids[i], f.reason)
		errors[ids[i]] = *r.get(ids[i]).WorkerProcess.LastError
	}
	a.stop()
	r.fault(simulator.Fault{Kind: simulator.FaultClear})
	before := r.sim.Stats()
	b := r.run("b", unlimited)
	r.awaitReason(fine, queries.SessionReasonCONNECTED)
	r.awaitReason(ids[4], queries.SessionReasonCONNECTED) // the new process may be the update that WhatsApp asked for
	for i, f := range faults[:4] {
		r.await("the next node has it", func() bool { return strings.HasPrefix(r.get(ids[i]).WorkerProcess.ProcessName, "b/") })
		row := r.get(ids[i])
		if row.WhatsappSession.Reason != f.reason || row.Tenant.Status != queries.TenantStatusERROR || row.WorkerProcess.Status != queries.WorkerStatusERROR ||
			row.WorkerProcess.LastError == nil || *row.WorkerProcess.LastError != errors[ids[i]] {
			t.Errorf("%s: %+v", f.kind, row)
		}
		if all := r.events(ids[i]); strings.Count(all, "SESSION_") != 2 { // connected, and the end
			t.Errorf("%s: %s", f.kind, all)
		}
	}
	if after := r.sim.Stats(); after.ConnectionsTotal-before.ConnectionsTotal != 2 {
		t.Errorf("%d connections for two tenants", after.ConnectionsTotal-before.ConnectionsTotal)
	}
	if err := b.Start(r.ctx(), ids[1]); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(ids[1], queries.SessionReasonCONNECTED)
	if err := b.Start(r.ctx(), ids[0]); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(ids[0], queries.SessionReasonWAITINGFORSCAN)
}

// A stopped tenant shows what is true of its number whether it runs or not, and is new only if it never was linked.
func TestStoppedStates(t *testing.T) {
	r := newRig(t)
	ids := r.crowd(3)
	ids = append(ids, r.tenant("New", "+"+salon, 0))
	n := r.run("a", unlimited)
	r.allConnected(3)
	r.awaitReason(ids[3], queries.SessionReasonWAITINGFORSCAN)
	r.fault(simulator.Fault{Kind: simulator.FaultLogout, Phone: crowdNumber(0)})
	r.fault(simulator.Fault{Kind: simulator.FaultBan, Phone: crowdNumber(1), Duration: time.Hour})
	r.awaitReason(ids[0], queries.SessionReasonLOGGEDOUT)
	banned := r.awaitReason(ids[1], queries.SessionReasonBANNED)
	want := []struct {
		reason queries.SessionReason
		tenant queries.TenantStatus
	}{
		{queries.SessionReasonLOGGEDOUT, queries.TenantStatusPAUSED}, // and not new again
		{queries.SessionReasonBANNED, queries.TenantStatusPAUSED},    // until when is not forgotten
		{queries.SessionReasonSTOPPED, queries.TenantStatusPAUSED},
		{queries.SessionReasonNEVERLINKED, queries.TenantStatusNEW},
	}
	for i, w := range want {
		if err := n.Stop(r.ctx(), ids[i]); err != nil {
			t.Fatal(err)
		}
		row := r.get(ids[i])
		if row.WhatsappSession.Reason != w.reason || row.Tenant.Status != w.tenant || row.WorkerProcess.Status != queries.WorkerStatusSTOPPED || row.WorkerProcess.LastError != nil {
			t.Errorf("tenant %d: %+v", i, row)
		}
	}
	if s := r.session(ids[1]); s.ReasonUntil == nil || !s.ReasonUntil.Equal(*banned.ReasonUntil) {
		t.Errorf("%+v", s)
	}
	// Codes were on offer again, and nobody scanned them.
	if err := n.Start(r.ctx(), ids[0]); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(ids[0], queries.SessionReasonWAITINGFORSCAN)
	if err := n.Stop(r.ctx(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if row := r.get(ids[0]); row.WhatsappSession.Reason != queries.SessionReasonUNLINKED || row.Tenant.Status != queries.TenantStatusPAUSED {
		t.Errorf("%+v", row)
	}
}
