package database_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/database"
	"flowhq/database/databasetest"
)

// mode is what tells the two ways of keeping portal requests to one tenant apart; see migration 00005.
type mode struct {
	forced           bool
	policies         string
	become, comeBack string // make a System transaction see what the portal sees, and end that
}

func inBothModes(t *testing.T, test func(*testing.T, *database.Database, mode)) {
	t.Run("role", func(t *testing.T) {
		test(t, databasetest.New(t), mode{policies: "portal to flowhq_portal", become: "SET LOCAL ROLE flowhq_portal", comeBack: "RESET ROLE"})
	})
	t.Run("forced", func(t *testing.T) {
		db := ordinaryOwner(t).open(t, nil)
		mustMigrate(t, db)
		test(t, db, mode{forced: true, policies: "portal to all, system to all",
			become: "SET LOCAL flowhq.scope = 'portal'", comeBack: "SET LOCAL flowhq.scope = 'system'"})
	})
}

// ordinaryLogin is one that owns an empty database and has no other right: it may neither create nor become flowhq_portal.
type ordinaryLogin struct {
	dsn, role string
	admin     *pgx.Conn
}

func ordinaryOwner(t *testing.T) *ordinaryLogin {
	t.Helper()
	server := databasetest.New(t).DSN()
	admin, err := pgx.Connect(t.Context(), server+" user=postgres dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	o := &ordinaryLogin{role: "owner_" + strings.ReplaceAll(uuid.NewString(), "-", ""), admin: admin}
	o.dsn = server + " user=" + o.role + " dbname=" + o.role
	o.exec(t, "CREATE ROLE "+o.role+" LOGIN", "CREATE DATABASE "+o.role+" OWNER "+o.role)
	t.Cleanup(func() {
		for _, sql := range []string{"DROP DATABASE " + o.role + " WITH (FORCE)", "DROP ROLE " + o.role} {
			if _, err := admin.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
		_ = admin.Close(context.Background())
	})
	return o
}

func (o *ordinaryLogin) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := o.admin.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func (o *ordinaryLogin) open(t *testing.T, log *slog.Logger) *database.Database {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	db, err := database.Open(t.Context(), database.Options{URL: o.dsn, Log: log, PortalConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, db) })
	return db
}

func mustMigrate(t *testing.T, db *database.Database) {
	t.Helper()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pending, err := db.MigrationsPending(t.Context()); err != nil || pending {
		t.Fatalf("pending after Migrate: %v, %v", pending, err)
	}
}

// portalRunsAs gives the role of a portal transaction and what it sees of the table notes.
func portalRunsAs(t *testing.T, db *database.Database, tenant uuid.UUID) (role string, notes int) {
	t.Helper()
	err := db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT current_user, (SELECT count(*) FROM notes)").Scan(&role, &notes)
	})
	if err != nil {
		t.Fatal(err)
	}
	return role, notes
}

