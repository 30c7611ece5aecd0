//go:build faults

package whatsapp

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var (
	faultPoint, faultAfter = faultSetting(os.Getenv("FLOWHQ_FAULT")) // "point:n": the n-th time
	faultPassed            atomic.Int64
)

func faultSetting(text string) (string, int64) {
	point, count, _ := strings.Cut(text, ":")
	n, _ := strconv.ParseInt(count, 10, 64)
	return point, n
}

// fault ends the process as kill -9 does, when its point is reached for the chosen time. Only tests build it.
func fault(point string) {
	if point == faultPoint && faultPassed.Add(1) == faultAfter {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
