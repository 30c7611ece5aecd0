package simulator_test

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
	"path/filepath"
	"strings"
	"testing"

	"flowhq/whatsapp/simulator"
)

func TestControlAPI(t *testing.T) {
	s := start(t)
	newClientEcho(t, s)
	long := strings.Repeat("x", 70_000)
	for _, try := range []struct {
		call, body string
		status     int
		want       string
	}{
		{"GET /root-key", "", 200, hex.EncodeToString(s.RootKey())},
		{"GET /healthz", "", 200, `"status":"ok"`},
		{"GET /devices", "", 200, `"phone":"` + salon + `"`},
		{"GET /stats", "", 200, `"connect_histogram":[{`},
		{"GET /faults", "", 200, `[]`},
		{"GET /nothing", "", 404, "no such call"},
		{"GET /send", "", 405, "/send takes POST"},
		{"POST /devices", "", 405, "/devices takes GET"},
		{"POST /send", "", 400, "body is empty"},
		{"POST /send", "{", 400, "not the JSON"},
		{"POST /send", `{"from":1}`, 400, "not the JSON"},
		{"POST /send", `{"form":"x"}`, 400, "unknown field"},
		{"POST /send", `{"from":"x","to":"` + salon + `"}`, 400, "from:"},
		{"POST /send", `{"from":"` + customer + `","to":""}`, 400, "to:"},
		{"POST /send", `{"from":"` + customer + `","to":"` + salon + `","text":"` + long + `"}`, 400, "at most 65536"},
		{"POST /send", `{"from":"` + customer + `","to":"` + salon + `","kind":"owl"}`, 400, "known are"},
		{"POST /send", `{"from":"` + customer + `","to":"255700000099","text":"x"}`, 409, "no device is linked"},
		{"POST /send", `{"from":"+255 711-000-001","to":"` + salon + `","text":"habari","lid":true}`, 200, `"id":"3A`},
		{"POST /send", `{} {}`, 400, "more than one"},
		{"POST /scan", `{"qr":"x","phone":"` + salon + `"}`, 400, "not a linking QR"},
		{"POST /scan", `{"qr":"x","phone":"1"}`, 400, "not an international phone number"},
		{"POST /link-code", `{"phone":"` + salon + `","code":"1234"}`, 400, "not a linking code"},
		{"POST /link-code", `{"phone":"` + salon + `","code":"ABCD1234"}`, 409, "no client is waiting"},
		{"GET /inbox?contact=abc", "", 400, "contact:"},
		{"GET /inbox?since=x", "", 400, "sequence number"},
		{"GET /inbox?contact=" + customer + "&since=0", "", 200, `[`},
		{"GET /chat?contact=" + customer, "", 400, "business:"},
		{"GET /chat?contact=" + customer + "&business=" + salon, "", 200, `"text":"habari"`},
		{"GET /events?since=-1", "", 400, "sequence number"},
		{"POST /fault", `{"kind":"flood"}`, 400, "unknown fault"},
		{"POST /fault", `{"kind":"slow"}`, 400, "needs a delay"},
		{"POST /fault", `{"kind":"slow","delay":"soon"}`, 400, "not a duration"},
		{"POST /fault", `{"kind":"refuse"}`, 400, "needs a duration"},
		{"POST /fault", `{"kind":"ban","duration":"-1s"}`, 400, "cannot be negative"},
		{"POST /fault", `{"kind":"ban","phone":"x"}`, 400, "not an international phone number"},
		{"POST /fault", `{"kind":"ban","phones":"x"}`, 400, "unknown field"},
		{"POST /fault", `{"kind":"slow","delay":"1ms","duration":"1h","phone":"` + shop + `"}`, 200, "ok"},
		{"GET /faults", "", 200, `"delay":"1ms"`},
		{"POST /fault", `{"kind":"clear"}`, 200, "ok"},
		{"POST /load", `{"rate":0,"count":1}`, 400, "rate must"},
		{"POST /load", `{"rate":1,"count":0}`, 400, "count must"},
		{"POST /load", `{"rate":1,"count":1,"tenants":5}`, 400, "5 wanted"},
		{"POST /load", `{"rate":1,"count":1,"phones":["x"]}`, 400, "phones:"},
		{"POST /load?wait", `{"tenants":1,"contacts":2,"rate":100,"count":20,"text":"echo {token}"}`, 200, `"answered":20`},
		{"GET /load?id=1", "", 200, `"p99_ms"`},
		{"GET /load?id=77", "", 400, "no load run"},
	} {
		method, path, _ := strings.Cut(try.call, " ")
		status, body := request(t, method, s.ControlURL()+path, try.body)
		if status != try.status || !strings.Contains(body, try.want) {
			t.Errorf("%s %.80s: %d %.300s, want %d with %q", try.call, try.body, status, body, try.status, try.want)
		}
		if status >= 400 {
			var answer struct{ Error string }
			if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Error == "" || strings.Contains(answer.Error, "\n") {
				t.Errorf("%s %.80s: %q is not one readable JSON error", try.call, try.body, body)
			}
		}
	}
}

