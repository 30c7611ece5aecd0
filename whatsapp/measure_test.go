package whatsapp

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// counter counts the round trips to the database, by the beginning of their statement.
type counter struct {
	mu    sync.Mutex
	trips map[string]int
	total int
}

func (c *counter) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := strings.Index(what, "-- name: "); i >= 0 && !strings.HasPrefix(what, "batch:") {
		what = strings.Fields(what[i+9:])[0]
	} else {
		what = strings.Join(strings.Fields(what), " ")
	}
	c.trips[what[:min(len(what), 70)]]++
	c.total++
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips, c.total = map[string]int{}, 0
}

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	c.add(d.SQL)
	return ctx
}
func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	what := "batch:"
	for _, q := range d.Batch.QueuedQueries {
		if _, name, ok := strings.Cut(q.SQL, "-- name: "); ok {
			what += " " + strings.Fields(name)[0] + ","
			continue
		}
		words := strings.Fields(q.SQL)
		what += " " + strings.Join(words[:min(len(words), 3)], " ") + ","
	}
	c.add(what)
	return ctx
}
func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// counted is another pool on the test's database, and the count of what goes through it.
func (r *rig) counted() (*counter, *pgxpool.Pool) {
	r.t.Helper()
	config, err := pgxpool.ParseConfig(r.db.DSN())
	if err != nil {
		r.t.Fatal(err)
	}
	trips := &counter{trips: map[string]int{}}
	config.ConnConfig.Tracer = trips
	config.MaxConns = 8
	db, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(db.Close)
	return trips, db
}

// How often a message and its answer go to the database, and how many commits that is. The numbers are in the report of a
// verbose run; the limits keep them from growing unnoticed.
func TestWorkPerMessage(t *testing.T) {
	r := newRig(t)
	trips, db := r.counted()
	n := r.run("a", unlimited, func(o *Options) { o.DB = db })
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	const messages = 100
	commits := func() int64 {
		return one[int64](r, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
	}
	for i := range 5 { // whoever is known already
		r.say(contact(i), salon, "menu")
		r.inbox(contact(i), 1)
	}
	trips.reset()
	before := commits()
	for i := range messages {
		r.say(contact(i%5), salon, "menu")
		r.inbox(contact(i%5), 2+i/5)
	}
	r.await("all are read", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == messages+5
	})
	n.stop() // also: what is counted last is written
	trips.mu.Lock()
	defer trips.mu.Unlock()
	t.Logf("%.1f round trips and about %.1f commits for a message with its answer", float64(trips.total)/messages, float64(commits()-before)/messages)
	for what, n := range trips.trips {
		t.Logf("%6.2f %s", float64(n)/messages, what)
	}
	if got := float64(trips.total) / messages; got > 3 {
		t.Errorf("%.1f round trips for a message with its answer", got)
	}
}
