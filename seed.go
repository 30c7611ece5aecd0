package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"flowhq/database"
	"flowhq/queries"

	"github.com/jackc/pgx/v5"
)

// seed fills an empty database with as many tenants and messages as asked for: what the admin's lists are measured on. Few
// tenants have many messages, as in life: the largest has about one in fifty. Nothing of it runs or is linked.
func (c command) seed(ctx context.Context) error {
	var tenants, messages int
	var data string
	if err := c.parse("seed", func(f *flag.FlagSet) {
		f.IntVar(&tenants, "tenants", 5000, "how many `tenants`")
		f.IntVar(&messages, "messages", 5_000_000, "how many `messages`, half of them answers")
		f.StringVar(&data, "data", "", "data `folder` (default ./data)")
	}); err != nil {
		return err
	}
	if tenants < 1 || tenants > 50_000 || messages < 2*seedDays || messages > 50_000_000 {
		return &settingError{fmt.Sprintf("flowhq seed: give 1 to 50000 --tenants and %d to 50000000 --messages", 2*seedDays)}
	}
	getenv := c.getenv
	c.getenv = func(name string) string {
		if name == "FLOWHQ_DATA" && data != "" {
			return data
		}
		return getenv(name)
	}
	return c.withDatabase(ctx, func(db *database.Database) error {
		began := time.Now()
		if err := seedDatabase(ctx, db, tenants, messages, func(line string) { fmt.Fprintln(c.stderr, line) }); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%d tenants and %d messages in %s\n", tenants, messages/2*2, time.Since(began).Round(time.Second))
		return nil
	})
}

const seedDays = 180 // over which the messages are spread

// seedDatabase works in one transaction: a seed that is interrupted leaves nothing.
func seedDatabase(ctx context.Context, db *database.Database, tenants, messages int, note func(string)) error {
	conn, err := db.System.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var used bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM tenants)").Scan(&used); err != nil {
		return err
	}
	if used {
		return &settingError{"flowhq seed: this database has tenants already; give an empty one with --data or DATABASE_URL"}
	}
	if err := queries.New(conn).EnsureShards(ctx, 15); err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		run := func(sql string, args ...any) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		}
		note("tenants, people and chats")
		if err := run("SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '128MB'"); err != nil {
			return err
		}
		for _, sql := range []string{seedFunctions, seedWords} {
			if err := run(sql); err != nil {
				return err
			}
		}
		if err := run(seedTenants, tenants, messages); err != nil {
			return err
		}
		for _, sql := range strings.Split(seedPeople, ";\n") {
			if err := run(sql); err != nil {
				return err
			}
		}
		rebuild, err := dropIndexes(ctx, tx)
		if err != nil {
			return err
		}
		note("messages")
		pairs := messages / 2
		for day := range seedDays {
			from, to := pairs*day/seedDays, pairs*(day+1)/seedDays
			if err := run(seedMessages, from, to, seedDays-day, pairs); err != nil {
				return err
			}
		}
		note("indexes")
		for _, sql := range append(rebuild, seedAfter) {
			if err := run(sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	note("statistics")
	if _, err := conn.Exec(ctx, "SET statement_timeout = 0"); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), "RESET statement_timeout") //nolint:errcheck // the process ends
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE)")
	return err
}

// dropIndexes takes all indexes but the primary key and all foreign keys off the messages and gives the statements that put
// them back: built at once, they take minutes less than row by row.
func dropIndexes(ctx context.Context, tx pgx.Tx) (rebuild []string, err error) {
	rows, err := tx.Query(ctx, `
		SELECT 'ALTER TABLE message_logs DROP CONSTRAINT ' || quote_ident(conname),
			'ALTER TABLE message_logs ADD CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
		FROM pg_constraint WHERE conrelid = 'message_logs'::regclass AND contype = 'f'
		UNION ALL SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
		FROM pg_index WHERE indrelid = 'message_logs'::regclass AND NOT indisprimary`)
	if err != nil {
		return nil, err
	}
	type step struct{ Drop, Build string }
	steps, err := pgx.CollectRows(rows, pgx.RowToStructByPos[step])
	for _, s := range steps {
		if err == nil {
			_, err = tx.Exec(ctx, s.Drop)
		}
		rebuild = append(rebuild, s.Build)
	}
	return rebuild, err
}

