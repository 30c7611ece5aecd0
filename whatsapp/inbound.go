package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/bot"
	"flowhq/queries"
)

// Decisions about a received message, as message_logs names them.
const (
	decisionReplied     = "REPLIED"
	decisionRateLimited = "RATE_LIMITED"
	decisionIgnored     = "IGNORED"
)

// inbound is a received message on its way into the log.
type inbound struct {
	id     uuid.UUID
	waID   string
	kind   bot.Kind
	text   string
	sentAt time.Time
	from   chat
	to     string // our number
}

// receive takes one message in: everything about it is one transaction, and only when that is committed does whatsmeow
// acknowledge it. False: it was not taken in; the connection is made anew, and WhatsApp delivers it again.
func (s *supervisor) receive(cli *whatsmeow.Client, evt *events.Message) (ok bool) {
	s.handling.RLock()
	defer s.handling.RUnlock()
	log := s.log.With("wa_message_id", evt.Info.ID)
	defer func() {
		if r := recover(); r != nil {
			log.Error("taking in a message panicked", "panic", r, "stack", string(debug.Stack()))
			ok = s.giveUp(evt.Info.ID, fmt.Errorf("fault in the program: %v", r))
		}
	}()
	if s.ctx.Err() != nil {
		return false
	}
	if !fromPerson(evt.Info) {
		return true
	}
	kind, text, ok := content(evt)
	if !ok {
		return true
	}
	started := time.Now()
	in := inbound{id: newID(), waID: storable(evt.Info.ID, 128), kind: kind, text: storable(text, maxTextRunes),
		sentAt: evt.Info.Timestamp, to: s.ownNumber()}
	var reply *answer
	err := retry(s.ctx, func(ctx context.Context) error {
		from, err := s.who(ctx, evt.Info)
		if err != nil {
			return err
		}
		in.from = from
		reply, err = s.takeIn(ctx, in)
		return err
	})
	switch {
	case err == nil:
		fault(faultLogged)
		s.pool.metrics.handled.Observe(time.Since(started).Seconds())
		if reply != nil {
			s.mind(evt.Info, *reply)
			s.wakeSender()
		}
		return true
	case s.ctx.Err() != nil:
		return false
	case !passing(err):
		log.Error("message not logged", "error", err)
		return s.giveUp(evt.Info.ID, err)
	}
	log.Warn("message not logged; it stays with WhatsApp until it can be", "error", err)
	s.reset(err)
	return false
}

// giveUp decides about a message that cannot be taken in. It is refused twice, so that it comes again; then it is let go,
// because everything behind it would wait for ever.
func (s *supervisor) giveUp(waID string, err error) bool {
	tries, _ := s.poison.get(waID)
	s.poison.set(waID, tries+1)
	if tries < 2 {
		s.reset(err)
		return false
	}
	s.event(s.ctx, eventDropped, map[string]any{"wa_message_id": waID, "error": storable(err.Error(), 300)})
	return true
}

var errChatGone = errors.New("the conversation is gone")

// takeIn logs a message, decides about it, and queues the answer.
func (s *supervisor) takeIn(ctx context.Context, in inbound) (*answer, error) {
	reply, at, err := s.decide(ctx, in)
	if err != nil {
		s.chats.drop(in.from.key())
		return nil, err
	}
	s.chats.set(at.key(), at)
	return reply, nil
}

// decide asks the bot about a message, and stores the message with what the bot says in one transaction: chat by chat, and
// nothing for a message that was logged before.
func (s *supervisor) decide(ctx context.Context, in inbound) (*answer, chat, error) {
	conn, err := s.pool.o.DB.Acquire(ctx)
	if err != nil {
		return nil, in.from, err
	}
	tx := &pipelined{Conn: conn, open: true}
	defer tx.end(ctx)
	q := queries.New(tx)
	at, known := s.cachedChat(in.from)
	if !known {
		if err := tx.begin(ctx); err != nil {
			return nil, at, err
		}
		if at, err = s.findChat(ctx, q, in.from); err != nil {
			return nil, at, err
		}
	}
	limit := s.pool.o.RepliesPerMinute
	row, err := q.ReceiveMessage(ctx, queries.ReceiveMessageParams{TenantID: s.tenant, ConversationID: at.conversation,
		WaMessageID: in.waID, DefaultLimit: int32(limit)})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, at, errChatGone
	} else if err != nil {
		return nil, at, err
	}
	if row.Known { // delivered again; it was handled the first time, but perhaps nobody woke the sender
		_, err := tx.Exec(ctx, "commit")
		return &answer{}, at, err
	}
	if row.RepliesPerMinute != nil {
		limit = int(*row.RepliesPerMinute)
	}
	params := queries.RecordDecisionParams{TenantID: s.tenant, MessageID: in.id, ConversationID: at.conversation,
		Business: in.to, Customer: at.phone, Kind: string(in.kind), MessageText: in.text, WaMessageID: in.waID, SentAt: in.sentAt}
	var reply *answer
	if limit > 0 && int(row.RecentReplies) >= limit {
		params.Decision = decisionRateLimited
	} else {
		d := bot.Decide(s.botConfig(row, limit), bot.ParseConversation(row.StateJson),
			bot.Message{Kind: in.kind, Text: in.text, SenderName: at.name}, time.Now())
		params.Intent, params.NextState, params.Decision = &d.Intent, d.Next.JSON(), decisionIgnored
		if !d.Ignore && len(d.Replies) > 0 {
			params.Decision = decisionReplied
			for _, r := range d.Replies {
				params.ReplyIds = append(params.ReplyIds, newID())
				params.ReplyTexts = append(params.ReplyTexts, storable(r.Text, maxTextRunes))
				params.ReplyWaIds = append(params.ReplyWaIds, newMessageID())
				reply = &answer{conversation: at.conversation, typing: typingTime(limit, r.Text), unread: d.Handoff}
			}
		}
	}
	tx.commit = true
	return reply, at, q.RecordDecision(ctx, params)
}

func (s *supervisor) botConfig(row queries.ReceiveMessageRow, limit int) bot.Config {
	hours, err := bot.ParseHours(row.HoursJson)
	if err != nil {
		s.log.Warn("opening hours cannot be read; the bot does without", "error", err)
	}
	return bot.Config{
		Template: bot.Template(row.TemplateType), Language: bot.Language(row.Language), BusinessName: row.BusinessName,
		Hours: hours, Location: s.pool.o.Location, NoGuards: limit == 0,
	}
}

// ownNumber is the number that is linked, or the one that is meant to be.
func (s *supervisor) ownNumber() string {
	if n := s.number.Load(); n != nil {
		return *n
	}
	return ""
}
