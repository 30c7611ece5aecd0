package whatsapp

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/types"

	"flowhq/bot"
	"flowhq/queries"
)

// Decisions about a received message, as message_logs names them.
const (
	decisionReplied     = "REPLIED"
	decisionRateLimited = "RATE_LIMITED"
	decisionIgnored     = "IGNORED"
	decisionPaused      = "PAUSED" // a person has taken the chat over
)

// inbound is a received message on its way into the log.
type inbound struct {
	id   uuid.UUID
	info types.MessageInfo
	waID string
	kind bot.Kind
	text string
	from chat
	to   string // our number
}

// basis is what a decision rests on, as it was read: it counts only while the versions are those of the rows.
type basis struct {
	state   []byte // of the chat: bot.Conversation
	version time.Time
	config  *tenantConfig
	pause   pause
	out     bool // the customer wants no automatic messages
}

// pause is whether a person has taken the chat over: the bot stays out of it until it is handed back, or until a time.
type pause struct{ since, until *time.Time }

// holds tells whether the bot stays out of the chat now.
func (p pause) holds(now time.Time) bool {
	return p.since != nil && (p.until == nil || now.Before(*p.until))
}

var (
	errChatGone = errors.New("the conversation is gone")
	// errStaleBasis means that a decision did not count: what it rested on has changed.
	errStaleBasis = errors.New("the chat changed while its message was being decided")
)

// takeIn logs a message, decides about it, and queues the answer, in one transaction with the step of the Signal session it was
// decrypted with (nil where that is stored already). A message of a chat that is known well takes one statement; where what is
// known turns out to be old, and for a new chat, it is read again under the chat's lock.
func (s *supervisor) takeIn(ctx context.Context, in inbound, store *tenantStore, step *unit) error {
	at, known := s.cachedChat(in.from)
	if config := s.config.Load(); known && at.basis != nil && config != nil && step.single() {
		b := *at.basis
		b.config = config
		limit := s.limit(config.TenantConfig)
		d, err := s.decide(ctx, s.pool.q, in, at, b, limit, limit, store, step)
		if err == nil {
			d.commit(s, in.info)
			return nil
		}
		d.undo()
		if !errors.Is(err, errStaleBasis) {
			return err
		}
	}
	var d *decided
	err := pgx.BeginFunc(ctx, s.pool.o.DB, func(tx pgx.Tx) (err error) {
		d, err = s.takeInLocked(ctx, tx, in, store, step)
		return err
	})
	if err != nil {
		d.undo()
		s.chats.drop(in.from.key())
		return err
	}
	d.commit(s, in.info)
	return nil
}

// takeInLocked takes a message in within a transaction that holds the chat's lock.
func (s *supervisor) takeInLocked(ctx context.Context, tx pgx.Tx, in inbound, store *tenantStore, step *unit) (*decided, error) {
	q := s.pool.q.WithTx(tx)
	at, known := s.cachedChat(in.from)
	if !known {
		var err error
		if at, err = s.findChat(ctx, q, in.from); err != nil {
			return nil, err
		}
	}
	row, err := q.ReceiveMessage(ctx, queries.ReceiveMessageParams{TenantID: s.tenant, ConversationID: at.conversation,
		WaMessageID: in.waID, DefaultLimit: s.pool.replies.Load()})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errChatGone
	} else if err != nil {
		return nil, err
	}
	if step != nil {
		if err := store.write(ctx, tx, step); err != nil {
			return nil, err
		}
	}
	if row.Known { // delivered again; it was handled the first time, but perhaps nobody woke the sender
		return &decided{reply: &answer{}}, nil
	}
	config := s.readConfig(&row.TenantConfig)
	limit := s.limit(config.TenantConfig)
	if limit > 0 && int(row.RecentReplies) >= limit {
		limit = limitReached
	}
	b := basis{state: row.StateJson, version: row.ChatVersion, pause: pause{row.PausedAt, row.PausedUntil}, out: row.OptedOut, config: config}
	return s.decide(ctx, q, in, at, b, limit, 0, nil, nil)
}

// limitReached stands for a limit of answers that is used up.
const limitReached = -1

// limit is how many answers a minute the tenant's bot may give; 0: any number.
func (s *supervisor) limit(c *queries.TenantConfig) int {
	if c.RepliesPerMinute != nil {
		return int(*c.RepliesPerMinute)
	}
	return int(s.pool.replies.Load())
}

// decided is a decision that is recorded; it comes into force with the commit.
type decided struct {
	at     chat
	reply  *answer     // nil: none
	rows   []uuid.UUID // in message_logs
	direct *sender     // where a place is reserved for the answer; nil: none
	out    []outgoing  // answers that were claimed with the decision
	opt    bot.Opt     // what the customer decided about automatic messages
}

