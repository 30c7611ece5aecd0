package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server that starts while Postgres is away waits for it; one that runs meanwhile loses nothing and goes on by itself.
// DB_AWAY sets how long Postgres is away the second time.
func TestDatabaseAway(t *testing.T) {
	away := 4 * time.Second
	if text := os.Getenv("DB_AWAY"); text != "" {
		var err error
		if away, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	postgres := newChaosPostgres(t, t.TempDir())
	p, bin := newProductOn(t, postgres.open()), buildBinary(t)
	settings := p.settings()
	maps.Copy(settings, map[string]string{"DATABASE_URL": postgres.url(), "RATE_LIMIT_MAX_PER_MINUTE": "0"})
	serve := func(role string) []string { return []string{"serve", "--role", role, "--listen", "127.0.0.1:0"} }

	postgres.stop(syscall.SIGINT)
	impatient := maps.Clone(settings)
	impatient["FLOWHQ_DB_WAIT"] = "1s"
	status, out, errs := once(t, bin, "", impatient, serve("worker")...)
	log := strings.Split(strings.TrimSpace(errs), "\n")
	if status != 2 || out != "" || len(log) != 2 || !strings.Contains(log[0], "waiting for the database") || !strings.HasPrefix(log[1], "DATABASE_URL: nothing answers") {
		t.Errorf("status %d, stdout %q, stderr %q", status, out, errs)
	}
	stopped := launch(t, bin, settings, serve("worker")...)
	stopped.log.wait(t, regexp.MustCompile(`(waiting for the database)`))
	stopped.end(syscall.SIGTERM) // also while it waits

	web, worker := launch(t, bin, settings, serve("web")...), launch(t, bin, settings, serve("worker")...)
	for _, process := range []*process{web, worker} {
		process.log.wait(t, regexp.MustCompile(`(waiting for the database)`))
	}
	postgres.start()
	for _, process := range []*process{web, worker} {
		process.url = process.out.wait(t, addressLine)
	}

	k := p.talk(web.url)
	k.link(400, 3)
	k.customers(12)
	stop := k.meanwhile(10 * time.Millisecond)
	if _, err := k.sim.WaitInbox(within(t), k.chats[0].contact, 3); err != nil {
		t.Fatal(err)
	}
	postgres.stop(syscall.SIGINT)
	time.Sleep(away) // the outage is the point
	postgres.start()
	back := time.Now()
	stop()
	k.verdict()
	t.Logf("%d messages, all answered %s after Postgres came back from %s away", k.sent, time.Since(back).Round(10*time.Millisecond), away)
	for _, process := range []*process{web, worker} {
		select {
		case <-process.done:
			t.Errorf("a process ended by itself: %v", process.err)
		default:
		}
	}
}

// Four processes of any roles leave room in Postgres' default of 100 connections, of which it reserves three.
func TestBudgets(t *testing.T) {
	all, web, worker := budgetOf(roleAll, 0).total(), budgetOf(roleWeb, 0).total(), budgetOf(roleWorker, 0).total()
	for what, need := range map[string]int{"four of role all": 4 * all, "a web process and four workers": web + 4*worker, "two web processes and three workers": 2*web + 3*worker} {
		if left := 100 - reservedConnections - need; left < 10 {
			t.Errorf("%s leave %d connections", what, left)
		}
	}
	for _, role := range []string{roleAll, roleWeb, roleWorker} {
		for total := minBudget; total < 200; total++ {
			if b := budgetOf(role, total); b.total() != total || b.system < 4 || b.portal < 1 && role != roleWorker {
				t.Fatalf("%s with %d: %+v", role, total, b)
			}
		}
	}
}

// Four processes under load: none opens more than its budget, and nobody is told that there are too many.
func TestConnectionBudget(t *testing.T) {
	postgres := newChaosPostgres(t, t.TempDir())
	p, bin := newProductOn(t, postgres.open()), buildBinary(t)
	settings := p.settings()
	maps.Copy(settings, map[string]string{"DATABASE_URL": postgres.url(), "RATE_LIMIT_MAX_PER_MINUTE": "0", "LOG_LEVEL": "warn"})
	var nodes []*process
	for range 4 {
		nodes = append(nodes, start(t, bin, settings, "serve", "--listen", "127.0.0.1:0"))
	}
	k := p.talk(nodes[0].url)
	k.link(410, 4)
	k.customers(16)
	most, total, stopCounting := k.countConnections()
	stop := k.meanwhile(5 * time.Millisecond)
	var pages sync.WaitGroup
	for _, n := range nodes {
		for range 40 {
			pages.Go(func() {
				for range 10 {
					k.list(n.url)
				}
			})
		}
	}
	pages.Wait()
	stop()
	k.verdict()
	stopCounting()
	budget := budgetOf(roleAll, 0).total()
	for _, n := range nodes {
		if got := most[fmt.Sprint(n.cmd.Process.Pid)]; got > budget || got < budget/2 {
			t.Errorf("process %d had %d connections, its budget is %d", n.cmd.Process.Pid, got, budget)
		}
		if log := n.log.String(); strings.Contains(log, "53300") || strings.Contains(log, "run out") {
			t.Errorf("process %d was short of connections: %s", n.cmd.Process.Pid, log)
		}
		n.end(syscall.SIGTERM)
	}
	t.Logf("at most %d connections in all, %v by process", *total, most)

	// Where fewer are allowed.
	postgres.superuser("ALTER ROLE flowhq CONNECTION LIMIT 15")
	refused(t, bin, settings, []string{"serve", "--listen", "127.0.0.1:0"}, "DATABASE_URL", "allows 15", "max_connections", "FLOWHQ_DB_CONNECTIONS")
	settings["FLOWHQ_DB_CONNECTIONS"] = "8"
	first := start(t, bin, settings, "serve", "--listen", "127.0.0.1:0")
	second := start(t, bin, settings, "serve", "--listen", "127.0.0.1:0")
	if log := first.log.String(); strings.Contains(log, "run out") {
		t.Errorf("the first of two complains: %s", log)
	}
	if log := second.log.String(); !strings.Contains(log, "may run out: 15 allowed, up to 16 for the 2 processes") {
		t.Errorf("the second of two does not complain: %s", log)
	}
	// The doctor says the same, or that it got no connection itself.
	status, out, _ := once(t, bin, "", settings, "doctor")
	if status != 1 || !regexp.MustCompile(`(?m)^FAIL  (connections  15 allowed, up to 16|database .* no connection left) .* raise max_connections`).MatchString(out) {
		t.Errorf("doctor ends with %d: %s", status, out)
	}
	second.end(syscall.SIGTERM)
	if status, out, _ = once(t, bin, "", settings, "doctor"); status != 0 || !strings.Contains(out, "ok    connections  15 allowed, up to 8 for the 1 processes") {
		t.Errorf("doctor ends with %d: %s", status, out)
	}
}

// list asks a web process for what needs its database.
func (k *talk) list(url string) {
	r, err := http.NewRequestWithContext(within(k.t), "GET", url+"/api/v1/tenants", nil)
	if err != nil {
		k.t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+k.api.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Error(err)
		return
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		k.t.Errorf("GET /tenants: %s %v: %s", answer.Status, err, body)
	}
}

// countConnections looks again and again how many connections there are, of each process (by its id) and of all clients together, and
// keeps the highest numbers. They may be read when the returned function has.
func (k *talk) countConnections() (most map[string]int, total *int, stop func()) {
	most, total = map[string]int{}, new(int)
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			rows, err := k.db.System.Query(k.t.Context(), `SELECT coalesce(substring(application_name FROM '^flowhq all .*:(\d+)$'), ''), count(*)
				FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1`)
			if err != nil {
				k.t.Error(err)
				return
			}
			sum := 0
			for rows.Next() {
				var process string
				var n int
				if err := rows.Scan(&process, &n); err != nil {
					k.t.Error(err)
				}
				most[process] = max(most[process], n)
				sum += n
			}
			*total = max(*total, sum)
			select {
			case <-end:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return most, total, func() { close(end); <-done }
}
