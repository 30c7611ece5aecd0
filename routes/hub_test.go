package routes

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/database/databasetest"
)

func TestSubscriptionCollectsBoundedAndWithoutRepeats(t *testing.T) {
	db := databasetest.New(t)
	hub := NewHub(db.System.Config().ConnConfig, slog.New(slog.DiscardHandler))
	tenant, other := uuid.New(), uuid.New()
	one, all := hub.Subscribe(tenant), hub.Subscribe(uuid.Nil)
	defer one.Close()
	defer all.Close()

	row := uuid.New()
	hub.publish(Event{KindMessage, tenant, row})
	hub.publish(Event{KindMessage, tenant, row})
	hub.publish(Event{KindSession, other, other})
	if got := one.Take(); len(got) != 1 || got[0].ID != row {
		t.Errorf("of the own tenant, once: %v", got)
	}
	if got := all.Take(); len(got) != 2 {
		t.Errorf("of every tenant: %v", got)
	}
	if got := one.Take(); len(got) != 0 {
		t.Errorf("taken twice: %v", got)
	}

	for range maxPending {
		hub.publish(Event{KindMessage, tenant, uuid.New()})
	}
	if got := one.Take(); len(got) != maxPending {
		t.Errorf("%d events, want all %d", len(got), maxPending)
	}
	for range maxPending + 50 {
		hub.publish(Event{KindMessage, tenant, uuid.New()})
	}
	if got := one.Take(); len(got) != 1 || got[0].Kind != KindResync {
		t.Errorf("a slow subscriber gets %d events, want one resync", len(got))
	}
	hub.publish(Event{KindMessage, tenant, row})
	if got := one.Take(); len(got) != 1 || got[0].ID != row {
		t.Errorf("after a resync: %v", got)
	}

	one.Close()
	one.Close()
	hub.publish(Event{KindMessage, tenant, row})
	if got := one.Take(); len(got) != 0 {
		t.Errorf("after Close: %v", got)
	}
}

// A connection that breaks is made again, and everybody hears that something may have been missed.
func TestHubComesBack(t *testing.T) {
	db := databasetest.New(t)
	hub := NewHub(db.System.Config().ConnConfig, slog.New(slog.DiscardHandler))
	sub := hub.Subscribe(uuid.Nil)
	defer sub.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	next := func() []Event {
		t.Helper()
		select {
		case <-sub.Wake():
			return sub.Take()
		case <-time.After(15 * time.Second):
			t.Fatal("nothing came")
			return nil
		}
	}
	if got := next(); got[0].Kind != KindResync {
		t.Fatalf("at the start: %v, want a resync", got)
	}
	tenant, row := uuid.New(), uuid.New()
	notify := func() {
		_, err := db.System.Exec(ctx, "SELECT pg_notify('flowhq_live', $1)", "message "+tenant.String()+" "+row.String())
		must(t, err)
	}
	notify()
	if got := next(); len(got) != 1 || got[0] != (Event{KindMessage, tenant, row}) {
		t.Fatalf("%v", got)
	}
	_, err := db.System.Exec(ctx, "SELECT pg_notify('flowhq_live', 'not understood')")
	must(t, err)
	_, err = db.System.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND query = 'LISTEN flowhq_live' AND pid <> pg_backend_pid()`)
	must(t, err)
	if got := next(); got[0].Kind != KindResync {
		t.Fatalf("after the connection broke: %v, want a resync", got)
	}
	notify()
	if got := next(); len(got) != 1 || got[0].ID != row {
		t.Fatalf("after coming back: %v", got)
	}
	stop()
	must(t, <-ended)
}

func TestParseEvent(t *testing.T) {
	for _, bad := range []string{"", "message", "message x y", "message " + uuid.NewString(), "message " + uuid.NewString() + " z"} {
		if e, err := parseEvent(bad); err == nil {
			t.Errorf("parseEvent(%q) = %v", bad, e)
		}
	}
}
