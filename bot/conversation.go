package bot

import (
	"encoding/json"
	"time"
)

// Limits of a stored conversation. They keep its JSON below 4 kB whatever a customer writes.
const (
	conversationVersion = 1
	maxStateBytes       = 16 << 10 // larger input is not ours
	maxAnswers          = 4
	maxAnswerRunes      = 120
	maxRecent           = 10
	maxFallbackTimes    = 8
	maxNameRunes        = 20
)

// FlowExpiry is the silence after which a half-finished request is forgotten.
const FlowExpiry = 30 * time.Minute

// noteFor is how long after a completed request, or after asking for a person, a text the
// bot does not understand is taken as meant for the team.
const noteFor = 2 * time.Hour

// Conversation is what the bot remembers about one chat. The zero value is a new chat. Times
// are Unix seconds.
type Conversation struct {
	Version int   `json:"v"`
	LastAt  int64 `json:"last,omitempty"` // the customer's latest message

	Flow    string   `json:"flow,omitempty"`    // intent of the running request
	Step    int      `json:"step,omitempty"`    // index of the question asked; len(steps) is the confirmation
	Answers []string `json:"answers,omitempty"` // sanitised answers to the questions before Step

	Reference string `json:"ref,omitempty"` // of the latest reported problem

	NoteUntil int64 `json:"note,omitempty"`       // until then texts may be meant for the team
	Noted     bool  `json:"noted,omitempty"`      // and the customer was told so
	WithHuman bool  `json:"with_human,omitempty"` // because the customer asked for a person

	Fallbacks     int     `json:"misses,omitempty"`     // not understood in a row
	Offered       bool    `json:"offered,omitempty"`    // the latest reply offered a person
	FallbackTimes []int64 `json:"miss_times,omitempty"` // latest misses, oldest first
	ClosedTold    int64   `json:"closed,omitempty"`     // when the customer last read that the business is closed

	Recent []Seen `json:"recent,omitempty"` // latest messages, oldest first
}

// Seen is a fingerprint of a received message, for the loop guard.
type Seen struct {
	Hash uint32 `json:"h"`
	At   int64  `json:"t"`
	Kind Kind   `json:"k,omitempty"` // only of messages without text
}

// ParseConversation reads a stored conversation. State that is empty, broken, of another version
// or too large is a new conversation: losing a half-finished request is better than not answering.
func ParseConversation(b []byte) Conversation {
	fresh := Conversation{Version: conversationVersion}
	if len(b) == 0 || len(b) > maxStateBytes {
		return fresh
	}
	var c Conversation
	if err := json.Unmarshal(b, &c); err != nil || c.Version != conversationVersion {
		return fresh
	}
	return c.bounded()
}

// JSON is the form to store: always valid, always below 4 kB.
func (c Conversation) JSON() []byte {
	b, err := json.Marshal(c.bounded())
	if err != nil { // cannot happen: no channels, functions or cycles inside
		return []byte(`{"v":1}`)
	}
	return b
}

// bounded returns a copy that shares no memory with c and keeps all limits.
func (c Conversation) bounded() Conversation {
	c.Version = conversationVersion
	if len(c.Flow) > 32 || c.Step < 0 || c.Step > maxAnswers || len(c.Answers) > maxAnswers {
		c.Flow, c.Step, c.Answers = "", 0, nil
	}
	c.Flow = excerpt(c.Flow, 32)
	var answers []string
	for _, a := range c.Answers {
		answers = append(answers, excerpt(a, maxAnswerRunes))
	}
	c.Answers = answers
	c.Reference = excerpt(c.Reference, 12)
	c.Fallbacks = min(max(c.Fallbacks, 0), 1000)
	c.FallbackTimes = lastOf(c.FallbackTimes, maxFallbackTimes)
	c.Recent = lastOf(c.Recent, maxRecent)
	for i := range c.Recent {
		c.Recent[i].Kind = c.Recent[i].Kind.known()
	}
	return c
}

// lastOf copies the last n elements; an empty result is nil, so JSON round-trips exactly.
func lastOf[T any](s []T, n int) []T {
	if len(s) > n {
		s = s[len(s)-n:]
	}
	return append([]T(nil), s...)
}

// known maps kinds this version does not know to KindUnknown; "" stays.
func (k Kind) known() Kind {
	switch k {
	case "", KindText, KindImage, KindVideo, KindAudio, KindVoice, KindDocument, KindSticker,
		KindLocation, KindContact, KindPoll, KindReaction:
		return k
	}
	return KindUnknown
}

// arrive brings the state up to now: after a long silence a half-finished request and
// the count of misses are forgotten. It reports whether a request was dropped.
func (c *Conversation) arrive(now int64) (expired bool) {
	silence := now - c.LastAt
	// A clock that jumped back must not keep a request alive forever.
	if silence > int64(FlowExpiry/time.Second) || silence < -int64(FlowExpiry/time.Second) {
		expired = c.Flow != ""
		c.leave()
		c.Fallbacks, c.Offered = 0, false
	}
	c.LastAt = now
	return expired
}

// leave ends the running request without an outcome.
func (c *Conversation) leave() {
	c.Flow, c.Step, c.Answers = "", 0, nil
}

// note lets the next texts that are not understood go to the team.
func (c *Conversation) note(now int64, human bool) {
	c.NoteUntil, c.Noted, c.WithHuman = now+int64(noteFor/time.Second), false, human
}

// noting reports whether a text may be meant for the team.
func (c *Conversation) noting(now int64) bool {
	return c.NoteUntil > now && c.NoteUntil-now <= int64(noteFor/time.Second)
}
