package tables

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ganigeorgiev/fexpr"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// sqlOf is the condition of a filter with its bound values.
func sqlOf(f Filter) (string, []any) {
	var b builder
	f.where(&b)
	return b.sql.String(), b.args
}

func TestFilters(t *testing.T) {
	r, db := registry(t)
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, noon.Location())
	for _, c := range []struct {
		table, text, sql string
		args             []any
	}{
		{"tenants", ``, `true`, nil},
		{"tenants", `status = "ERROR"`, `(r."status" = $1)`, []any{"ERROR"}},
		{"tenants", `status = error`, `(r."status" = $1)`, []any{"ERROR"}},
		{"tenants", `status != "ERROR"`, `((r."status" = $1) IS NOT TRUE)`, []any{"ERROR"}},
		{"tenants", `status = "ERROR" && created_at > @now-1d`, `(r."status" = $1 AND r."created_at" > $2::timestamptz)`, []any{"ERROR", noon.AddDate(0, 0, -1)}},
		{"tenants", `created_at >= @today+8h-1m`, `(r."created_at" >= $1::timestamptz)`, []any{day.Add(8*time.Hour - time.Minute)}},
		{"tenants", `created_at = "2026-11-25"`, `((r."created_at" >= $1::timestamptz AND r."created_at" < $2::timestamptz))`, []any{day, day.AddDate(0, 0, 1)}},
		{"tenants", `created_at < '2026-11-25 08:30'`, `(r."created_at" < $1::timestamptz)`, []any{day.Add(8*time.Hour + 30*time.Minute)}},
		{"tenants", `a`, `(r."name" COLLATE "C" ILIKE $1 OR false)`, []any{"%a%"}},
		{"tenants", `neema 0712`, `(r."name" COLLATE "C" ILIKE $1 OR false) AND (r."name" COLLATE "C" ILIKE $2 OR r."phone_number" COLLATE "C" ILIKE $3)`, []any{"%neema%", "%0712%", "%712%"}},
		{"tenants", `"neema salon"`, `(r."name" COLLATE "C" ILIKE $1 OR false)`, []any{"%neema salon%"}},
		{"tenants", `don't`, `(r."name" COLLATE "C" ILIKE $1 OR false)`, []any{"%don't%"}},
		{"tenants", `name ~ "50%_\\x"`, `(r."name" COLLATE "C" ILIKE $1)`, []any{`%50\%\_\\x%`}},
		{"tenants", `name !~ 'salon' || shard = 3`, `((r."name" COLLATE "C" ILIKE $1) IS NOT TRUE OR r."shard" = $2::bigint)`, []any{"%salon%", int64(3)}},
		{"tenants", `(name = "a" || name = "b") && shard > -1`, `((r."name" = $1 OR r."name" = $2) AND r."shard" > $3::bigint)`, []any{"a", "b", int64(-1)}},
		{"tenants", `session.state = "CONNECTED"`, `(r."id" IN (SELECT o."tenant_id" FROM "whatsapp_sessions" o WHERE o."state" = $1))`, []any{"CONNECTED"}},
		{"tenants", `worker.last_error = null`, `((r."id" IN (SELECT o."tenant_id" FROM "worker_processes" o WHERE o."last_error" IS NOT NULL)) IS NOT TRUE)`, nil},
		{"tenants", `worker.last_error != null`, `(r."id" IN (SELECT o."tenant_id" FROM "worker_processes" o WHERE o."last_error" IS NOT NULL))`, nil},
		{"message_logs", `tenant.name ~ "salon"`, `(r."tenant_id" IN (SELECT o."id" FROM "tenants" o WHERE o."name" COLLATE "C" ILIKE $1))`, []any{"%salon%"}},
		{"message_logs", `queued = true // comment`, `(r."queued" = $1)`, []any{true}},
		{"message_logs", `from_number ~ "0712 34"`, `(r."from_number" COLLATE "C" ILIKE $1)`, []any{"%71234%"}},
		{"message_logs", `bei ya nywele`, `(r."message_text" COLLATE "C" ILIKE $1 AND r."message_text" COLLATE "C" ILIKE $2 AND r."message_text" COLLATE "C" ILIKE $3 AND message_words(r."message_text") @@ to_tsquery('pg_catalog.simple', $4))`,
			[]any{"%bei%", "%ya%", "%nywele%", "'bei' & 'ya' & 'nywele':*"}},
		{"message_logs", `message_text ~ "a@b.co"`, `((r."message_text" COLLATE "C" ILIKE $1 AND r."message_text" COLLATE "C" ILIKE $2 AND r."message_text" COLLATE "C" ILIKE $3 AND message_words(r."message_text") @@ to_tsquery('pg_catalog.simple', $4)))`,
			[]any{"%a%", "%b%", "%co%", "'a' & 'b' & 'co'"}},
		{"message_logs", `!?`, `false`, nil},
		{"users", `phone = null`, `((r."phone" IS NOT NULL) IS NOT TRUE)`, nil},
		{"shards", `node_id = "0198b2f0-0000-7000-8000-000000000000"`, `(r."node_id" = $1)`, []any{"0198b2f0-0000-7000-8000-000000000000"}},
	} {
		f, err := r.Table(c.table).Parse(c.text, noon)
		if err != nil {
			t.Errorf("%s: %q: %v", c.table, c.text, err)
			continue
		}
		sql, args := sqlOf(f)
		if sql != c.sql || fmt.Sprint(args) != fmt.Sprint(c.args) {
			t.Errorf("%s: %q\n got %s %v\nwant %s %v", c.table, c.text, sql, args, c.sql, c.args)
		}
		if _, err := r.List(t.Context(), db.System, ListQuery{Table: f.table, Filter: f, Sort: f.table.Sort(""), Columns: f.table.Columns, Limit: 5}); err != nil {
			t.Errorf("%s: %q: Postgres says %v", c.table, c.text, err)
		}
		if _, err := f.table.Count(t.Context(), db.System, f, 0); err != nil {
			t.Errorf("%s: %q: counting: %v", c.table, c.text, err)
		}
	}
}

