package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
)

// verdict is what an error of SendMessage means.
type verdict struct {
	unknown    bool          // it may have arrived
	timelocked bool          // not to somebody who never wrote, for a while
	refused    string        // never; in plain words
	note       string        // why it waits
	pause      time.Duration // until it makes sense to try again; 0: soon
	ok         bool
}

func (v verdict) name() string {
	switch {
	case v.ok:
		return "sent"
	case v.refused != "":
		return "refused"
	case v.unknown:
		return "unknown"
	}
	return "retry"
}

// judge sorts the errors of SendMessage. whatsmeow has no types for some; their texts are part of its pinned version.
func judge(err error) verdict {
	switch {
	case err == nil:
		return verdict{ok: true}
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		code, _ := strconv.Atoi(err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:])
		switch {
		case code == timelock:
			return verdict{timelocked: true}
		case code == 429 || code >= 500:
			return verdict{note: fmt.Sprintf("WhatsApp is busy (error %d); it will be tried again.", code), pause: 5 * time.Second}
		}
		return verdict{refused: fmt.Sprintf("WhatsApp refused the message (error %d).", code)}
	case errors.Is(err, whatsmeow.ErrRecipientADJID), errors.Is(err, whatsmeow.ErrUnknownServer):
		return verdict{refused: "The customer's address is not one that messages can be sent to."}
	case strings.Contains(err.Error(), "no LID found for"):
		return verdict{refused: "This number is not on WhatsApp."}
	case errors.Is(err, whatsmeow.ErrMessageTimedOut), errors.Is(err, whatsmeow.ErrNotConnected), errors.Is(err, whatsmeow.ErrIQTimedOut),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrNotOwner):
		return verdict{unknown: true}
	}
	if _, ok := errors.AsType[*whatsmeow.DisconnectedError](err); ok {
		return verdict{unknown: true}
	}
	return verdict{}
}
