package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// portalRole is the role of the Portal pool. Nobody logs in as it, and policies hold for it.
const portalRole = "flowhq_portal"

// ensurePortalRole creates the portal role and makes the login role a member of it, where that is not so already. Roles
// belong to the whole server, so another database's migration may do the same at the same moment.
func ensurePortalRole(ctx context.Context, conn *pgx.Conn) error {
	var err error
	for range 20 {
		if err = tryPortalRole(ctx, conn); err == nil {
			return nil
		}
		switch sqlState(err) {
		case codeDuplicateObject, codeUnique, codeInternal: // lost a race ("tuple concurrently updated" is internal): look again
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("create role %s: %w", portalRole, err)
}

func tryPortalRole(ctx context.Context, conn *pgx.Conn) error {
	var user string
	var exists, tooStrong, usable bool
	// Since version 16 membership alone does not allow SET ROLE, and before it the privilege SET is unknown.
	err := conn.QueryRow(ctx, `
		SELECT session_user, r.oid IS NOT NULL, coalesce(r.rolsuper OR r.rolbypassrls OR r.rolcanlogin, false),
			coalesce(pg_has_role(session_user, r.oid,
				CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END), false)
		FROM (SELECT 1) one LEFT JOIN pg_roles r ON r.rolname = $1`, portalRole).Scan(&user, &exists, &tooStrong, &usable)
	if err != nil {
		return fmt.Errorf("look for role %s: %w", portalRole, err)
	}
	login := pgx.Identifier{user}.Sanitize()
	if tooStrong {
		return errorf(nil, "DATABASE_URL: role %s could pass by row-level security: have a database administrator run ALTER ROLE %[1]s NOLOGIN NOSUPERUSER NOBYPASSRLS;", portalRole)
	}
	create, grant := "CREATE ROLE "+portalRole+" NOLOGIN NOBYPASSRLS", "GRANT "+portalRole+" TO "+login
	if !exists {
		if _, err = conn.Exec(ctx, create); err == nil {
			return tryPortalRole(ctx, conn)
		}
	} else if !usable {
		_, err = conn.Exec(ctx, grant)
	}
	if sqlState(err) == codeNoPrivilege {
		return errorf(err, "DATABASE_URL: user %q may not set up the role for portal requests: have a database administrator run %s; %s;", user, create, grant)
	}
	return err
}