// What is wrong is said in words, with the place and, where one is near, what could have been meant.
func TestFilterErrors(t *testing.T) {
	r, _ := registry(t)
	for _, c := range []struct{ table, text, place, says string }{
		{"tenants", `stauts = "ERROR"`, `stauts`, "Did you mean status?"},
		{"tenants", `status = "EROR"`, `"EROR"`, "Did you mean ERROR?"},
		{"tenants", `status = "x" && name ~ "a"`, `"x"`, "NEW, QR_PENDING, ACTIVE, PAUSED, ERROR"},
		{"tenants", `name = salon`, `salon`, `"salon"`},
		{"tenants", `name = "salon`, `"salon`, "closing quote"},
		{"tenants", `(name = "salon"`, `(name = "salon"`, "never closed"},
		{"tenants", `name == "salon"`, `==`, "no operator"},
		{"tenants", `name ?= "salon"`, `?=`, "cannot be compared"},
		{"tenants", `name "salon" = 1`, `"salon"`, "comes an operator"},
		{"tenants", `name = "a" name = "b"`, `name = "b"`, "&& (and)"},
		{"tenants", `name = "a" & name = "b"`, `&`, "&& (and)"},
		{"tenants", `name = "a" &&`, ``, "missing"},
		{"tenants", `name =`, ``, "A value is missing"},
		{"tenants", `"a" = name`, `"a"`, "begins with a column"},
		{"tenants", `shard = "one"`, `"one"`, "whole number"},
		{"tenants", `shard = 99999999999999999999`, `99999999999999999999`, "whole number"},
		{"tenants", `shard ~ 1`, `~`, "cannot be compared"},
		{"tenants", `created_at > "yesterday"`, `"yesterday"`, "@now-1d"},
		{"tenants", `created_at > @now-1`, `@now-1`, "lacks a unit"},
		{"tenants", `created_at > @now-1y`, `@now-1y`, "lacks a unit"},
		{"tenants", `created_at > @now-999999999d`, `@now-999999999d`, "too far"},
		{"tenants", `created_at > @tomorrow`, `@tomorrow`, "There is no @tomorrow"},
		{"tenants", `name > @now`, `@now`, "is a time"},
		{"tenants", `name > null`, `>`, "= or !="},
		{"tenants", `session = "x"`, `session`, "session."},
		{"tenants", `sesion.state = "x"`, `sesion`, "Did you mean session?"},
		{"tenants", `session.stat = "x"`, `stat`, "Did you mean state?"},
		{"message_logs", `conversation.contact.name = "x"`, `conversation.contact.name`, "one step"},
		{"message_logs", `tenant_id = "Neema"`, `"Neema"`, "tenant.name ~"},
		{"message_logs", `queued = "maybe"`, `"maybe"`, "true or false"},
		{"users", `password_hash != null`, `password_hash`, "no column"},
		{"users", `passwordhash ~ "a"`, `passwordhash`, "no column"},
		{"user_sessions", `token_hash = "x"`, `token_hash`, "no column"},
		{"one_time_links", `user.password_hash ~ "a"`, `password_hash`, "no column"},
		{"tenants", `lower(name) = "a"`, `lower`, "no functions"},
		{"tenants", `name = "a" && ((((((((name = "a"))))))))`, `(name = "a")`, "nested"},
		{"tenants", `name = "` + strings.Repeat("x", MaxFilter) + `"`, ``, "too long"},
		{"tenants", strings.TrimSuffix(strings.Repeat(`shard=1||`, 40), "||"), `shard`, "at most 30"},
		{"tenants", "name = \"\xff\"", "name = \"\xff\"", "no text"},
		{"conversations", "Neema", "Neema", "no text to search"},
	} {
		_, err := r.Table(c.table).Parse(c.text, noon)
		var e *FilterError
		if !errors.As(err, &e) {
			t.Errorf("%q is accepted (%v)", c.text, err)
			continue
		}
		if !strings.Contains(e.Message, c.says) {
			t.Errorf("%q: %q does not say %q", c.text, e.Message, c.says)
		}
		if c.place != "" && !strings.HasPrefix(c.text[e.At:], c.place) {
			t.Errorf("%q: points at %q, not at %q", c.text, c.text[e.At:], c.place)
		}
	}
}

