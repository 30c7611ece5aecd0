package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// binaries are the programs that tests of this process have built, by their build tags.
var binaries builds

type builds struct {
	sync.Mutex
	dir  string
	made map[string]string
}

func (b *builds) remove() { _ = os.RemoveAll(b.dir) }

// buildBinary makes the program as a person does, once for all tests.
func buildBinary(t *testing.T, tags ...string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	key := strings.Join(tags, "-")
	if bin := binaries.made[key]; bin != "" {
		return bin
	}
	if binaries.made == nil {
		var err error
		if binaries.dir, err = os.MkdirTemp("", "flowhq-bin-"); err != nil {
			t.Fatal(err)
		}
		binaries.made = map[string]string{}
	}
	bin := filepath.Join(binaries.dir, strings.Trim("flowhq-"+key, "-"))
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", strings.Join(tags, ","), "-o", bin, ".") // as `make build` does
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	binaries.made[key] = bin
	return bin
}

// process is a running flowhq.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *lines
	log  *lines
	done chan struct{} // closed when it has ended
	err  error         // valid then
	url  string
}

func environment(settings map[string]string) []string {
	all := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	for name, value := range settings {
		all = append(all, name+"="+value)
	}
	return all
}

// start runs flowhq until it ends or the test does, and waits until it serves.
func start(t *testing.T, bin string, settings map[string]string, args ...string) *process {
	t.Helper()
	p := launch(t, bin, settings, args...)
	p.url = p.out.wait(t, addressLine)
	return p
}

// launch does not wait.
func launch(t *testing.T, bin string, settings map[string]string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(bin, args...), out: newLines(), log: newLines(), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = environment(settings), p.out, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		p.out.end()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error where it has ended
		select {
		case <-p.done:
		case <-time.After(15 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			t.Logf("flowhq %s: %s", strings.Join(args, " "), p.log)
		}
	})
	return p
}

// end sends a signal and waits; a signal that a process can answer must lead to exit status 0 within 10 seconds.
func (p *process) end(signal syscall.Signal) {
	p.t.Helper()
	begun := time.Now()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Error(err)
		return
	}
	select {
	case <-p.done:
		if signal != syscall.SIGKILL && p.err != nil {
			p.t.Errorf("after %v: %v", signal, p.err)
		}
		p.t.Logf("ended %d ms after %v", time.Since(begun).Milliseconds(), signal)
	case <-time.After(10 * time.Second):
		p.t.Errorf("still there 10 s after %v", signal)
	}
}

// serveProcess is a serving command as a process of its own: with it ends every connection that a browser keeps to it.
func serveProcess(t *testing.T, bin string, settings map[string]string, args ...string) *serving {
	t.Helper()
	p := start(t, bin, settings, args...)
	return &serving{url: p.url, out: p.out, stop: func() { p.end(syscall.SIGTERM) }}
}

// once runs a command to its end and returns its exit status and what it wrote.
func once(t *testing.T, bin, stdin string, settings map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environment(settings), strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("flowhq %v: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// refused runs a command that must end with status 2 and one line that holds these words.
func refused(t *testing.T, bin string, settings map[string]string, args []string, words ...string) {
	t.Helper()
	status, out, errs := once(t, bin, "", settings, args...)
	if status != 2 || out != "" {
		t.Errorf("flowhq %v %v: status %d, want 2; stdout %q, stderr %q", args, settings, status, out, errs)
	}
	if strings.Count(errs, "\n") != 1 || !strings.HasSuffix(errs, "\n") {
		t.Errorf("flowhq %v %v: not one line: %q", args, settings, errs)
	}
	for _, w := range words {
		if !strings.Contains(errs, w) {
			t.Errorf("flowhq %v %v: nothing about %q: %q", args, settings, w, errs)
		}
	}
}

// postgresOf is the process id of a data folder's private server, 0 for none.
func postgresOf(t *testing.T, data string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "*", "postmaster.pid"))
	if err != nil || len(files) > 1 {
		t.Fatalf("%v %v", files, err)
	}
	if len(files) == 0 {
		return 0
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(raw), &pid); err != nil {
		t.Fatalf("%s: %v", files[0], err)
	}
	return pid
}

