package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"flowhq/database"

	"github.com/jackc/pgx/v5"
)

// benchEchoDatabase holds what the echo loop stores.
const benchEchoDatabase = "echo"

// asSuperuser does something on the private server that only its superuser may do, and returns how the server is reached.
func (b *bench) asSuperuser(ctx context.Context, do func(*pgx.Conn) error) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(b.db.DSN())
	if err != nil {
		return nil, err
	}
	admin := config.Copy()
	admin.User, admin.Database, admin.ConnectTimeout = "postgres", "postgres", 5*time.Second
	conn, err := pgx.ConnectConfig(ctx, admin)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return config, do(conn)
}

// createEchoDatabase makes a second database on the private server and returns its address.
func (b *bench) createEchoDatabase(ctx context.Context) (string, error) {
	config, err := b.asSuperuser(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+benchEchoDatabase+" OWNER "+pgx.Identifier{b.db.System.Config().ConnConfig.User}.Sanitize())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("create a database for the echo loop: %w", err)
	}
	return fmt.Sprintf("host='%s' port=%s user=%s dbname=%s sslmode=disable", config.Host, strconv.Itoa(int(config.Port)), config.User, benchEchoDatabase), nil
}

// stopLeftoverPostgres stops the private server of a Flow HQ that had to be killed.
func stopLeftoverPostgres(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "postgres", "postmaster.pid")); err != nil {
		return nil
	}
	db, err := database.Open(ctx, database.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return db.Close(ctx)
}
