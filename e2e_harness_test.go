package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/routes"
	"flowhq/whatsapp/simulator"
)

// TestMain lets this program be a process that the benchmarks measure, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "bench" && os.Args[2] == benchChildWord {
		main()
	}
	databasetest.Main(m, binaries.remove)
}

const (
	testAdmin    = "amina@operator.example"
	testPassword = "plantain river seventeen"
	patience     = 30 * time.Second // for one thing to happen, on a busy machine
)

// rootSeed is shared by the simulators of this process: whatsmeow knows one root key.
var rootSeed = []byte("flow hq end to end: one root key")

// product is a database and a simulated WhatsApp; servers come and go on them.
type product struct {
	t   *testing.T
	db  *database.Database
	sim *simulator.Server
}

func newProduct(t *testing.T) *product {
	t.Helper()
	return newProductOn(t, databasetest.New(t))
}

func newProductOn(t *testing.T, db *database.Database) *product {
	t.Helper()
	p := &product{t: t, db: db}
	var err error
	p.sim, err = simulator.Start(context.Background(), simulator.Options{RootSeed: rootSeed, Control: "127.0.0.1:0", ReadDelay: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if lost := p.sim.Stats(); lost.DroppedDuplicateKeys+lost.Undecryptable+lost.MissingCopies != 0 {
			t.Errorf("customers' phones could not read messages: %+v", lost.Incidents)
		}
		_ = p.sim.Close()
	})
	return p
}

// settings are the environment of a server on this database and this simulator.
func (p *product) settings() map[string]string {
	return map[string]string{
		"DATABASE_URL": p.db.DSN(), "LOG_FORMAT": "json",
		"WHATSAPP_URL": p.sim.URL(), "WHATSAPP_ROOT_KEY": hex.EncodeToString(p.sim.RootKey()),
	}
}

// serving is a command that serves, in this process.
type serving struct {
	url  string
	out  *lines
	stop func()
}

var addressLine = regexp.MustCompile(`is at (http://\S+)`)

// serve runs `flowhq serve` until the test ends or stop is called, at an address of its own or the given one.
func (p *product) serve(listen string) *serving {
	p.t.Helper()
	return serveCommand(p.t, p.settings(), "serve", "--listen", listen)
}

func serveCommand(t *testing.T, settings map[string]string, args ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, log, done := &serving{out: newLines()}, newLines(), make(chan error, 1)
	c := command{args: args, getenv: env(settings), stdin: strings.NewReader(""), stdout: s.out, stderr: log}
	go func() {
		err := c.run(ctx)
		s.out.end()
		done <- err
	}()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("flowhq %s: %v", args[0], err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("flowhq %s did not stop", args[0])
		}
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"level":"ERROR"`) {
				t.Errorf("flowhq %s logged: %s", args[0], line)
			} else if t.Failed() && strings.Contains(line, `"level":"WARN"`) {
				t.Logf("flowhq %s logged: %s", args[0], line)
			}
		}
	})
	t.Cleanup(s.stop)
	s.url = s.out.wait(t, addressLine)
	return s
}

// setupLink is the link that a server without an admin prints.
func (s *serving) setupLink(t *testing.T) string {
	t.Helper()
	return s.out.wait(t, regexp.MustCompile(`first admin within 30 minutes: (http://\S+/setup/\S+)`))
}

// lines collects what a command writes and lets a test wait for it.
type lines struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ended bool
	more  chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.buf.Write(b)
}

// end says that nothing more comes.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended = true
		close(l.more)
		l.more = make(chan struct{})
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// wait returns the first group of the expression once it was written.
func (l *lines) wait(t *testing.T, e *regexp.Regexp) string {
	t.Helper()
	timeout := time.After(2 * patience)
	for {
		l.mu.Lock()
		found, ended, more := e.FindStringSubmatch(l.buf.String()), l.ended, l.more
		l.mu.Unlock()
		if found != nil {
			return found[1]
		}
		if ended {
			t.Fatalf("ended without %s; it wrote: %s", e, l)
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("%s never came; it wrote: %s", e, l)
		}
	}
}

// within bounds one wait of a test.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// program drives the JSON API as another program would.
type program struct {
	t        *testing.T
	url, key string
}

