package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Connections is what the server allows this login, and who shares in it.
type Connections struct {
	Allowed   int            // by whichever leaves the least: the server, the database or the login
	Others    int            // of these, taken by other programs at the moment
	Processes map[string]int // processes of Flow HQ on this database at the moment, by role; see ProcessName
}

// ProcessName is the Options.Name of a process that Connections counts: its role, and what tells it from all others.
func ProcessName(role, process string) string { return "flowhq " + role + " " + process }

// Connections asks the server. Connections of commands such as backup count as nobody's: they come and go.
func (d *Database) Connections(ctx context.Context) (Connections, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c := Connections{Processes: map[string]int{}}
	// A limit of -1 is none. What background processes of the server use is counted apart from max_connections; for logins that may
	// not see the type of a backend it is empty.
	err := d.System.QueryRow(ctx, `
		WITH others AS (
			SELECT datid, usesysid FROM pg_stat_activity
			WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
			  AND NOT (datname = current_database() AND (application_name = 'flowhq' OR application_name LIKE 'flowhq %'))
		)
		SELECT allowed, others FROM (
			SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int, (SELECT count(*)::int FROM others)
				FROM pg_settings WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
			UNION ALL
			SELECT rolconnlimit, (SELECT count(*)::int FROM others WHERE usesysid = oid) FROM pg_roles WHERE rolname = session_user AND rolconnlimit >= 0
			UNION ALL
			SELECT datconnlimit, (SELECT count(*)::int FROM others WHERE datid = oid) FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
		) AS limits (allowed, others) ORDER BY allowed - others LIMIT 1`).Scan(&c.Allowed, &c.Others)
	if err != nil {
		return c, fmt.Errorf("read the server's connection limit: %w", err)
	}
	rows, err := d.System.Query(ctx, `
		SELECT split_part(application_name, ' ', 2) AS role, count(DISTINCT application_name)::int
		FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'flowhq % %' GROUP BY role`)
	if err != nil {
		return c, fmt.Errorf("count the processes: %w", err)
	}
	var role string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&role, &n}, func() error {
		c.Processes[role] = n
		return nil
	})
	return c, err
}