// Ids as the product makes them, UUIDv7: they sort by their time.
const seedFunctions = `
CREATE FUNCTION pg_temp.id_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 15))::uuid
	FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS r) random
$$;`

// Five thousand words of two to four syllables; small numbers are common, large ones rare.
const seedWords = `
CREATE TEMPORARY TABLE seed_words ON COMMIT DROP AS
SELECT n, string_agg((ARRAY['ba','chu','da','fi','go','ha','ji','ka','lu','ma','ndo','pe','ra','si','tu','wa','ya','zu'])[1 + (hash / (18 ^ part)::bigint) % 18], '' ORDER BY part) AS word
FROM (SELECT n, abs(hashtextextended(n::text, 7)) AS hash FROM generate_series(0, 4999) n) w CROSS JOIN generate_series(0, 3) part
WHERE part < 2 + n % 3 GROUP BY n;
CREATE UNIQUE INDEX ON seed_words (n) INCLUDE (word);`

// $1 tenants and, of $2 messages, what each gets.
const seedTenants = `
CREATE TEMPORARY TABLE seed_tenants ON COMMIT DROP AS
SELECT n, pg_temp.id_at(at) AS id, at, '+25561' || lpad(n::text, 7, '0') AS phone,
	(ARRAY['Neema','Zawadi','Upendo','Baraka','Amani','Tumaini','Furaha','Rehema','Jitihada','Mwanzo'])[1 + n % 10] || ' ' ||
	(ARRAY['Salon','Duka','Clinic','Spares','Boutique','Pharmacy','Garage','Hotel','Bakery','Fabrics','Studio','Safaris','Cargo'])[1 + n / 10 % 13] || ' ' || n AS name,
	(ARRAY['ACTIVE','ACTIVE','ACTIVE','ACTIVE','ACTIVE','PAUSED','PAUSED','NEW','QR_PENDING','ERROR'])[1 + (n * 7) % 10]::tenant_status AS status,
	greatest(1, (n ^ -0.68 / total * $2 / 25)::int) AS chats
FROM (SELECT n, now() - interval '200 days' + n * interval '1 minute' AS at, sum(n ^ -0.68) OVER () AS total FROM generate_series(1, $1::int) n) t`

const seedPeople = `
INSERT INTO tenants (id, name, phone_number, status, shard, created_at, updated_at)
SELECT id, name, phone, status, (SELECT id FROM shards ORDER BY id OFFSET n % greatest((SELECT count(*) FROM shards), 1) LIMIT 1), at, at FROM seed_tenants;
INSERT INTO tenant_configs (id, tenant_id, template_type, business_name, language, created_at, updated_at)
SELECT pg_temp.id_at(at), id, (ARRAY['BOOKING','ECOMMERCE','SUPPORT'])[1 + n % 3]::template_type, name, (ARRAY['SW','EN'])[1 + n % 2]::language, at, at FROM seed_tenants;
INSERT INTO whatsapp_sessions (id, tenant_id, state, reason, created_at, updated_at)
SELECT pg_temp.id_at(at), id, 'DISCONNECTED', CASE WHEN status = 'NEW' THEN 'NEVER_LINKED' ELSE 'STOPPED' END::session_reason, at, at FROM seed_tenants;
INSERT INTO worker_processes (id, tenant_id, created_at, updated_at) SELECT pg_temp.id_at(at), id, at, at FROM seed_tenants;
INSERT INTO users (id, tenant_id, name, email, role, created_at, updated_at)
SELECT pg_temp.id_at(at), id, 'Owner of ' || name, 'owner' || n || '@seed.example', 'OWNER', at, at FROM seed_tenants;
INSERT INTO portal_event_logs (id, tenant_id, event_type, created_at)
SELECT pg_temp.id_at(e.at), t.id, (ARRAY['TENANT_CREATED','WORKER_START_REQUESTED','SESSION_CONNECTED','WORKER_STOP_REQUESTED'])[1 + i % 4], e.at
FROM seed_tenants t CROSS JOIN generate_series(1, 20) i CROSS JOIN LATERAL (SELECT t.at + i * interval '9 days' AS at) e;
CREATE TEMPORARY TABLE seed_chats ON COMMIT DROP AS
SELECT row_number() OVER () - 1 AS n, t.id AS tenant_id, t.phone AS tenant_phone, pg_temp.id_at(t.at) AS contact_id, pg_temp.id_at(t.at) AS id,
	'+25567' || lpad((t.n * 31 + i)::text, 7, '0') AS phone, t.at
FROM seed_tenants t CROSS JOIN LATERAL generate_series(1, t.chats) i;
CREATE UNIQUE INDEX ON seed_chats (n);
INSERT INTO contacts (id, tenant_id, phone_number, name, created_at, updated_at)
SELECT contact_id, tenant_id, phone, (ARRAY['Asha','Juma','Neema','Hassan','Rehema','Baraka','Fatma','John','Grace','Ali','Mariam','Peter'])[1 + n % 12] || ' ' ||
	(ARRAY['Mushi','Juma','Komba','Shayo','Mwinyi','Massawe','Kimaro','Lyimo','Ngowi','Salum'])[1 + n / 12 % 10], at, at FROM seed_chats;
INSERT INTO conversations (id, tenant_id, contact_id, last_message_at, created_at, updated_at) SELECT id, tenant_id, contact_id, now(), at, at FROM seed_chats;
ANALYZE seed_chats`

