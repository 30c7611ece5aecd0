package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

const (
	chaosLease    = 5 * time.Second
	chaosContacts = 8               // customers per tenant
	chaosSettling = 5 * time.Minute // until everything is answered after the last fault, on a machine that is busy with other things too
)

// chaosSize is how much happens in a run.
type chaosSize struct {
	faults, tenants int
	gap, away       time.Duration // between faults, and how long something is away, at most
}

var (
	chaosShort = chaosSize{faults: len(chaosKinds), tenants: 6, gap: 2500 * time.Millisecond, away: 2500 * time.Millisecond}
	chaosLong  = chaosSize{faults: 30, tenants: 20, gap: 7 * time.Second, away: 6 * time.Second}
)

// chaosRun is everything that runs.
type chaosRun struct {
	*witness
	postgres *chaosPostgres
	web      *chaosNode
	workers  []*chaosNode
	numbers  []string // of the tenants
	tenants  []string // their ids
	api      program
	told     map[string]string // by the key of a message from a program: the message's id, as the API gave it

	work sync.WaitGroup // steps that take long
}

func (c *chaosRun) fault(f simulator.Fault) {
	if err := c.sim.Fault(f); err != nil {
		c.t.Error(err)
	}
}

// chats lists the customers of every tenant, whom the simulator's load numbers like this.
func (c *chaosRun) chats() []chaosChat {
	var all []chaosChat
	for b, number := range c.numbers {
		for i := range chaosContacts {
			all = append(all, chaosChat{number[1:], fmt.Sprintf("2559%04d%04d", b, i)})
		}
	}
	return all
}

func chaosNumber(t *testing.T, name string, fallback uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s=%q: use a whole number", name, text)
	}
	return n
}

// Whatever happens to nodes, database and connections, every message is answered exactly once and in order. In the short run every kind
// of fault comes once; CHAOS=long, which is `make chaos`, has more of everything. CHAOS_FAULTS and CHAOS_TENANTS size a run further;
// CHAOS_SEED repeats the schedule of an earlier one.
func TestChaos(t *testing.T) {
	size, long := chaosShort, os.Getenv("CHAOS")
	if long == "long" {
		size = chaosLong
	}
	seed := chaosNumber(t, "CHAOS_SEED", rand.Uint64N(1_000_000))
	size.faults, size.tenants = int(chaosNumber(t, "CHAOS_FAULTS", uint64(size.faults))), int(chaosNumber(t, "CHAOS_TENANTS", uint64(size.tenants)))
	again := fmt.Sprintf("CHAOS=%s CHAOS_SEED=%d CHAOS_FAULTS=%d CHAOS_TENANTS=%d go test -run 'TestChaos$' -v .", long, seed, size.faults, size.tenants)
	t.Log("to repeat: " + again)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("the same schedule again: " + again)
		}
	})
	c := newChaos(t, size.tenants)
	steps := planChaos(seed, size, len(c.workers), chaosLease)

	length := steps[len(steps)-1].at + 3*time.Second
	rate := 6 * float64(size.tenants) // in all, a second
	request := simulator.LoadRequest{Phones: c.numbers, Contacts: chaosContacts, Rate: rate, Count: int(length.Seconds() * rate),
		Text: "menu {token}", LID: true, Wait: chaosSettling.Seconds()}
	if per := request.Count / (size.tenants * chaosContacts); per > 280 {
		t.Fatalf("%d messages in a chat are more than a simulated phone remembers: use fewer faults", per)
	}
	load, err := c.sim.StartLoad(request)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	end := make(chan struct{})
	c.work.Go(func() { c.tell(end) })
	for _, step := range steps {
		time.Sleep(time.Until(begun.Add(step.at))) // the schedule is the point
		c.note("%s", step.text)
		step.do(c)
	}
	close(end)
	report := c.settle(load)
	t.Logf("%d sent, %d answered in %.1f s; p50 %.0f ms, p99 %.0f ms, at most %.0f ms", report.Sent, report.Answered, report.Seconds, report.P50, report.P99, report.Max)
	if report.SendErrors > 0 || report.Sent != request.Count {
		t.Errorf("%d of %d messages sent, %d errors: %s", report.Sent, request.Count, report.SendErrors, report.FirstError)
	}
	stats := c.sim.Stats()
	t.Logf("the phones: %d shown, %d resends, %d redeliveries, %d duplicates, %d acks withheld, %d undecryptable, %d retries",
		stats.Shown, stats.Resends, stats.Redeliveries, stats.Duplicates, stats.AcksWithheld, stats.Undecryptable, stats.RetriesIn)
	c.judge(c.chats(), report.Sent)
	c.judgeTold()
	t.Logf("replies by status: %v", c.statuses())
	t.Logf("errors in the processes' logs: %v", c.errors())
	for _, n := range append([]*chaosNode{c.web}, c.workers...) {
		for _, end := range n.unasked() {
			t.Errorf("%s: %s", n.name, end)
		}
	}
	if n := len(c.sim.Devices()); n != size.tenants {
		t.Errorf("%d devices are linked, want %d", n, size.tenants)
	}
	for _, note := range c.notes() {
		t.Logf("%s %s", note.at.Format(clockFormat), note.text)
	}
}

