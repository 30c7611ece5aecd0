package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// AnswerPause is how long the bot stays out of a chat after a person has answered in it, at least: the customer's next words are
// for that person.
const AnswerPause = time.Hour

// ChatAnswer is what a person answers in a chat.
type ChatAnswer struct {
	TenantID       uuid.UUID
	ConversationID uuid.UUID
	Text           string
	IdempotencyKey string // as in OutgoingMessage
	Actor          Actor
}

// AnswerChat queues a person's answer, as QueueMessage does. Whoever asked for a person has one then, and the bot is paused.
func (c *Commands) AnswerChat(ctx context.Context, a ChatAnswer) (queries.MessageLog, error) {
	var f form
	f.outgoing(a.Text, a.IdempotencyKey)
	if err := f.err(); err != nil {
		return queries.MessageLog{}, err
	}
	m := OutgoingMessage{TenantID: a.TenantID, Text: a.Text, Source: "PERSON", IdempotencyKey: a.IdempotencyKey, Actor: a.Actor}
	return c.queue(ctx, m, a.ConversationID.String(), func(ctx context.Context, q *queries.Queries, _ queries.GetTenantRow) (uuid.UUID, string, error) {
		number, err := q.AnswerChat(ctx, queries.AnswerChatParams{
			TenantID: a.TenantID, ConversationID: a.ConversationID, AuthorID: a.Actor.UserID, PauseSeconds: AnswerPause.Seconds(),
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return a.ConversationID, "", &Error{Code: NotFound, Message: "This chat does not exist, or not any more.", Err: err}
		}
		if number == nil { // known by LID only
			return a.ConversationID, "", err
		}
		return a.ConversationID, *number, err
	})
}