// allowed are the words and signs a condition may consist of beside listed names and placeholders.
var allowed = []string{"r", "o", "(", ")", ",", ".", "=", "!=", "<", "<=", ">", ">=", "@@", "AND", "OR", "IN", "SELECT", "FROM", "WHERE", "IS", "NOT", "NULL", "TRUE",
	"ILIKE", "COLLATE", `"C"`, "::", "text", "bigint", "timestamptz", "true", "false", "message_words", "to_tsquery", "'pg_catalog.simple'"}

var sqlToken = regexp.MustCompile(`\s+|"[^"]*"|'[^']*'|\$[0-9]+|[A-Za-z_]+|::|@@|[<>!]=|.`)

// onlyListed says what in a condition is neither a listed name nor a fixed word nor a placeholder.
func onlyListed(r *Registry, sql string, args int) string {
	names := map[string]bool{}
	for _, t := range r.Tables() {
		names[quoted(t.Name)] = true
		for _, c := range t.Columns {
			names[quoted(c.Name)] = true
		}
	}
	placeholders := 0
	for _, token := range sqlToken.FindAllString(sql, -1) {
		switch {
		case strings.TrimSpace(token) == "", names[token], slices.Contains(allowed, token):
		case token[0] == '$':
			placeholders++
		default:
			return token
		}
	}
	if placeholders != args {
		return fmt.Sprintf("%d placeholders for %d values", placeholders, args)
	}
	return ""
}

