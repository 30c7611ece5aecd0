package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/queries"
	"flowhq/queries/settings"
	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// bulkSite is a database whose runs are worked by a node.
type bulkSite struct {
	t        *testing.T
	db       *database.Database
	commands *Commands
	registry *tables.Registry
	client   *river.Client[pgx.Tx]
}

func newBulkSite(t *testing.T) *bulkSite {
	t.Helper()
	s := &bulkSite{t: t, db: databasetest.New(t)}
	var err error
	log := slog.New(slog.DiscardHandler)
	s.client, err = NewWorker(WorkerOptions{DB: s.db.System, Log: log, RiverLog: log, Settings: settings.New(s.db.System, settings.Defaults(), nil, log), SoftStopTimeout: time.Second})
	s.ok(err)
	s.ok(queries.New(s.db.System).EnsureShards(t.Context(), 3))
	s.commands = NewCommands(s.db.System, s.client)
	s.registry, err = tables.Load(t.Context(), s.db.System)
	s.ok(err)
	return s
}

func (s *bulkSite) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// node works runs until the test ends.
func (s *bulkSite) node() {
	s.t.Helper()
	s.ok(s.client.Start(context.Background()))
	s.t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.client.Stop(closing); err != nil {
			s.t.Errorf("stop River: %v", err)
		}
	})
}

func (s *bulkSite) ask(a BulkAsk) uuid.UUID {
	s.t.Helper()
	if a.RunID == uuid.Nil {
		a.RunID = newID()
	}
	if a.Zone == nil {
		a.Zone = time.UTC
	}
	s.ok(s.commands.Bulk(s.t.Context(), a, Actor{Name: "Amina"}))
	return a.RunID
}

