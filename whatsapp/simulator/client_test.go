package simulator_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"flowhq/database/databasetest"
	"flowhq/whatsapp/simulator"
)

// seed is one for all tests: whatsmeow pins the root key in a variable of the whole process.
var seed = bytes.Repeat([]byte{7}, 32)

const (
	salon    = "255700000001"
	shop     = "255700000002"
	customer = "255711000001"
)

func TestMain(m *testing.M) {
	s, err := simulator.Start(context.Background(), simulator.Options{RootSeed: seed})
	if err != nil {
		slog.Error("no simulator", "error", err)
		os.Exit(1)
	}
	whatsmeow.WACertPubKey = [32]byte(s.RootKey())
	_ = s.Close()
	databasetest.Main(m)
}

// start runs a simulator for the length of a test.
func start(t testing.TB, change ...func(*simulator.Options)) *simulator.Server {
	t.Helper()
	o := simulator.Options{Control: "127.0.0.1:0", RootSeed: seed, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	for _, c := range change {
		c(&o)
	}
	s, err := simulator.Start(context.WithoutCancel(t.Context()), o) // the clients go first
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// storage is whatsmeow's own store in a database of the test's own.
func storage(t testing.TB) *sqlstore.Container {
	t.Helper()
	db := stdlib.OpenDBFromPool(databasetest.New(t).System)
	t.Cleanup(func() { _ = db.Close() })
	c := sqlstore.NewWithDB(db, "postgres", waLog.Noop)
	if err := c.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// client is an unmodified whatsmeow client that notes its events.
type client struct {
	*whatsmeow.Client
	t testing.TB

	mu      sync.Mutex
	seen    []any
	changed chan struct{}
	// onMessage, if set, sees each message on whatsmeow's own goroutine; false leaves it unconfirmed.
	onMessage func(*events.Message) bool
}

func newClient(t testing.TB, s *simulator.Server, device *store.Device, log waLog.Logger) *client {
	t.Helper()
	c := &client{Client: whatsmeow.NewClient(device, log), t: t, changed: make(chan struct{})}
	hc, err := simulator.HTTPClient(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	c.SetWebsocketHTTPClient(hc)
	c.SetPreLoginHTTPClient(hc)
	c.SynchronousAck, c.EnableDecryptedEventBuffer = true, true
	c.AddEventHandlerWithSuccessStatus(func(e any) bool {
		c.mu.Lock()
		c.seen = append(c.seen, e)
		close(c.changed)
		c.changed = make(chan struct{})
		handle := c.onMessage
		c.mu.Unlock()
		if m, ok := e.(*events.Message); ok && handle != nil {
			return handle(m)
		}
		return true
	})
	t.Cleanup(func() {
		c.Disconnect()
		hc.CloseIdleConnections()
	})
	return c
}

// wait returns the first event of type T, from the from-th event on, that fits; it fails the test after 15 s.
func wait[T any](c *client, fits func(T) bool) T {
	c.t.Helper()
	limit := time.After(15 * time.Second)
	for at := 0; ; {
		c.mu.Lock()
		for ; at < len(c.seen); at++ {
			if e, ok := c.seen[at].(T); ok && (fits == nil || fits(e)) {
				c.mu.Unlock()
				return e
			}
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-limit:
			var none T
			c.t.Fatalf("no %T after 15 s", none)
		}
	}
}

// forget drops the events noted so far.
func (c *client) forget() {
	c.mu.Lock()
	c.seen = nil
	c.mu.Unlock()
}

func (c *client) messages() []*events.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*events.Message
	for _, e := range c.seen {
		if m, ok := e.(*events.Message); ok {
			out = append(out, m)
		}
	}
	return out
}

// pair links a new client to a phone by QR and returns it when it is connected.
func pair(t testing.TB, s *simulator.Server, store *sqlstore.Container, number string) *client {
	t.Helper()
	c := newClient(t, s, store.NewDevice(), waLog.Noop)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Scan(t.Context(), wait[*events.QR](c, nil).Codes[0], number); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](c, nil)
	if err := s.WaitConnected(deadline(t), number); err != nil {
		t.Fatal(err)
	}
	return c
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func send(t testing.TB, s *simulator.Server, r simulator.SendRequest) string {
	t.Helper()
	id, err := s.Send(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func textOf(m *events.Message) string {
	if s := m.Message.GetConversation(); s != "" {
		return s
	}
	return m.Message.GetExtendedTextMessage().GetText()
}

func text(s string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(s)} }

func jid(number string) types.JID { return types.NewJID(number, types.DefaultUserServer) }
