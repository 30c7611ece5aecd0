package main

import (
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A web process and two workers over one Postgres: when the worker that owns a tenant stops, the other goes on, and no message
// is lost or answered twice.
func TestTwoNodes(t *testing.T) {
	const number, burst = "+255712000341", 5
	p := newProduct(t)
	bin, settings := buildBinary(t), p.settings()
	maps.Copy(settings, map[string]string{"LOG_LEVEL": "warn", "RATE_LIMIT_MAX_PER_MINUTE": "0", "FLOWHQ_SHARDS": "4"})
	web := start(t, bin, settings, "serve", "--role", "web", "--listen", "127.0.0.1:0")
	workers := map[string]*process{}
	for range 2 {
		w := start(t, bin, settings, "serve", "--role", "worker", "--listen", "127.0.0.1:0")
		workers[fmt.Sprint(w.cmd.Process.Pid)] = w
	}
	a := p.program(&serving{url: web.url})
	tenant := a.tenant("Shop on two nodes", number, "ECOMMERCE", "EN")
	a.link(tenant, number, p.scan)
	first := a.node(tenant)
	owner := workers[first]
	if owner == nil {
		t.Fatalf("the tenant runs on %q, which is none of the workers", first)
	}
	customers := []string{"+255754000441", "+255713000442", "+255767000443"}
	for _, c := range customers {
		p.says(c, number, "menu")
		p.inbox(c, 1)
	}

	// Messages arrive before, while and after the owner stops.
	for i := range burst {
		p.says(customers[i%len(customers)], number, "menu")
	}
	gone := make(chan struct{})
	go func() { defer close(gone); owner.end(syscall.SIGTERM) }()
	for i := range burst {
		p.says(customers[(burst+i)%len(customers)], number, "menu")
	}
	begun := time.Now()
	<-gone
	if err := p.sim.WaitConnected(within(t), number); err != nil {
		t.Fatal(err)
	}
	t.Logf("connected on the other node %d ms after the end was asked for", time.Since(begun).Milliseconds())
	for i, c := range customers {
		want := 2 // the first menu, and the one at the end
		for j := range 2 * burst {
			if j%len(customers) == i {
				want++
			}
		}
		p.inbox(c, want-1)
		p.says(c, number, "menu") // answered after all before: whatever came twice has come by then
		got := p.inbox(c, want)
		if len(got) != want {
			t.Errorf("%s got %d answers to %d messages", c, len(got), want)
		}
	}
	if now := a.node(tenant); now == first || workers[now] == nil {
		t.Errorf("the tenant runs on %q after %q stopped", now, first)
	}
	if n := len(p.sim.Devices()); n != 1 {
		t.Errorf("%d devices are linked, want the one from before", n)
	}

	// Everything is on the record once, each answer under its question.
	var list struct {
		Items []struct {
			ID, Direction, Status string
			InReplyTo             *string `json:"in_reply_to"`
		}
	}
	a.call("GET", "/tenants/"+tenant+"/messages?limit=200", nil, &list)
	answered, in := map[string]int{}, 0
	for _, m := range list.Items {
		if m.Direction == "IN" {
			in++
		} else if m.InReplyTo != nil {
			answered[*m.InReplyTo]++
		}
	}
	if want := 2*burst + 2*len(customers); in != want || len(answered) != want {
		t.Errorf("%d messages came in and %d were answered, want %d", in, len(answered), want)
	}
	for id, n := range answered {
		if n != 1 {
			t.Errorf("message %s has %d answers", id, n)
		}
	}
}

// node is the process id of the worker that runs a tenant.
func (a program) node(tenant string) string {
	a.t.Helper()
	var now struct {
		WorkerProcess struct {
			ProcessName string `json:"process_name"`
		} `json:"worker_process"`
	}
	a.call("GET", "/tenants/"+tenant, nil, &now)
	_, pid, _ := strings.Cut(now.WorkerProcess.ProcessName, ":")
	pid, _, _ = strings.Cut(pid, "/")
	return pid
}
