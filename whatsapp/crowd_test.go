package whatsapp

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// crowd creates n tenants whose numbers are linked already, over all shards: both WhatsApp's books and ours say so.
func (r *rig) crowd(n int) []uuid.UUID {
	r.t.Helper()
	books := newDevices(r.db.System, waLogger{testLog(r.t), "store"})
	r.t.Cleanup(func() { _ = books.sql.Close() })
	ids := make([]uuid.UUID, n)
	var group errgroup.Group
	group.SetLimit(8)
	for i := range ids {
		group.Go(func() (err error) {
			ids[i], err = r.adopt(books, crowdNumber(i), int16(i%4))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		r.t.Fatal(err)
	}
	return ids
}

func crowdNumber(i int) string { return fmt.Sprintf("2557%08d", i) }

func (r *rig) adopt(books *devices, number string, shard int16) (uuid.UUID, error) {
	id := newID()
	if err := r.q.CreateTenant(r.ctx(), queries.CreateTenantParams{ID: id, Name: number, PhoneNumber: "+" + number, Shard: shard,
		ConfigID: newID(), SessionID: newID(), WorkerID: newID(),
		TemplateType: queries.TemplateTypeSUPPORT, BusinessName: number, Language: queries.LanguageEN}); err != nil {
		return id, err
	}
	d := &tenantDevices{devices: books, tenant: id, fail: func(error) {}}
	device := d.blank()
	oneTime := newPreKeys(1, 10)
	private := make([][]byte, len(oneTime))
	for i, key := range oneTime {
		private[i] = key.Priv[:]
	}
	if err := r.sim.Adopt(number, device, oneTime); err != nil {
		return id, err
	}
	if err := device.Save(r.ctx()); err != nil {
		return id, err
	}
	if _, err := r.db.System.Exec(r.ctx(), insertPreKeys, device.ID.String(), int64(1), private, preKeyBlock, true); err != nil {
		return id, err
	}
	_, err := r.db.System.Exec(r.ctx(), "UPDATE worker_processes SET desired = 'RUNNING' WHERE tenant_id = $1", id)
	return id, err
}

// allConnected waits until that many sessions are connected, in our words.
func (r *rig) allConnected(n int) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d sessions are connected", n), func() bool {
		return one[int](r, "SELECT count(*) FROM whatsapp_sessions WHERE state = 'CONNECTED'") == n
	})
}

// begun is what the simulator's histogram shows since a moment, at which it showed before: connects in each tenth of a second, and the
// most handshakes at the same time.
func (r *rig) begun(since time.Time, before simulator.Stats) (connects []int, most int) {
	for _, b := range r.sim.Stats().Connects {
		for _, old := range before.Connects {
			if old.At.Equal(b.At) {
				b.Connects -= old.Connects
			}
		}
		if at := int(b.At.Sub(since.Truncate(100*time.Millisecond)) / (100 * time.Millisecond)); at >= 0 {
			for len(connects) <= at {
				connects = append(connects, 0)
			}
			connects[at], most = b.Connects, max(most, b.Handshakes)
		}
	}
	return connects, most
}

func sum(all []int) (n int) {
	for _, i := range all {
		n += i
	}
	return n
}

// All connections of a node break at once: every tenant comes back, once, spread over time and never more at once than the node
// may dial. Then WhatsApp lets nobody in for a while, which must not make it longer than it is.
func TestReconnectStorm(t *testing.T) {
	const n = 500
	r := newRig(t)
	r.crowd(n)
	r.run("a", unlimited)
	r.allConnected(n)
	if most := r.sim.Stats().HandshakesMost; most > maxDials {
		t.Errorf("%d dials at once at the start, the limit is %d", most, maxDials)
	}
	came := func(what string, began time.Time, before simulator.Stats) []int {
		t.Helper()
		r.await("all are back", func() bool { return r.sim.Stats().DevicesActive == n })
		r.allConnected(n)
		connects, most := r.begun(began, before)
		t.Logf("%s: %d back after %s; %d dials at once; connects in each tenth of a second %v", what, n, time.Since(began).Round(time.Millisecond), most, connects)
		if got := r.sim.Stats().Logins - before.Logins; got != n {
			t.Errorf("%s: %d logins of %d devices", what, got, n)
		}
		if most > maxDials {
			t.Errorf("%s: %d dials at once, the limit is %d", what, most, maxDials)
		}
		return connects
	}

	began, before := time.Now(), r.sim.Stats()
	r.fault(simulator.Fault{Kind: simulator.FaultDrop})
	connects := came("dropped", began, before)
	if first := sum(connects[:min(2, len(connects))]); first > n/3 {
		t.Errorf("%d of %d came in the first two tenths of a second: %v", first, n, connects)
	}
	if sum(connects) != n {
		t.Errorf("%d connects for %d tenants: %v", sum(connects), n, connects)
	}

	const away = 4 * time.Second
	before = r.sim.Stats()
	r.fault(simulator.Fault{Kind: simulator.FaultRefuse, Duration: away})
	r.fault(simulator.Fault{Kind: simulator.FaultDrop})
	opened := time.Now().Add(away)
	r.await("it opens again", func() bool { return len(r.sim.Faults()) == 0 })
	refused := r.sim.Stats().Refused
	t.Logf("%d connects were turned away in %s", refused, away)
	if refused > 12*n {
		t.Errorf("%d connects for %d tenants in %s", refused, n, away)
	}
	came("refused", opened, before)
	if st := r.sim.Stats(); st.LoginsTwice != 0 || st.Logins != 3*n {
		t.Errorf("%d logins, %d beside an open connection", st.Logins, st.LoginsTwice)
	}
	if sent := one[int](r, "SELECT count(*) FROM portal_event_logs WHERE event_type = 'SESSION_CONNECTED'"); sent < n {
		t.Errorf("%d events of connecting", sent)
	}
}

// A single connection that breaks is back within a second.
func TestOneReconnectIsQuick(t *testing.T) {
	r := newRig(t)
	r.crowd(1)
	n := r.run("a", unlimited)
	r.allConnected(1)
	w := newWaits()
	for range 200 {
		w.reset()
		if pause := max(w.lost.next(), n.pace.spread(time.Millisecond)); pause+gatherLost > time.Second {
			t.Fatalf("waits %s", pause)
		}
	}
	began := time.Now()
	r.fault(simulator.Fault{Kind: simulator.FaultDrop})
	r.await("it is back", func() bool { return r.sim.Stats().Logins == 2 })
	t.Logf("back after %s", time.Since(began))
}

// What a start costs for each tenant. The numbers are in the report of a verbose run; the limit keeps them from growing unnoticed.
func TestWorkPerStart(t *testing.T) {
	const n = 300
	r := newRig(t)
	r.crowd(n)
	a := r.run("a", unlimited)
	r.allConnected(n)
	a.stop()
	trips, db := r.counted()
	began := time.Now()
	b := r.run("b", unlimited, func(o *Options) { o.DB, o.HeartbeatInterval = db, time.Minute })
	r.allConnected(n)
	t.Logf("%d tenants connected in %s", n, time.Since(began).Round(time.Millisecond))
	b.stop()
	trips.mu.Lock()
	defer trips.mu.Unlock()
	t.Logf("%.2f round trips for each", float64(trips.total)/n)
	for what, c := range trips.trips {
		t.Logf("%6.2f %s", float64(c)/n, what)
	}
	if got := float64(trips.total) / n; got > 2.5 {
		t.Errorf("%.1f round trips for a tenant that connects", got)
	}
}
