package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// benchChildWord starts this binary as a measured process: `flowhq bench child COMMAND…` runs the command as usual, ends
// when its standard input does (so it never outlives the bench, however that ends), and collects garbage and takes profiles
// when asked to.
const benchChildWord = "child"

const (
	benchEchoWord    = "echo"
	benchGarbageWord = "collect-garbage"
	benchStopTime    = 12 * time.Second // Flow HQ promises to stop within ten
)

// benchChild is the inside of such a process.
func (c command) benchChild(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan string)
	go func() {
		defer cancel()
		lines := bufio.NewScanner(c.stdin)
		for lines.Scan() {
			if lines.Text() == benchGarbageWord {
				debug.FreeOSMemory()
				fmt.Fprintln(c.stdout, benchGarbageWord)
				continue
			}
			if order, ok := strings.CutPrefix(lines.Text(), benchProfileWord); ok {
				fmt.Fprintln(c.stdout, benchProfileWord+errorText(takeProfile(order)))
				continue
			}
			select {
			case orders <- lines.Text():
			case <-ctx.Done():
			}
		}
	}()
	if len(c.args) > 0 && c.args[0] == benchEchoWord {
		return c.benchEcho(ctx, orders)
	}
	return c.run(ctx)
}

// benchProcess is such a process seen from outside.
type benchProcess struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of its standard output; closed when that ends
	done  chan struct{}
	err   error // valid after done
	log   *os.File
}

// startBenchProcess runs `flowhq bench child ARGS` in a process group of its own, so that Ctrl-C reaches the bench alone,
// which then stops it. Settings in the caller's environment do not reach it.
func startBenchProcess(ctx context.Context, dir, name string, env []string, args ...string) (*benchProcess, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cmd, err := benchCommand(env, args...)
	if err != nil {
		return nil, err
	}
	p := &benchProcess{name: name, cmd: cmd, lines: make(chan string, 256), done: make(chan struct{})}
	if p.log, err = os.OpenFile(filepath.Join(dir, name+".log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		p.log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			p.lines <- scanner.Text()
		}
		close(p.lines)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

func benchCommand(env []string, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, append([]string{"bench", benchChildWord}, args...)...)
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG", "FLOWHQ_PG_BIN", "GOGC", "GOMAXPROCS", "GOMEMLIMIT"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}

func (p *benchProcess) pid() int { return p.cmd.Process.Pid }

// line waits for the next line of output that fits and returns what follows the prefix.
func (p *benchProcess) line(ctx context.Context, prefix string) (string, error) {
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return "", p.explain(fmt.Errorf("%s ended", p.name))
			}
			if rest, fits := strings.CutPrefix(line, prefix); fits {
				return rest, nil
			}
		case <-ctx.Done():
			return "", p.explain(fmt.Errorf("%s does not say %q: %w", p.name, prefix, ctx.Err()))
		}
	}
}

func (p *benchProcess) order(line string) error {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		return p.explain(fmt.Errorf("%s takes no orders: %w", p.name, err))
	}
	return nil
}

// collectGarbage has the process give back the memory it does not use. Twice: what has a finalizer or lies in a sync.Pool
// survives the first.
func (p *benchProcess) collectGarbage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for range 2 {
		if err := p.order(benchGarbageWord); err != nil {
			return err
		}
		if _, err := p.line(ctx, benchGarbageWord); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the process as an operator would and waits for it; one that does not obey is killed with its group.
func (p *benchProcess) stop() error {
	defer p.log.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	go func() {
		for range p.lines { // let it finish writing
		}
	}()
	select {
	case <-p.done:
	case <-time.After(benchStopTime):
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.done
		return p.explain(fmt.Errorf("%s did not stop within %s", p.name, benchStopTime))
	}
	_ = p.stdin.Close()
	if p.err != nil {
		return p.explain(fmt.Errorf("%s: %w", p.name, p.err))
	}
	return nil
}

// kill ends the process without warning and waits until it is gone.
func (p *benchProcess) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	go func() {
		for range p.lines {
		}
	}()
	<-p.done
	p.log.Close()
}

// explain adds the end of the process's log.
func (p *benchProcess) explain(err error) error {
	const tail = 2000 // bytes
	info, statErr := p.log.Stat()
	if statErr != nil || info.Size() == 0 {
		return err
	}
	from := max(0, info.Size()-tail)
	text, readErr := io.ReadAll(io.NewSectionReader(p.log, from, tail))
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, strings.TrimSpace(string(text)))
}
