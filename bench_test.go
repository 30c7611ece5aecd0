package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}
	}
}

func TestLeastSquares(t *testing.T) {
	for _, test := range []struct {
		name string
		x, y []float64
		want float64
	}{
		{"exact line", []float64{1, 25, 50, 100}, []float64{103, 175, 250, 400}, 3},
		// By hand: means 2 and 4; (-1*-2 + 0*1 + 1*1) / (1+0+1).
		{"scattered", []float64{1, 2, 3}, []float64{2, 5, 5}, 1.5},
		{"falling", []float64{0, 10}, []float64{5, 0}, -0.5},
		{"one point", []float64{3}, []float64{3}, 0},
		{"none", nil, nil, 0},
	} {
		if got := leastSquares(test.x, test.y); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: slope %v, want %v", test.name, got, test.want)
		}
	}
}

func TestParseRSS(t *testing.T) {
	got, err := parseRSS("Name:\tflowhq\nVmHWM:\t  99999 kB\nVmRSS:\t   12345 kB\nThreads:\t9\n")
	if err != nil || got != 12345*1024 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, bad := range []string{"", "Name:\tkthreadd\n", "VmRSS:\tmany kB\n"} {
		if n, err := parseRSS(bad); err == nil {
			t.Errorf("%q gave %d", bad, n)
		}
	}
}

func TestParseStat(t *testing.T) {
	// A command may hold spaces and parentheses.
	got, err := parseStat("4711 (a) b (c) S 42 4711 4711 0 -1 4194560 1000 0 3 0 150 50 7 3 20 0 9 0 12345 1000000 500")
	want := procStat{parent: 42, own: 2 * time.Second, children: 100 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "1 (x) S 1", "1 (x) S one 1 1 0 -1 0 0 0 0 0 1 1 1 1 20"} {
		if s, err := parseStat(bad); err == nil {
			t.Errorf("%q gave %+v", bad, s)
		}
	}
}

func TestParseMachineCPU(t *testing.T) {
	got, err := parseMachineCPU("cpu  100 10 200 9999 8888 1 2 3 55 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
	if want := 3160 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 x 8"} {
		if d, err := parseMachineCPU(bad); err == nil {
			t.Errorf("%q gave %s", bad, d)
		}
	}
}

func TestProcessFiguresOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc on this system; the benchmarks refuse to run here")
	}
	for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); { // uses CPU: that is what is read below
	}
	rss, err := processRSS(os.Getpid())
	if err != nil || rss < 1<<20 || rss > 16<<30 {
		t.Errorf("resident: %d bytes, %v", rss, err)
	}
	own, err := processCPU(os.Getpid())
	if err != nil || own < 20*time.Millisecond || own > time.Hour {
		t.Errorf("CPU time: %s, %v", own, err)
	}
	if tree, err := treeCPU(os.Getpid()); err != nil || tree < own {
		t.Errorf("CPU time with children: %s, less than the %s without (%v)", tree, own, err)
	}
}

func TestBenchRows(t *testing.T) {
	echo := 4.0
	for _, test := range []struct {
		name  string
		row   benchRow
		value float64
		met   bool
		cells string
	}{
		{"difference within", benchRow{Name: "p50", Unit: "ms", Echo: &echo, FlowHQ: 12, Compare: compareDifference, Target: 40}, 8, true, "p50|ms|4.00|12.0|+8.00|≤ +40, met"},
		{"difference beyond", benchRow{Name: "p50", Unit: "ms", Echo: &echo, FlowHQ: 44.5, Compare: compareDifference, Target: 40}, 40.5, false, "p50|ms|4.00|44.5|+40.5|≤ +40, MISSED"},
		{"faster", benchRow{Name: "p50", Unit: "ms", Echo: &echo, FlowHQ: 3, Compare: compareDifference, Target: 40}, -1, true, "p50|ms|4.00|3.00|-1.00|≤ +40, met"},
		{"ratio beyond", benchRow{Name: "slope", Unit: "kB", Echo: &echo, FlowHQ: 7, Compare: compareRatio, Target: 1.5}, 1.75, false, "slope|kB|4.00|7.00|×1.75|≤ ×1.5, MISSED"},
		{"no target", benchRow{Name: "burst", Unit: "per s", Echo: &echo, FlowHQ: 400, Compare: compareRatio}, 100, true, "burst|per s|4.00|400|×100.00|"},
		{"enough", benchRow{Name: "rate", Unit: "per s", Echo: &echo, FlowHQ: 3, Compare: compareRatio, Target: 0.6, AtLeast: true}, 0.75, true, "rate|per s|4.00|3.00|×0.75|≥ ×0.6, met"},
		{"too few", benchRow{Name: "rate", Unit: "per s", Echo: &echo, FlowHQ: 2, Compare: compareRatio, Target: 0.6, AtLeast: true}, 0.5, false, "rate|per s|4.00|2.00|×0.50|≥ ×0.6, MISSED"},
		{"its own", benchRow{Name: "idle", Unit: "%", Echo: &echo, FlowHQ: 3, Compare: compareNone, Target: 5}, 3, true, "idle|%|4.00|3.00||≤ 5, met"},
		{"alone", benchRow{Name: "start", Unit: "s", FlowHQ: 0.75, Target: 1}, 0.75, true, "start|s||0.75||≤ 1, met"},
	} {
		if got := test.row.value(); math.Abs(got-test.value) > 1e-9 {
			t.Errorf("%s: value %v, want %v", test.name, got, test.value)
		}
		if got := test.row.met(); got != test.met {
			t.Errorf("%s: met %v, want %v", test.name, got, test.met)
		}
		if got := strings.Join(test.row.cells(), "|"); got != test.cells {
			t.Errorf("%s: cells %q, want %q", test.name, got, test.cells)
		}
	}
}

