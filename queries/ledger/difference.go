package ledger

import (
	"fmt"
	"strings"
	"time"

	"flowhq/queries"
)

// Kind is the way in which a message does not fit; queries/ledger.sql and unlogged_messages name them.
type Kind string

// The kinds, in the order of a message's way.
const (
	GivenUp         Kind = "GIVEN_UP"
	Undecryptable   Kind = "UNDECRYPTABLE"
	Unavailable     Kind = "UNAVAILABLE"
	Undecided       Kind = "UNDECIDED"
	Unanswered      Kind = "UNANSWERED"
	AnsweredUnasked Kind = "ANSWERED_UNASKED"
	AnsweredTwice   Kind = "ANSWERED_TWICE"
	NoQuestion      Kind = "NO_QUESTION"
	OtherChat       Kind = "OTHER_CHAT"
	NotSent         Kind = "NOT_SENT"
	NoProof         Kind = "NO_PROOF"
	Behind          Kind = "BEHIND"
	NoReason        Kind = "NO_REASON"
	Stuck           Kind = "STUCK"

	awaited Kind = "AWAITED" // no difference yet
)

// Kinds lists all kinds of differences in the order of a message's way.
func Kinds() []Kind {
	return []Kind{GivenUp, Undecryptable, Unavailable, Undecided, Unanswered, AnsweredUnasked, AnsweredTwice, NoQuestion, OtherChat,
		NotSent, NoProof, Behind, NoReason, Stuck}
}

var titles = map[Kind]string{
	GivenUp:         "Not logged",
	Undecryptable:   "Not decrypted",
	Unavailable:     "Never delivered",
	Undecided:       "Not decided",
	Unanswered:      "Answer missing",
	AnsweredUnasked: "Answered against the decision",
	AnsweredTwice:   "Answered twice",
	NoQuestion:      "Answer to nothing",
	OtherChat:       "Answer in another chat",
	NotSent:         "Outcome without sending",
	NoProof:         "Outcome without a time",
	Behind:          "Status lags behind",
	NoReason:        "Failed without a reason",
	Stuck:           "Stuck in the queue",
}

// Title names a kind in two or three words.
func (k Kind) Title() string { return titles[k] }

// Difference is one message that does not fit.
type Difference struct {
	Kind        Kind
	At          time.Time // when it was logged, or first seen
	WaMessageID string
	Name, Phone string                   // the customer's, as far as known
	Message     *queries.MessagesByIDRow // nil: it is not in the log
	Detail      string                   // of one that is not in the log: the last error
}

// Inbound reports whether the customer wrote the message.
func (d Difference) Inbound() bool {
	return d.Message == nil || d.Message.MessageLog.Direction == queries.MessageDirectionIN
}

// Customer is the customer's name or number, or words for neither.
func (d Difference) Customer() string {
	switch {
	case d.Name != "":
		return d.Name
	case d.Phone != "":
		return d.Phone
	}
	return "a hidden number"
}

// Sentence says what is wrong with the message.
func (d Difference) Sentence() string {
	switch d.Kind {
	case GivenUp:
		return "It could not be stored in three tries and was let go" + because(d.Detail)
	case Undecryptable:
		return "It could not be decrypted. The sender's phone was asked for it again, and it did not come."
	case Unavailable:
		return "WhatsApp announced it without its content. The phone was asked for it, and it did not come."
	case Undecided:
		return "It was logged, but nothing was decided about it."
	case Unanswered:
		return "It was decided to answer, but no answer was queued."
	case NoQuestion:
		return "The bot sent it, but it answers no message of the customer."
	case OtherChat:
		return "The bot sent it in another chat than the message it answers."
	case AnsweredTwice:
		return "It was decided once, but its answers were queued at different moments."
	}
	if d.Message == nil {
		return d.Kind.Title() + "."
	}
	m := d.Message.MessageLog
	status := strings.ToLower(string(m.Status))
	switch d.Kind {
	case AnsweredUnasked:
		return fmt.Sprintf("It was decided as %s, and answered all the same.", strings.ToLower(strings.ReplaceAll(deref(m.Decision), "_", " ")))
	case NotSent:
		return fmt.Sprintf("It counts as %s, but was never handed to WhatsApp.", status)
	case NoProof:
		return fmt.Sprintf("It counts as %s, but there is no time from WhatsApp that says so.", status)
	case Behind:
		return fmt.Sprintf("It counts as %s, but WhatsApp reported more: %s.", status, strings.Join(reported(m), ", "))
	case NoReason:
		return "It failed, and nothing says why."
	case Stuck:
		return "It waits although the number is connected" + because(deref(m.Failure))
	}
	return d.Kind.Title() + "."
}

// because ends a sentence with its cause, where one is known.
func because(why string) string {
	why = strings.TrimRight(why, ". ")
	if why == "" {
		return "."
	}
	return ": " + why + "."
}

// reported lists the times that WhatsApp gave.
func reported(m queries.MessageLog) (all []string) {
	for _, r := range []struct {
		what string
		at   *time.Time
	}{{"sent", m.SentAt}, {"delivered", m.DeliveredAt}, {"read", m.ReadAt}} {
		if r.at != nil {
			all = append(all, r.what+" at "+r.at.UTC().Format("15:04:05 UTC"))
		}
	}
	return all
}
