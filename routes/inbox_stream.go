package routes

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// inboxStream keeps the list of chats, and the one that is open, up to date.
func (s *server) inboxStream(c *fiber.Ctx) error { return s.streamInbox(c, s.ownDesk(c)) }

func (s *server) streamInbox(c *fiber.Ctx, d desk) error {
	live := &inboxLive{s: s, desk: d, look: inboxViewOf(c), alarm: time.NewTimer(math.MaxInt64)}
	if id := c.Query("chat"); id != "" {
		var err error
		live.since, _ = strconv.ParseInt(c.Query("since"), 10, 64) // without one, what is on the first page of messages
		if live.since == 0 {
			live.since = math.MaxInt64
		}
		if live.look.chosen, err = uuid.Parse(id); err != nil {
			return notFound("This chat")
		}
		err = d.query(c.UserContext(), func(q *queries.Queries) error {
			_, err := q.GetChat(c.UserContext(), queries.GetChatParams{TenantID: d.tenant, ConversationID: live.look.chosen})
			return noChat(err)
		})
		if err != nil {
			return err
		}
	}
	return s.stream(c, feed{sub: s.Hub.Subscribe(d.tenant), allowed: s.alive(d.v), present: live.present, changed: live.changed, alarm: live.alarm, rang: live.present})
}

// inboxLive sends what changes in one tenant's inbox.
type inboxLive struct {
	desk
	s     *server
	look  inboxView
	since int64       // the newest message of the open chat that the page had when it was loaded
	alarm *time.Timer // goes off when a pause ends by itself
}

// present sends everything the page shows: the list's first page, and of the open chat its latest messages and who answers in it.
func (l *inboxLive) present(ctx context.Context, w *eventWriter) error {
	return l.query(ctx, func(q *queries.Queries) error {
		list, err := listChats(ctx, q, l.desk, l.look, newest())
		if err != nil {
			return err
		}
		for _, row := range slices.Backward(list.Rows) {
			if err := l.s.sendFragments(w, "chat", fragment{"fragments/chat_row", row}); err != nil {
				return err
			}
		}
		if err := l.s.sendFragments(w, "chat", fragment{"fragments/chats_now", list}); err != nil {
			return err
		}
		if err := l.sendHandoffs(ctx, q, w); err != nil {
			return err
		}
		if l.look.chosen == uuid.Nil {
			return nil
		}
		if err := l.sendChat(ctx, q, w); err != nil {
			return err
		}
		lines, err := l.catchUp(ctx, q)
		if err != nil {
			return err
		}
		return l.sendLines(w, lines)
	})
}

// catchUpMost is how many messages a page that was away gets at once, at least; one that missed more shows the latest of them.
const catchUpMost = 1000

// catchUp reads the open chat's latest messages, back to those that the page had when it was loaded, so that none is missing in between however
// long it was away.
func (l *inboxLive) catchUp(ctx context.Context, q *queries.Queries) (lines []ThreadLine, err error) {
	var rows []queries.ThreadMessagesRow
	for before := int64(math.MaxInt64); len(rows) < catchUpMost; {
		page, err := q.ThreadMessages(ctx, queries.ThreadMessagesParams{TenantID: l.tenant, ConversationID: l.look.chosen, BeforeSeq: before, PageSize: threadSize})
		if err != nil {
			return nil, err
		}
		if rows = append(rows, page...); len(page) < threadSize {
			break
		}
		if before = *page[threadSize-1].MessageLog.Seq; before <= l.since {
			break
		}
	}
	for _, r := range slices.Backward(rows) {
		lines = append(lines, l.s.threadLine(r, l.v, lines))
	}
	return lines, nil
}

// changed sends what these events are about.
func (l *inboxLive) changed(ctx context.Context, w *eventWriter, events []Event) error {
	var messages, chats []uuid.UUID
	open, session := false, false
	for _, e := range events {
		switch e.Kind {
		case KindMessage:
			messages = append(messages, e.ID)
		case KindChat:
			chats = append(chats, e.ID)
			open = open || e.ID == l.look.chosen
		case KindSession:
			session = true
		}
	}
	return l.query(ctx, func(q *queries.Queries) error {
		if len(messages) > 0 {
			of, err := q.ChatsOfMessages(ctx, queries.ChatsOfMessagesParams{TenantID: l.tenant, Ids: messages})
			if err != nil {
				return err
			}
			chats = append(chats, of...)
			if slices.Contains(of, l.look.chosen) {
				open = true
				if err := l.sendMessages(ctx, q, w, messages); err != nil {
					return err
				}
			}
		}
		if len(chats) > 0 {
			if err := l.sendRows(ctx, q, w, chats); err != nil {
				return err
			}
			if err := l.sendHandoffs(ctx, q, w); err != nil {
				return err
			}
		}
		if l.look.chosen != uuid.Nil && (open || session) {
			return l.sendChat(ctx, q, w)
		}
		return nil
	})
}

