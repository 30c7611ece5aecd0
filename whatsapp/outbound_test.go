package whatsapp

import (
	"context"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// The connection is made anew while a message is being decided: its answer, which the earlier connection's sender was to get,
// leaves at once and not with the next heartbeat.
func TestAnswerAfterTheConnectionBroke(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited, func(o *Options) { o.HeartbeatInterval = time.Hour })
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	s := n.supervisor(id)
	tx, err := r.db.System.Begin(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(r.ctx(), "SELECT FROM conversations FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	before := s.sender.Load()
	r.say(customer, salon, "menu")
	r.await("its decision waits", func() bool {
		return one[int](r, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1
	})
	r.fault(simulator.Fault{Kind: simulator.FaultDrop, Phone: salon})
	r.await("the next sender has looked at the table", func() bool {
		o := s.sender.Load()
		if o == nil || o == before {
			return false
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.idle == nil && !o.behind
	})
	if err := tx.Commit(r.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := r.inbox(customer, 2); len(got) != 2 {
		t.Errorf("%d answers to 2 messages", len(got))
	}
	r.clean()
}
