package database

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connectTimeout = 5 * time.Second
	minVersion     = 14
)

const (
	// scope is the setting by which forced row-level security tells workers, admins and migrations ("system") from the portal.
	scope = "flowhq.scope"
	// name is the setting under which Postgres lists a connection. Processes are counted by it.
	name = "application_name"
)

// poolKind is what distinguishes the pools: size, limits the server enforces on every statement, and what they may see.
type poolKind struct {
	conns         int32
	params        map[string]string
	beforeConnect func(context.Context, *pgx.ConnConfig) error
}

// A worker may wait for a chat's lock and scan a table; a page in front of a person may not.
var (
	systemPool = poolKind{conns: 16, params: map[string]string{
		name:                                  "flowhq",
		"timezone":                            "UTC",
		scope:                                 "system",
		"statement_timeout":                   "30s",
		"lock_timeout":                        "6s", // below what a worker waits for a statement, so that none it gave up is done after all
		"idle_in_transaction_session_timeout": "30s",
		"jit":                                 "off", // compiling a statement of the overview takes a second, running it two milliseconds
		"synchronous_commit":                  "on",  // message keys must not be used twice; what may be lost says so itself
	}}
	portalPool = poolKind{conns: 4, params: map[string]string{
		name:                                  "flowhq",
		"timezone":                            "UTC",
		scope:                                 "portal", // said, so that no default of the login's says otherwise
		"statement_timeout":                   "10s",
		"plan_cache_mode":                     "force_custom_plan", // one business has ten messages, another a hundred thousand: a plan for the average is a second too slow
		"jit":                                 "off",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "15s",
	}}
	// Migrations may rewrite tables and wait for another process that migrates: their limit is the caller's context.
	migrationPool = poolKind{conns: 4, params: map[string]string{
		name:       "flowhq migrate",
		"timezone": "UTC",
		scope:      "system",
	}}
)

// named is the same kind under another name; "": its own.
func (k poolKind) named(as string) poolKind {
	if as != "" {
		k.params = maps.Clone(k.params)
		k.params[name] = as
	}
	return k
}

// parseURL reads a connection string. Its error never repeats the string: a mistyped one may show the password anywhere.
func parseURL(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err == nil && !misread(config.ConnConfig) {
		return config, nil
	}
	hint := "write postgres://USER:PASSWORD@HOST:5432/DATABASE and percent-encode special characters in the password (@ is %40, / is %2F)"
	if strings.Contains(url, "sslrootcert") || strings.Contains(url, "sslcert") {
		hint = "check that the files named by sslrootcert, sslcert and sslkey exist and are readable, or " + hint
	}
	return nil, errorf(nil, "DATABASE_URL: not a usable Postgres address: %s", hint)
}

// misread notices that an unescaped / or @ in a password moved the rest of it into another part of the address.
func misread(c *pgx.ConnConfig) bool {
	return strings.Contains(c.Database, "@") || strings.Contains(c.Host, "@") && !strings.HasPrefix(c.Host, "/")
}

// newPool makes a pool that connects when first used. Settings the operator put into the URL win, except the scope, which
// is the tenant door, and the name.
func newPool(ctx context.Context, base *pgxpool.Config, kind poolKind, conns int32) (*pgxpool.Pool, error) {
	config := base.Copy()
	own := config.ConnConfig.RuntimeParams
	config.ConnConfig.RuntimeParams = maps.Clone(kind.params)
	for setting, value := range own {
		if setting != scope && setting != name {
			config.ConnConfig.RuntimeParams[setting] = value
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	config.BeforeConnect = kind.beforeConnect
	config.MaxConns = kind.conns
	if conns > 0 {
		config.MaxConns = conns
	}
	config.MinConns, config.MinIdleConns = 0, 0
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 10 * time.Minute
	config.HealthCheckPeriod = 30 * time.Second
	config.PingTimeout = connectTimeout
	return pgxpool.NewWithConfig(ctx, config)
}

// choosePortalRole lets a connection of the Portal pool begin as the portal's role, whatever role the operator's URL names,
// unless the database has no such role. The role, once there, stays.
func (d *Database) choosePortalRole(ctx context.Context, config *pgx.ConnConfig) error {
	if !d.portalHasRole.Load() {
		mode, err := readPortalMode(ctx, d.System)
		if err != nil || mode == portalForced {
			return err
		}
		d.portalHasRole.Store(mode == portalAsRole)
	}
	config.RuntimeParams["role"] = portalRole
	return nil
}
