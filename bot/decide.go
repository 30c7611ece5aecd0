package bot

import (
	"strings"
	"time"
)

// turn is one call of Decide: what came in, and the state that goes out.
type turn struct {
	cfg     Config
	script  *script
	now     time.Time
	at      int64 // now in Unix seconds
	msg     Message
	read    reading
	expired bool   // a half-finished request was dropped for silence
	offered bool   // the previous reply offered a person
	own     string // the business's own answer to what is asked; "" for none
	next    Conversation
}

// Decide decides what to answer to msg. It never fails: whatever the state and the text
// are, the decision is valid, has at most one reply and can be carried out.
func Decide(cfg Config, conv Conversation, msg Message, now time.Time) Decision {
	t := &turn{cfg: cfg, script: scriptOf(cfg.Template), now: now.In(cfg.location()), at: now.Unix(), msg: msg, next: conv.bounded()}
	if msg.Kind == KindReaction {
		return t.ignore(IntentReaction, reasonReaction)
	}
	if t.msg.Kind = msg.Kind.known(); t.msg.Kind == "" {
		t.msg.Kind = KindText
	}
	t.expired = t.next.arrive(t.at)
	t.offered, t.next.Offered = t.next.Offered, false
	t.read = t.script.index.read(msg.Text)

	blank := excerpt(msg.Text, 2) == ""
	kind := Kind("")
	if blank {
		kind = t.msg.Kind
	}
	line := strings.Join(t.read.words, " ")
	if d, taken := t.opt(msg.OptedOut); taken {
		return d
	}
	loop := t.next.remember(fingerprint(kind, line), kind, t.at)
	if len(t.read.words) == 0 && !blank {
		// Only emoji or signs: not alike just because they hold no words.
		t.next.Recent[len(t.next.Recent)-1].Hash = fingerprint(kind, excerpt(msg.Text, 40))
	}
	if loop && !cfg.NoGuards {
		return t.ignore(IntentFallback, reasonLoop)
	}
	if blank {
		return t.nonText()
	}
	if t.read.number == 0 {
		t.next.leave()
		return t.answer(IntentMenu)
	}
	t.readOwn(line)
	if d, taken := t.inFlow(); taken {
		return d
	}
	if t.offered && (t.read.intent == IntentYes || t.read.intent == IntentOK) {
		return t.answer(IntentHuman)
	}
	if n := t.read.number; n > 0 {
		if n <= len(t.script.menu) {
			return t.answer(t.script.menu[n-1].intent)
		}
		return t.fallback(sayNoSuchNumber)
	}
	if t.own != "" {
		t.next.Fallbacks = 0
		return t.reply(IntentOwn, t.own)
	}
	if t.read.intent != "" {
		return t.answer(t.read.intent)
	}
	if t.msg.Kind != KindText {
		return t.nonText() // a caption that says nothing the bot knows
	}
	return t.fallback(sayFallback)
}

// readOwn reads a message by what the business entered: lines of the menu in its own words, and its own questions. Those
// win over the template's, which are more general, but not over asking for a person, a line of the menu, or talk such as
// greetings and thanks that says nothing else.
func (t *turn) readOwn(line string) {
	s := &t.cfg.Settings
	if s.menu == nil || t.read.number >= 0 {
		return
	}
	if intent, ok := s.menu[line]; ok {
		t.read.intent, t.read.whole = intent, true
		return
	}
	if t.read.intent == IntentHuman {
		return
	}
	if t.read.whole {
		switch t.read.intent {
		case IntentMenu, IntentGreeting, IntentThanks, IntentBye, IntentYes, IntentNo, IntentOK, IntentCancel:
			return
		}
	}
	t.own, _ = s.own.find(t.read.words)
}

// answer replies to an intent that was understood.
func (t *turn) answer(intent string) Decision {
	t.next.Fallbacks = 0
	if f, ok := t.script.flows[intent]; ok {
		t.next.Flow, t.next.Step, t.next.Answers = intent, 0, nil
		return t.reply(intent, t.question(f, 0))
	}
	said := t.answerText(intent)
	if intent == IntentHuman {
		t.next.note(t.at, true)
		d := t.reply(intent, said)
		d.Handoff = true
		return d
	}
	return t.reply(intent, said)
}