// One machine, nothing prepared: the server makes its Postgres, outlives kill -9 with all its links, and leaves nothing behind.
func TestServeOnAFreshFolder(t *testing.T) {
	const number, asha = "+255712000331", "+255754000431"
	bin, data := buildBinary(t), filepath.Join(t.TempDir(), "data")
	sim, err := simulator.Start(context.Background(), simulator.Options{RootSeed: rootSeed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	settings := map[string]string{
		"FLOWHQ_DATA": data, "WHATSAPP_URL": sim.URL(), "WHATSAPP_ROOT_KEY": fmt.Sprintf("%x", sim.RootKey()), "LOG_LEVEL": "warn",
		"RATE_LIMIT_MAX_PER_MINUTE": "0", "FLOWHQ_LEASE": "3s",
	}
	p := start(t, bin, settings, "serve", "--listen", "127.0.0.1:0")
	setup := p.out.wait(t, regexp.MustCompile(`(http://\S+/setup/\S+)`))
	if status := get(t, setup); status != http.StatusOK {
		t.Errorf("the set-up link answers %d", status)
	}
	postgres := postgresOf(t, data)
	if postgres == 0 {
		t.Fatal("no private Postgres in the data folder")
	}
	t.Cleanup(func() { // should the test fail half way
		if pid := postgresOf(t, data); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
	})

	// Commands while it runs.
	status, out, errs := once(t, bin, "", settings, "apikey", "create", "--label", "from the shell")
	key := strings.TrimSuffix(out, "\n")
	if status != 0 || errs != "" || key == "" || strings.ContainsAny(key, " \n") {
		t.Fatalf("apikey create: status %d, stdout %q, stderr %q", status, out, errs)
	}
	if status, out, errs := once(t, bin, testPassword+"\n", settings, "admin", "upsert", "--email", testAdmin, "--password", "-"); status != 0 || errs != "" {
		t.Fatalf("admin upsert: status %d, stdout %q, stderr %q", status, out, errs)
	}
	if status := get(t, setup); status != http.StatusGone {
		t.Errorf("with an admin, the set-up link answers %d", status)
	}
	address := strings.TrimPrefix(p.url, "http://")
	refused(t, bin, settings, []string{"serve", "--listen", address}, address, "--listen")

	a := program{t, p.url, key}
	tenant := a.tenant("Duka la Shell", number, "SUPPORT", "EN")
	a.link(tenant, number, func(code, phone string) error { _, err := sim.Scan(within(t), code, phone); return err })

	p.end(syscall.SIGKILL)
	if !alive(postgres) {
		t.Error("Postgres did not outlive kill -9 of the server")
	}
	p = start(t, bin, settings, "serve", "--listen", address)
	if now := postgresOf(t, data); now != postgres {
		t.Errorf("Postgres is process %d, want the adopted %d", now, postgres)
	}
	if strings.Contains(p.out.String(), "/setup/") {
		t.Error("a set-up link is printed though there is an admin")
	}
	if _, err := sim.Send(within(t), simulator.SendRequest{From: asha, To: number, Text: "menu"}); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.WaitInbox(within(t), asha, 1); err != nil {
		t.Error(err)
	}
	if n := len(sim.Devices()); n != 1 {
		t.Errorf("%d devices are linked after the kill, want the one from before", n)
	}

	// A clean stop, with streams open.
	for range 3 {
		stream := a.request("GET", "/tenants/"+tenant+"/events", nil)
		defer stream.Body.Close()
		if _, err := stream.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	client := signedIn(t, p.url)
	page, err := client.Get(p.url + "/admin/tenants/" + tenant + "/stream")
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("the page's stream: %v %v", page, err)
	}
	defer page.Body.Close()
	p.end(syscall.SIGTERM)
	if left := postgresOf(t, data); left != 0 || alive(postgres) {
		t.Errorf("Postgres (%d, %d) still runs after a clean stop", left, postgres)
	}
}

// alive does not count a process that has ended and that nobody waited for, as in a container without an init.
func alive(pid int) bool {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func get(t *testing.T, address string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// signedIn is a client with the admin's session.
func signedIn(t *testing.T, base string) *http.Client {
	t.Helper()
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := noRedirect.PostForm(base+"/login", url.Values{"email": {testAdmin}, "password": {testPassword}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) != 1 {
		t.Fatalf("signing in answers %s with %v", answer.Status, answer.Cookies())
	}
	return &http.Client{Transport: withCookie{answer.Cookies()[0]}}
}

type withCookie struct{ cookie *http.Cookie }

func (w withCookie) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(w.cookie)
	r.Close = true
	return http.DefaultTransport.RoundTrip(r)
}

// What a person gets wrong on the command line or in the environment: status 2 and one line.
func TestBadUsage(t *testing.T) {
	bin, data := buildBinary(t), filepath.Join(t.TempDir(), "data")
	for name, settings := range map[string]map[string]string{
		"FLOWHQ_SHARDS":             {"FLOWHQ_SHARDS": "many"},
		"RATE_LIMIT_MAX_PER_MINUTE": {"RATE_LIMIT_MAX_PER_MINUTE": "-3"},
		"HEARTBEAT_INTERVAL":        {"HEARTBEAT_INTERVAL": "15"},
		"PORT":                      {"PORT": "http"},
		"PUBLIC_URL":                {"PUBLIC_URL": "bots.example.com"},
		"WHATSAPP_URL":              {"WHATSAPP_URL": "ws://10.0.0.7:7000/ws/chat"},
		"WHATSAPP_ROOT_KEY":         {"WHATSAPP_URL": "ws://127.0.0.1:7000/ws/chat", "WHATSAPP_ROOT_KEY": "zz"},
		"DATABASE_URL":              {"DATABASE_URL": "postgres://nobody:secret@127.0.0.1:1/none", "FLOWHQ_DB_WAIT": "0s"},
		"FLOWHQ_DB_WAIT":            {"FLOWHQ_DB_WAIT": "-1s"},
		"FLOWHQ_DB_CONNECTIONS":     {"FLOWHQ_DB_CONNECTIONS": "7"},
	} {
		settings["FLOWHQ_DATA"] = data
		refused(t, bin, settings, []string{"serve"}, name)
	}
	refused(t, bin, map[string]string{"FLOWHQ_DATA": data}, []string{"serve", "--role", "boss"}, "--role", "worker")
	refused(t, bin, map[string]string{"FLOWHQ_DATA": "/dev/null/data"}, []string{"migrate"}, "FLOWHQ_DATA")
	refused(t, bin, map[string]string{"FLOWHQ_DATA": data}, []string{"apikey", "create", "--label", "x", "--tenant", "none"}, "--tenant")
	refused(t, bin, map[string]string{"FLOWHQ_DATA": data}, []string{"admin", "upsert", "--email", testAdmin}, "--password")
	refused(t, bin, nil, []string{"serve", "now"}, "now")
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("settings that were refused left a data folder behind (%v)", err)
	}
	for _, args := range [][]string{{"dance"}, {"apikey", "dance"}, {}, {"serve", "--colour", "red"}} {
		if status, out, errs := once(t, bin, "", nil, args...); status != 2 || out != "" || errs == "" {
			t.Errorf("flowhq %v: status %d, stdout %q, stderr %q", args, status, out, errs)
		}
	}
	if status, out, errs := once(t, bin, "", nil, "help"); status != 0 || errs != "" || !strings.Contains(out, "flowhq serve") {
		t.Errorf("flowhq help: status %d, stdout %q, stderr %q", status, out, errs)
	}
}