// Once an administrator ran the statements, the next Migrate gives the portal its role, also under a process that goes on
// running with connections from before.
func TestForcedDatabaseGetsItsRole(t *testing.T) {
	o := ordinaryOwner(t)
	var said bytes.Buffer
	running := o.open(t, slog.New(slog.NewTextHandler(&said, nil)))
	mustMigrate(t, running)
	grant := `GRANT flowhq_portal TO "` + o.role + `";`
	if !strings.Contains(strings.ReplaceAll(said.String(), `\"`, `"`), grant) {
		t.Errorf("nobody is told of %s in: %s", grant, &said)
	}
	if pending, err := o.open(t, nil).MigrationsPending(t.Context()); err != nil || pending {
		t.Errorf("a forced database counts as not migrated: %v, %v", pending, err)
	}
	a, _ := notes(t, running)
	// One inside the other, so that more than one connection is from before.
	if err := running.InTenant(t.Context(), a, func(pgx.Tx) error {
		if role, n := portalRunsAs(t, running, a); role != o.role || n != 1 {
			t.Errorf("before: portal runs as %s and sees %d rows", role, n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	o.exec(t, grant)
	mustMigrate(t, o.open(t, nil))
	for range 3 {
		if role, n := portalRunsAs(t, running, a); role != "flowhq_portal" || n != 1 {
			t.Fatalf("after: portal runs as %s and sees %d rows", role, n)
		}
	}
	var n int
	if err := running.System.QueryRow(t.Context(), "SELECT count(*) FROM notes").Scan(&n); err != nil || n != 2 {
		t.Errorf("System sees %d rows, %v", n, err)
	}

	// It is now as if it had never been otherwise.
	fresh := databasetest.New(t)
	notes(t, fresh)
	if got, want := security(t, running), security(t, fresh); !slices.Equal(got, want) {
		t.Errorf("a database that changed its mode has\n%s\nand one that did not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// security lists everything of tables that decides what the portal may do.
func security(t *testing.T, db *database.Database) []string {
	t.Helper()
	rows, err := db.System.Query(t.Context(), `
		SELECT concat_ws(' ', c.relname, c.relrowsecurity, c.relforcerowsecurity,
			(SELECT string_agg(concat_ws(' ', polname, polroles::regrole[], polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), '; ')
				FROM pg_policy WHERE polrelid = c.oid),
			(SELECT string_agg(privilege_type, ',' ORDER BY privilege_type) FROM aclexplode(c.relacl) WHERE grantee = 'flowhq_portal'::regrole),
			(SELECT string_agg(a.attname || ' ' || x.privilege_type, ',' ORDER BY a.attname, x.privilege_type)
				FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = c.oid AND x.grantee = 'flowhq_portal'::regrole))
		FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// While the mode changes, policies hold for nobody who runs as the owner: no portal transaction may be under way then.
func TestModeWaitsForPortalTransactions(t *testing.T) {
	o := ordinaryOwner(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	running := o.open(t, nil)
	mustMigrate(t, running)
	a, _ := notes(t, running)
	o.exec(t, "GRANT flowhq_portal TO "+o.role)

	changed := make(chan error, 1)
	err := running.InTenant(ctx, a, func(tx pgx.Tx) error {
		other := o.open(t, nil)
		go func() { changed <- other.Migrate(ctx) }()
		const waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'tenants'::regclass AND mode = 'AccessExclusiveLock')"
		for waiting := false; !waiting; {
			select {
			case err := <-changed:
				t.Errorf("the mode changed under a portal transaction (%v)", err)
				changed <- err
				waiting = true
			default:
				if err := running.System.QueryRow(ctx, waits).Scan(&waiting); err != nil {
					return err
				}
			}
		}
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil || n != 1 {
			t.Errorf("the transaction sees %d rows, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if role, n := portalRunsAs(t, running, a); role != "flowhq_portal" || n != 1 {
		t.Errorf("portal runs as %s and sees %d rows", role, n)
	}
}

// The scope of the portal's connections is ours to say, whatever the URL or the login's own settings say.
func TestScopeCannotBeWidenedByAccident(t *testing.T) {
	o := ordinaryOwner(t)
	mustMigrate(t, o.open(t, nil))
	notes(t, o.open(t, nil))
	o.exec(t, "ALTER ROLE "+o.role+" SET flowhq.scope = 'system'")
	plain := o.dsn
	for _, extra := range []string{"", " flowhq.scope=system", " options='-c flowhq.scope=system'", " flowhq.scope=portal"} {
		o.dsn = plain + extra
		db := o.open(t, nil)
		for pool, want := range map[string]int{"portal": 0, "system": 2} {
			from := db.Portal
			if pool == "system" {
				from = db.System
			}
			var n int
			if err := from.QueryRow(t.Context(), "SELECT count(*) FROM notes").Scan(&n); err != nil || n != want {
				t.Errorf("with %s, %s sees %d rows, %v; want %d", url.QueryEscape(extra), pool, n, err, want)
			}
		}
	}
}

// A login that bypasses policies is noticed when a portal transaction begins, not when it has shown something.
func TestInTenantRefusesWithoutPolicies(t *testing.T) {
	o := ordinaryOwner(t)
	db := o.open(t, nil)
	mustMigrate(t, db)
	o.exec(t, "ALTER ROLE "+o.role+" BYPASSRLS")
	err := db.InTenant(t.Context(), uuid.New(), func(pgx.Tx) error {
		t.Error("the transaction began")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "row-level security does not hold") {
		t.Errorf("error: %v", err)
	}
}

func TestPing(t *testing.T) {
	db := databasetest.New(t)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Ping(ended); err == nil {
		t.Error("an ended context answers")
	}
}