// answerText is the one-message answer to an intent that starts no request.
func (t *turn) answerText(intent string) string {
	switch intent {
	case IntentGreeting:
		return t.say(sayGreeting)
	case IntentHours:
		return t.hours()
	case IntentYes, IntentNo:
		intent = IntentOK // nothing was asked
	}
	if own := t.cfg.Settings.answers[intent]; own != "" {
		return own
	}
	if len(t.cfg.Settings.Offers) > 0 {
		if said, ok := t.script.listed[intent]; ok {
			return t.say(said)
		}
	}
	if said, ok := t.script.answers[intent]; ok {
		return t.say(said)
	}
	if said, ok := commonAnswers[intent]; ok {
		return t.say(said)
	}
	return t.say(sayFallback)
}

// personAfter misses in a row the customer is offered a person, once.
const personAfter = 3

// fallback replies to what was not understood, with first the first time.
func (t *turn) fallback(first text) Decision {
	if t.next.noting(t.at) && (!t.next.Noted || t.next.WithHuman) {
		// The customer was told that the team reads along; one acknowledgement is enough,
		// after it the bot stays out of a conversation between people.
		if t.next.Noted && !t.cfg.NoGuards {
			return t.ignore(IntentWaiting, reasonWithTeam)
		}
		t.next.Noted = true
		return t.reply(IntentWaiting, t.say(sayNoted))
	}
	if t.next.miss(t.at) && !t.cfg.NoGuards {
		return t.ignore(IntentFallback, reasonLoop)
	}
	t.next.Fallbacks = min(t.next.Fallbacks+1, 1000)
	switch {
	case t.expired:
		return t.reply(IntentFallback, t.say(sayExpired))
	case t.next.Fallbacks == 1:
		return t.reply(IntentFallback, t.say(first))
	case t.next.Fallbacks == personAfter:
		t.next.Offered = true
		return t.reply(IntentFallback, t.say(sayOfferPerson))
	case t.next.Fallbacks%personAfter == 1:
		return t.reply(IntentFallback, t.say(sayFallback))
	}
	return t.reply(IntentFallback, t.say(sayFallbackShort))
}

// nonText answers a message without text, and puts the question of a running request again.
func (t *turn) nonText() Decision {
	kind := t.msg.Kind
	if kind == KindText {
		kind = KindUnknown // a text of nothing but invisible characters
	}
	if t.next.sameKindLately(t.msg.Kind, t.at) && !t.cfg.NoGuards {
		return t.ignore(IntentNonText, reasonSameKind)
	}
	if t.next.noting(t.at) && t.next.WithHuman && t.next.Noted && !t.cfg.NoGuards {
		return t.ignore(IntentNonText, reasonWithTeam)
	}
	said := t.say(sayKind[kind])
	if f, ok := t.flow(); ok {
		said += "\n\n" + t.question(f, t.next.Step)
	}
	return t.reply(IntentNonText, said)
}

// closedPause is how long the bot does not repeat that the business is closed, where that
// is beside the point.
const closedPause = 30 * time.Minute

// reply finishes a decision: says that the business is closed where the customer should know,
// and keeps the length within bounds.
func (t *turn) reply(intent, said string) Decision {
	if (intent != IntentHours || !t.cfg.Hours.known) && !t.cfg.Hours.Open(t.now) {
		since := t.at - t.next.ClosedTold
		done := strings.HasSuffix(intent, doneSuffix) || intent == IntentHuman
		if done || since < 0 || since > int64(closedPause/time.Second) {
			t.next.ClosedTold = t.at
			note := "\n\n" + t.closed()
			said = clamp(said, MaxReplyRunes-len([]rune(note))) + note
		}
	}
	return Decision{Replies: []Reply{{Text: clamp(said, MaxReplyRunes)}}, Next: t.next, Intent: intent}
}

func (t *turn) ignore(intent, reason string) Decision {
	return Decision{Next: t.next, Intent: intent, Ignore: true, Reason: reason}
}

// clamp cuts s to at most limit runes.
func clamp(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	last := 0
	for i := range s {
		if n == limit-1 {
			last = i
		}
		if n++; n > limit {
			return s[:last] + "…"
		}
	}
	return s
}
