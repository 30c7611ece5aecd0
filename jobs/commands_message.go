package jobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"flowhq/queries"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// OutgoingMessage is a message that a person or a program writes to a customer.
type OutgoingMessage struct {
	TenantID       uuid.UUID
	To             string // a phone number in any usual form
	Text           string
	Source         string // PERSON or API
	Test           bool   // a message to oneself, to see that the number works
	IdempotencyKey string // ""; else a second call with it within 24 hours answers with the first one's message
	Actor          Actor
}

// QueueMessage stores the message, its WhatsApp id already chosen, and the job that sends it, in one transaction. It waits in
// the queue while the number is disconnected.
func (c *Commands) QueueMessage(ctx context.Context, m OutgoingMessage) (queries.MessageLog, error) {
	var f form
	to := f.phone("to", m.To)
	f.outgoing(m.Text, m.IdempotencyKey)
	if err := f.err(); err != nil {
		return queries.MessageLog{}, err
	}
	return c.queue(ctx, m, to, func(ctx context.Context, q *queries.Queries, t queries.GetTenantRow) (conversation uuid.UUID, number string, err error) {
		if to == t.Tenant.PhoneNumber {
			return conversation, "", &Error{Code: Invalid, Message: "This is the business's own number.", Fields: map[string]string{"to": "This is the business's own number."}}
		}
		contact, err := q.EnsureContactByPhone(ctx, queries.EnsureContactByPhoneParams{ID: newID(), TenantID: m.TenantID, PhoneNumber: to})
		if err != nil {
			return conversation, "", err
		}
		if m.Source == "API" { // a person may write to them by hand; a program may not
			if out, err := q.OptedOut(ctx, queries.OptedOutParams{TenantID: m.TenantID, ContactID: contact}); err != nil {
				return conversation, "", err
			} else if out {
				return conversation, "", conflict("This customer wants no automatic messages (opted out). A person can write to them from the business's inbox.")
			}
		}
		conversation, err = q.EnsureConversation(ctx, queries.EnsureConversationParams{ID: newID(), TenantID: m.TenantID, ContactID: contact})
		return conversation, to, err
	})
}

// outgoing checks what every outgoing message has.
func (f *form) outgoing(text, key string) {
	f.text("text", text, MaxText, true)
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		f.fail("Idempotency-Key", "Use at most 255 printable ASCII characters.")
	}
}

// queue stores a message in the chat that enter locks, and the job that sends it; once for each Idempotency-Key. to stands for whom it is
// for in what the key is compared with.
func (c *Commands) queue(ctx context.Context, m OutgoingMessage, to string,
	enter func(context.Context, *queries.Queries, queries.GetTenantRow) (conversation uuid.UUID, number string, err error),
) (queued queries.MessageLog, err error) {
	request := sha256.Sum256([]byte(to + "\x00" + m.Text))
	// Without an actor: a message and the contact it makes are no entries of the audit log, the log of messages has them.
	var as Actor
	if m.Test { // it changes the person's own number
		as = m.Actor
	}
	err = c.inTx(ctx, as, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		if m.IdempotencyKey != "" {
			known, err := findIdempotent(ctx, q, m, request[:])
			if err != nil || known != nil {
				if known != nil {
					queued = *known
				}
				return err
			}
		}
		t, err := q.GetTenant(ctx, m.TenantID)
		if err != nil {
			return tenantOr(err)
		}
		if err := closing(t.Tenant); err != nil {
			return err
		}
		if t.WhatsappSession.Jid == nil {
			return conflict("%s has no linked WhatsApp number yet. Link one, then write.", t.Tenant.Name)
		}
		conversation, number, err := enter(ctx, q, t)
		if err != nil {
			return err
		}
		params := queries.QueueOutgoingParams{
			ID: newID(), TenantID: m.TenantID, ConversationID: conversation, ToNumber: number, MessageText: m.Text,
			WaMessageID: newWhatsAppID(), Source: m.Source, AuthorID: m.Actor.UserID,
		}
		if queued, err = q.QueueOutgoing(ctx, params); err != nil {
			return err
		}
		if m.IdempotencyKey != "" {
			if err := q.PutIdempotencyKey(ctx, queries.PutIdempotencyKeyParams{
				TenantID: m.TenantID, Key: m.IdempotencyKey, RequestHash: request[:], MessageID: queued.ID,
			}); err != nil {
				return err
			}
		}
		if m.Test {
			if err := noteTest(ctx, q, m, queued); err != nil {
				return err
			}
		}
		_, err = c.insert(ctx, tx, MessageSend{TenantID: m.TenantID, MessageID: queued.ID}, t.Tenant.Shard)
		return err
	})
	return queued, err
}

// testPause is how long one test message keeps the next one waiting: a second tap sends nothing.
const testPause = 20 * time.Second

// noteTest makes a test message an event and remembers whose number it went to. The conversation's lock, which is held, puts
// tests to one number in order.
func noteTest(ctx context.Context, q *queries.Queries, m OutgoingMessage, queued queries.MessageLog) error {
	latest, err := q.LatestTest(ctx, m.TenantID)
	if err != nil {
		return err
	}
	if len(latest) > 0 && time.Since(latest[0].CreatedAt) < testPause {
		return conflict("A test message was sent a moment ago. See what became of it first.")
	}
	if m.Actor.UserID != nil {
		if err := q.SetOwnNumber(ctx, queries.SetOwnNumberParams{TenantID: m.TenantID, UserID: *m.Actor.UserID, Phone: queued.ToNumber}); err != nil {
			return err
		}
	}
	return event(ctx, q, m.TenantID, m.Actor, "TEST_SENT", map[string]any{"message": queued.ID, "phone": queued.ToNumber})
}

// findIdempotent gives the message that the key stands for, nil where it is new; the key stays locked until the transaction ends.
func findIdempotent(ctx context.Context, q *queries.Queries, m OutgoingMessage, request []byte) (*queries.MessageLog, error) {
	if err := q.LockIdempotencyKey(ctx, queries.LockIdempotencyKeyParams{TenantID: m.TenantID, Key: m.IdempotencyKey}); err != nil {
		return nil, err
	}
	known, err := q.FindIdempotencyKey(ctx, queries.FindIdempotencyKeyParams{TenantID: m.TenantID, Key: m.IdempotencyKey})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.Equal(known.RequestHash, request):
		return nil, conflict("This Idempotency-Key was used for another message.")
	}
	return &known.MessageLog, nil
}

// newWhatsAppID chooses a message id as WhatsApp Web does: "3EB0" and 18 hex digits.
func newWhatsAppID() string {
	var b [9]byte
	rand.Read(b[:])
	return "3EB0" + strings.ToUpper(hex.EncodeToString(b[:]))
}