// sendRows sends chats as they are in the list now, and takes out of it what does not belong there any more.
func (l *inboxLive) sendRows(ctx context.Context, q *queries.Queries, w *eventWriter, chats []uuid.UUID) error {
	slices.SortFunc(chats, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	chats = slices.Compact(chats)
	list, err := listChats(ctx, q, l.desk, l.look, newest(), chats...)
	if err != nil {
		return err
	}
	for _, id := range chats {
		part := fragment{"fragments/chat_gone", id.String()}
		if i := slices.IndexFunc(list.Rows, func(r ChatRow) bool { return r.ID == id.String() }); i >= 0 {
			part = fragment{"fragments/chat_row", list.Rows[i]}
		}
		if err := l.s.sendFragments(w, "chat", part); err != nil {
			return err
		}
	}
	return nil
}

// sendMessages sends those of these messages that are of the open chat.
func (l *inboxLive) sendMessages(ctx context.Context, q *queries.Queries, w *eventWriter, ids []uuid.UUID) error {
	rows, err := q.ThreadMessagesByID(ctx, queries.ThreadMessagesByIDParams{TenantID: l.tenant, ConversationID: l.look.chosen, Ids: ids})
	if err != nil {
		return err
	}
	var lines []ThreadLine
	for _, r := range rows {
		lines = append(lines, l.s.threadLine(queries.ThreadMessagesRow(r), l.v, lines))
	}
	return l.sendLines(w, lines)
}

func (l *inboxLive) sendLines(w *eventWriter, lines []ThreadLine) error {
	for _, line := range lines {
		if err := l.s.sendFragments(w, "message", fragment{"fragments/thread_line", line}); err != nil {
			return err
		}
	}
	return nil
}

// sendChat sends who answers in the open chat, what is known about its customer, and whether what is written leaves at once.
func (l *inboxLive) sendChat(ctx context.Context, q *queries.Queries, w *eventWriter) error {
	chat, err := q.GetChat(ctx, queries.GetChatParams{TenantID: l.tenant, ConversationID: l.look.chosen})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it has become part of another one
	}
	if err != nil {
		return err
	}
	t, err := q.GetTenant(ctx, l.tenant)
	if err != nil {
		return err
	}
	away := Composer{Lang: l.v.Lang, Away: t.WhatsappSession.State != queries.SessionStateCONNECTED}
	parts := []fragment{{"fragments/chat_head", chatHead(chat, l.v.Lang)}, {"fragments/chat_bar", l.chatBar(chat)}, {"fragments/composer_away", away}}
	if !l.operator {
		info, err := contactInfo(ctx, q, l.v, chat)
		if err != nil {
			return err
		}
		parts = append(parts, fragment{"fragments/contact_info", info})
	}
	return l.s.sendFragments(w, "chat", parts...)
}

// sendHandoffs sends how many customers wait for a person, and sets the alarm for the next pause that ends by itself.
func (l *inboxLive) sendHandoffs(ctx context.Context, q *queries.Queries, w *eventWriter) error {
	next, err := l.s.sendHandoffs(ctx, q, w, l.tenant, l.v.Lang)
	if err == nil && next.After(time.Unix(0, 0)) {
		l.alarm.Reset(max(time.Until(next), 0) + 50*time.Millisecond) // past it on our clock, too
	}
	return err
}

// sendHandoffs sends how many customers of a tenant wait for a person, and gives the time of the next change of a chat by itself.
func (s *server) sendHandoffs(ctx context.Context, q *queries.Queries, w *eventWriter, tenant uuid.UUID, lang string) (next time.Time, err error) {
	n, err := q.CountHandoffs(ctx, tenant)
	if err != nil {
		return next, err
	}
	return n.NextEnd, s.sendFragments(w, "chat", fragment{"fragments/inbox_badge", Handoffs{Lang: lang, Count: int(n.Waiting), Latest: n.Latest}})
}
