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

// UpsertAdmin creates an admin, or sets the password of one of the operator's people, whose role stays.
func UpsertAdmin(ctx context.Context, db *database.Database, email, password string) error {
	_, err := UpsertColleague(ctx, db, email, password, "")
	return err
}

// UpsertColleague creates one of the operator's people with a role, or sets the password and the role of one and signs them out everywhere. The role
// "" is admin for somebody new, and the one that somebody has. It gives the role. Refusals are *jobs.Error with the fields "email", "password" and
// "role".
func UpsertColleague(ctx context.Context, db *database.Database, email, password, role string) (is string, err error) {
	email, emailProblem := jobs.CleanEmail(email)
	if err := invalid(FieldErrors{"email": emailProblem, "password": passwordProblem(password, email, "en")}); err != nil {
		return "", err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return "", err
	}
	p := queries.UpsertAdminParams{ID: newID(), Email: email, PasswordHash: hash}
	p.Name, _, _ = strings.Cut(email, "@")
	if role != "" {
		p.AdminRole = &role
	}
	err = jobs.Actor{Kind: queries.ActorKindCOMMAND, Name: "flowhq admin upsert"}.InTx(ctx, db.System, func(tx pgx.Tx) (err error) {
		is, err = queries.New(tx).UpsertAdmin(ctx, p)
		return err
	})
	refusal := func(field, sentence string) error {
		return &jobs.Error{Code: jobs.Conflict, Message: sentence, Fields: FieldErrors{field: sentence}, Err: err}
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", refusal("email", "This address belongs to the owner or staff of a business; use another one.")
	case isViolation(err, jobs.LastAdminStays):
		return "", refusal("role", "This is the last admin. Make somebody else an admin first.")
	case isViolation(err, pgerrcode.ForeignKeyViolation):
		all, listErr := queries.New(db.System).ListAdminRoles(ctx)
		if listErr != nil {
			return "", listErr
		}
		var names []string
		for _, r := range all {
			names = append(names, r.Name)
		}
		return "", refusal("role", "There is no such role. There are "+strings.Join(names, ", ")+".")
	}
	return is, err
}

// CreateAPIKey makes an API key, for one tenant or, with nil, for all, and returns it: only its hash is stored. Refusals are
// *jobs.Error with the fields "label" and "tenant".
func CreateAPIKey(ctx context.Context, db *database.Database, label string, tenant *uuid.UUID) (string, error) {
	return createAPIKey(ctx, db, label, tenant, jobs.Actor{Kind: queries.ActorKindCOMMAND, Name: "flowhq apikey create"})
}

func createAPIKey(ctx context.Context, db *database.Database, label string, tenant *uuid.UUID, actor jobs.Actor) (string, error) {
	label = strings.TrimSpace(label)
	if err := invalid(FieldErrors{"label": jobs.CheckText(label, jobs.MaxName, false)}); err != nil {
		return "", err
	}
	var raw [32]byte
	rand.Read(raw[:])
	key := "fhq_" + hex.EncodeToString(raw[:])
	err := actor.InTx(ctx, db.System, func(tx pgx.Tx) error {
		return queries.New(tx).CreateAPIKey(ctx, queries.CreateAPIKeyParams{ID: newID(), Label: label, KeyHash: hashToken(key), TenantID: tenant})
	})
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
