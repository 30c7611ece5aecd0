package whatsapp

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// Two nodes share the shards; when one stops in an orderly way the other takes its tenants over within seconds.
func TestTwoNodesShareAndHandOver(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	var gained, lost []int16
	a := r.run("a", unlimited, func(o *Options) {
		o.ShardsChanged = func(g, l []int16) {
			mu.Lock()
			defer mu.Unlock()
			gained, lost = append(gained, g...), append(lost, l...)
		}
	})
	ids := []uuid.UUID{r.tenant("0", "+255712000010", 0), r.tenant("1", "+255712000011", 1), r.tenant("2", "+255712000012", 2), r.tenant("3", "+255712000013", 3)}
	for i, id := range ids {
		r.link(a, id, "25571200001"+string(rune('0'+i)))
	}
	b := r.run("b", unlimited)
	r.await("they share", func() bool { return len(a.leases.shards()) == 2 && len(b.leases.shards()) == 2 })
	connected := func() bool {
		return one[int](r, "SELECT count(*) FROM whatsapp_sessions WHERE state = 'CONNECTED'") == 4
	}
	r.await("all are connected", connected)
	if on := one[int](r, "SELECT count(*) FROM worker_processes WHERE process_name LIKE 'b/%'"); on != 2 {
		t.Errorf("%d tenants run on b", on)
	}
	for i := range ids {
		r.say(contact(i), "25571200001"+string(rune('0'+i)), "menu")
		r.inbox(contact(i), 1)
	}
	epochs := one[int64](r, "SELECT sum(epoch)::bigint FROM shards")
	// A message that came in while nobody ran the tenant, and one that was queued, are dealt with by the next owner.
	stopped := time.Now()
	b.stop()
	r.await("all are connected again", func() bool { return len(a.leases.shards()) == 4 && connected() })
	if took := time.Since(stopped); took > 3*time.Second {
		t.Errorf("handing over took %s", took)
	}
	for i := range ids {
		r.say(contact(i), "25571200001"+string(rune('0'+i)), "menu")
		r.inbox(contact(i), 2)
	}
	if now := one[int64](r, "SELECT sum(epoch)::bigint FROM shards"); now != epochs+2 {
		t.Errorf("epochs went from %d to %d for two shards", epochs, now)
	}
	mu.Lock()
	if len(gained) != 6 || len(lost) != 2 {
		t.Errorf("gained %v, lost %v", gained, lost)
	}
	mu.Unlock()
	if st := r.sim.Stats(); st.Pairings != 4 || st.Resends != 0 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// A node whose leases were taken sends nothing, and closes its clients by itself.
func TestFence(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.await("the ticks are noted", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == 1 })
	// Another node, which this test plays, takes the shard as if the lease had run out.
	r.exec("UPDATE shards SET epoch = epoch + 1, node_id = $1, lease_until = now() + interval '1 hour' WHERE id = 0", newID())
	if err := r.queue(n, id, "+"+customer, "from the past"); err != nil {
		t.Fatal(err)
	}
	r.await("the node let go", func() bool { return n.supervisor(id) == nil && !slices.Contains(n.leases.shards(), 0) })
	if got := one[string](r, "SELECT status || ' ' || attempts FROM message_logs WHERE message_text = 'from the past'"); got != "QUEUED 0" {
		t.Errorf("the message is %s", got)
	}
	if got := len(r.inbox(customer, 1)); got != 1 {
		t.Errorf("the customer sees %d messages", got)
	}
	r.await("the client is closed", func() bool { return r.sim.Stats().Connections == 0 })
	if err := n.Start(r.ctx(), id); err != ErrNotOwner {
		t.Errorf("start without the shard: %v", err)
	}
	if err := n.Send(r.ctx(), id, newID()); err != ErrNotOwner {
		t.Errorf("send without the shard: %v", err)
	}
}

// A node that cannot renew in time stops acting before its lease ends for the others.
func TestLeaseEndsLocally(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited, func(o *Options) { o.Lease = 2 * time.Second })
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.exec("ALTER TABLE shards RENAME TO away") // renewing fails
	r.await("the node let go", func() bool { return n.supervisor(id) == nil })
	if left := one[time.Time](r, "SELECT lease_until FROM away WHERE id = 0"); time.Now().After(left) {
		t.Errorf("it let go %s after the end of its lease", time.Since(left))
	}
	r.exec("ALTER TABLE away RENAME TO shards")
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.await("it runs again", func() bool { return n.supervisor(id) != nil })
	r.clean()
}

