package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// Kinds of faults, in the order in which a plan without randomness would use them.
const (
	chaosKill      = "kill -9 a worker"
	chaosStop      = "stop a worker cleanly"
	chaosPause     = "SIGSTOP a worker past its lease"
	chaosRestartDB = "restart Postgres"
	chaosKillDB    = "kill -9 Postgres"
	chaosBreakDB   = "break all connections to Postgres"
	chaosKillWeb   = "kill -9 the web process"
	chaosDrop      = "drop all WhatsApp connections"
	chaosDelay     = "delay acks"
	chaosWithhold  = "withhold acks"
	chaosDuplicate = "deliver duplicates"
)

var chaosKinds = []string{chaosKill, chaosStop, chaosPause, chaosRestartDB, chaosDrop, chaosDelay, chaosWithhold, chaosDuplicate, chaosKillDB, chaosBreakDB, chaosKillWeb}

// chaosStep is one moment of a plan: the begin of a fault, or what ends it.
type chaosStep struct {
	at    time.Duration // from the start of the load
	text  string
	begin bool
	do    func(*chaosRun)
}

// planChaos draws a schedule: everything random is decided here, so the same seed gives the same steps. Every kind of fault comes
// before one comes again. Faults of different things overlap; what is away is not hit again.
func planChaos(seed uint64, size chaosSize, workers int, lease time.Duration) []chaosStep {
	r := rand.New(rand.NewPCG(seed, 0))
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least))).Truncate(time.Millisecond)
	}
	var steps []chaosStep
	add := func(at time.Duration, begin bool, do func(*chaosRun), format string, args ...any) {
		steps = append(steps, chaosStep{at: at, begin: begin, do: do, text: fmt.Sprintf(format, args...)})
	}
	var kinds []string
	away := make([]time.Duration, workers) // until when
	var databaseAway, webAway time.Duration
	at := 2 * time.Second
	for len(kinds) < size.faults {
		kinds = append(kinds, shuffled(r, chaosKinds)...)
	}
	for _, kind := range kinds[:size.faults] {
		at += between(500*time.Millisecond, size.gap)
		worker := r.IntN(workers)
		if kind == chaosKill || kind == chaosStop || kind == chaosPause {
			if away[worker] > at {
				worker = (worker + 1) % workers
			}
			at = max(at, away[worker])
		}
		length := between(0, size.away)
		if slow := between(20*time.Millisecond, 400*time.Millisecond); r.IntN(2) == 0 { // so that much is under way when it happens
			add(at-time.Second, false, func(c *chaosRun) {
				c.fault(simulator.Fault{Kind: simulator.FaultSlow, Delay: slow, Duration: 2 * time.Second})
			}, "before: WhatsApp is slow by %s", slow)
		}
		switch kind {
		case chaosKill, chaosStop:
			how := map[string]syscall.Signal{chaosKill: syscall.SIGKILL, chaosStop: syscall.SIGTERM}[kind]
			add(at, true, func(c *chaosRun) { c.work.Go(func() { c.workers[worker].end(how) }) }, "%s: worker %d", kind, worker)
			add(at+length, false, func(c *chaosRun) { c.work.Go(c.workers[worker].start) }, "start worker %d again", worker)
			away[worker] = at + length + 3*time.Second
		case chaosPause:
			length = lease + between(200*time.Millisecond, size.away)
			add(at, true, func(c *chaosRun) { c.workers[worker].pause() }, "%s: worker %d for %s", kind, worker, length)
			add(at+length, false, func(c *chaosRun) { c.workers[worker].resume() }, "SIGCONT worker %d", worker)
			away[worker] = at + length + time.Second
		case chaosRestartDB, chaosKillDB:
			at = max(at, databaseAway)
			how := map[string]syscall.Signal{chaosRestartDB: syscall.SIGINT, chaosKillDB: syscall.SIGKILL}[kind]
			add(at, true, func(c *chaosRun) { c.postgres.stop(how) }, "%s for %s", kind, length)
			add(at+length, false, func(c *chaosRun) { c.postgres.start() }, "start Postgres again")
			databaseAway = at + length + 2*time.Second
		case chaosBreakDB: // some of them between a commit and its answer
			for i := range 1 + r.IntN(5) {
				add(at+time.Duration(i)*150*time.Millisecond, i == 0, func(c *chaosRun) { c.postgres.breakConnections() }, "%s", kind)
			}
		case chaosKillWeb:
			at = max(at, webAway)
			add(at, true, func(c *chaosRun) { c.work.Go(func() { c.web.end(syscall.SIGKILL) }) }, "%s", kind)
			add(at+length, false, func(c *chaosRun) { c.work.Go(c.web.start) }, "start the web process again")
			webAway = at + length + 2*time.Second
		case chaosDrop:
			add(at, true, func(c *chaosRun) { c.fault(simulator.Fault{Kind: simulator.FaultDrop}) }, "%s", kind)
			if r.IntN(2) == 0 {
				add(at, false, func(c *chaosRun) {
					c.fault(simulator.Fault{Kind: simulator.FaultRefuse, Duration: length + time.Millisecond})
				}, "and refuse new ones for %s", length)
			}
		case chaosDelay:
			delay := between(200*time.Millisecond, 12*time.Second) // a client waits for ten
			add(at, true, func(c *chaosRun) {
				c.fault(simulator.Fault{Kind: simulator.FaultDelayAcks, Delay: delay, Duration: length + time.Second})
			}, "%s by %s for %s", kind, delay, length+time.Second)
		case chaosWithhold:
			count := 1 + r.IntN(20)
			add(at, true, func(c *chaosRun) { c.fault(simulator.Fault{Kind: simulator.FaultWithholdAcks, Count: count}) }, "%s of %d messages", kind, count)
		case chaosDuplicate:
			count := 1 + r.IntN(30)
			add(at, true, func(c *chaosRun) { c.fault(simulator.Fault{Kind: simulator.FaultDuplicate, Count: count}) }, "%s of %d messages", kind, count)
		}
	}
	slices.SortStableFunc(steps, func(a, b chaosStep) int { return cmp.Compare(a.at, b.at) })
	return steps
}

func shuffled(r *rand.Rand, all []string) []string {
	out := slices.Clone(all)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// A seed is a schedule; the short run has every kind of fault, the long one thirty.
func TestPlanChaos(t *testing.T) {
	texts := func(seed uint64, size chaosSize) (all []string, begun map[string]int) {
		begun = map[string]int{}
		for _, step := range planChaos(seed, size, 2, chaosLease) {
			all = append(all, step.at.String()+" "+step.text)
			for _, kind := range chaosKinds {
				if step.begin && strings.HasPrefix(step.text, kind) {
					begun[kind]++
				}
			}
		}
		return all, begun
	}
	for seed := range uint64(50) {
		all, begun := texts(seed, chaosShort)
		if len(begun) != len(chaosKinds) {
			t.Fatalf("seed %d: only %v in a short run", seed, begun)
		}
		again, _ := texts(seed, chaosShort)
		if !slices.Equal(all, again) {
			t.Fatalf("seed %d gives two schedules:\n%v\n%v", seed, all, again)
		}
		if other, _ := texts(seed+1, chaosShort); slices.Equal(all, other) {
			t.Fatalf("seeds %d and %d give the same schedule", seed, seed+1)
		}
		_, begun = texts(seed, chaosLong)
		if n := len(chaosKinds); n != len(begun) || begun[chaosKill] < 2 {
			t.Fatalf("seed %d: %v in a long run", seed, begun)
		}
	}
}