func (p *product) program(s *serving) program {
	p.t.Helper()
	key, err := routes.CreateAPIKey(p.t.Context(), p.db, "end to end", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return program{p.t, s.url, key}
}

func (a program) request(method, path string, body any) *http.Response {
	a.t.Helper()
	var raw io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		raw = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	a.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, a.url+"/api/v1"+path, raw)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/json")
	r.Close = true // no idle connection may hold up a server's end
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer
}

// call makes a request that must succeed and reads its answer.
func (a program) call(method, path string, body, into any) {
	a.t.Helper()
	answer := a.request(method, path, body)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		a.t.Fatalf("%s %s: %s %v: %s", method, path, answer.Status, err, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			a.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
}

// tenant creates one and returns its id.
func (a program) tenant(name, phone, template, language string) string {
	a.t.Helper()
	var made struct{ ID string }
	a.call("POST", "/tenants", map[string]string{"name": name, "business_name": name, "phone_number": phone, "template_type": template, "language": language}, &made)
	return made.ID
}

// watch reads a tenant's events until look says that it has seen enough.
func (a program) watch(tenant string, look func(event string, data []byte) bool) {
	a.t.Helper()
	answer := a.request("GET", "/tenants/"+tenant+"/events", nil)
	defer answer.Body.Close()
	event, in := "", bufio.NewScanner(answer.Body)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		switch name, value, _ := strings.Cut(in.Text(), ": "); name {
		case "event":
			event = value
		case "data":
			if look(event, []byte(value)) {
				return
			}
		}
	}
	a.t.Fatalf("tenant %s: the events ended before what was waited for (%v)", tenant, in.Err())
}

// link starts a tenant and has its phone scan the code.
func (a program) link(tenant, phone string, scan func(code, phone string) error) {
	a.t.Helper()
	a.call("POST", "/tenants/"+tenant+"/worker/start", nil, nil)
	scanned := ""
	a.watch(tenant, func(event string, data []byte) bool {
		var now struct {
			State string
			Code  *string
		}
		if err := json.Unmarshal(data, &now); err != nil {
			a.t.Fatalf("%s: %v", data, err)
		}
		if event == "qr" && now.Code != nil && *now.Code != scanned {
			scanned = *now.Code
			if err := scan(scanned, phone); err != nil {
				a.t.Fatal(fmt.Errorf("scan: %w", err))
			}
		}
		return event == "session" && now.State == "CONNECTED"
	})
}

// scan lets a phone of the simulator scan a code.
func (p *product) scan(code, phone string) error {
	_, err := p.sim.Scan(within(p.t), code, phone)
	return err
}

// scanPage scans the code that a page shows. A link can break off while the phone makes it, and then the page shows another code by
// itself, which a person scans: so does this, once, and says what had happened.
func (p *product) scanPage(b *tab, phone string) {
	p.t.Helper()
	const shown = `document.querySelector("#link-panel img.qr")?.src`
	before := eval[string](b, shown)
	err := p.scan(b.scanQR(), phone)
	if err == nil {
		return
	}
	var events string
	if err := p.db.System.QueryRow(within(p.t), "SELECT coalesce(string_agg(event_type || ' ' || coalesce(payload_json::text, ''), '; ' ORDER BY created_at, id), '') FROM portal_event_logs").Scan(&events); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("a scan failed (%v) after these events: %s", err, events)
	b.until(shown + ` !== undefined && ` + shown + ` !== ` + quoted(before))
	if again := p.scan(b.scanQR(), phone); again != nil {
		p.t.Fatalf("a scan failed (%v), and so did that of the next code: %v; events: %s", err, again, events)
	}
}

// says has a customer write to a business.
func (p *product) says(from, to, text string) {
	p.t.Helper()
	if _, err := p.sim.Send(within(p.t), simulator.SendRequest{From: from, To: to, Text: text}); err != nil {
		p.t.Fatal(err)
	}
}

// inbox waits until a customer's phone shows n messages.
func (p *product) inbox(of string, n int) []simulator.InboxMessage {
	p.t.Helper()
	got, err := p.sim.WaitInbox(within(p.t), of, n)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}
