package routes

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"flowhq/database"
	"flowhq/jobs"
	"flowhq/queries"
)

// How long single-use links work.
const (
	setupLinkLife = 30 * time.Minute
	inviteLife    = 7 * 24 * time.Hour
)

// CreateSetupLink makes the single-use token with which the first admin is created at /setup/<token>, within 30 minutes and
// only while there is no admin. The token is stored as a hash and cannot be shown again.
func CreateSetupLink(ctx context.Context, db *database.Database) (token string, err error) {
	token = newToken()
	return token, queries.New(db.System).CreateLink(ctx, queries.CreateLinkParams{
		ID: newID(), TokenHash: hashToken(token), Purpose: queries.LinkPurposeADMINSETUP, ExpiresAt: time.Now().Add(setupLinkLife),
	})
}

// UpsertAdmin creates an admin, or sets an admin's password and signs them out everywhere. Refusals are *jobs.Error with the
// fields "email" and "password".
func UpsertAdmin(ctx context.Context, db *database.Database, email, password string) error {
	email, emailProblem := cleanEmail(email)
	if err := invalid(FieldErrors{"email": emailProblem, "password": passwordProblem(password, email, "en")}); err != nil {
		return err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(email, "@")
	_, err = queries.New(db.System).UpsertAdmin(ctx, queries.UpsertAdminParams{ID: newID(), Name: name, Email: email, PasswordHash: hash})
	if errors.Is(err, pgx.ErrNoRows) {
		const sentence = "This address belongs to the owner or staff of a business; use another one."
		return &jobs.Error{Code: jobs.Conflict, Message: sentence, Fields: FieldErrors{"email": sentence}}
	}
	return err
}

// CreateAPIKey makes an API key, for one tenant or, with nil, for all, and returns it: only its hash is stored. Refusals are
// *jobs.Error with the fields "label" and "tenant".
func CreateAPIKey(ctx context.Context, db *database.Database, label string, tenant *uuid.UUID) (string, error) {
	label = strings.TrimSpace(label)
	if err := invalid(FieldErrors{"label": jobs.CheckText(label, jobs.MaxName, false)}); err != nil {
		return "", err
	}
	var raw [32]byte
	rand.Read(raw[:])
	key := "fhq_" + hex.EncodeToString(raw[:])
	err := queries.New(db.System).CreateAPIKey(ctx, queries.CreateAPIKeyParams{ID: newID(), Label: label, KeyHash: hashToken(key), TenantID: tenant})
	if isViolation(err, pgerrcode.ForeignKeyViolation) {
		const sentence = "There is no such tenant."
		return "", &jobs.Error{Code: jobs.Invalid, Message: sentence, Fields: FieldErrors{"tenant": sentence}, Err: err}
	}
	if err != nil {
		return "", err
	}
	return key, nil
}

// newToken makes 256 random bits that fit into a path.
func newToken() string {
	var raw [32]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// newID makes a UUIDv7: ids of one process sort by their time.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func isViolation(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}