// over waits until a run has ended.
func (s *bulkSite) over(id uuid.UUID) queries.BulkRun {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		run, err := queries.New(s.db.System).GetBulkRun(ctx, id)
		s.ok(err)
		if run.FinishedAt != nil {
			return run
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("the run is still %s", run.State)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *bulkSite) count(sql string, args ...any) (n int64) {
	s.t.Helper()
	s.ok(s.db.System.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

func (s *bulkSite) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.db.System.Exec(s.t.Context(), sql, args...)
	s.ok(err)
}

// messages gives a tenant a customer with messages.
func (s *bulkSite) messages(tenant uuid.UUID, n int) {
	s.t.Helper()
	id := newID()
	s.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, 'Asha', '+255713000001')", id, tenant)
	s.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", id, tenant)
	s.exec("ALTER TABLE message_logs DISABLE TRIGGER live_insert") // nobody listens
	s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, created_at)
		SELECT gen_random_uuid(), $1, $2::uuid, 'IN', '', '', 'Habari ' || n, n::text, 'RECEIVED', now() - n * interval '1 second' FROM generate_series(1, $3::int) n`, tenant, id, n)
	s.exec("ALTER TABLE message_logs ENABLE TRIGGER live_insert")
}

// write is another tenant's message, as the pipeline writes one: contact, chat and message, waiting for no lock longer than a moment.
func write(ctx context.Context, db *database.Database, tenant uuid.UUID, i int) error {
	return pgx.BeginFunc(ctx, db.System, func(tx pgx.Tx) error {
		id := newID()
		for _, statement := range []struct {
			sql  string
			args []any
		}{
			{"SET LOCAL lock_timeout = '1ms'", nil},
			{"INSERT INTO contacts (id, tenant_id, phone_number) VALUES ($1, $2, $3)", []any{id, tenant, fmt.Sprintf("+25571%07d", i)}},
			{"INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", []any{id, tenant}},
			{"INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status) VALUES ($1, $2, $1, 'IN', '', '', 'Mambo', $3, 'RECEIVED')", []any{id, tenant, fmt.Sprint("W", i)}},
			{"UPDATE conversations SET last_message_at = now(), updated_at = now() WHERE id = $1", []any{id}},
		} {
			if _, err := tx.Exec(ctx, statement.sql, statement.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// A tenant with very many messages is deleted, and a filter that matches very many is worked, while others write: a lock of theirs
// that somebody would have to wait for fails the test.
func TestBulkDeletionLocksNobodyOut(t *testing.T) {
	const many = 100_000
	for name, ask := range map[string]func(s *bulkSite, big uuid.UUID) BulkAsk{
		"the tenant": func(s *bulkSite, big uuid.UUID) BulkAsk {
			return BulkAsk{Table: s.registry.Table("tenants"), Action: queries.BulkActionDELETE, Keys: []string{big.String()}, Total: 1}
		},
		"its messages by a filter": func(s *bulkSite, big uuid.UUID) BulkAsk {
			return BulkAsk{Table: s.registry.Table("message_logs"), Action: queries.BulkActionDELETE, Filter: `tenant.phone_number = "+255712000001"`, Total: many}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newBulkSite(t)
			big, other := create(t, s.commands, "+255712000001"), create(t, s.commands, "+255712000002")
			s.messages(big, many)
			s.node()
			id := s.ask(ask(s, big))
			halfway := false
			for i := 0; ; i++ {
				if err := write(t.Context(), s.db, other, i); err != nil {
					t.Fatalf("another tenant's message %d: %v", i, err)
				}
				run, err := queries.New(s.db.System).GetBulkRun(t.Context(), id)
				s.ok(err)
				worked := run.Done + run.BelowDone
				halfway = halfway || worked > 0 && worked < many
				if run.FinishedAt != nil {
					if run.State != queries.BulkStateDONE || run.Failed != 0 || worked < many {
						t.Errorf("%s, %d done, %d with them, %d failed %s", run.State, run.Done, run.BelowDone, run.Failed, run.Failures)
					}
					t.Logf("%d messages of the other tenant were written meanwhile", i+1)
					break
				}
			}
			if !halfway {
				t.Error("nobody saw it halfway: it was one transaction")
			}
			if n := s.count("SELECT count(*) FROM message_logs WHERE tenant_id = $1", big); n != 0 {
				t.Errorf("%d messages are left", n)
			}
			if strings.Contains(name, "the tenant") && s.count("SELECT count(*) FROM tenants WHERE id = $1", big) != 0 {
				t.Error("the tenant is still there")
			}
		})
	}
}

// An edit keeps each table's rules, says why a record was refused, and counts those that are gone.
func TestBulkEdit(t *testing.T) {
	s := newBulkSite(t)
	a, b := create(t, s.commands, "+255712000001"), create(t, s.commands, "+255712000002")
	s.messages(a, 3)
	s.node()
	en, huge, name := "EN", "99999", "Sasa"
	configs, contacts := s.registry.Table("tenant_configs"), s.registry.Table("contacts")
	run := s.over(s.ask(BulkAsk{Table: configs, Action: queries.BulkActionEDIT, Changes: map[string]*string{"language": &en}, Total: 2}))
	if run.State != queries.BulkStateDONE || run.Done != 2 || s.count("SELECT count(*) FROM tenant_configs WHERE language = 'EN'") != 2 {
		t.Errorf("languages: %+v", run)
	}
	if n := s.count("SELECT count(*) FROM portal_event_logs WHERE event_type = 'TENANT_CHANGED' AND payload_json ->> 'by' = 'Amina' AND tenant_id IN ($1, $2)", a, b); n != 2 {
		t.Errorf("%d events tell of it, want 2", n)
	}
	run = s.over(s.ask(BulkAsk{Table: configs, Action: queries.BulkActionEDIT, Changes: map[string]*string{"replies_per_minute": &huge}}))
	var failures []BulkFailure
	s.ok(json.Unmarshal(run.Failures, &failures))
	if run.Failed != 2 || len(failures) != 2 || !strings.Contains(failures[0].Reason, "10000") || failures[0].Title != "Salon" || run.Done != 0 {
		t.Errorf("what the command refuses: %+v %+v", run, failures)
	}
	key := s.registry.Table("contacts")
	var id string
	s.ok(s.db.System.QueryRow(t.Context(), "SELECT id::text FROM contacts").Scan(&id))
	run = s.over(s.ask(BulkAsk{Table: key, Action: queries.BulkActionEDIT, Keys: []string{id, uuid.NewString(), "no key"}, Changes: map[string]*string{"name": &name}}))
	if run.Done != 1 || run.Gone != 2 || run.Total != 3 || s.count("SELECT count(*) FROM contacts WHERE name = 'Sasa' AND updated_at > created_at") != 1 {
		t.Errorf("records that are gone: %+v", run)
	}
	for what, bad := range map[string]BulkAsk{
		"a fixed column":       {Table: contacts, Action: queries.BulkActionEDIT, Changes: map[string]*string{"tenant_id": &id}},
		"a secret column":      {Table: s.registry.Table("users"), Action: queries.BulkActionEDIT, Changes: map[string]*string{"password_hash": &name}},
		"a unique column":      {Table: s.registry.Table("users"), Action: queries.BulkActionEDIT, Changes: map[string]*string{"email": &name}},
		"a table to read only": {Table: s.registry.Table("shards"), Action: queries.BulkActionDELETE},
		"no workers":           {Table: contacts, Action: queries.BulkActionSTART},
		"nothing selected":     {Table: contacts, Action: queries.BulkActionDELETE, Keys: []string{}},
	} {
		bad.RunID, bad.Zone = newID(), time.UTC
		if _, refused := errors.AsType[*Error](s.commands.Bulk(t.Context(), bad, Actor{})); !refused {
			t.Errorf("%s is not refused", what)
		}
	}
}

// Workers are started by their commands; one that runs already is a failure with that reason.
func TestBulkWorkers(t *testing.T) {
	s := newBulkSite(t)
	a := create(t, s.commands, "+255712000001")
	create(t, s.commands, "+255712000002")
	_, err := s.commands.StartWorker(t.Context(), a, Actor{})
	s.ok(err)
	s.node()
	run := s.over(s.ask(BulkAsk{Table: s.registry.Table("worker_processes"), Action: queries.BulkActionSTART, Filter: `status = "STOPPED"`}))
	if run.Done != 1 || run.Failed != 1 || !strings.Contains(string(run.Failures), "running already") {
		t.Errorf("%+v %s", run, run.Failures)
	}
	if n := s.count("SELECT count(*) FROM worker_processes WHERE desired = 'RUNNING'"); n != 2 {
		t.Errorf("%d are to run, want 2", n)
	}
	if n := s.count("SELECT count(*) FROM river_job WHERE kind = 'tenant_start'"); n != 2 {
		t.Errorf("%d jobs start workers, want 2", n)
	}
}

// A run asked for twice is one. One that is cancelled stops, what died half-way goes on where it was.
func TestBulkRunGoesOnAndStops(t *testing.T) {
	s := newBulkSite(t)
	a := create(t, s.commands, "+255712000001")
	s.messages(a, 3*bulkRows)
	ask := BulkAsk{RunID: newID(), Table: s.registry.Table("message_logs"), Action: queries.BulkActionDELETE}
	s.ask(ask)
	s.ask(ask)
	if n := s.count("SELECT count(*) FROM river_job WHERE kind = 'bulk_run'"); n != 1 {
		t.Fatalf("%d jobs, want 1", n)
	}
	// The first batch is worked here, as by a node that dies after it.
	w := &bulkRunWorker{db: s.db.System, log: slog.New(slog.DiscardHandler)}
	actor, err := w.begin(t.Context(), s.registry, ask.RunID)
	s.ok(err)
	more, err := w.batch(t.Context(), s.client, s.registry, ask.RunID, actor)
	if err != nil || !more {
		t.Fatalf("the first batch: %v %v", more, err)
	}
	s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		SELECT gen_random_uuid(), tenant_id, conversation_id, 'IN', '', '', 'Came later', 'later', 'RECEIVED' FROM message_logs LIMIT 1`)
	s.node()
	run := s.over(ask.RunID)
	if run.Done != 3*bulkRows || run.State != queries.BulkStateDONE {
		t.Errorf("%+v", run)
	}
	if n := s.count("SELECT count(*) FROM message_logs"); n != 1 {
		t.Errorf("%d messages are left, want the one that came later", n)
	}
	if err := s.commands.CancelBulk(t.Context(), ask.RunID, Actor{}); err == nil {
		t.Error("a run that is over can be cancelled")
	}
	cancelled := newID()
	s.exec("INSERT INTO bulk_runs (id, asked_by, table_name, action) VALUES ($1, 'Amina', 'message_logs', 'DELETE')", cancelled)
	s.ok(s.commands.CancelBulk(t.Context(), cancelled, Actor{Name: "Juma"}))
	_, err = w.begin(t.Context(), s.registry, cancelled)
	s.ok(err)
	if more, err := w.batch(t.Context(), s.client, s.registry, cancelled, actor); more || err != nil || s.count("SELECT count(*) FROM message_logs") != 1 {
		t.Errorf("a cancelled run goes on: %v %v", more, err)
	}
}