func TestBenchReport(t *testing.T) {
	echo := 2.0
	report := benchReport{Machine: "2 cores", Took: "5s", Others: 2.6, Rows: []benchRow{{Name: "p50", Unit: "ms", Echo: &echo, FlowHQ: 5, Compare: compareDifference, Target: 40}}}
	var table bytes.Buffer
	if err := report.write(&table, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 cores. The run took 5s; 3 % of the machine's CPU time went elsewhere.", "| p50  | ms   | 2.00      | 5.00    | +3.00", "answered exactly once."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	report.Wrong = []string{"Flow HQ, 30 messages at 1/s: 1 not answered"}
	table.Reset()
	if err := report.write(&table, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "NOT every message") || !strings.Contains(table.String(), "1 not answered") {
		t.Errorf("what was wrong is not said:\n%s", table.String())
	}
	var text bytes.Buffer
	if err := report.write(&text, true); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Rows []struct {
			Name  string
			Value float64
			Met   bool
		}
		Wrong []string
	}
	if err := json.Unmarshal(text.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Rows) != 1 || back.Rows[0].Name != "p50" || back.Rows[0].Value != 3 || !back.Rows[0].Met || len(back.Wrong) != 1 {
		t.Errorf("as JSON: %+v", back)
	}
}

func TestCountStatements(t *testing.T) {
	const log = `2026-01-02 03:04:05.678 UTC [11] flowhq@flowhq LOG:  execute stmtcache_ab: -- name: ReceiveMessage :one
	WITH chat AS (
	    SELECT 1 -- a@flowhq LOG:  execute x: nothing
2026-01-02 03:04:05.678 UTC [11] flowhq@flowhq DETAIL:  parameters: $1 = 'x'
2026-01-02 03:04:05.679 UTC [12] flowhq@echo LOG:  execute <unnamed>: SELECT 2
2026-01-02 03:04:05.680 UTC [11] flowhq@flowhq LOG:  statement: begin
2026-01-02 03:04:05.681 UTC [11] flowhq@flowhq LOG:  execute stmtcache_ab: -- name: ReceiveMessage :one
	WITH chat AS (
2026-01-02 03:04:05.682 UTC [13] LOG:  checkpoint starting: time
2026-01-02 03:04:05.683 UTC [11] flowhq@flowhq LOG:  execute stmtcache_cd: 
			SELECT session
			FROM sessions
2026-01-02 03:04:05.684 UTC [11] flowhq@flowhq ERROR:  canceled
`
	got, err := countStatements(strings.NewReader(log), "flowhq")
	if want := map[string]int{"-- name: ReceiveMessage :one": 2, "begin": 1, "SELECT session": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestBenchSteps(t *testing.T) {
	for name, plan := range map[string]benchPlan{"full": fullBench, "quick": quickBench} {
		steps := plan.steps()
		if !slices.IsSortedFunc(steps, func(a, b benchStep) int { return cmp.Compare(a.tenants, b.tenants) }) {
			t.Errorf("%s: tenants are not only added", name)
		}
		if stepNames(steps) == "" || len(stepNames(steps)) != len(stepNames(fullBench.steps())) {
			t.Errorf("%s: steps %s", name, stepNames(steps))
		}
		kept, err := only(steps, "recovery,memory")
		if err != nil || len(kept) != 1+len(plan.memory) {
			t.Errorf("%s: two kinds of steps gave %d steps, %v", name, len(kept), err)
		}
		if _, err := only(steps, "memory,speed"); err == nil || !strings.Contains(err.Error(), `"speed"`) {
			t.Errorf("%s: a step that does not exist: %v", name, err)
		}
	}
}

// A tiny run: its figures mean nothing, but every message is answered once, every row is there, and nothing stays behind.
func TestBenchRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the benchmarks run on Linux only")
	}
	t.Setenv("TMPDIR", t.TempDir())
	plan := benchPlan{
		loadTenants: 2, contacts: 2,
		rounds: 1, fullRamp: 100 * time.Millisecond, fullTime: 200 * time.Millisecond, burst: 20, shares: []float64{0.5}, shareTime: 200 * time.Millisecond,
		manyTenants: 2, restarts: 1,
	}
	steps, err := only(plan.steps(), "throughput,recovery")
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("it takes some ten seconds")
	}
	var progress bytes.Buffer
	b := newBench(plan, &progress)
	b.profiles = t.TempDir()
	report, err := b.run(t.Context(), steps)
	if err != nil || len(report.Wrong) > 0 {
		t.Fatalf("%v\n%s\n%s", err, strings.Join(report.Wrong, "\n"), progress.String())
	}
	for _, row := range report.Rows {
		if measured := row.FlowHQ > 0 && row.Echo != nil && *row.Echo > 0; !measured && !strings.Contains(row.Name, "CPU") { // too little for its clock
			t.Errorf("row without figures: %q", row.cells())
		}
	}
	if info, err := os.Stat(filepath.Join(b.profiles, "flow-hq-full-load.cpu.pprof")); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
