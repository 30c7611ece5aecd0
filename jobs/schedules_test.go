package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"flowhq/database/databasetest"
	"flowhq/queries"
	"flowhq/queries/settings"
)

// Every scheduled job runs by itself, its run is noted, and one whose pace the operator changes follows without a restart.
func TestScheduledJobsRunAreNotedAndRescheduled(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t)
	log, q := slog.New(slog.DiscardHandler), queries.New(db.System)
	store := settings.New(db.System, settings.Defaults(), nil, log)
	client, err := NewWorker(WorkerOptions{DB: db.System, Log: log, RiverLog: log, Settings: store, Node: "node-1", SoftStopTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	store.OnChange(Reschedule(client, log, store.Now()))
	if err := client.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := client.Stop(stopping); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	runs := func(kind string, after time.Time) bool { // finished runs announce themselves only to pages: look, up to the time-out
		rows, err := q.ListJobRuns(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Kind == kind && r.BeganAt.After(after) && r.FinishedAt != nil {
				if r.Error != nil || r.Node != "node-1" {
					t.Errorf("%s: %v on %s", kind, *r.Error, r.Node)
				}
				return true
			}
		}
		return false
	}
	wait := func(kind string, after time.Time) {
		for !runs(kind, after) {
			select {
			case <-ctx.Done():
				t.Fatalf("%s did not run after %s", kind, after)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	for _, s := range Schedules() {
		wait(s.Kind, time.Time{})
	}
	var changed time.Time
	if err := db.System.QueryRow(ctx, `UPDATE settings SET schedules = '{"cleanup": 600, "search_index": 100, "no_such_job": 5}' RETURNING clock_timestamp()`).Scan(&changed); err != nil {
		t.Fatal(err)
	}
	if err := store.Load(ctx); err != nil {
		t.Fatal(err)
	}
	wait("cleanup", changed)
	for _, s := range Schedules() {
		want := s.Every
		switch s.Kind {
		case "cleanup":
			want = 10 * time.Minute
		case "stale_sweep":
			want = 30 * time.Second
		}
		if got := s.In(store.Now()); got != want { // search_index: more than is allowed
			t.Errorf("%s comes every %s, want %s", s.Kind, got, want)
		}
	}
}

func TestRetention(t *testing.T) {
	db, c := newCommands(t)
	tenant := create(t, c, "+255712000001")
	ctx := t.Context()
	if _, err := db.System.Exec(ctx, `
		WITH contact AS (INSERT INTO contacts (id, tenant_id, phone_number) VALUES (gen_random_uuid(), $1, '+255713000001') RETURNING id),
			chat AS (INSERT INTO conversations (id, tenant_id, contact_id) SELECT gen_random_uuid(), $1, id FROM contact RETURNING id)
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, created_at)
		SELECT gen_random_uuid(), $1, chat.id, m.direction::message_direction, '+255713000001', '+255712000001', 'x', m.id, m.status::message_status, '', now() - m.age
		FROM chat, (VALUES ('IN', 'old', 'RECEIVED', interval '100 days'), ('OUT', 'old and waiting', 'QUEUED', interval '100 days'), ('IN', 'new', 'RECEIVED', interval '80 days')) AS m (direction, id, status, age)`, tenant); err != nil {
		t.Fatal(err)
	}
	if _, err := db.System.Exec(ctx, `
		INSERT INTO bulk_runs (id, asked_by, table_name, action, state, created_at) VALUES
			(gen_random_uuid(), 'a', 'tenants', 'START', 'DONE', now() - interval '100 days'), (gen_random_uuid(), 'a', 'tenants', 'START', 'RUNNING', now() - interval '100 days'),
			(gen_random_uuid(), 'a', 'tenants', 'START', 'DONE', now())`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.System.Exec(ctx, `UPDATE portal_event_logs SET created_at = now() - interval '100 days' WHERE tenant_id = $1`, tenant); err != nil {
		t.Fatal(err)
	}
	left := func() (counts [3]int) {
		if err := db.System.QueryRow(ctx, "SELECT (SELECT count(*) FROM message_logs), (SELECT count(*) FROM bulk_runs), (SELECT count(*) FROM portal_event_logs)").Scan(&counts[0], &counts[1], &counts[2]); err != nil {
			t.Fatal(err)
		}
		return counts
	}
	all := left()
	if all[0] != 3 || all[1] != 3 || all[2] == 0 {
		t.Fatalf("there are %v messages, runs and events", all)
	}
	for _, step := range []struct {
		keep settings.Keep
		want [3]int
	}{
		{settings.Keep{}, all}, // for ever
		{settings.Keep{Messages: 120, Events: 120, Runs: 120}, all},
		{settings.Keep{Messages: 90}, [3]int{2, 3, all[2]}}, // what waits stays
		{settings.Keep{Runs: 90}, [3]int{2, 2, all[2]}},     // what is at work stays
		{settings.Keep{Events: 90}, [3]int{2, 2, 0}},
	} {
		if err := DeleteOld(ctx, db.System, step.keep, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != step.want {
			t.Errorf("kept %+v: %v messages, runs and events are left, want %v", step.keep, got, step.want)
		}
	}
}
