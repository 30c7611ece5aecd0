package whatsapp

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

// rootSeed is shared by the simulators of this process: whatsmeow knows one root key.
var rootSeed = []byte("flow hq tests: one root key only")

// rig is a database, a simulator, and pools on them.
type rig struct {
	t       *testing.T
	db      *database.Database
	q       *queries.Queries
	sim     *simulator.Server
	live    *pgx.Conn   // listens to every change of state
	prepare func(*Pool) // before a pool runs
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, db: databasetest.New(t)}
	r.q = queries.New(r.db.System)
	sim, err := simulator.Start(context.Background(), simulator.Options{RootSeed: rootSeed, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	r.sim = sim
	r.live, err = pgx.Connect(context.Background(), r.db.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.live.Close(context.Background()) })
	if _, err := r.live.Exec(context.Background(), "LISTEN flowhq_live"); err != nil {
		t.Fatal(err)
	}
	return r
}

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("POOL_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("test", t.Name())
}

// node is a running pool.
type node struct {
	*Pool
	stop func()
}

// run starts a pool. It is stopped when the test ends, if not before.
func (r *rig) run(name string, change ...func(*Options)) *node {
	r.t.Helper()
	o := Options{
		DB: r.db.System, Log: testLog(r.t).With("node", name), NodeName: name,
		Endpoint: &Endpoint{URL: r.sim.URL(), RootKey: [32]byte(r.sim.RootKey())},
		Lease:    6 * time.Second, HeartbeatInterval: 200 * time.Millisecond, Shards: 4,
	}
	for _, c := range change {
		c(&o)
	}
	p, err := New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.prepare != nil {
		r.prepare(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	n := &node{Pool: p, stop: sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				r.t.Errorf("pool %s: %v", name, err)
			}
		case <-time.After(20 * time.Second):
			r.t.Errorf("pool %s did not stop", name)
		}
	})}
	r.t.Cleanup(n.stop)
	return n
}

// tenant creates a tenant in a shard.
func (r *rig) tenant(name, phone string, shard int16) uuid.UUID {
	r.t.Helper()
	id := newID()
	if err := r.q.CreateTenant(r.ctx(), queries.CreateTenantParams{ID: id, Name: name, PhoneNumber: phone, Shard: shard,
		ConfigID: newID(), SessionID: newID(), WorkerID: newID(),
		TemplateType: queries.TemplateTypeSUPPORT, BusinessName: name, Language: queries.LanguageEN}); err != nil {
		r.t.Fatal(err)
	}
	r.exec("UPDATE worker_processes SET desired = 'RUNNING' WHERE tenant_id = $1", id)
	return id
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	r.t.Cleanup(cancel)
	return ctx
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.db.System.Exec(r.ctx(), sql, args...); err != nil {
		r.t.Fatal(err)
	}
}

// one reads a single value.
func one[T any](r *rig, sql string, args ...any) T {
	r.t.Helper()
	var v T
	if err := r.db.System.QueryRow(r.ctx(), sql, args...).Scan(&v); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func (r *rig) session(id uuid.UUID) queries.WhatsappSession {
	r.t.Helper()
	return r.get(id).WhatsappSession
}

func (r *rig) get(id uuid.UUID) queries.GetTenantRow {
	r.t.Helper()
	row, err := r.q.GetTenant(r.ctx(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

// await waits for a condition, looking again whenever something was announced on the live channel.
func (r *rig) await(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatalf("never happened: %s", what)
		}
		// Receipts and heartbeats are not announced, so it also looks by itself now and then.
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		_, err := r.live.WaitForNotification(ctx)
		cancel()
		if err != nil && ctx.Err() == nil {
			r.t.Fatalf("listening: %v", err)
		}
	}
}

func (r *rig) awaitReason(id uuid.UUID, reason queries.SessionReason) queries.WhatsappSession {
	r.t.Helper()
	var s queries.WhatsappSession
	r.await(fmt.Sprintf("tenant %s becomes %s", id, reason), func() bool {
		s = r.session(id)
		return s.Reason == reason
	})
	return s
}

// link starts a tenant, scans its QR, and waits until it is connected.
func (r *rig) link(n *node, id uuid.UUID, number string) {
	r.t.Helper()
	r.start(n, id)
	s := r.awaitReason(id, queries.SessionReasonWAITINGFORSCAN)
	if s.State != queries.SessionStateQRREADY || s.LastQr == nil || s.QrExpiresAt == nil {
		r.t.Fatalf("waiting for a scan without a QR: %+v", s)
	}
	if _, err := r.sim.Scan(r.ctx(), *s.LastQr, number); err != nil {
		r.t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
}

// start waits until the node holds the shard, and starts the tenant.
func (r *rig) start(n *node, id uuid.UUID) {
	r.t.Helper()
	shard := r.get(id).Tenant.Shard
	r.await("the node holds the shard", func() bool { _, ok := n.leases.epoch(shard); return ok })
	if err := n.Start(r.ctx(), id); err != nil {
		r.t.Fatal(err)
	}
}

// say has a customer write, and returns the id of the message.
func (r *rig) say(from, to, text string, change ...func(*simulator.SendRequest)) string {
	r.t.Helper()
	req := simulator.SendRequest{From: from, To: to, Text: text}
	for _, c := range change {
		c(&req)
	}
	id, err := r.sim.Send(r.ctx(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// inbox waits until a customer's phone shows n messages.
func (r *rig) inbox(contact string, n int) []simulator.InboxMessage {
	r.t.Helper()
	all, err := r.sim.WaitInbox(r.ctx(), contact, n)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// clean checks what must never happen, whatever else does.
func (r *rig) clean() {
	r.t.Helper()
	st := r.sim.Stats()
	if st.DroppedDuplicateKeys != 0 || st.MissingCopies != 0 || st.QueueOverflow != 0 {
		r.t.Errorf("keys used twice %d, copies missing %d, queues overflowed %d: %+v", st.DroppedDuplicateKeys, st.MissingCopies, st.QueueOverflow, st.Incidents)
	}
}

func (r *rig) fault(f simulator.Fault) {
	r.t.Helper()
	if err := r.sim.Fault(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) events(id uuid.UUID) string {
	r.t.Helper()
	return one[string](r, "SELECT coalesce(string_agg(event_type, ' ' ORDER BY created_at, id), '') FROM portal_event_logs WHERE tenant_id = $1", id)
}

func (r *rig) hasEvent(id uuid.UUID, kind string) {
	r.t.Helper()
	if all := r.events(id); !strings.Contains(" "+all+" ", " "+kind+" ") {
		r.t.Errorf("no event %s among: %s", kind, all)
	}
}