// Decrypting waits for a send that is between reading and writing a session, and the other way round; a bare hold ends by itself.
func TestGate(t *testing.T) {
	g := newSignalGate(func() {})
	if err := g.holdBare(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := g.lock(short); err == nil {
		t.Fatal("two hold the gate")
	}
	if g.takeBare("y") {
		t.Fatal("a hold of another address")
	}
	if !g.takeBare("x") {
		t.Fatal("the hold is gone")
	}
	g.unlock()
	if err := g.holdBare(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := g.lock(t.Context()); err != nil { // waits for bareLimit
		t.Fatal(err)
	}
	if g.takeBare("x") {
		t.Fatal("a write after the hold ended")
	}
	g.unlock()
}

func TestBackoff(t *testing.T) {
	b := backoff{base: time.Second, limit: time.Minute}
	for i := range 100 {
		if d := b.next(); d <= 0 || d > min(time.Second<<min(i, 10), time.Minute)+time.Millisecond {
			t.Fatalf("try %d waits %s", i, d)
		}
	}
}

// A shard in which a phone is being linked moves last, and then only after some time.
func TestALinkUnderWayKeepsItsShard(t *testing.T) {
	r := newRig(t)
	a := r.run("a", unlimited)
	// Shards are given up from the last one, which is where somebody is about to scan.
	last := r.tenant("Salon", "+"+salon, 3)
	r.start(a, last)
	code := r.awaitReason(last, queries.SessionReasonWAITINGFORSCAN).LastQr
	b := r.run("b", unlimited)
	r.await("they share", func() bool { return len(a.leases.shards()) == 2 && len(b.leases.shards()) == 2 })
	if !slices.Contains(a.leases.shards(), 3) {
		t.Error("the shard moved under the scan")
	}
	if _, err := r.sim.Scan(r.ctx(), *code, salon); err != nil {
		t.Error(err)
	}
	r.awaitReason(last, queries.SessionReasonCONNECTED)
	if a.leases.linking(3) {
		t.Error("linking does not end with the link")
	}
	r.clean()
}

// Where every shard has a link under way, one that is not scanned does not hold up the others for ever.
func TestALinkIsWaitedForInBounds(t *testing.T) {
	r := newRig(t)
	r.prepare = func(p *Pool) { p.leases.patience = 2 * time.Second }
	a := r.run("a", unlimited)
	var ids []uuid.UUID
	for i := range int16(4) {
		ids = append(ids, r.tenant("Salon", "+25571200002"+string(rune('0'+i)), i))
		r.start(a, ids[i])
		r.awaitReason(ids[i], queries.SessionReasonWAITINGFORSCAN)
	}
	b := r.run("b", unlimited)
	r.await("b waits for a shard", func() bool { return one[int](r, "SELECT count(*) FROM nodes") == 2 })
	if n := len(b.leases.shards()); n != 0 {
		t.Errorf("b has %d shards though phones are being linked in all of them", n)
	}
	r.await("they share", func() bool { return len(a.leases.shards()) == 2 && len(b.leases.shards()) == 2 })
	// The codes of what moved are new ones, and good.
	r.await("the new node shows codes", func() bool {
		return one[int](r, "SELECT count(*) FROM whatsapp_sessions s JOIN worker_processes w USING (tenant_id) WHERE s.last_qr IS NOT NULL AND w.process_name LIKE 'b/%'") == 2
	})
	for i, id := range ids {
		if _, err := r.sim.Scan(r.ctx(), *r.session(id).LastQr, "25571200002"+string(rune('0'+i))); err != nil {
			t.Error(err)
		}
		r.awaitReason(id, queries.SessionReasonCONNECTED)
	}
}

// A phone that has scanned is linked even if the node is stopped at that moment.
func TestStopWhileAPhoneLinks(t *testing.T) {
	r := newRig(t)
	a := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.start(a, id)
	code := *r.awaitReason(id, queries.SessionReasonWAITINGFORSCAN).LastQr
	s := a.supervisor(id)
	// The node is told to stop when the phone has said yes and its device is about to be stored.
	holding, err := r.db.System.Begin(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holding.Exec(r.ctx(), "LOCK TABLE whatsmeow_device"); err != nil {
		t.Fatal(err)
	}
	scanned := make(chan error, 1)
	go func() {
		_, err := r.sim.Scan(r.ctx(), code, salon)
		scanned <- err
	}()
	r.await("the phone said yes", s.scanned.Load)
	stopped := make(chan struct{})
	go func() { defer close(stopped); a.stop() }()
	r.await("the tenant is being stopped", func() bool { return s.work.Err() != nil })
	if err := holding.Rollback(r.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := <-scanned; err != nil {
		t.Errorf("the scan: %v", err)
	}
	<-stopped
	r.run("b", unlimited)
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	if n := r.sim.Stats().Pairings; n != 1 {
		t.Errorf("%d pairings", n)
	}
}