func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(deadline(t), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

func TestControlAPIKeepsWebPagesOut(t *testing.T) {
	s := start(t)
	for name, change := range map[string]func(*http.Request){
		"another site":    func(r *http.Request) { r.Header.Set("Origin", "https://example.com") },
		"a rebound name":  func(r *http.Request) { r.Host = "evil.example.com" },
		"a cross-site js": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.ControlURL()+"/fault", strings.NewReader(`{"kind":"drop"}`))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
}

func TestEventStream(t *testing.T) {
	s := start(t)
	newClientEcho(t, s)
	ctx := deadline(t)
	r, err := http.NewRequestWithContext(ctx, "GET", s.ControlURL()+"/events?since=0&contact="+customer, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	send(t, s, simulator.SendRequest{From: "255711000077", To: salon, Text: "somebody else"})
	send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "hello"})
	want := []string{"linked", "connected", "sent", "message"}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "255711000077") {
			t.Fatalf("an event of another customer: %s", lines.Text())
		}
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok && kind == want[0] {
			if want = want[1:]; len(want) == 0 {
				return
			}
		}
	}
	t.Fatalf("the stream ended before %v: %v", want, lines.Err())
}

func TestStartRefuses(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(broken, []byte("not a state"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]simulator.Options{
		"all addresses":       {Listen: "0.0.0.0:0"},
		"a public address":    {Listen: "192.0.2.1:0"},
		"a name":              {Listen: "example.com:80"},
		"no port":             {Listen: "127.0.0.1"},
		"control not private": {Control: ":0"},
		"a short seed":        {RootSeed: []byte("x")},
		"a broken state file": {StateFile: broken},
	} {
		if s, err := simulator.Start(context.Background(), o); err == nil {
			_ = s.Close()
			t.Errorf("%s was accepted", name)
		}
	}
	one, err := simulator.Start(t.Context(), simulator.Options{RootSeed: seed})
	if err != nil {
		t.Fatal(err)
	}
	two, err := simulator.Start(t.Context(), simulator.Options{RootSeed: seed})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.RootKey(), two.RootKey()) || one.URL() == two.URL() {
		t.Error("the same seed has to give the same root key, on another port")
	}
	for _, s := range []*simulator.Server{one, two} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(fmt.Errorf("second Close: %w", err))
		}
	}
}

// The end of the context closes the simulator and saves its state, and Close waits for that.
func TestEndOfContextCloses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithCancel(t.Context())
	s, err := simulator.Start(ctx, simulator.Options{StateFile: file, Control: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(ctx, simulator.SendRequest{From: customer, To: salon, Text: "x"}); err == nil {
		t.Fatal("sent to a business without a device")
	}
	cancel()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(s.ControlURL() + "/healthz"); err == nil {
		t.Fatal("the control API still answers")
	}
	again, err := simulator.Start(t.Context(), simulator.Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !bytes.Equal(again.RootKey(), s.RootKey()) {
		t.Fatal("the root key changed over a restart")
	}
}
