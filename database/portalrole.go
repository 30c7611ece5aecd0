package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// portalRole is the role of the Portal pool. Nobody logs in as it, and policies hold for it.
const portalRole = "flowhq_portal"

// ensurePortalRole creates the portal role and makes the login role a member of it, where that is not so already. Where
// the login may not, it returns the statements for somebody who may, and no error. Roles belong to the whole server, so
// another database's migration may do the same at the same moment.
func ensurePortalRole(ctx context.Context, conn *pgx.Conn) (missing string, err error) {
	for range 20 {
		if missing, err = tryPortalRole(ctx, conn); err == nil {
			return missing, nil
		}
		switch sqlState(err) {
		case codeDuplicateObject, codeUnique, codeInternal: // lost a race ("tuple concurrently updated" is internal): look again
		default:
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return "", fmt.Errorf("create role %s: %w", portalRole, err)
}

func tryPortalRole(ctx context.Context, conn *pgx.Conn) (missing string, err error) {
	var user string
	var exists, tooStrong, usable bool
	// Since version 16 membership alone does not allow SET ROLE, and before it the privilege SET is unknown.
	err = conn.QueryRow(ctx, `
		SELECT session_user, r.oid IS NOT NULL, coalesce(r.rolsuper OR r.rolbypassrls OR r.rolcanlogin, false),
			coalesce(pg_has_role(session_user, r.oid,
				CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END), false)
		FROM (SELECT 1) one LEFT JOIN pg_roles r ON r.rolname = $1`, portalRole).Scan(&user, &exists, &tooStrong, &usable)
	if err != nil {
		return "", fmt.Errorf("look for role %s: %w", portalRole, err)
	}
	if tooStrong {
		return "", errorf(nil, "DATABASE_URL: role %s could pass by row-level security: have a database administrator run ALTER ROLE %[1]s NOLOGIN NOSUPERUSER NOBYPASSRLS;", portalRole)
	}
	create := "CREATE ROLE " + portalRole + " NOLOGIN NOBYPASSRLS"
	grant := "GRANT " + portalRole + " TO " + pgx.Identifier{user}.Sanitize()
	switch {
	case !exists:
		if _, err = conn.Exec(ctx, create); err == nil {
			return tryPortalRole(ctx, conn)
		}
		missing = create + "; " + grant + ";"
	case !usable:
		_, err = conn.Exec(ctx, grant)
		missing = grant + ";"
	}
	if sqlState(err) == codeNoPrivilege {
		return missing, nil
	}
	return "", err
}

// portalMode is how a database keeps portal requests to one tenant; migration 00005 explains the two ways.
type portalMode int

const (
	portalUndecided portalMode = iota // before that migration
	portalAsRole
	portalForced
)

// readPortalMode asks the table tenants, which has the mode of all.
func readPortalMode(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (portalMode, error) {
	var mode portalMode
	err := q.QueryRow(ctx, `SELECT coalesce((SELECT CASE WHEN relforcerowsecurity THEN $1::int ELSE $2 END FROM pg_class
		WHERE oid = to_regclass('tenants') AND relrowsecurity), $3)`,
		int(portalForced), int(portalAsRole), int(portalUndecided)).Scan(&mode)
	if err != nil {
		return mode, fmt.Errorf("read how portal requests are kept apart: %w", err)
	}
	return mode, nil
}

// checkForced refuses a login without the portal role where forced policies could not do instead.
func checkForced(ctx context.Context, conn *pgx.Conn, missing string) error {
	mode, err := readPortalMode(ctx, conn)
	if err != nil {
		return err
	}
	var user string
	var bypasses bool
	err = conn.QueryRow(ctx, "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").Scan(&user, &bypasses)
	if err != nil {
		return fmt.Errorf("look at the own role: %w", err)
	}
	switch {
	case mode == portalAsRole:
		return errorf(nil, "DATABASE_URL: user %q may not become the role that this database keeps for portal requests: have a database administrator run %s",
			conn.Config().User, missing)
	case bypasses:
		return errorf(nil, "DATABASE_URL: user %q bypasses row-level security and may not set up a role for portal requests that does not: have a database administrator run %s",
			user, missing)
	}
	return nil
}

// settlePortalMode ends a migration. A database that was forced gets the role as soon as there is one, and keeps it.
func (d *Database) settlePortalMode(ctx context.Context, conn *pgx.Conn, missing string) error {
	if missing != "" {
		d.log.Info("portal requests are kept to one tenant by forced row-level security; with a role of their own they could not even name"+
			" other tables, such as whatsmeow's; to have that, a database administrator runs the statements, then start again",
			"statements", missing)
		return nil
	}
	mode, err := readPortalMode(ctx, conn)
	if err != nil || mode != portalForced {
		return err
	}
	for range 5 {
		if _, err = conn.Exec(ctx, "SELECT give_portal_its_role()"); sqlState(err) != codeDeadlock {
			break // what runs meanwhile may hold tables in another order
		}
	}
	if err != nil {
		return fmt.Errorf("give portal requests a role of their own: %w", err)
	}
	d.log.Info("portal requests now run as a role of their own", "role", portalRole)
	return nil
}
