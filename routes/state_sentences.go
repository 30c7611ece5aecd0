package routes

import (
	"time"

	"flowhq/queries"
	"flowhq/words"
)

// shownReasons are the stored reasons that deserve a sentence; for the others the state's own word says all.
var shownReasons = map[queries.SessionReason]string{
	queries.SessionReasonWAITINGFORSCAN: ReasonWaitingScan,
	queries.SessionReasonSCANEXPIRED:    ReasonTimedOut,
	queries.SessionReasonRECONNECTING:   ReasonReconnecting,
	queries.SessionReasonSTOPPED:        ReasonStopped,
	queries.SessionReasonLOGGEDOUT:      ReasonLoggedOut,
	queries.SessionReasonREPLACED:       ReasonReplaced,
	queries.SessionReasonBANNED:         ReasonBanned,
	queries.SessionReasonOUTDATED:       ReasonOutdated,
	queries.SessionReasonPHONEOFFLINE:   ReasonPhoneOffline,
}

// sessionSentence words why a session is not connected, in the zone people live in; "" where there is nothing to add.
func sessionSentence(w queries.WhatsappSession, lang string, zone *time.Location) string {
	var at time.Time
	switch {
	case w.Reason == queries.SessionReasonRECONNECTING:
		at = w.ReasonSince.In(zone)
	case w.Reason == queries.SessionReasonBANNED && w.ReasonUntil != nil:
		at = w.ReasonUntil.In(zone)
	}
	return ReasonSentence(shownReasons[w.Reason], lang, at)
}

// portalWords gives headline and detail for a tenant's present state: what an owner reads first is what is, and what it means
// or what to do. The words are in the groups now.* of words/locales.
func portalWords(t queries.GetTenantRow, lang string) (headline, detail string) {
	now := "now." + string(t.WhatsappSession.Reason)
	switch {
	case t.WhatsappSession.State == queries.SessionStateCONNECTED:
		now = "now.CONNECTED"
	case preparing(t) || !words.Has(now+".headline"):
		now = "now.PREPARING"
	}
	return words.T(lang, now+".headline"), words.T(lang, now+".detail")
}
