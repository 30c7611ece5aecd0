package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// describeMachine is a line about what the figures were measured on.
func describeMachine(postgres string) string {
	field := func(path, name string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
				return strings.TrimSpace(value)
			}
		}
		return ""
	}
	memory := "unknown memory"
	if kb, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		memory = fmt.Sprintf("%.0f GB of memory", float64(kb)/(1<<20))
	}
	return fmt.Sprintf("%d cores (%s), %s, %s, PostgreSQL %s", runtime.NumCPU(), first(field("/proc/cpuinfo", "model name"), runtime.GOARCH), memory, runtime.Version(), postgres)
}

// machineCPU is the CPU time that all programs, and the kernel, have used since the machine was started; what its host took
// away is in it.
func machineCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseMachineCPU(string(text))
}

// parseMachineCPU reads the first line: user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user (proc(5)).
func parseMachineCPU(text string) (time.Duration, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("no CPU times in %q", line)
	}
	var total time.Duration
	for _, at := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n) * clockTick
	}
	return total, nil
}

// othersCPU is the CPU time that went to neither this process, what it started, nor its Postgres.
func (b *bench) othersCPU() (time.Duration, error) {
	all, err := machineCPU()
	if err != nil {
		return 0, err
	}
	own, err := readStat("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	postgres, err := treeCPU(b.db.ServerPID())
	return all - own.own - own.children - postgres, err
}

// othersShare is what went elsewhere since then, in % of all the machine has had.
func (b *bench) othersShare(before time.Duration) (float64, error) {
	after, err := b.othersCPU()
	had := time.Since(b.began) * time.Duration(runtime.NumCPU())
	return 100 * float64(after-before) / float64(had), err
}