// tell is a program that writes to customers, and asks again with the same key until it is told that the message is taken.
func (c *chaosRun) tell(end <-chan struct{}) {
	chats := c.chats()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	c.told = map[string]string{}
	for n := 0; ; n++ {
		key, chat := fmt.Sprintf("told-%04d", n), chats[n*7%len(chats)]
		body := fmt.Sprintf(`{"to": "+%s", "text": %q}`, chat.contact, key)
		for deadline := time.Now().Add(chaosSettling); c.told[key] == ""; {
			id, err := c.post(&client, c.tenants[n*7%len(chats)/chaosContacts], key, body)
			if err == nil {
				c.told[key] = id
				break
			}
			if time.Now().After(deadline) {
				c.t.Errorf("a program could not send %s: %v", key, err)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		select {
		case <-end:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// post sends a message and returns its id.
func (c *chaosRun) post(client *http.Client, tenant, key, body string) (string, error) {
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.api.url+"/api/v1/tenants/"+tenant+"/messages", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+c.api.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var made struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusAccepted || made.ID == "" {
		return "", fmt.Errorf("%s, %w", answer.Status, err)
	}
	return made.ID, nil
}

// judgeTold compares what the program was told with the log: each key is one message.
func (c *chaosRun) judgeTold() {
	rows, err := c.rows(within(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	logged := map[string][]string{}
	for _, row := range rows {
		if row.Source == "API" {
			logged[row.MessageText] = append(logged[row.MessageText], row.ID)
		}
	}
	for key, id := range c.told {
		if !slices.Equal(logged[key], []string{id}) {
			c.t.Errorf("%s was taken as message %s, and is logged as %v", key, id, logged[key])
		}
	}
	if len(logged) != len(c.told) {
		c.t.Errorf("%d messages of a program are logged, %d were taken", len(logged), len(c.told))
	}
	c.t.Logf("%d messages of a program", len(c.told))
}

// settle waits until everything is answered and confirmed, at most for chaosSettling after the last message was sent.
func (c *chaosRun) settle(load string) simulator.LoadReport {
	c.t.Helper()
	c.work.Wait()
	c.note("the faults are over")
	for {
		report, ok := c.sim.LoadReport(load)
		if !ok {
			c.t.Fatal("the load is forgotten")
		}
		if !report.Running {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.note("the load is over")
	c.settled(chaosSettling / 2)
	// What would come twice must get the time to come.
	time.Sleep(chaosLease)
	report, _ := c.sim.LoadReport(load)
	return report
}

// newChaos starts everything and links the tenants.
func newChaos(t *testing.T, tenants int) *chaosRun {
	t.Helper()
	logs, err := os.MkdirTemp("", "flowhq-chaos-logs-")
	if err != nil {
		t.Fatal(err)
	}
	c := &chaosRun{witness: &witness{t: t, logs: logs}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the processes' logs are in %s", logs)
		} else {
			_ = os.RemoveAll(logs)
		}
	})
	bin := buildBinary(t)
	c.postgres = newChaosPostgres(t, logs)
	c.db = c.postgres.open()
	if c.sim, err = simulator.Start(context.Background(), simulator.Options{RootSeed: rootSeed, ReadDelay: 200 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.sim.Close() })
	settings := map[string]string{
		"DATABASE_URL": c.postgres.url(), "LOG_FORMAT": "json", "LOG_LEVEL": "info", "WHATSAPP_URL": c.sim.URL(), "WHATSAPP_ROOT_KEY": hex.EncodeToString(c.sim.RootKey()),
		"FLOWHQ_LEASE": chaosLease.String(), "RATE_LIMIT_MAX_PER_MINUTE": "0", "HEARTBEAT_INTERVAL": "2s", "STALE_THRESHOLD": "20s", "STALE_CHECK_INTERVAL": "5s",
	}
	c.web = newChaosNode(t, "web", logs, bin, settings, c.note, "serve", "--role", "web", "--listen", freeAddress(t)) // the same after a restart
	for i := range 2 {
		c.workers = append(c.workers, newChaosNode(t, fmt.Sprintf("worker%d", i), logs, bin, settings, c.note, "serve", "--role", "worker", "--listen", "127.0.0.1:0"))
	}
	c.balanced()
	p := &product{t: t, db: c.db, sim: c.sim}
	a := p.program(&serving{url: c.web.url()})
	c.api = a
	for i := range tenants {
		number := fmt.Sprintf("+255712%06d", 500+i)
		template := []string{"BOOKING", "ECOMMERCE", "SUPPORT"}[i%3]
		id := a.tenant(fmt.Sprintf("Chaos %d", i), number, template, []string{"SW", "EN"}[i%2])
		a.link(id, number, p.scan)
		c.numbers, c.tenants = append(c.numbers, number), append(c.tenants, id)
	}
	return c
}

// balanced waits until every worker holds its share of the shards.
func (c *chaosRun) balanced() {
	c.t.Helper()
	ctx := within(c.t)
	for {
		var holders, least int
		err := c.db.System.QueryRow(ctx, `SELECT count(*), coalesce(min(n), 0) FROM
			(SELECT count(*) AS n FROM shards WHERE node_id IS NOT NULL AND lease_until > now() GROUP BY node_id) AS held`).Scan(&holders, &least)
		if err != nil {
			c.t.Fatal(err)
		}
		if holders == len(c.workers) && least == 16/len(c.workers) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *chaosRun) statuses() map[string]int {
	c.t.Helper()
	rows, err := c.rows(within(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, row := range rows {
		if row.Direction == "OUT" {
			counts[row.Status]++
		}
	}
	return counts
}
