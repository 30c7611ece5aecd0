package main

import (
	"fmt"
	"io"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"flowhq/routes"
	"flowhq/whatsapp/simulator"
)

// cluster is a web process and workers on one database, with customers who write.
type cluster struct {
	*talk
	bin      string
	settings map[string]string
	workers  []*process
}

// newCluster starts a web process and one worker.
func newCluster(t *testing.T, shards int, lease time.Duration) *cluster {
	t.Helper()
	p := newProduct(t)
	c := &cluster{bin: buildBinary(t), settings: p.settings()}
	maps.Copy(c.settings, map[string]string{"LOG_LEVEL": "info", "RATE_LIMIT_MAX_PER_MINUTE": "0", "FLOWHQ_SHARDS": fmt.Sprint(shards),
		"FLOWHQ_LEASE": lease.String(), "HEARTBEAT_INTERVAL": "1s"})
	c.talk = p.talk(start(t, c.bin, c.settings, "serve", "--role", "web", "--listen", "127.0.0.1:0").url)
	c.join()
	return c
}

func (c *cluster) join() *process {
	c.t.Helper()
	w := start(c.t, c.bin, c.settings, "serve", "--role", "worker", "--listen", "127.0.0.1:0")
	c.workers = append(c.workers, w)
	c.note("worker %d joins", w.cmd.Process.Pid)
	return w
}

// shared waits until this many workers hold all shards in fair parts, and every tenant is connected.
func (c *cluster) shared(workers int) {
	c.t.Helper()
	c.until(fmt.Sprintf("%d workers share the shards", workers), `SELECT count(*) = $1 AND sum(n) = (SELECT count(*) FROM shards) AND max(n) - min(n) <= 1
		FROM (SELECT count(*) AS n FROM shards WHERE lease_until > now() GROUP BY node_id) AS held`, workers)
	c.until("all are connected", "SELECT count(*) = $1 FROM whatsapp_sessions WHERE state = 'CONNECTED'", len(c.businesses))
	c.note("%d workers share the shards", workers)
}

