package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/store/sqlstore/upgrades"

	"flowhq/migrations"
)

// migrationLock is the advisory lock that lets one process at a time migrate a database: "flowhq" in ASCII.
const migrationLock = 0x666c6f776871

// Migrate brings the schema up to date: the portal role first, where the login can have it, because policies and grants
// name it, then River's, whatsmeow's and our own migrations, each kept in its own version table. It may run any number of times, and in several
// processes at once: one works, the others wait for it. It takes as long as ctx allows.
func (d *Database) Migrate(ctx context.Context) error { return d.migrate(ctx, migrations.FS) }

func (d *Database) migrate(ctx context.Context, files fs.FS) error {
	config, err := parseURL(d.dsn)
	if err != nil {
		return err
	}
	pool, err := newPool(ctx, config, migrationPool, 0)
	if err != nil {
		return err
	}
	defer pool.Close()

	lock, err := pool.Acquire(ctx)
	if err != nil {
		return explainConnect(config.ConnConfig, err)
	}
	// The lock belongs to the connection: closing it, also by dying, gives it back.
	defer func() { _ = lock.Hijack().Close(context.WithoutCancel(ctx)) }()
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("wait for another process that migrates: %w", err)
	}
	missing, err := ensurePortalRole(ctx, lock.Conn())
	if err != nil {
		return err
	}
	if missing != "" {
		if err := checkForced(ctx, lock.Conn(), missing); err != nil {
			return err
		}
	}
	started := time.Now()
	for _, step := range []struct {
		name string
		run  func(context.Context, *pgxpool.Pool) error
	}{
		{"River", migrateRiver},
		{"whatsmeow", migrateWhatsmeow},
		{"Flow HQ", func(ctx context.Context, p *pgxpool.Pool) error { return migrateOwn(ctx, p, files, d.log) }},
	} {
		if err := step.run(ctx, pool); err != nil {
			if sqlState(err) == codeNoPrivilege {
				return errorf(err, "%s: user %q may not create tables (%s): run ALTER DATABASE %s OWNER TO %s; and GRANT CREATE ON SCHEMA public TO %[5]s;",
					d.setting(), config.ConnConfig.User, firstLine(err),
					pgx.Identifier{config.ConnConfig.Database}.Sanitize(), pgx.Identifier{config.ConnConfig.User}.Sanitize())
			}
			if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
				return explainConnect(config.ConnConfig, err)
			}
			return fmt.Errorf("migrate %s's tables: %w", step.name, err)
		}
	}
	if err := d.settlePortalMode(ctx, lock.Conn(), missing); err != nil {
		return err
	}
	d.current.Store(true)
	d.log.Debug("database is up to date", "took", time.Since(started))
	return nil
}

func migrateRiver(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := newRiverMigrator(pool)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func newRiverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	// Its informational lines on unapplied migrations would reach the log with every readiness check.
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

func migrateWhatsmeow(ctx context.Context, pool *pgxpool.Pool) error {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	return sqlstore.NewWithDB(db, "postgres", nil).Upgrade(ctx)
}

func migrateOwn(ctx context.Context, pool *pgxpool.Pool, files fs.FS, log *slog.Logger) error {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	// A part of the product that was finished later may have earlier numbers: it is applied, too. No migration builds on one of another part.
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	done, err := provider.Up(ctx)
	for _, m := range done {
		log.Info("migrated", "file", m.Source.Path, "took", m.Duration)
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok && partial.Failed != nil {
		return fmt.Errorf("%s: %w", partial.Failed.Source.Path, partial.Err)
	}
	return err
}

// MigrationsPending says whether the schema is older than this program. It only reads, so a process that does not migrate (serve
// --role web or worker, /readyz) may ask while another migrates.
func (d *Database) MigrationsPending(ctx context.Context) (bool, error) {
	if d.current.Load() {
		return false, nil
	}
	pending, err := d.pending(ctx, migrations.FS)
	if err == nil && !pending {
		d.current.Store(true)
	}
	return pending, err
}

func (d *Database) pending(ctx context.Context, files fs.FS) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	mode, err := readPortalMode(ctx, d.System)
	if err != nil {
		return false, err
	}
	var role, river, whatsmeow, own bool
	if err := d.System.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), to_regclass('river_migration') IS NOT NULL,
		to_regclass('whatsmeow_version') IS NOT NULL, to_regclass('goose_db_version') IS NOT NULL`, portalRole).
		Scan(&role, &river, &whatsmeow, &own); err != nil {
		return false, fmt.Errorf("look for version tables: %w", err)
	}
	if !role && mode != portalForced || !river || !whatsmeow || !own {
		return true, nil
	}

	migrator, err := newRiverMigrator(d.System)
	if err != nil {
		return false, err
	}
	result, err := migrator.Validate(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("read River's version: %w", err)
	}
	// No row yet means a first upgrade that has not committed.
	var version int
	if err := d.System.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM whatsmeow_version").Scan(&version); err != nil {
		return false, fmt.Errorf("read whatsmeow's version: %w", err)
	}
	if !result.OK || version < len(upgrades.Table) {
		return true, nil
	}

	rows, err := d.System.Query(ctx, "SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied")
	if err != nil {
		return false, fmt.Errorf("read our own version: %w", err)
	}
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return false, fmt.Errorf("read our own version: %w", err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return false, err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return false, err
		}
		if !slices.Contains(applied, version) {
			return true, nil
		}
	}
	return false, nil
}