// Questions $1 to $2 of $4 in all, each with its answer, on the day $3 days ago. One question in $4/12 asks for zumaridi.
const seedMessages = `
WITH question AS MATERIALIZED (
	SELECT i, c.n, c.tenant_id, c.tenant_phone, c.phone, c.id AS chat, now() - $3 * interval '1 day' + random() * interval '1 day' AS asked,
		(ARRAY['Habari, naomba bei ya','Mko wazi saa ngapi? Nataka','Naomba kuweka miadi ya','How much is','Can I book','Do you deliver','Asante, nitakuja kwa','Nahitaji','Good morning, I want','Kuna'])[1 + i % 10]
			|| ' ' || one.word || ' na ' || two.word
			|| CASE WHEN i % greatest($4 / 12, 1) = 0 THEN ' zumaridi' ELSE '' END AS text
	FROM generate_series($1::int, $2::int - 1) i
	CROSS JOIN LATERAL (SELECT floor(random() * (SELECT count(*) FROM seed_chats))::bigint + i * 0 AS chat,
		floor(5000 * random() ^ 3)::int + i * 0 AS one, floor(5000 * random() ^ 3)::int + i * 0 AS two) pick
	JOIN seed_chats c ON c.n = pick.chat JOIN seed_words one ON one.n = pick.one JOIN seed_words two ON two.n = pick.two
), both_ways AS (
	SELECT pg_temp.id_at(asked) AS id, q.*, 'IN' AS direction, asked AS at, phone AS sender, tenant_phone AS receiver, 'RECEIVED' AS status, '' AS source,
		'REPLIED' AS decision, (ARRAY['PRICE','HOURS','BOOK','ORDER','OTHER'])[1 + i % 5] AS intent, text AS words FROM question q
	UNION ALL
	SELECT pg_temp.id_at(asked + interval '1 second'), q.*, 'OUT', asked + interval '1 second', tenant_phone, phone,
		(ARRAY['READ','READ','READ','DELIVERED','DELIVERED','SENT','FAILED'])[CASE WHEN i % 200 = 0 THEN 7 ELSE 1 + i % 6 END], 'BOT', NULL, NULL,
		'Karibu! Tumepokea ombi lako: ' || text || '. Jibu 1 kwa ndiyo, 2 kwa hapana.' FROM question q
)
INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, decision, intent, failure, sent_at, created_at)
SELECT id, tenant_id, chat, direction::message_direction, sender, receiver, words, '3EB0' || upper(replace(id::text, '-', '')), status::message_status, source,
	decision, intent, CASE WHEN status = 'FAILED' THEN 'The number is not on WhatsApp.' END, at, at
FROM both_ways b ORDER BY at`

const seedAfter = `UPDATE conversations c SET last_message_at = m.at
FROM (SELECT conversation_id, max(created_at) AS at FROM message_logs GROUP BY conversation_id) m WHERE m.conversation_id = c.id`
