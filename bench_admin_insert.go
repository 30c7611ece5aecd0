package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/database"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	insertRounds = 5    // with the index and without, in turns
	insertPairs  = 1000 // messages with their answers, of one round
)

// insertSample is a message that is there, for others like it.
type insertSample struct {
	Tenant, Conversation uuid.UUID
	Text                 string
}

// benchInserts measures what the index of words costs a message: a question and its answer as one statement, in transactions
// that are rolled back. Moving new entries into the index, which a job does for the pipeline, is counted, too.
func benchInserts(ctx context.Context, db *database.Database) ([]benchRow, error) {
	conn, err := db.System.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, "SELECT tenant_id, conversation_id, message_text FROM message_logs TABLESAMPLE SYSTEM (1) LIMIT $1", insertPairs)
	if err != nil {
		return nil, err
	}
	samples, err := pgx.CollectRows(rows, pgx.RowToStructByPos[insertSample])
	if err != nil || len(samples) == 0 {
		return nil, err
	}
	const settle = "SELECT gin_clean_pending_list('message_logs_words')"
	if _, err := conn.Exec(ctx, settle); err != nil {
		return nil, err
	}
	var took [2]time.Duration // without the index, with it
	for range insertRounds {
		for i, after := range []string{"", settle} {
			d, err := insertMessages(ctx, conn.Conn(), samples, after)
			if err != nil {
				return nil, fmt.Errorf("inserting messages: %w", err)
			}
			took[i] += d
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(2*insertPairs*insertRounds) }
	return []benchRow{
		{Name: "inserting a message, without the index of words", Unit: "µs", FlowHQ: each(took[0])},
		{Name: "inserting a message, with it, its upkeep included", Unit: "µs", FlowHQ: each(took[1])},
		{Name: "with the index against without", Unit: "×", FlowHQ: float64(took[1]) / float64(took[0])},
	}, nil
}

// insertMessages is one round. after is its upkeep; empty: without the index.
func insertMessages(ctx context.Context, conn *pgx.Conn, samples []insertSample, after string) (took time.Duration, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing of it is kept; a broken connection shows in the next statement
	if after == "" {
		if _, err := tx.Exec(ctx, "DROP INDEX message_logs_words"); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	for n := range insertPairs {
		s, question, answer := samples[n%len(samples)], uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
		if _, err := tx.Exec(ctx, `
			INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, in_reply_to)
			VALUES ($1::uuid, $2, $3, 'IN', '+255713000001', '+255712000001', $4, $1::uuid::text, 'RECEIVED', '', NULL),
				($5::uuid, $2, $3, 'OUT', '+255712000001', '+255713000001', $4, $5::uuid::text, 'QUEUED', 'BOT', $1::uuid)`,
			question, s.Tenant, s.Conversation, s.Text, answer); err != nil {
			return 0, err
		}
	}
	if after != "" {
		if _, err := tx.Exec(ctx, after); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
