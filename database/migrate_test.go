package database_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/migrations"
)

// emptyDatabase opens two independent handles on a database that nothing has migrated.
func emptyDatabase(t *testing.T) (one, two *database.Database) {
	t.Helper()
	db := databasetest.New(t)
	dsn := db.DSN() + " dbname=empty_" + t.Name()
	admin, err := pgx.Connect(t.Context(), db.DSN()+" user=postgres dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	name := pgx.Identifier{"empty_" + t.Name()}.Sanitize()
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name+" OWNER flowhq"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close(context.Background())
	})
	for _, handle := range []**database.Database{&one, &two} {
		if *handle, err = database.Open(t.Context(), database.Options{URL: dsn, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { mustClose(t, *handle) })
	}
	return one, two
}

func TestMigrate(t *testing.T) {
	one, two := emptyDatabase(t)
	ctx := t.Context()
	pending := func(db *database.Database) bool {
		t.Helper()
		p, err := db.MigrationsPending(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if !pending(one) || !pending(two) {
		t.Fatal("an empty database counts as migrated")
	}
	var group errgroup.Group
	group.Go(func() error { return one.Migrate(ctx) })
	group.Go(func() error { return two.Migrate(ctx) })
	if err := group.Wait(); err != nil {
		t.Fatalf("two at once: %v", err)
	}
	if pending(one) || pending(two) {
		t.Error("still pending after Migrate")
	}
	var before, after int
	const count = "SELECT count(*) FROM pg_class"
	if err := one.System.QueryRow(ctx, count).Scan(&before); err != nil {
		t.Fatal(err)
	}
	if err := one.Migrate(ctx); err != nil {
		t.Fatalf("again: %v", err)
	}
	if err := one.System.QueryRow(ctx, count).Scan(&after); err != nil || after != before {
		t.Errorf("a second Migrate changed the number of relations from %d to %d, %v", before, after, err)
	}
}

// A database that was migrated before a part of the product with earlier numbers was finished gets that part, too.
func TestMigrateOutOfOrder(t *testing.T) {
	db := databasetest.New(t)
	sql := stdlib.OpenDBFromPool(db.System)
	defer sql.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, sql, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range slices.Backward(provider.ListSources()) {
		if source.Version >= 50 && source.Version < 70 {
			if _, err := provider.ApplyVersion(t.Context(), source.Version, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pending, err := db.MigrationsPending(t.Context()); err != nil || pending {
		t.Errorf("still pending: %v, %v", pending, err)
	}
}

// A new release brings migrations: each of the three kinds is noticed by a process that does not migrate itself.
func TestPendingNoticesEachKind(t *testing.T) {
	for _, sql := range []string{
		"DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)",
		"DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)",
		"UPDATE whatsmeow_version SET version = version - 1",
	} {
		db := databasetest.New(t)
		if _, err := db.System.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		if pending, err := db.MigrationsPending(t.Context()); err != nil || !pending {
			t.Errorf("after %q: pending %v, %v", sql, pending, err)
		}
	}
}
