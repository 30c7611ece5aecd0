// Package database opens Flow HQ's Postgres: the one DATABASE_URL names, or a private one that this package creates,
// starts, adopts and stops under the data folder. It brings the schema up to date and hands out two pools: System for
// workers and admins, Portal for requests of one tenant, where row-level security shows that tenant only.
//
// It runs on Linux and macOS with PostgreSQL 14 or newer.
package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options says which Postgres to use and how many connections to keep.
type Options struct {
	URL         string       // DATABASE_URL; empty: a private Postgres under DataDir
	DataDir     string       // FLOWHQ_DATA; used only without a URL
	Log         *slog.Logger // nil: slog.Default()
	Name        string       // application_name of the connections, see Connections; "": flowhq
	MaxConns    int32        // of the System pool; 0: 16
	PortalConns int32        // of the Portal pool; 0: 4
}

// Database is an open Postgres with its two pools.
type Database struct {
	// System logs in as the owner of the tables and sees all rows: workers and admins.
	System *pgxpool.Pool
	// Portal sees nothing outside InTenant: it runs as the role flowhq_portal or, where that cannot be had, under forced
	// row-level security. It connects when first used, after Migrate decided which.
	Portal *pgxpool.Pool

	dsn     string
	version string
	private *server // nil with DATABASE_URL
	log     *slog.Logger
	current atomic.Bool // migrations were seen to be complete; they do not become pending again

	portalHasRole atomic.Bool // see choosePortalRole
}

// Error is a failure of set-up that a person can mend: Error() is one line that names the setting and the remedy and
// never holds a password. The cause is wrapped.
type Error struct {
	Line  string
	Cause error
}

func (e *Error) Error() string { return e.Line }
func (e *Error) Unwrap() error { return e.Cause }

func errorf(cause error, format string, args ...any) error {
	return &Error{Line: fmt.Sprintf(format, args...), Cause: cause}
}

// Open connects the System pool, starting or adopting the private server first where there is no URL. It does not
// migrate. Failures that concern settings are *Error.
func Open(ctx context.Context, o Options) (*Database, error) {
	d := &Database{dsn: o.URL, log: o.Log}
	if d.log == nil {
		d.log = slog.Default()
	}
	if o.URL == "" {
		s, err := openServer(ctx, o.DataDir, d.log)
		if err != nil {
			return nil, err
		}
		d.private, d.dsn = s, s.dsn(ownerRole, ownerDatabase)
	}
	if err := d.connect(ctx, o); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return nil, errors.Join(err, d.Close(closing))
	}
	return d, nil
}

func (d *Database) connect(ctx context.Context, o Options) error {
	config, err := parseURL(d.dsn)
	if err != nil {
		return err
	}
	system, portal := systemPool.named(o.Name), portalPool.named(o.Name)
	if d.System, err = newPool(ctx, config, system, o.MaxConns); err != nil {
		return err
	}
	portal.beforeConnect = d.choosePortalRole
	if d.Portal, err = newPool(ctx, config, portal, o.PortalConns); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := acquireReady(ctx, d.System)
	if err != nil {
		return explainConnect(config.ConnConfig, err)
	}
	defer conn.Release()
	d.version = conn.Conn().PgConn().ParameterStatus("server_version")
	return checkServer(conn.Conn().PgConn().ParameterStatus)
}

// acquireReady waits while the server is still starting up, and for nothing else.
func acquireReady(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	for {
		conn, err := pool.Acquire(ctx)
		if err == nil || sqlState(err) != codeStartingUp {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// DSN is a connection string for pgx and libpq, for connections beside the pools such as LISTEN or pg_dump. It may hold a
// password: do not print it. For a private server it is valid until Close, in this process and its children.
func (d *Database) DSN() string { return d.dsn }

// ServerVersion is Postgres' own name for its version, such as "15.20 (Debian 15.20-0+deb12u1)".
func (d *Database) ServerVersion() string { return d.version }

// ServerPID is the process id of the private server, 0 with DATABASE_URL.
func (d *Database) ServerPID() int {
	if d.private == nil {
		return 0
	}
	return d.private.pid()
}

// Ping reports whether the server answers the System pool within two seconds: the part of readiness that can pass and return.
func (d *Database) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return d.System.Ping(ctx)
}

// setting names the setting that decides which Postgres this is.
func (d *Database) setting() string {
	if d.private != nil {
		return "FLOWHQ_DATA"
	}
	return "DATABASE_URL"
}

// Close closes both pools, waiting for borrowed connections until ctx ends, and stops the private server if no other
// process uses it.
func (d *Database) Close(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, pool := range []*pgxpool.Pool{d.Portal, d.System} {
			if pool != nil {
				pool.Close()
			}
		}
	}()
	var late error
	select {
	case <-closed:
	case <-ctx.Done():
		late = fmt.Errorf("close the database pools: %w", ctx.Err())
	}
	if d.private == nil {
		return late
	}
	return errors.Join(late, d.private.close(ctx))
}

// connectAs opens one connection as another login role or database of the same server.
func connectAs(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = connectTimeout
	return pgx.ConnectConfig(ctx, config)
}
