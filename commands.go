package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"flowhq/database"
	"flowhq/jobs"
	"flowhq/routes"

	"github.com/google/uuid"
)

func (c command) serve(ctx context.Context) error {
	var role, listen, data string
	if err := c.parse("serve", func(f *flag.FlagSet) {
		f.StringVar(&role, "role", roleAll, "`all`, web or worker")
		f.StringVar(&listen, "listen", "", "HTTP `address` (default 127.0.0.1:8080)")
		f.StringVar(&data, "data", "", "data `folder` (default ./data)")
	}); err != nil {
		return err
	}
	config, err := readConfig(c.getenv, role, listen, data)
	if err != nil {
		return err
	}
	return serve(ctx, config, c.stdout, c.stderr)
}

// withDatabase opens and migrates the database for a command that does one thing.
func (c command) withDatabase(ctx context.Context, do func(*database.Database) error) error {
	config, err := readConfig(c.getenv, "", "", "")
	if err != nil {
		return err
	}
	config.LogLevel = max(config.LogLevel, slog.LevelWarn) // stdout and stderr belong to the command's answer
	db, err := openDatabase(ctx, config, config.logger(c.stderr))
	if err != nil {
		return err
	}
	err = do(db)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeDatabase)
	defer cancel()
	return errors.Join(err, db.Close(closing))
}

func (c command) migrate(ctx context.Context) error {
	if err := c.parse("migrate", func(*flag.FlagSet) {}); err != nil {
		return err
	}
	return c.withDatabase(ctx, func(*database.Database) error {
		fmt.Fprintln(c.stdout, "The database is up to date.")
		return nil
	})
}

func (c command) adminUpsert(ctx context.Context) error {
	var email, password, role string
	if err := c.parse("admin upsert", func(f *flag.FlagSet) {
		f.StringVar(&email, "email", "", "the admin's e-mail `address`")
		f.StringVar(&password, "password", "", "the new `password`; - reads one line from stdin")
		f.StringVar(&role, "role", "", "admin, support, read-only or another `role` of the admin (default admin; of somebody who has one, that)")
	}); err != nil {
		return err
	}
	if email == "" || password == "" {
		return &settingError{"flowhq admin upsert: give both --email and --password (- reads the password from stdin)"}
	}
	if password == "-" {
		line, err := bufio.NewReader(io.LimitReader(c.stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the password from stdin: %w", err)
		}
		password = strings.TrimRight(line, "\r\n")
	}
	return c.withDatabase(ctx, func(db *database.Database) error {
		is, err := routes.UpsertColleague(ctx, db, email, password, role)
		if err != nil {
			return readable("admin upsert", err)
		}
		fmt.Fprintf(c.stdout, "%s can sign in with the role %s.\n", strings.ToLower(strings.TrimSpace(email)), is)
		return nil
	})
}

func (c command) apikeyCreate(ctx context.Context) error {
	var label, tenant string
	if err := c.parse("apikey create", func(f *flag.FlagSet) {
		f.StringVar(&label, "label", "", "what the key is for")
		f.StringVar(&tenant, "tenant", "", "bind the key to the tenant with this `id`")
	}); err != nil {
		return err
	}
	var tenantID *uuid.UUID
	if tenant != "" {
		id, err := uuid.Parse(tenant)
		if err != nil {
			return &settingError{fmt.Sprintf("flowhq apikey create: --tenant %q is not a tenant's id", tenant)}
		}
		tenantID = &id
	}
	return c.withDatabase(ctx, func(db *database.Database) error {
		key, err := routes.CreateAPIKey(ctx, db, label, tenantID)
		if err != nil {
			return readable("apikey create", err)
		}
		fmt.Fprintln(c.stdout, key)
		return nil
	})
}

// readable turns a refusal into one line with everything that is wrong; it ends with status 2, as bad usage does.
func readable(name string, err error) error {
	var refusal *jobs.Error
	if !errors.As(err, &refusal) {
		return err
	}
	line := "flowhq " + name + ": " + refusal.Message
	for field, sentence := range refusal.Fields {
		line += " --" + field + ": " + sentence
	}
	return &settingError{line}
}
