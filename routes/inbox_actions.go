package routes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// pauseMinutes are the times for which one can take a chat over; "0" is until it is handed back.
var pauseMinutes = []string{"30", "60", "240", "1440", "0"}

// chatAnswer sends what a person wrote. A form that is sent twice is one message: its key and its words say that it is the same.
func (s *server) chatAnswer(c *fiber.Ctx) error { return s.answerChat(c, s.ownDesk(c)) }

func (s *server) answerChat(c *fiber.Ctx, d desk) error {
	ctx, v := c.UserContext(), d.v
	id, err := chatAt(c, d)
	if err != nil {
		return err
	}
	text, key := c.FormValue("text"), c.FormValue("key")
	answer := jobs.ChatAnswer{TenantID: d.tenant, ConversationID: id, Text: text, Actor: v.actor()}
	if key != "" && len(key) <= 100 {
		sum := sha256.Sum256([]byte(text))
		answer.IdempotencyKey = "form " + hex.EncodeToString([]byte(key)) + " " + hex.EncodeToString(sum[:8])
	}
	form := d.composer(id)
	_, err = s.Commands.AnswerChat(ctx, answer)
	if refusal, ok := formRefusal(err); ok {
		form.Text, form.Key, form.Error = text, key, words.Refusal(v.Lang, refusal.Message)
		if problem := refusal.Fields["text"]; problem != "" {
			form.Error = words.Refusal(v.Lang, problem)
		}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/composer", form)
		}
		return s.showThread(c, d, http.StatusUnprocessableEntity, func(t *Thread) { t.Compose = form })
	}
	if err != nil {
		return err
	}
	return s.done(c, form.Action, "fragments/composer", form, "") // the stream brings the message
}

// chatAt reads the chat a path names through the tenant's door: nobody of another business is there.
func chatAt(c *fiber.Ctx, d desk) (id uuid.UUID, err error) {
	ctx := c.UserContext()
	if id, err = chatID(c); err != nil {
		return id, err
	}
	err = d.query(ctx, func(q *queries.Queries) error {
		_, err := q.GetChat(ctx, queries.GetChatParams{TenantID: d.tenant, ConversationID: id})
		return noChat(err)
	})
	return id, err
}

// chatChange changes one chat of the visitor's business and shows who answers in it now.
func (s *server) chatChange(c *fiber.Ctx, text string, change func(context.Context, *queries.Queries, uuid.UUID) error) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := chatID(c)
	if err != nil {
		return err
	}
	var chat queries.GetChatRow
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		if err := change(ctx, q, id); err != nil {
			return noChat(err)
		}
		chat, err = q.GetChat(ctx, queries.GetChatParams{TenantID: v.Tenant, ConversationID: id})
		return err
	})
	if err != nil {
		return err
	}
	return s.done(c, inboxURL+"/"+id.String(), "fragments/chat_bar", s.ownDesk(c).chatBar(chat), text)
}

// chatTakeOver has the bot stay out of a chat for some minutes, or until it is handed back.
func (s *server) chatTakeOver(c *fiber.Ctx) error {
	v, minutes := visitorOf(c), c.FormValue("minutes", "60")
	if !slices.Contains(pauseMinutes, minutes) {
		return refuse(http.StatusUnprocessableEntity, "Choose one of the times.")
	}
	n, _ := strconv.Atoi(minutes) // one of those above
	return s.chatChange(c, "", func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		if _, err := q.TakeOverChat(ctx, queries.TakeOverChatParams{TenantID: v.Tenant, ConversationID: id, PausedBy: &v.ID, PauseSeconds: float64(n * 60)}); err != nil {
			return err
		}
		return chatEvent(ctx, q, v, id, "CHAT_TAKEN_OVER")
	})
}

// chatHandBack has the bot answer in a chat again, and ends a request for a person.
func (s *server) chatHandBack(c *fiber.Ctx) error {
	v := visitorOf(c)
	return s.chatChange(c, "", func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		if _, err := q.HandBackChat(ctx, queries.HandBackChatParams{TenantID: v.Tenant, ConversationID: id}); err != nil {
			return err
		}
		return chatEvent(ctx, q, v, id, "CHAT_HANDED_BACK")
	})
}

// chatRead notes that somebody has the chat before their eyes.
func (s *server) chatRead(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := chatAt(c, s.ownDesk(c))
	if err != nil {
		return err
	}
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		return q.ReadChat(ctx, queries.ReadChatParams{TenantID: v.Tenant, ConversationID: id})
	})
	if err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
