package database_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/database"
	"flowhq/database/databasetest"
)

// notes makes a small table as a later migration would, with one row for each of two tenants.
func notes(t *testing.T, db *database.Database) (a, b uuid.UUID) {
	t.Helper()
	a, b = uuid.New(), uuid.New()
	for _, sql := range []string{
		"CREATE TABLE notes (tenant_id uuid NOT NULL, text text NOT NULL)",
		"SELECT protect_tenant_rows('notes', 'tenant_id', 'SELECT, INSERT')",
		"INSERT INTO notes VALUES ('" + a.String() + "', 'of a'), ('" + b.String() + "', 'of b')",
	} {
		if _, err := db.System.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return a, b
}

func TestInTenant(t *testing.T) {
	inBothModes(t, testInTenant)
}

func testInTenant(t *testing.T, db *database.Database, _ mode) {
	a, b := notes(t, db)
	ctx := t.Context()
	count := func(q interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (n int) {
		t.Helper()
		if err := q.QueryRow(ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// One connection, so that a tenant left behind on it would show.
	own, err := database.Open(ctx, database.Options{URL: db.DSN(), PortalConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, own)

	if n := count(own.System); n != 2 {
		t.Errorf("System sees %d notes, want both", n)
	}
	if n := count(own.Portal); n != 0 {
		t.Errorf("Portal without a tenant sees %d notes", n)
	}
	for tenant, want := range map[uuid.UUID]string{a: "of a", b: "of b"} {
		err := own.InTenant(ctx, tenant, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "SELECT text FROM notes")
			if err != nil {
				return err
			}
			got, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err == nil && (len(got) != 1 || got[0] != want) {
				t.Errorf("tenant sees %v, want only %q", got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(own.Portal); n != 0 {
			t.Errorf("the tenant stayed on the connection: %d notes", n)
		}
	}

	insert := func(tenant uuid.UUID) func(pgx.Tx) error {
		return func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO notes VALUES ($1, 'new')", tenant)
			return err
		}
	}
	if err := own.InTenant(ctx, a, insert(b)); err == nil {
		t.Error("a row for another tenant was accepted")
	}
	if err := own.InTenant(ctx, a, insert(a)); err != nil {
		t.Fatal(err)
	}
	if n := count(own.System); n != 3 {
		t.Errorf("after a commit: %d notes, want 3", n)
	}
	stop := errors.New("stop")
	if err := own.InTenant(ctx, a, func(tx pgx.Tx) error { return errors.Join(insert(a)(tx), stop) }); !errors.Is(err, stop) {
		t.Errorf("the function's error came back as %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = own.InTenant(ctx, a, func(tx pgx.Tx) error {
			if err := insert(a)(tx); err != nil {
				t.Error(err)
			}
			panic("in the middle")
		})
	}()
	if n := count(own.System); n != 3 {
		t.Errorf("after an error and a panic: %d notes, want 3", n)
	}
	if err := own.InTenant(ctx, uuid.Nil, func(pgx.Tx) error { return nil }); err == nil {
		t.Error("a transaction without a tenant was allowed")
	}
}

// Every table that belongs to tenants is behind a policy, and nothing else is open to the portal by accident.
func TestRowLevelSecurityIsComplete(t *testing.T) {
	inBothModes(t, testRowLevelSecurityIsComplete)
}

func testRowLevelSecurityIsComplete(t *testing.T, db *database.Database, mode mode) {
	ctx := t.Context()
	rows, err := db.System.Query(ctx, `
		SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
			coalesce((SELECT string_agg(p.polname || ' to ' || CASE WHEN p.polroles = '{0}' THEN 'all' ELSE array_to_string(p.polroles::regrole[], ',') END,
				', ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid), ''),
			EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) OR c.relname = 'tenants',
			has_table_privilege('flowhq_portal', c.oid, 'SELECT') OR has_any_column_privilege('flowhq_portal', c.oid, 'SELECT'),
			has_any_column_privilege('flowhq_portal', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
				OR has_table_privilege('flowhq_portal', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	type table struct {
		Name                      string
		Secured, Forced           bool
		Policies                  string
		Tenants, Readable, AnyUse bool
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		t.Fatal(err)
	}
	ofTenants := 0
	for _, table := range tables {
		t.Run(table.Name, func(t *testing.T) {
			if !table.Tenants {
				if table.AnyUse {
					t.Error("is no tenant's, yet the portal role has privileges on it")
				}
				return
			}
			ofTenants++
			if !table.Secured || table.Forced != mode.forced || table.Policies != mode.policies {
				t.Fatalf("row-level security on: %v, forced: %v, policies %q; want true, %v, %q", table.Secured, table.Forced, table.Policies, mode.forced, mode.policies)
			}
			name := pgx.Identifier{table.Name}.Sanitize()
			if mode.forced && table.AnyUse {
				t.Error("the role of another mode has privileges on it")
			}
			if !mode.forced && !table.Readable {
				var n int
				if err := db.Portal.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&n); err == nil {
					t.Errorf("read %d rows without a privilege", n)
				}
				return
			}
			// Rows of any kind do, and the owner may switch off what demands whole ones.
			tx, err := db.System.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(ctx) }()
			sees := func(tenant string) (n int) {
				t.Helper()
				for _, sql := range []string{mode.become, "SELECT set_config('flowhq.tenant_id', '" + tenant + "', true)"} {
					if _, err := tx.Exec(ctx, sql); err != nil {
						t.Fatal(err)
					}
				}
				column := "tenant_id"
				if table.Name == "tenants" {
					column = "id"
				}
				if err := tx.QueryRow(ctx, "SELECT count("+column+") FROM "+name).Scan(&n); err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Exec(ctx, mode.comeBack); err != nil {
					t.Fatal(err)
				}
				return n
			}
			a, b := uuid.NewString(), uuid.NewString()
			fillTenantTable(t, tx, table.Name, a)
			if none, other, own := sees(""), sees(b), sees(a); none != 0 || other != 0 || own != 1 {
				t.Errorf("sees %d rows without a tenant, %d as another, %d as its own; want 0, 0, 1", none, other, own)
			}
		})
	}
	if ofTenants == 0 || len(tables) < ofTenants+20 {
		t.Errorf("only %d tables, %d of tenants: are all migrations here?", len(tables), ofTenants)
	}
}

// fillTenantTable puts one row of a tenant into a table, whatever else its columns demand: constraints go, for this
// transaction only.
func fillTenantTable(t *testing.T, tx pgx.Tx, table, tenant string) {
	t.Helper()
	ctx := t.Context()
	column := "tenant_id"
	if table == "tenants" {
		column = "id"
	}
	name := pgx.Identifier{table}.Sanitize()
	rows, err := tx.Query(ctx, `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
			WHERE conrelid = $1::regclass AND contype IN ('c', 'f', 'p', 'u')
		UNION ALL SELECT format('ALTER TABLE %s ALTER %I DROP NOT NULL', attrelid::regclass, attname) FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND attnotnull AND attidentity = ''
		UNION ALL SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', $1::regclass)`, name)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range append(statements, "INSERT INTO "+name+" ("+column+") VALUES ('"+tenant+"')") {
		if _, err := tx.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func TestPortalCannotTouchOthersTables(t *testing.T) {
	db := databasetest.New(t)
	for _, table := range []string{"whatsmeow_device", "whatsmeow_sessions", "river_job", "river_queue", "goose_db_version", "user_sessions"} {
		for _, sql := range []string{"SELECT FROM " + table, "DELETE FROM " + table} {
			if _, err := db.Portal.Exec(t.Context(), sql); err == nil {
				t.Errorf("the portal may %s", sql)
			}
		}
	}
}
