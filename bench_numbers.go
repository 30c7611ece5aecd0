package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// median of values, which may come in any order; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// medians are those of the echo loop and of Flow HQ.
func medians(values [2][]float64) [2]float64 { return [2]float64{median(values[0]), median(values[1])} }

// leastSquares is the slope of the straight line that fits the points best; 0 where there is none.
func leastSquares(x, y []float64) float64 {
	var meanX, meanY float64
	for i := range x {
		meanX += x[i] / float64(len(x))
		meanY += y[i] / float64(len(x))
	}
	var above, below float64
	for i := range x {
		above += (x[i] - meanX) * (y[i] - meanY)
		below += (x[i] - meanX) * (x[i] - meanX)
	}
	if below == 0 {
		return 0
	}
	return above / below
}

// processRSS is the resident memory of a process in bytes, shared pages included.
func processRSS(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(string(text))
}

// processMB is the same in MB.
func processMB(pid int) (float64, error) {
	bytes, err := processRSS(pid)
	return float64(bytes) / (1 << 20), err
}

func parseRSS(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in the status of the process")
}

// procStat is what /proc/PID/stat says of a process's parent and of its CPU time, user and system together.
type procStat struct {
	parent   int
	own      time.Duration
	children time.Duration // of children that ended and were waited for
}

// clockTick is the unit of CPU times in /proc: USER_HZ, which is 100 in Linux' binary interface whatever the kernel runs at.
const clockTick = time.Second / 100

// parseStat reads the fields by their position after the command, which stands in parentheses and may hold anything (proc(5)).
func parseStat(text string) (procStat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return procStat{}, fmt.Errorf("%d fields in the stat of the process", len(fields))
	}
	var numbers [5]int64
	for i, at := range []int{1, 11, 12, 13, 14} { // ppid, utime, stime, cutime, cstime
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return procStat{}, err
		}
		numbers[i] = n
	}
	return procStat{
		parent: int(numbers[0]), own: time.Duration(numbers[1]+numbers[2]) * clockTick, children: time.Duration(numbers[3]+numbers[4]) * clockTick,
	}, nil
}

func readStat(path string) (procStat, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(text))
}

// processCPU is the CPU time a process has used, user and system together, children not included.
func processCPU(pid int) (time.Duration, error) {
	s, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return s.own, err
}

// treeCPU is the CPU time of a process and its children, those that ended included: Postgres has one per connection.
func treeCPU(pid int) (time.Duration, error) {
	s, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	total := s.own + s.children
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		if child, err := readStat(path); err == nil && child.parent == pid { // else it has just ended
			total += child.own + child.children
		}
	}
	return total, nil
}