var hostile = []string{
	`name = "'; DROP TABLE tenants; --"`, `name = '" OR 1=1 --'`, `name ~ "%' OR '1'='1"`, `name = "a" OR 1=1`, `1=1`, `"a"="a"`, `name = "a"; DROP TABLE tenants`,
	`name = (SELECT password_hash FROM users)`, `(SELECT 1)=1`, `name = "a" UNION SELECT password_hash FROM users`, `name=pg_sleep(10)`, `pg_sleep(10)=1`, `name = "\u0000"`,
	`name = "\"; --"`, `name = "$1"`, `name = "${jndi:ldap://x}"`, `name.x = "a"`, `"name" = "a"`, `tenants.name = "a"`, `id.id = "a"`, `r.name = "a"`, `o.name="a"`,
	`name/**/=/**/"a"`, `name = "a" -- x`, `name = "a" // ' OR 1=1`, `name = 1 OR true`, `name`, `=`, `&&`, `()`, `(((`, `)))`, `!`, `@`, `@now = 1`, `created_at = @now-`, `created_at = @now--1d`,
	`created_at = @now-99999999999999999999d`, `shard = 9223372036854775808`, `shard = -9223372036854775808`, `shard = 1e9`, `shard = 1.5`, `shard = 0x10`, `name = "` + "\n\r\t" + `"`,
	`name:lower = "a"`, `name:each = "a"`, `@request.auth.id = "a"`, `@collection.users.password_hash = "a"`, `status = "NEW'::text OR true"`, `id = "' OR ''='"`,
	`name ~ "` + strings.Repeat(`\\`, 200) + `"`, strings.Repeat("(", 500) + strings.Repeat(")", 500), strings.Repeat("a", 999), strings.Repeat("名", 300), `name ~ "%%%%%%%%%%%%%%%%%%%%%%"`,
	`config.business_name = "a"; --`, `config."business_name" = "a"`, `config..business_name = "a"`, `.name = "a"`, `name. = "a"`, `users.password_hash ~ "$argon2"`, `user_sessions.data = "x"`,
	"name = `a`", `name = “a”`, `name LIKE "a"`, `name ILIKE 'a'`, `name in ("a")`, `not name = "a"`, `' or 1=1 --`, `"'; DROP TABLE tenants"`, `\`, `'`, `"`, `%`, `_`,
}

// Whatever somebody types, the statement holds listed names, fixed words and placeholders, and Postgres runs it or it was
// refused before.
func TestHostileFilters(t *testing.T) {
	r, db := registry(t)
	for _, name := range []string{"tenants", "message_logs", "users", "api_keys"} {
		table := r.Table(name)
		for _, text := range hostile {
			f, err := table.Parse(text, noon)
			if err != nil {
				var e *FilterError
				if !errors.As(err, &e) || e.At < 0 || e.End > len(text) || e.At > e.End {
					t.Errorf("%s: %q: refused with %#v", name, text, err)
				}
				continue
			}
			sql, args := sqlOf(f)
			if bad := onlyListed(r, sql, len(args)); bad != "" {
				t.Errorf("%s: %q made SQL with %s: %s", name, text, bad, sql)
			}
			page, err := r.List(t.Context(), db.System, ListQuery{Table: table, Filter: f, Sort: table.Sort(""), Columns: table.Columns, Limit: 5})
			if err != nil || len(page.Rows) != 0 {
				t.Errorf("%s: %q: %d rows, %v", name, text, len(page.Rows), err)
			}
		}
	}
}

