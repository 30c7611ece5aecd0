package database_test

import (
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"flowhq/database/databasetest"
	"flowhq/migrations"
)

// The prekeys of numbers that are linked already move into blocks, each under its own id, and back.
func TestPreKeysMoveIntoBlocks(t *testing.T) {
	db := databasetest.New(t)
	sql := stdlib.OpenDBFromPool(db.System)
	defer sql.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, sql, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	const version = 28
	if _, err := provider.DownTo(t.Context(), version-1); err != nil {
		t.Fatal(err)
	}
	// Device 1 used up the keys 3, 5 and a whole block; it offered 60 and 61 without an answer. Device 2 has a single key.
	for _, statement := range []string{
		`INSERT INTO whatsmeow_device (jid, registration_id, noise_key, identity_key, signed_pre_key, signed_pre_key_id, signed_pre_key_sig,
			adv_key, adv_details, adv_account_sig, adv_account_sig_key, adv_device_sig)
		SELECT n::text, 1, repeat('a', 32)::bytea, repeat('a', 32)::bytea, repeat('a', 32)::bytea, 1, repeat('a', 64)::bytea,
			'', '', repeat('a', 64)::bytea, repeat('a', 32)::bytea, repeat('a', 64)::bytea FROM generate_series(1, 3) AS n`,
		`INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded)
		SELECT '1', id, sha256(id::text::bytea), id < 60 FROM generate_series(1, 120) AS id
			WHERE id NOT IN (3, 5) AND id NOT BETWEEN 85 AND 112 AND id NOT BETWEEN 62 AND 84`,
		`INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded) VALUES ('2', 700, sha256('x'), false)`,
		`CREATE TABLE before AS SELECT jid, key_id, key FROM whatsmeow_pre_keys`,
	} {
		if _, err := db.System.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string) {
		t.Helper()
		const blocks = `SELECT string_agg(jid || ': ' || first_id || ' ' || cardinality(array_remove(keys, NULL)) || '/' || cardinality(keys) || ' ' || uploaded, ', '
			ORDER BY jid, first_id) FROM prekey_blocks`
		var got string
		if err := db.System.QueryRow(t.Context(), blocks).Scan(&got); err != nil || got != want {
			t.Errorf("%v, blocks are\n%s, want\n%s", err, got, want)
		}
	}
	same := func(sql string) {
		t.Helper()
		var different int
		if err := db.System.QueryRow(t.Context(), `SELECT count(*) FROM (`+sql+`) now FULL JOIN before b USING (jid, key_id) WHERE now.key IS DISTINCT FROM b.key`).
			Scan(&different); err != nil || different != 0 {
			t.Errorf("%d keys are not what they were, %v", different, err)
		}
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	check("1: 1 26/28 true, 1: 29 28/28 true, 1: 57 5/28 true, 1: 113 8/8 false, 2: 700 1/1 false")
	same(`SELECT b.jid, b.first_id + k.place - 1 AS key_id, k.key FROM prekey_blocks b, unnest(b.keys) WITH ORDINALITY AS k (key, place) WHERE k.key IS NOT NULL`)
	var left int
	if err := db.System.QueryRow(t.Context(), "SELECT count(*) FROM whatsmeow_pre_keys").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d keys are left in whatsmeow's table, %v", left, err)
	}
	if _, err := provider.DownTo(t.Context(), version-1); err != nil {
		t.Fatal(err)
	}
	same("SELECT jid, key_id, key FROM whatsmeow_pre_keys")
}
