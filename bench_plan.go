package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// benchPlan is how much is measured. docs/benchmarks.md explains each row.
type benchPlan struct {
	starts int // on a warm data folder

	loadTenants int // replies are timed with so many tenants
	contacts    int // and so many customers of each
	loads       []benchLoad
	statements  benchLoad // while Postgres writes down every statement

	rounds    int // of full load, and of the shares of it
	fullRamp  time.Duration
	fullTime  time.Duration
	burst     int       // messages sent at once
	shares    []float64 // of full load
	shareTime time.Duration

	trickle   benchLoad // to all but one tenant, which is flooded
	floodRate float64   // messages a second to that one

	manyTenants int // start, recovery and idle CPU are measured with so many
	restarts    int
	idle        time.Duration

	memory []int         // connected tenants at which memory is measured
	settle time.Duration // between the last message and reading the memory
}

// benchLoad is one open-loop run: messages are sent on schedule, answered or not.
type benchLoad struct {
	rate     float64 // messages a second
	messages int
}

var (
	fullBench = benchPlan{
		starts:      5,
		loadTenants: 20, contacts: 10, loads: []benchLoad{{1, 20}, {10, 150}, {50, 750}}, statements: benchLoad{50, 250},
		rounds: 3, fullRamp: 2 * time.Second, fullTime: 8 * time.Second, burst: 1000,
		shares: []float64{0.25, 0.5, 0.8}, shareTime: 4 * time.Second,
		trickle: benchLoad{100, 1000}, floodRate: 100,
		manyTenants: 300, restarts: 3, idle: 30 * time.Second,
		memory: []int{1, 100, 300, 1000}, settle: 3 * time.Second,
	}
	quickBench = benchPlan{
		starts:      1,
		loadTenants: 10, contacts: 4, loads: []benchLoad{{50, 100}}, statements: benchLoad{50, 50},
		rounds: 1, fullRamp: 500 * time.Millisecond, fullTime: time.Second, burst: 200,
		shares: []float64{0.25, 0.5, 0.8}, shareTime: 500 * time.Millisecond,
		trickle: benchLoad{100, 60}, floodRate: 100,
		manyTenants: 20, restarts: 1, idle: time.Second,
		memory: []int{10, 20}, settle: 500 * time.Millisecond,
	}
)

// Targets, of Flow HQ's figure beside the echo loop's where they are not its own.
const (
	maxStart        = 1    // s, on a warm data folder
	maxLatencyGap   = 40   // ms, p50 at the fixed rates
	minRateRatio    = 0.6  // replies a second at full load
	maxHalfGap50    = 15   // ms, p50 at half load
	maxHalfGap99    = 100  // ms, p99 at half load
	maxSlopeRatio   = 1.25 // memory per tenant
	maxIdle         = 5    // % of a core, with manyTenants
	minLinkingRatio = 4    // tenants linked a second
)

// benchStep is one part of a run. Before it both systems are brought to its number of linked tenants.
type benchStep struct {
	name    string
	tenants int
	run     func(*bench, context.Context) error
}

// steps are the plan's parts in order: tenants are only ever added.
func (p benchPlan) steps() []benchStep {
	steps := []benchStep{
		{"start", 0, (*bench).measureStart},
		{"replies", p.loadTenants, (*bench).measureReplies},
		{"statements", p.loadTenants, (*bench).measureStatements},
		{"throughput", p.loadTenants, (*bench).measureThroughput},
		{"fairness", p.loadTenants, (*bench).measureFairness},
		{"linking", p.manyTenants, func(*bench, context.Context) error { return nil }}, // timed while tenants are added
		{"connect", p.manyTenants, (*bench).measureConnect},
		{"recovery", p.manyTenants, (*bench).measureRecovery},
		{"idle", p.manyTenants, (*bench).measureIdle},
	}
	for _, n := range p.memory {
		steps = append(steps, benchStep{"memory", n, (*bench).measureMemory})
	}
	slices.SortStableFunc(steps, func(a, b benchStep) int { return cmp.Compare(a.tenants, b.tenants) })
	return steps
}

// only keeps the steps with these names, which are separated by commas; "" keeps all.
func only(steps []benchStep, names string) ([]benchStep, error) {
	if names == "" {
		return steps, nil
	}
	var kept []benchStep
	known := map[string]bool{}
	wanted := strings.Split(names, ",")
	for _, step := range steps {
		known[step.name] = true
		if slices.Contains(wanted, step.name) {
			kept = append(kept, step)
		}
	}
	for _, name := range wanted {
		if !known[name] {
			return nil, &settingError{fmt.Sprintf("flowhq bench: there is no step %q; choose from %s", name, stepNames(steps))}
		}
	}
	return kept, nil
}

func stepNames(steps []benchStep) string {
	var names []string
	for _, step := range steps {
		if !slices.Contains(names, step.name) {
			names = append(names, step.name)
		}
	}
	return strings.Join(names, ", ")
}
