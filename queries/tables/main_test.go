package tables

import (
	"testing"
	"time"

	"flowhq/database"
	"flowhq/database/databasetest"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

// registry is a database of its own with the registry read from it.
func registry(t testing.TB) (*Registry, *database.Database) {
	t.Helper()
	db := databasetest.New(t)
	r, err := Load(t.Context(), db.System)
	if err != nil {
		t.Fatal(err)
	}
	return r, db
}

// noon is the clock of these tests.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.FixedZone("EAT", 3*3600))
