package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/queries"
	"flowhq/queries/settings"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// newCommands gives commands over a database of the test's own; nobody works their jobs.
func newCommands(t *testing.T) (*database.Database, *Commands) {
	t.Helper()
	db := databasetest.New(t)
	log := slog.New(slog.DiscardHandler)
	client, err := NewWorker(WorkerOptions{DB: db.System, Log: log, RiverLog: log, Settings: settings.New(db.System, settings.Defaults(), nil, log)})
	if err != nil {
		t.Fatal(err)
	}
	if err := queries.New(db.System).EnsureShards(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	return db, NewCommands(db.System, client)
}

func create(t *testing.T, c *Commands, phone string) uuid.UUID {
	t.Helper()
	id, err := c.CreateTenant(t.Context(), NewTenant{Name: "Salon", BusinessName: "Salon", PhoneNumber: phone, TemplateType: "BOOKING", Language: "SW"}, Actor{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNormalizePhone(t *testing.T) {
	for in, want := range map[string]string{
		"0712 345 678": "+255712345678", "+255 712 345 678": "+255712345678", "255712345678": "+255712345678",
		"00255712345678": "+255712345678", "+254722100205": "+254722100205", " +1 (202) 555-0143 ": "+12025550143",
		"": "", "abc": "", "+255": "", "12345": "", "0712345678x": "", strings.Repeat("7", 60): "", "+999999999999999": "",
	} {
		got, err := NormalizePhone(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("NormalizePhone(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzNormalizePhone(f *testing.F) {
	f.Add("0712 345 678")
	f.Add("+255712345678")
	f.Fuzz(func(t *testing.T, s string) {
		number, err := NormalizePhone(s)
		if err != nil {
			return
		}
		again, err := NormalizePhone(number)
		if err != nil || again != number {
			t.Errorf("%q becomes %q, which becomes %q, %v", s, number, again, err)
		}
	})
}

func TestCreateTenantNamesEveryFault(t *testing.T) {
	db, c := newCommands(t)
	_, err := c.CreateTenant(t.Context(), NewTenant{Name: "\xff", PhoneNumber: "12", BusinessName: strings.Repeat("x", MaxName+1), TemplateType: "SHOP", Language: "FR"}, Actor{})
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != Invalid {
		t.Fatalf("got %v", err)
	}
	for _, field := range []string{"name", "phone_number", "business_name", "template_type", "language"} {
		if refusal.Fields[field] == "" {
			t.Errorf("nothing is said about %s: %v", field, refusal.Fields)
		}
	}
	create(t, c, "0712345678")
	if _, err := c.CreateTenant(t.Context(), NewTenant{Name: "Other", BusinessName: "Other", PhoneNumber: "+255712345678", TemplateType: "SUPPORT", Language: "EN"}, Actor{}); !errors.As(err, &refusal) || refusal.Code != Conflict {
		t.Errorf("a number twice: %v", err)
	}
	var tenants, configs, events int
	if err := db.System.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM tenant_configs), (SELECT count(*) FROM portal_event_logs)`).Scan(&tenants, &configs, &events); err != nil {
		t.Fatal(err)
	}
	if tenants != 1 || configs != 1 || events != 1 {
		t.Errorf("%d tenants, %d configs, %d events; want one of each: refusals write nothing", tenants, configs, events)
	}
}

// Every command is legal in the states that Allowed says, and refused with a conflict in the others.
func TestWorkerCommandsByState(t *testing.T) {
	db, c := newCommands(t)
	id := create(t, c, "+255712345678")
	commands := map[string]func(context.Context, uuid.UUID, Actor) (int64, error){
		"start": c.StartWorker, "stop": c.StopWorker, "restart": c.RestartWorker, "logout": c.LogoutWorker,
	}
	for _, state := range []struct {
		desired, status string
		linked          bool
		legal           string
	}{
		{"STOPPED", "STOPPED", false, "start"},
		{"STOPPED", "STOPPED", true, "start logout"},
		{"STOPPED", "RUNNING", true, "start stop logout"},
		{"STOPPED", "ERROR", false, "start stop"},
		{"RUNNING", "STOPPED", false, "stop restart"},
		{"RUNNING", "RUNNING", true, "stop restart logout"},
		{"RUNNING", "ERROR", true, "start stop restart logout"},
	} {
		for name, command := range commands {
			var jid *string
			if state.linked {
				value := "255712345678:1@s.whatsapp.net"
				jid = &value
			}
			if _, err := db.System.Exec(t.Context(), `UPDATE worker_processes SET desired = $1, status = $2`, state.desired, state.status); err != nil {
				t.Fatal(err)
			}
			if _, err := db.System.Exec(t.Context(), `UPDATE whatsapp_sessions SET jid = $1`, jid); err != nil {
				t.Fatal(err)
			}
			job, err := command(t.Context(), id, Actor{})
			legal := strings.Contains(" "+state.legal+" ", " "+name+" ")
			var refusal *Error
			switch {
			case legal && (err != nil || job == 0):
				t.Errorf("%+v: %s is refused: %v", state, name, err)
			case !legal && (!errors.As(err, &refusal) || refusal.Code != Conflict):
				t.Errorf("%+v: %s gives %v, want a conflict", state, name, err)
			}
		}
	}
	if _, err := c.StartWorker(t.Context(), uuid.New(), Actor{}); !IsNotFound(err) {
		t.Errorf("an unknown tenant: %v", err)
	}
}

// Deleting a tenant also takes its own and its customers' pairs from the table that all tenants share, but not a customer's
// whom another tenant knows.
func TestDeleteTenantForgetsPairs(t *testing.T) {
	db, c := newCommands(t)
	gone, stays := create(t, c, "+255712345678"), create(t, c, "+255712345679")
	for _, sql := range []string{
		`UPDATE whatsapp_sessions SET jid = '255712345678:1@s.whatsapp.net' WHERE tenant_id = '` + gone.String() + `'`,
		`INSERT INTO contacts (id, tenant_id, lid) VALUES (gen_random_uuid(), '` + gone.String() + `', '1'), (gen_random_uuid(), '` + gone.String() + `', '2')`,
		`INSERT INTO contacts (id, tenant_id, lid) VALUES (gen_random_uuid(), '` + stays.String() + `', '2')`,
		`INSERT INTO whatsmeow_lid_map (lid, pn) VALUES ('1', '255700000001'), ('2', '255700000002'), ('3', '255712345678'), ('4', '255700000004')`,
	} {
		if _, err := db.System.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.DeleteTenant(t.Context(), gone, Actor{}); err != nil {
		t.Fatal(err)
	}
	var left string
	if err := db.System.QueryRow(t.Context(), `SELECT string_agg(lid, ' ' ORDER BY lid) FROM whatsmeow_lid_map`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != "2 4" {
		t.Errorf("pairs left: %q, want the shared customer's and the stranger's", left)
	}
	if err := c.DeleteTenant(t.Context(), gone, Actor{}); !IsNotFound(err) {
		t.Errorf("deleting again: %v", err)
	}
}

// A worker without a heartbeat becomes ERROR with its tenant, says so in an event, and is restarted on its shard; a healthy or
// stopped one is left alone.
func TestStaleSweep(t *testing.T) {
	db, c := newCommands(t)
	stale, fresh, stopped := create(t, c, "+255712345671"), create(t, c, "+255712345672"), create(t, c, "+255712345673")
	if _, err := db.System.Exec(t.Context(), `
		UPDATE worker_processes SET status = 'RUNNING', desired = CASE WHEN tenant_id = $3 THEN 'STOPPED' ELSE 'RUNNING' END::worker_status,
			heartbeat_at = now() - CASE WHEN tenant_id = $2 THEN interval '1 second' ELSE interval '3 minutes' END,
			started_at = now() - interval '1 hour', updated_at = now() - interval '1 hour' WHERE tenant_id IN ($1, $2, $3)`, stale, fresh, stopped); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	seldom := settings.Defaults()
	seldom.StaleCheck = time.Hour
	client, err := NewWorker(WorkerOptions{DB: db.System, Log: log, RiverLog: log, Settings: settings.New(db.System, seldom, nil, log)})
	if err != nil {
		t.Fatal(err)
	}
	done, unsubscribe := client.Subscribe(river.EventKindJobCompleted, river.EventKindJobFailed)
	defer unsubscribe()
	if err := client.Start(context.Background()); err != nil { // the sweep runs on start
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	sweep := func() {
		t.Helper()
		for swept := false; !swept; {
			select {
			case e := <-done:
				swept = e.Job.Kind == StaleSweep{}.Kind()
				if e.Kind == river.EventKindJobFailed {
					t.Fatalf("%s: %v", e.Job.Kind, e.Job.Errors)
				}
			case <-ctx.Done():
				t.Fatal("the sweep did not run")
			}
		}
	}
	sweep()
	var marked int
	if err := db.System.QueryRow(ctx, "SELECT count(*) FROM worker_processes WHERE status = 'ERROR'").Scan(&marked); err != nil || marked != 0 {
		t.Errorf("the first sweep ever marked %d workers, %v", marked, err)
	}
	if _, err := client.Insert(ctx, StaleSweep{}, nil); err != nil {
		t.Fatal(err)
	}
	sweep()
	if err := client.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uuid.UUID]string{stale: "ERROR ERROR 1 1", fresh: "RUNNING NEW 0 0", stopped: "RUNNING NEW 0 0"} {
		var got string
		if err := db.System.QueryRow(ctx, `SELECT concat_ws(' ', w.status, t.status,
				(SELECT count(*) FROM portal_event_logs e WHERE e.tenant_id = t.id AND e.event_type = 'WORKER_STALE'),
				(SELECT count(*) FROM river_job j WHERE j.kind = 'tenant_restart' AND j.args->>'tenant_id' = t.id::text AND j.queue = 'shard_' || t.shard))
			FROM tenants t JOIN worker_processes w ON w.tenant_id = t.id WHERE t.id = $1`, id).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("worker, tenant, events, restarts: %s, want %s", got, want)
		}
	}
}