// commit passes on what was committed.
func (d *decided) commit(s *supervisor, info types.MessageInfo) {
	if d.at.basis != nil {
		s.chats.set(d.at.key(), d.at)
	}
	s.pool.announce(s.tenant, d.rows)
	switch d.opt {
	case bot.OptOut:
		s.event(s.ctx, eventOptedOut, map[string]any{"phone": d.at.phone})
	case bot.OptIn:
		s.event(s.ctx, eventOptedIn, map[string]any{"phone": d.at.phone})
	}
	switch {
	case d.direct != nil:
		d.direct.hand(d.at.conversation, d.out)
	case d.reply != nil:
		s.mind(info, *d.reply)
		s.wakeSender()
	}
}

// undo takes back what waited for the commit. Whether there was one may not be known, so the sender looks at the table.
func (d *decided) undo() {
	if d != nil && d.direct != nil {
		d.direct.hand(d.at.conversation, nil)
	}
}

// decide asks the bot about a message and records what it says. atMost is the limit that is to be checked with the record; 0: none.
func (s *supervisor) decide(ctx context.Context, q *queries.Queries, in inbound, at chat, b basis, limit, atMost int,
	store *tenantStore, step *unit) (*decided, error) {
	d := &decided{at: at, rows: []uuid.UUID{in.id}}
	now := time.Now()
	params := queries.RecordDecisionParams{
		Shard: s.shard, NodeID: &s.pool.node, Epoch: s.epoch, TenantID: s.tenant, ConversationID: at.conversation,
		ChatVersion: b.version, ConfigVersion: b.config.UpdatedAt, AtMost: int32(atMost), MessageID: in.id, WaMessageID: in.waID,
		Business: in.to, Customer: at.phone, Kind: string(in.kind), MessageText: in.text, SentAt: storableTime(in.info.Timestamp),
	}
	if b.pause.holds(now) {
		params.Decision, params.AtMost = decisionPaused, 0
		params.Opt = string(bot.ReadOpt(in.text, b.out))
	} else {
		if params.Resumed = b.pause.since != nil; params.Resumed { // what the bot remembers is from before the people talked
			params.NextState = bot.Conversation{}.JSON()
			b.state, b.pause = params.NextState, pause{}
		}
		verdict := bot.Decide(b.config.botConfig(limit), bot.ParseConversation(b.state),
			bot.Message{Kind: in.kind, Text: in.text, SenderName: at.name, OptedOut: b.out}, now)
		params.Opt = string(verdict.Opt)
		params.Handoff = verdict.Handoff // also where the bot may not answer any more
		if limit == limitReached {
			params.Decision = decisionRateLimited
		} else {
			d.answer(&params, verdict, limit)
		}
	}
	if step != nil {
		params.Jid = store.jid
		params.Peer, params.Session = step.only()
	}
	// An answer that needs no typing goes out without another look at the table.
	if d.reply != nil && d.reply.typing == 0 {
		if o := s.sender.Load(); o.reserve(at.conversation) {
			d.direct = o
		}
	}
	params.Direct = d.direct != nil
	row, err := q.RecordDecision(ctx, params)
	if errors.Is(err, pgx.ErrNoRows) {
		if err = errStaleBasis; !s.pool.leases.holds(s.shard, s.epoch) {
			err = ErrNotOwner
		}
	}
	if err != nil {
		return d, err
	}
	d.rows = append(d.rows, params.ReplyIds...)
	for i, id := range params.ReplyIds {
		if row.Claimed {
			d.out = append(d.out, outgoing{id: id, conversation: at.conversation, waID: params.ReplyWaIds[i], text: params.ReplyTexts[i],
				phone: at.phone, lid: at.lid})
		}
	}
	state := b.state
	if params.NextState != nil {
		state = params.NextState
	}
	d.opt = bot.Opt(params.Opt)
	d.at.basis = &basis{state: state, version: row.ChatVersion, pause: b.pause, out: d.opt == bot.OptOut || b.out && d.opt != bot.OptIn}
	return d, nil
}

// answer adds to a record what the bot says.
func (d *decided) answer(params *queries.RecordDecisionParams, verdict bot.Decision, limit int) {
	params.Intent, params.NextState, params.Decision = &verdict.Intent, verdict.Next.JSON(), decisionIgnored
	if verdict.Ignore {
		return
	}
	for _, r := range verdict.Replies {
		params.Decision = decisionReplied
		params.ReplyIds = append(params.ReplyIds, newID())
		params.ReplyTexts = append(params.ReplyTexts, storable(r.Text, maxTextRunes))
		params.ReplyWaIds = append(params.ReplyWaIds, newMessageID())
		d.reply = &answer{conversation: d.at.conversation, typing: typingTime(limit, r.Text), unread: verdict.Handoff}
	}
}
