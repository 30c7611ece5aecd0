package database_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"flowhq/database/databasetest"
)

// sqlc hands google/uuid's types straight to pgx; nothing is registered for them.
func TestUUIDs(t *testing.T) {
	db := databasetest.New(t)
	one, two := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	var (
		id    uuid.UUID
		null  *uuid.UUID
		there *uuid.UUID
		list  []uuid.UUID
		nulls []*uuid.UUID
		valid uuid.NullUUID
	)
	err := db.System.QueryRow(t.Context(), `SELECT $1::uuid, $2::uuid, $1::uuid, $3::uuid[], ARRAY[$1, NULL]::uuid[], $4::uuid`,
		one, (*uuid.UUID)(nil), []uuid.UUID{one, two}, uuid.NullUUID{}).Scan(&id, &null, &there, &list, &nulls, &valid)
	if err != nil {
		t.Fatal(err)
	}
	if id != one || null != nil || there == nil || *there != one || !slices.Equal(list, []uuid.UUID{one, two}) || valid.Valid {
		t.Errorf("got %v, %v, %v, %v, %v", id, null, there, list, valid)
	}
	if len(nulls) != 2 || nulls[0] == nil || *nulls[0] != one || nulls[1] != nil {
		t.Errorf("array with NULL: got %v", nulls)
	}
	var hit int
	if err := db.System.QueryRow(t.Context(), `SELECT count(*) FROM unnest($1::uuid[]) id WHERE id = ANY($2)`, []uuid.UUID{one, two}, []uuid.UUID{two}).Scan(&hit); err != nil || hit != 1 {
		t.Errorf("= ANY found %d, %v", hit, err)
	}
}
