package logbook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type words struct{ secret string }

func (w *words) String() string { return "words of " + w.secret }

// noted gives the entry that one line makes.
func noted(t *testing.T, log func(*slog.Logger)) (entry, string) {
	t.Helper()
	b := New("node")
	log(slog.New(b.Handler(slog.DiscardHandler)))
	if len(b.queue) != 1 {
		t.Fatalf("%d entries, want 1", len(b.queue))
	}
	e := <-b.queue
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return e, string(raw)
}

func TestSecretsAreTakenOut(t *testing.T) {
	const secret = "S3cr3t-of-somebody"
	var nobody *words
	for name, attr := range map[string]slog.Attr{
		"a name":                slog.String("password", secret),
		"a name in capitals":    slog.String("Authorization", secret),
		"part of a name":        slog.String("smtp_password_old", secret),
		"a key":                 slog.String("api_key", secret),
		"a pairing code":        slog.String("pair_code", secret),
		"a QR":                  slog.String("qr", secret),
		"a group's":             slog.Group("request", slog.String("cookie", secret)),
		"a nameless group's":    slog.Group("", slog.String("token", secret)),
		"deep in data":          slog.Any("payload", map[string]any{"list": []any{map[string]any{"secret": secret}}}),
		"a struct's":            slog.Any("user", struct{ Name, Password string }{"Asha", secret}),
		"an address":            slog.String("dial", "postgres://flowhq:"+secret+"@db.example/flowhq"),
		"an address without":    slog.String("dial", "redis://:"+secret+"@cache/0"),
		"an error":              slog.Any("err", errors.New("GET /setup/"+secret+": gone")),
		"a header":              slog.String("sent", "Bearer "+secret),
		"a form":                slog.String("body", "email=a@b.example&password="+secret+"&next=/"),
		"an API key in a text":  slog.String("said", "use fhq_"+secret),
		"what words itself":     slog.Any("w", &words{"password=" + secret}),
		"a secret link's token": slog.String("at", "https://hq.example/invite/"+secret+"?x=1"),
	} {
		_, raw := noted(t, func(l *slog.Logger) { l.Info("line", attr) })
		if strings.Contains(raw, secret) || !strings.Contains(raw, hidden) {
			t.Errorf("%s: %s", name, raw)
		}
	}
	_, raw := noted(t, func(l *slog.Logger) {
		l.With("secret", secret).WithGroup("g").With("n", 1).WithGroup("h").Warn("password="+secret, "token", secret, "nil", nobody, "none", nil)
	})
	if strings.Contains(raw, secret) || !strings.Contains(raw, `"g":{"h":{`) || !strings.Contains(raw, `"n":1`) {
		t.Errorf("bound to a logger: %s", raw)
	}
}

// What is no secret stays as it was said.
func TestOtherWordsStay(t *testing.T) {
	e, raw := noted(t, func(l *slog.Logger) {
		l.Error("worker is stale", "tenant_id", "0198b2f0-0000-7000-8000-000000000000", "process", "dar:7/3", "took", 1500*time.Microsecond, "n", 3, "ok", true, "shards", []int{1, 2},
			"url", "https://hq.example/admin/tenants/0198b2f0", "request", "abc")
	})
	if e.Level != levelError || e.Kind != kindEvent || e.RequestID != "abc" || strings.Contains(raw, hidden) {
		t.Errorf("%s", raw)
	}
	for _, part := range []string{`"took":"1.5ms"`, `"n":3`, `"ok":true`, `"shards":[1,2]`, `"process":"dar:7/3"`, `"url":"https://hq.example/admin/tenants/0198b2f0"`} {
		if !strings.Contains(raw, part) {
			t.Errorf("%s lacks %s", raw, part)
		}
	}
}

func TestEntriesStaySmallAndReadable(t *testing.T) {
	long := strings.Repeat("é", 1_000_000)
	e, raw := noted(t, func(l *slog.Logger) {
		l.Info(long+"\x00\xff", "a", long, "b", long, "c", long, "d", long, "e\x00", "f\x00\xff")
	})
	if len(raw) > 2*longestText+longestObject || !utf8.ValidString(e.Message) || strings.Contains(raw, `\u0000`) {
		t.Errorf("%d bytes: %.200s", len(raw), raw)
	}
	if _, raw = noted(t, func(l *slog.Logger) { l.Info("x", "e\x00", "f\x00\xff", "g", func() {}) }); strings.Contains(raw, `\u0000`) || !strings.Contains(raw, `"e":"f`) {
		t.Errorf("%s", raw)
	}
}

func TestWhatIsNotNoted(t *testing.T) {
	b := New("node")
	l := slog.New(b.Handler(slog.DiscardHandler))
	l.Debug("below info")
	l.InfoContext(Noted(context.Background()), "a request that is noted already")
	if n := len(b.queue); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
	var none *Book
	none.Request(Request{})
	if none.Handler(slog.DiscardHandler) != slog.DiscardHandler || none.Dropped() != 0 || none.Unsaid() != 0 {
		t.Error("no book notes something")
	}
}
