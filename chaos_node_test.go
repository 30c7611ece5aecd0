package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chaosNode is a place for one process of Flow HQ and the service manager that keeps it running, as systemd would: whatever ends
// without having been told to is started again and held against the program.
type chaosNode struct {
	t        *testing.T
	name     string
	bin      string
	settings map[string]string
	args     []string
	log      *os.File
	note     func(format string, args ...any)

	mu     sync.Mutex
	wanted bool
	cmd    *exec.Cmd
	out    *lines
	done   chan struct{} // closed when cmd has ended
	ends   []string      // of processes that nobody had told to end
}

func newChaosNode(t *testing.T, name, logs, bin string, settings map[string]string, note func(string, ...any), args ...string) *chaosNode {
	t.Helper()
	n := &chaosNode{t: t, name: name, bin: bin, settings: settings, args: args, note: note}
	var err error
	if n.log, err = os.Create(filepath.Join(logs, name+".log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.resume()
		n.end(syscall.SIGTERM)
		_ = n.log.Close()
	})
	n.start()
	return n
}

// start runs the process, and again whenever it ends by itself. The one before may still be ending.
func (n *chaosNode) start() {
	n.mu.Lock()
	done := n.done
	n.mu.Unlock()
	if done != nil {
		<-done
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = true
	n.launch()
}

// launch runs the process once; n.mu is held.
func (n *chaosNode) launch() {
	n.cmd, n.out, n.done = exec.Command(n.bin, n.args...), newLines(), make(chan struct{})
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = environment(n.settings), n.out, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Errorf("%s: %v", n.name, err)
		n.out.end()
		close(n.done)
		return
	}
	fmt.Fprintf(n.log, "--- process %d\n", n.cmd.Process.Pid)
	cmd, out, done := n.cmd, n.out, n.done
	go func() {
		err := cmd.Wait()
		out.end()
		close(done)
		n.ended(cmd, out, err)
	}()
}

// ended starts a process again that nobody wanted to end.
func (n *chaosNode) ended(cmd *exec.Cmd, out *lines, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.wanted || n.cmd != cmd {
		return
	}
	n.note("%s ended by itself: %v", n.name, err)
	n.ends = append(n.ends, fmt.Sprintf("%s ended by itself (serving: %v): %v", time.Now().Format(clockFormat), addressLine.MatchString(out.String()), err))
	time.AfterFunc(500*time.Millisecond, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.wanted && n.cmd == cmd {
			n.launch()
		}
	})
}

// end ends the process with a signal and waits for it. A clean stop has to be one.
func (n *chaosNode) end(how syscall.Signal) {
	n.mu.Lock()
	n.wanted = false
	cmd, done := n.cmd, n.done
	n.mu.Unlock()
	begun := time.Now()
	if cmd.Process == nil || cmd.Process.Signal(how) != nil {
		return // it has ended
	}
	select {
	case <-done:
	case <-time.After(patience):
		n.t.Errorf("%s did not end within %s of %s", n.name, patience, how)
		_ = cmd.Process.Kill()
		<-done
	}
	n.note("%s ended %d ms after %s: %v", n.name, time.Since(begun).Milliseconds(), how, cmd.ProcessState)
}

func (n *chaosNode) pause()  { n.signal(syscall.SIGSTOP) }
func (n *chaosNode) resume() { n.signal(syscall.SIGCONT) }

func (n *chaosNode) signal(s syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd.Process != nil {
		_ = n.cmd.Process.Signal(s) // an error where it has ended
	}
}

// url waits until the process serves.
func (n *chaosNode) url() string {
	n.t.Helper()
	n.mu.Lock()
	out := n.out
	n.mu.Unlock()
	return out.wait(n.t, addressLine)
}

// unasked lists how processes ended that nobody had told to.
func (n *chaosNode) unasked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ends
}