// The grammar is fexpr's: what this parser accepts as an expression, fexpr's own parser accepts, with as many conditions.
// (Not the other way round: columns and values are checked here, too.)
func FuzzFilter(f *testing.F) {
	for _, text := range append(hostile, `status = "ERROR" && created_at > @now-1d`, `tenant.name ~ "salon" || (queued = true && attempts >= 3)`, `from_number ~ "0712"`,
		`a "b c" d`, `created_at = "2026-11-25"`, `status != null // x`) {
		f.Add(text)
	}
	r, err := build(fuzzCatalogue())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, table := range r.Tables() {
			filter, err := table.Parse(text, noon)
			if err != nil {
				var e *FilterError
				if !errors.As(err, &e) || e.Message == "" || e.At < 0 || e.At > e.End || e.End > len(text) {
					t.Fatalf("%q: refused with %#v", text, err)
				}
				continue
			}
			sql, args := sqlOf(filter)
			if bad := onlyListed(r, sql, len(args)); bad != "" {
				t.Fatalf("%q made SQL with %s: %s", text, bad, sql)
			}
			if filter.Expression() {
				plain := regexp.MustCompile(`@[A-Za-z]+([+-][0-9]+[a-z]+)*`).ReplaceAllString(text, "@now")
				groups, err := fexpr.Parse(plain)
				if err != nil {
					t.Fatalf("%q is accepted, but fexpr says %v", text, err)
				}
				if want, got := countExpr(groups), countTerms(filter.any); got != want {
					t.Fatalf("%q has %d conditions, fexpr finds %d", text, got, want)
				}
			}
		}
	})
}

func countExpr(groups []fexpr.ExprGroup) (n int) {
	for _, g := range groups {
		if nested, ok := g.Item.([]fexpr.ExprGroup); ok {
			n += countExpr(nested)
		} else {
			n++
		}
	}
	return n
}

func countTerms(any [][]term) (n int) {
	for _, all := range any {
		for _, t := range all {
			if t.cond != nil {
				n++
			} else {
				n += countTerms(t.group)
			}
		}
	}
	return n
}

// fuzzCatalogue is every described column as text: enough for the grammar, without a database.
func fuzzCatalogue() (rows []catalogueRow) {
	for _, d := range ours {
		seen := map[string]bool{}
		add := func(name string) {
			if name != "*" && !seen[name] {
				seen[name] = true
				row := catalogueRow{Table: d.Name, Name: name, Type: "text", KeyPosition: -1}
				switch {
				case name == "id":
					row.KeyPosition, row.Type = 0, "uuid"
				case strings.HasSuffix(name, "_at"):
					row.Type = "timestamp with time zone"
				case name == "tenant_id":
					row.Type, row.RefTable = "uuid", "tenants"
				case name == "status":
					row.IsEnum, row.Enum = true, []string{"NEW", "ERROR"}
				case name == "queued":
					row.Type = "boolean"
				case name == "attempts" || name == "shard":
					row.Type = "integer"
				}
				rows = append(rows, row)
			}
		}
		for _, names := range [][]string{{"id", "tenant_id"}, d.Search, d.First, d.Fixed, d.AtCreation, d.Hidden, d.Lines, d.Phones, d.Words, d.Secret, d.Key, {strings.TrimPrefix(d.Order, "-")}} {
			for _, name := range names {
				add(name)
			}
		}
	}
	return rows
}

// Every table of ours has its description, and every description its table.
func TestEveryTableIsDescribed(t *testing.T) {
	r, db := registry(t)
	rows, err := db.System.Query(t.Context(), "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname !~ $1", foreign)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if r.Table(name) == nil {
			t.Errorf("the table %s has no description: add one to describe.go", name)
		}
	}
	if len(names) != len(r.Tables()) {
		t.Errorf("%d tables and %d descriptions", len(names), len(r.Tables()))
	}
	for _, table := range r.Tables() {
		key := map[string]string{"uuid": uuid.NewString(), "smallint": "1", "timestamp with time zone": "2026-11-26T10:00:00Z"}[table.Key[0].Type]
		if _, err := r.Titles(t.Context(), db.System, table, []string{key}); err != nil {
			t.Error(err)
		}
		for _, c := range table.Columns {
			if strings.Contains(c.Name, "hash") || strings.Contains(c.Name, "token") || c.Type == "bytea" {
				t.Errorf("%s.%s looks like a secret: list it in Secret, or hide nothing behind such a name", table.Name, c.Name)
			}
			if c.Label == "" || c.Kind == Enum && len(c.Enum) == 0 || c.Kind == Relation && c.Ref == nil {
				t.Errorf("%s.%s is incomplete: %+v", table.Name, c.Name, c)
			}
		}
	}
}
