package routes

import (
	"time"

	"flowhq/queries"
)

// longAway is when a connection that comes back by itself becomes one that somebody should look after.
const longAway = 2 * time.Minute

// meanings are the stored reasons that mean the same always, or have nothing to add to the state's own word ("").
var meanings = map[queries.SessionReason]string{
	queries.SessionReasonNEVERLINKED:    "",
	queries.SessionReasonCONNECTED:      "",
	queries.SessionReasonCONNECTING:     ReasonConnecting,
	queries.SessionReasonWAITINGFORSCAN: ReasonWaitingScan,
	queries.SessionReasonSCANEXPIRED:    ReasonTimedOut,
	queries.SessionReasonSTOPPED:        ReasonStopped,
	queries.SessionReasonLOGGEDOUT:      ReasonLoggedOut,
	queries.SessionReasonLOCKED:         ReasonLocked,
	queries.SessionReasonUNLINKED:       ReasonUnlinked,
	queries.SessionReasonREPLACED:       ReasonReplaced,
	queries.SessionReasonOUTDATED:       ReasonOutdated,
	queries.SessionReasonREFUSED:        ReasonRefused,
}

// meaning is what a session's state means for people (ReasonX; "": nothing to add), with the time that belongs to it.
func meaning(w queries.WhatsappSession, now time.Time) (reason string, at time.Time) {
	switch w.Reason {
	case queries.SessionReasonRECONNECTING:
		if now.Sub(w.ReasonSince) > longAway {
			return ReasonUnreachable, w.ReasonSince
		}
		return ReasonReconnecting, w.ReasonSince
	case queries.SessionReasonBANNED:
		switch {
		case w.ReasonUntil != nil:
			return ReasonBanned, *w.ReasonUntil
		case w.Jid != nil:
			return ReasonBannedNoEnd, at
		}
		return ReasonBannedGone, at
	case queries.SessionReasonRESTRICTED:
		switch {
		case w.RestrictedUntil == nil || w.RestrictedUntil.Before(now):
			return ReasonRechecking, at
		case w.RestrictedChecks > 0:
			return ReasonRechecked, *w.RestrictedUntil
		}
		return ReasonRestricted, *w.RestrictedUntil
	}
	return meanings[w.Reason], w.ReasonSince
}

// sessionSentence words what a session's state means and what to do, in the zone people live in; "" where there is nothing to add.
func sessionSentence(w queries.WhatsappSession, lang string, zone *time.Location) string {
	reason, at := meaning(w, time.Now())
	return ReasonSentence(reason, lang, at.In(zone))
}

// Reasons of an owner's page only.
const (
	portalConnected = "connected"
	portalNew       = "new"
)

// portalWords gives headline and detail for a tenant's present state.
func portalWords(t queries.GetTenantRow, lang string, zone *time.Location) (headline, detail string) {
	reason, at := meaning(t.WhatsappSession, time.Now())
	switch {
	case preparing(t) && reason != ReasonUnreachable && reason != ReasonRefused:
		reason = ReasonConnecting // a code is on its way
	case reason == "" && t.WhatsappSession.State == queries.SessionStateCONNECTED:
		reason = portalConnected
	case reason == "":
		reason = portalNew
	}
	return PortalSentence(reason, lang, at.In(zone))
}
