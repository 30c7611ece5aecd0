package routes

import (
	"time"

	"flowhq/templates/words"
)

// MessageView is one logged message (template "fragments/message", element id "msg-<ID>").
type MessageView struct {
	ID           string
	Lang         string // "en" or "sw": language of the words around the message
	Inbound      bool
	ContactName  string // may be empty; then the number is shown
	ContactPhone string // E.164, never a raw LID; "Hidden number" when unknown
	Text         string
	Kind         string // "", "text", or what it is: image, voice, video, document, location, contact, sticker, audio, poll, unknown
	Status       string // RECEIVED, QUEUED, SENT, DELIVERED, READ, FAILED
	FailReason   string // a sentence, with FAILED
	WaitReason   string // a sentence, with QUEUED where it is known
	By           string // who wrote an outgoing message: "Bot" or a person's name; empty hides it
	At           time.Time
}

// Contact is the name, or the number when there is no name.
func (m MessageView) Contact() string {
	if m.ContactName != "" {
		return m.ContactName
	}
	return m.ContactPhone
}

// HasText tells whether there are words to show besides the kind.
func (m MessageView) HasText() bool { return m.Text != "" }

// KindWord names a message that is not plain text; empty for text.
func (m MessageView) KindWord() string {
	if m.Kind == "" || m.Kind == "text" {
		return ""
	}
	if key := "kind." + m.Kind; words.Has(key) {
		return words.T(m.Lang, key)
	}
	return words.T(m.Lang, "kind.unknown")
}

// KindIcon is the sprite's symbol for what is not plain text.
func (m MessageView) KindIcon() string {
	switch m.Kind {
	case "image", "sticker":
		return "image"
	case "voice", "audio":
		return "mic"
	case "video":
		return "video"
	case "location":
		return "map-pin"
	case "contact":
		return "user"
	}
	return "file-text"
}

// Tick is the delivery sign of an outgoing message.
func (m MessageView) Tick() Tick { return TickOf(m.Status, m.Lang) }

// Tick is a delivery sign: an icon, a class and the words a screen reader says.
type Tick struct {
	Icon string
	Word string
	Code string // queued, sent, delivered, read, failed
}

// TickOf words a message status.
func TickOf(status, lang string) Tick {
	look, ok := tickLooks[status]
	if !ok {
		return Tick{}
	}
	return Tick{look.icon, words.T(lang, "tick."+status), look.code}
}

var tickLooks = map[string]struct{ icon, code string }{
	"QUEUED": {"clock", "queued"}, "SENT": {"check", "sent"}, "DELIVERED": {"check-check", "delivered"},
	"READ": {"check-check", "read"}, "FAILED": {"circle-alert", "failed"},
}

// MessageList is a page of messages, newest first (template "fragments/messages"; the rows alone
// with their "Show older" row: "fragments/message_rows").
type MessageList struct {
	Lang    string
	Rows    []MessageView
	MoreURL string // older ones; empty at the end
	Error   string // shown instead of rows when they could not be read
}

// SendForm writes to a customer by hand (template "fragments/send_form", element id "send-form").
type SendForm struct {
	Action  string // POST URL
	To      string // as typed
	Text    string // as typed
	Errors  FieldErrors
	Error   string // the whole form: "The number is not connected…"
	Enabled bool   // false while the session is not connected
	Notice  string // why the reader may not write; empty: they may
}

// EventView is one entry of the timeline (template "fragments/event", element id "event-<ID>").
type EventView struct {
	ID     string
	Lang   string
	Icon   string // symbol of the sprite: play, square, rotate-cw, link, unlink, user-plus, triangle-alert, settings, qr-code, log-in, circle-check …
	Tone   string // ToneOK …; empty for neutral
	Text   string // one sentence
	Detail string // a second line; may be empty
	Actor  string // who did it; empty when the system did
	At     time.Time
}

// EventList is a page of events, newest first (templates "fragments/events" and "fragments/event_rows").
type EventList struct {
	Lang    string
	Rows    []EventView
	MoreURL string
	Error   string
}