// until waits until a query answers true.
func (c *cluster) until(what, sql string, args ...any) {
	c.t.Helper()
	ctx := within(c.t)
	for {
		var yes bool
		if err := c.db.System.QueryRow(ctx, sql, args...).Scan(&yes); err != nil {
			c.t.Fatalf("%s: %v", what, err)
		} else if yes {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *cluster) exec(sql string) {
	c.t.Helper()
	if _, err := c.db.System.Exec(within(c.t), sql); err != nil {
		c.t.Fatal(err)
	}
}

// of lists the businesses that a worker runs.
func (c *cluster) of(w *process) (mine []business) {
	for _, b := range c.businesses {
		if c.api.node(b.id) == fmt.Sprint(w.cmd.Process.Pid) {
			mine = append(mine, b)
		}
	}
	return mine
}

// Workers come and go under load. Each move of a tenant is short: nobody waits for a lease to end, which here takes very long.
func TestNodesComeAndGo(t *testing.T) {
	const lease = 40 * time.Second
	c := newCluster(t, 8, lease)
	c.link(360, 8)
	c.customers(16)
	seen, begun := c.watchConnections(t), time.Now()
	stop := c.meanwhile(20 * time.Millisecond)
	c.join()
	c.shared(2)
	c.join()
	c.shared(3)
	c.workers[0].end(syscall.SIGTERM)
	c.shared(2)
	c.workers[2].end(syscall.SIGTERM)
	c.shared(1)
	stop()
	c.verdict()
	var longest time.Duration
	for _, b := range c.businesses {
		longest = max(longest, seen.longest(b, begun))
		if seen.connects(b, begun) == 0 {
			t.Errorf("%s never moved", b.number)
		}
	}
	t.Logf("no tenant was away for longer than %s", longest)
	if longest > lease/2 {
		t.Errorf("a tenant was away for %s: it waited for the lease", longest)
	}
}

// A worker that is killed leaves its tenants to the others when its lease ends.
func TestKilledNode(t *testing.T) {
	const lease = 4 * time.Second
	c := newCluster(t, 4, lease)
	c.link(370, 4)
	c.customers(8)
	c.join()
	c.shared(2)
	orphans := c.of(c.workers[0])
	if len(orphans) != 2 {
		t.Fatalf("%d tenants are with the first worker, want 2", len(orphans))
	}
	seen, begun := c.watchConnections(t), time.Now()
	stop := c.meanwhile(20 * time.Millisecond)
	c.workers[0].end(syscall.SIGKILL)
	c.shared(1)
	stop()
	c.verdict()
	for _, b := range orphans {
		t.Logf("%s was away for %s, with a lease of %s", b.number, seen.longest(b, begun), lease)
	}
}

// A worker that is paused past its lease has lost its tenants. When it goes on it sends nothing for them, makes no connection that would
// throw out the new owner's, and spoils nothing that the new owner stored.
func TestPausedNode(t *testing.T) {
	c := newCluster(t, 4, 3*time.Second)
	c.link(380, 4)
	c.customers(16)
	c.join()
	c.shared(2)
	c.writeAll()
	c.answered("before")
	for round := range 3 {
		paused, other := c.workers[0], c.workers[1]
		theirs := c.of(paused)
		if len(theirs) != 2 {
			t.Fatalf("%d tenants are with the worker that is to be paused, want 2", len(theirs))
		}
		seen, begun := c.watchConnections(t), time.Now()
		c.exec("DROP TABLE IF EXISTS epochs_before; CREATE TABLE epochs_before AS SELECT id, epoch FROM shards")
		_ = paused.cmd.Process.Signal(syscall.SIGSTOP)
		c.note("the worker is paused")
		c.writeAll() // some of it is in the paused worker's sockets
		c.shared(1)
		c.answered("while it is paused")
		c.writeAll()
		c.answered("while it is paused, again")
		resumed := time.Now()
		_ = paused.cmd.Process.Signal(syscall.SIGCONT)
		c.note("the worker goes on")
		c.shared(2) // it takes part again, under new leases
		c.writeAll()
		c.answered("after it went on")
		for _, b := range c.businesses {
			moved := 0
			if c.api.node(b.id) == fmt.Sprint(paused.cmd.Process.Pid) {
				moved = 1
			}
			if n := seen.connects(b, resumed); n != moved {
				t.Errorf("round %d: %s connected %d times after the pause, want %d", round, b.number, n, moved)
			}
		}
		c.until("what was answered since was sent under later leases", `SELECT count(*) > 0 AND bool_and(m.claim_epoch > e.epoch)
			FROM message_logs m JOIN tenants t ON t.id = m.tenant_id JOIN epochs_before e ON e.id = t.shard
			WHERE m.direction = 'OUT' AND m.created_at > $1 AND t.phone_number = ANY($2)`, begun, numbers(theirs))
		// The next owner knows only what is stored.
		other.end(syscall.SIGKILL)
		c.shared(1)
		c.writeAll()
		c.answered("after the other one was killed")
		c.workers = []*process{paused, c.join()}
		c.shared(2)
	}
	c.until("no session counts as taken over by another program", "SELECT count(*) = 0 FROM portal_event_logs WHERE event_type = 'SESSION_REPLACED'")
	c.verdict()
}

func numbers(all []business) (out []string) {
	for _, b := range all {
		out = append(out, b.number)
	}
	return out
}

// A link that another program uses stops that tenant alone, says why, and comes back when asked to.
func TestReplacedSession(t *testing.T) {
	c := newCluster(t, 4, 20*time.Second)
	c.link(390, 2)
	c.customers(4)
	c.writeAll()
	c.answered("before")
	stopped := c.businesses[0]
	seen, begun := c.watchConnections(t), time.Now()
	if err := c.sim.Fault(simulator.Fault{Kind: simulator.FaultReplace, Phone: stopped.number}); err != nil {
		t.Fatal(err)
	}
	var now struct {
		Status  string
		Session struct{ State, Reason string } `json:"whatsapp_session"`
		Worker  struct {
			Status    string
			LastError string `json:"last_error"`
		} `json:"worker_process"`
	}
	c.until("the session stops", "SELECT reason = 'REPLACED' FROM whatsapp_sessions s JOIN tenants t ON t.id = s.tenant_id WHERE t.phone_number = $1", stopped.number)
	c.api.call("GET", "/tenants/"+stopped.id, nil, &now)
	if now.Session.Reason != "REPLACED" || now.Worker.Status != "ERROR" || !strings.Contains(now.Worker.LastError, "somewhere else") {
		t.Errorf("the API says %+v", now)
	}
	if err := routes.UpsertAdmin(t.Context(), c.db, testAdmin, testPassword); err != nil {
		t.Fatal(err)
	}
	page, err := signedIn(t, c.api.url).Get(c.api.url + "/admin/tenants/" + stopped.id)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if text, err := io.ReadAll(page.Body); err != nil || !strings.Contains(string(text), now.Worker.LastError) {
		t.Errorf("the page does not say why (%v): want %q", err, now.Worker.LastError)
	}
	c.writeAll() // the stopped one's customers wait
	for customer, chat := range c.chats {
		if chat.business != stopped.number[1:] {
			if _, err := c.sim.WaitInbox(within(t), chat.contact, c.expected[customer]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := seen.connects(stopped, begun); n != 0 {
		t.Errorf("the stopped session connected %d times", n)
	}
	if n := seen.connects(c.businesses[1], begun); n != 0 {
		t.Errorf("the other session connected %d times", n)
	}
	c.api.call("POST", "/tenants/"+stopped.id+"/worker/restart", nil, nil)
	c.verdict()
}
