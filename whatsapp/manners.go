package whatsapp

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow/types"
)

// How long a bot takes to write, as a person would notice it.
const (
	typingLeast  = 400 * time.Millisecond
	typingRune   = 8 * time.Millisecond
	typingMost   = 1500 * time.Millisecond
	mannersLimit = 64 // chats whose manners wait for the sender; beyond that they are left out
)

// answer is what was queued for a received message.
type answer struct {
	conversation uuid.UUID
	typing       time.Duration // before it is sent; 0: at once
	unread       bool          // a person is to read the message, so the bot leaves its mark
}

// typingTime is how long an answer is being typed. Where the operator set no limit there is no pace either.
func typingTime(limit int, text string) time.Duration {
	if limit == 0 {
		return 0
	}
	return min(typingLeast+time.Duration(utf8.RuneCountInString(text))*typingRune, typingMost)
}

// manner is one received message that the sender is to mark as read, typing until a moment, before it answers.
type manner struct {
	answer
	info  types.MessageInfo
	until time.Time
}

// mind has the sender show the customer that the message was read and is being answered.
func (s *supervisor) mind(info types.MessageInfo, a answer) {
	if a.typing == 0 {
		return
	}
	s.mannersLock.Lock()
	defer s.mannersLock.Unlock()
	if len(s.manners) < mannersLimit {
		s.manners = append(s.manners, manner{a, info, time.Now().Add(a.typing)})
	}
}

// greet sends the ticks and "typing…" of newly received messages, and lets their chats wait as long as typing takes. None of it
// matters enough to be tried twice.
func (o *sender) greet() {
	o.s.mannersLock.Lock()
	manners := o.s.manners
	o.s.manners = nil
	o.s.mannersLock.Unlock()
	if len(manners) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(o.ctx, queryTimeout)
	defer cancel()
	cli := o.link.client
	// Typing is only shown of somebody who is online; being online for longer would keep the owner's phone from ringing.
	err := cli.SendPresence(ctx, types.PresenceAvailable)
	o.present = err == nil
	for _, m := range manners {
		if !m.unread && err == nil {
			err = cli.MarkRead(ctx, []types.MessageID{m.info.ID}, time.Now(), m.info.Chat, types.EmptyJID)
		}
		if err == nil {
			err = cli.SendChatPresence(ctx, m.info.Chat, types.ChatPresenceComposing, types.ChatPresenceMediaText)
		}
		o.wait(m.conversation, m.until)
	}
	if err != nil {
		o.s.log.Debug("read marks and typing not sent", "error", err)
	}
}

// leave ends being online once nothing is being typed.
func (o *sender) leave() {
	o.mu.Lock()
	waits := len(o.waiting) > 0
	o.mu.Unlock()
	if !o.present || waits || o.ctx.Err() != nil {
		return
	}
	o.present = false
	ctx, cancel := context.WithTimeout(o.ctx, queryTimeout)
	defer cancel()
	if err := o.link.client.SendPresence(ctx, types.PresenceUnavailable); err != nil {
		o.s.log.Debug("presence not sent", "error", err)
	}
}
