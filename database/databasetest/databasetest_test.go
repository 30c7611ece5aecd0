package databasetest_test

import (
	"testing"

	"flowhq/database/databasetest"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

func TestDatabasesAreApart(t *testing.T) {
	one, two := databasetest.New(t), databasetest.New(t)
	if _, err := one.System.Exec(t.Context(), "CREATE TABLE only_in_one ()"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := two.System.QueryRow(t.Context(), "SELECT to_regclass('only_in_one') IS NOT NULL").Scan(&there); err != nil || there {
		t.Fatalf("a table of one test's database shows in another's (%v, %v)", there, err)
	}
	if pending, err := two.MigrationsPending(t.Context()); err != nil || pending {
		t.Fatalf("the clone is not migrated (%v, %v)", pending, err)
	}
}
