package routes

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
	"flowhq/templates/words"
)

// threadSize is how many messages of a chat are shown at first, and more each time.
const threadSize = 50

// chatID reads the chat a path names. Whether it is the visitor's is for the tenant's door to say.
func chatID(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("chat"))
	if err != nil {
		return id, notFound("This chat")
	}
	return id, nil
}

// noChat turns "no rows" into the sentence for a chat that is not there, or another business's.
func noChat(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound("This chat")
	}
	return err
}

// paused tells whether a person has the chat now.
func paused(since, until *time.Time) bool {
	return since != nil && (until == nil || time.Now().Before(*until))
}

// threadPage is one chat, beside the list where there is room for both.
func (s *server) threadPage(c *fiber.Ctx) error {
	return s.showThread(c, s.ownDesk(c), http.StatusOK, func(*Thread) {})
}

// showThread answers with the page of a chat and what is special this time.
func (s *server) showThread(c *fiber.Ctx, d desk, status int, special func(*Thread)) error {
	ctx, look := c.UserContext(), inboxViewOf(c)
	id, err := chatID(c)
	if err != nil {
		return err
	}
	look.chosen = id
	var list ChatList
	var t Thread
	err = d.query(ctx, func(q *queries.Queries) (err error) {
		if t, err = s.thread(ctx, q, d, id); err != nil {
			return noChat(err)
		}
		list, err = listChats(ctx, q, d, look, newest())
		return err
	})
	if err != nil {
		return err
	}
	t.BackURL = d.base + look.query()
	special(&t)
	return s.showInbox(c, d, status, look, list, &t)
}

// thread reads a chat with its latest messages.
func (s *server) thread(ctx context.Context, q *queries.Queries, d desk, id uuid.UUID) (Thread, error) {
	t := Thread{ID: id.String(), Lang: d.v.Lang, Operator: d.operator}
	chat, err := q.GetChat(ctx, queries.GetChatParams{TenantID: d.tenant, ConversationID: id})
	if err != nil {
		return t, err
	}
	t.Head, t.Bar = chatHead(chat, d.v.Lang), d.chatBar(chat)
	if t.Lines, t.OlderURL, err = s.threadLines(ctx, q, d, id, math.MaxInt64); err != nil {
		return t, err
	}
	tenant, err := q.GetTenant(ctx, d.tenant)
	if err != nil {
		return t, err
	}
	t.Compose = d.composer(id)
	t.Compose.Away = tenant.WhatsappSession.State != queries.SessionStateCONNECTED
	if d.operator {
		return t, nil
	}
	if t.Info, err = contactInfo(ctx, q, d.v, chat); err != nil {
		return t, err
	}
	t.Canned, err = listCanned(ctx, q, d.tenant)
	return t, err
}

func chatHead(chat queries.GetChatRow, lang string) ChatHead {
	h := ChatHead{Lang: lang, Labels: chat.Labels}
	if chat.PhoneNumber != nil {
		h.Contact = *chat.PhoneNumber
	} else {
		h.Contact = words.T(lang, "messages.hidden_number")
	}
	if chat.Name != nil && *chat.Name != "" {
		h.Contact, h.Phone = *chat.Name, h.Contact
	}
	return h
}

func (d desk) chatBar(chat queries.GetChatRow) ChatBar {
	v := d.v
	b := ChatBar{Lang: v.Lang, Paused: paused(chat.PausedAt, chat.PausedUntil), Out: chat.OptedOutAt != nil}
	if !d.operator {
		b.Action = d.base + "/" + chat.ID.String()
	}
	if chat.HandoffAt != nil {
		b.Waiting = *chat.HandoffAt
	}
	if b.Paused && chat.PausedUntil != nil {
		b.Until = *chat.PausedUntil
	}
	switch {
	case chat.PausedBy != nil && *chat.PausedBy == v.ID:
		b.By = words.T(v.Lang, "inbox.you")
	case chat.PausedByName != nil:
		b.By = *chat.PausedByName
	}
	return b
}

// composer is an empty form, with a key of its own.
func (d desk) composer(chat uuid.UUID) Composer {
	return Composer{Lang: d.v.Lang, Operator: d.operator, Notice: d.notice, Action: d.base + "/" + chat.String(), Key: rand.Text()}
}

// threadLines reads one page of a chat's messages that are before a place in its order, oldest first.
func (s *server) threadLines(ctx context.Context, q *queries.Queries, d desk, chat uuid.UUID, before int64) (lines []ThreadLine, older string, err error) {
	rows, err := q.ThreadMessages(ctx, queries.ThreadMessagesParams{TenantID: d.tenant, ConversationID: chat, BeforeSeq: before, PageSize: threadSize + 1})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > threadSize {
		rows = rows[:threadSize]
		older = d.base + "/" + chat.String() + "/older?before=" + strconv.FormatInt(*rows[threadSize-1].MessageLog.Seq, 10)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		lines = append(lines, s.threadLine(rows[i], d.v, lines))
	}
	return lines, older, nil
}

// threadLine is one message after those before it.
func (s *server) threadLine(r queries.ThreadMessagesRow, v *visitor, before []ThreadLine) ThreadLine {
	m := r.MessageLog
	line := ThreadLine{MessageView: messageView(queries.ListMessagesRow{MessageLog: m}, v.Lang), Writer: m.Source, Seq: *m.Seq}
	switch {
	case m.Source == "API":
		line.By = words.T(v.Lang, "inbox.automatic")
	case m.AuthorID != nil && *m.AuthorID == v.ID:
		line.By = words.T(v.Lang, "inbox.you")
	case r.Author != nil:
		line.By = *r.Author
	}
	day := s.dayOf(m.CreatedAt)
	if len(before) == 0 || !s.dayOf(before[len(before)-1].At).Equal(day) {
		line.Day = day
	}
	return line
}

// dayOf is the midnight with which a moment's day begins where the people are.
func (s *server) dayOf(t time.Time) time.Time {
	t = t.In(s.Location)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, s.Location)
}

// threadOlder is the page of messages before those that are shown.
func (s *server) threadOlder(c *fiber.Ctx) error { return s.olderLines(c, s.ownDesk(c)) }

func (s *server) olderLines(c *fiber.Ctx, d desk) error {
	ctx := c.UserContext()
	id, err := chatID(c)
	if err != nil {
		return err
	}
	before, err := strconv.ParseInt(c.Query("before", strconv.FormatInt(math.MaxInt64, 10)), 10, 64)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "This place in the list is not known. Open the list from its start.")
	}
	t := Thread{ID: id.String(), Lang: d.v.Lang}
	err = d.query(ctx, func(q *queries.Queries) (err error) {
		if _, err = q.GetChat(ctx, queries.GetChatParams{TenantID: d.tenant, ConversationID: id}); err != nil {
			return noChat(err)
		}
		t.Lines, t.OlderURL, err = s.threadLines(ctx, q, d, id, before)
		return err
	})
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/thread_lines", t)
}
