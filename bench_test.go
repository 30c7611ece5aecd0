package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
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
	report := benchReport{Machine: "2 cores", Took: "5s", Rows: []benchRow{{Name: "p50", Unit: "ms", Echo: &echo, FlowHQ: 5, Compare: compareDifference, Target: 40}}}
	var table bytes.Buffer
	if err := report.write(&table, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 cores. The run took 5s.", "| p50  | ms   | 2.00      | 5.00    | +3.00", "answered exactly once."} {
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
