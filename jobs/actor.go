package jobs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"flowhq/queries"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"
)

// Actor is who asks for something; it goes into the tenant's events and into the audit log.
type Actor struct {
	Kind    queries.ActorKind // "": the system
	UserID  *uuid.UUID        // of a person
	KeyID   *uuid.UUID        // of a program
	Name    string
	IP      string // where the request came from; "" without one
	Request string // its number in the server's log
}

// actorOf is a job that changes something in its own name.
func actorOf(job *rivertype.JobRow) Actor {
	return Actor{Kind: queries.ActorKindJOB, Name: job.Kind, Request: "job " + strconv.FormatInt(job.ID, 10)}
}

// beginner is a pool or a connection.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// InTx runs fn in a transaction whose changes the audit log has in the actor's name, and commits it. This is the one place that says
// so; what changes a table that people change begins here. It costs no round trip of its own. Nobody at all (Actor{}) sets nothing.
func (a Actor) InTx(ctx context.Context, db beginner, fn func(pgx.Tx) error) error {
	if a == (Actor{}) {
		return pgx.BeginTxFunc(ctx, db, pgx.TxOptions{}, fn)
	}
	about := map[string]any{"kind": a.Kind, "name": a.Name}
	if a.Kind == "" {
		about["kind"] = queries.ActorKindSYSTEM
	}
	if a.UserID != nil {
		about["id"] = a.UserID
	} else if a.KeyID != nil {
		about["id"] = a.KeyID
	}
	if a.IP != "" {
		about["ip"] = a.IP
	}
	if a.Request != "" {
		about["request"] = a.Request
	}
	raw, err := json.Marshal(about)
	if err != nil {
		return err
	}
	// Sent as one simple-protocol message; base64 holds nothing to escape.
	begin := "BEGIN; SELECT set_config('flowhq.actor', '" + base64.StdEncoding.EncodeToString(raw) + "', true)"
	return pgx.BeginTxFunc(ctx, db, pgx.TxOptions{BeginQuery: begin}, fn)
}
