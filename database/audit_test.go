package database_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"flowhq/database/databasetest"
)

// Whether a table's changes are noted in the audit log, for every table of ours. A new table forces the decision.
var (
	audited = []string{
		"tenants", "tenant_configs", "users", "admin_roles", "one_time_links", "api_keys", "setup_requests", "settings",
		"contacts", // only what somebody changes: a message's statement makes and names them, too
	}
	notAudited = map[string]string{
		"audit_log":             "is the log",
		"message_logs":          "a message's way: no trigger may cost it anything; the admin notes what is changed by hand",
		"conversations":         "the same",
		"unlogged_messages":     "the same",
		"whatsapp_sessions":     "states of sessions and heartbeats",
		"worker_processes":      "heartbeats; what somebody asks of a worker is noted by the command",
		"prekey_blocks":         "keys of devices",
		"nodes":                 "machines' own",
		"shards":                "machines' own",
		"portal_event_logs":     "is a log",
		"logs":                  "is a log",
		"message_hours":         "counted by a job",
		"counted_hours":         "the same",
		"idempotency_keys":      "programs' own, for a day",
		"user_sessions":         "sign-ins have their own list; one that is ended by hand is noted by the admin",
		"login_throttles":       "the same",
		"saved_views":           "what somebody sees, nobody else",
		"admin_preferences":     "the same",
		"bot_settings_versions": "is a history of its own",
		"contact_notes":         "each says who wrote it and when",
		"canned_answers":        "words that wait for somebody to send them; the messages say who did",
		"job_runs":              "machines' own",
		"imports":               "is a log; starting one is noted by the command",
		"import_rows":           "the same; what they make and change has entries of its own",
		"bulk_runs":             "is a log; asking for one is noted by the command",
	}
)

// columnsOf are a table's columns that could hold a secret.
func columnsOf(t *testing.T, db *pgxpool.Pool, table string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND atttypid <> 'bool'::regtype", table)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEveryTableIsAuditedOrNotOnPurpose(t *testing.T) {
	db := databasetest.New(t)
	rows, err := db.System.Query(t.Context(), `
		SELECT c.relname, coalesce((SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'audit'), ''),
			coalesce((SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'audit_change'), '')
		FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname !~ '^(whatsmeow_|river_|goose_)'`)
	if err != nil {
		t.Fatal(err)
	}
	type table struct{ Name, Whole, Change string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, table := range all {
		seen[table.Name] = true
		is := slices.Contains(audited, table.Name)
		_, isNot := notAudited[table.Name]
		switch {
		case is == isNot:
			t.Errorf("%s: decide whether its changes are noted: call audit_table in a migration, or say here why not", table.Name)
		case isNot && table.Whole+table.Change != "":
			t.Errorf("%s has a trigger of the audit log: %s", table.Name, table.Whole+table.Change)
		case is && (table.Whole == "" || table.Change == ""):
			t.Errorf("%s has no trigger of the audit log", table.Name)
		}
		// A column with such a name is a secret, which the log must not hold.
		if is {
			for _, secret := range regexp.MustCompile(`\w*(hash|token|secret|password)\w*`).FindAllString(strings.Join(columnsOf(t, db.System, table.Name), " "), -1) {
				if !strings.Contains(table.Whole, "'"+secret+"'") {
					t.Errorf("%s: the audit log would hold %s", table.Name, secret)
				}
			}
		}
	}
	for _, name := range audited {
		if !seen[name] {
			t.Errorf("%s is gone", name)
		}
	}
	for name := range notAudited {
		if !seen[name] {
			t.Errorf("%s is gone", name)
		}
	}
}
