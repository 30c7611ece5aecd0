package routes

import (
	"time"

	"flowhq/templates/words"
)

// What a session's state means, as ReasonSentence knows it. Those with a time say so.
const (
	ReasonConnecting   = "connecting"
	ReasonWaitingScan  = "waiting_scan"
	ReasonReconnecting = "reconnecting" // at: since when
	ReasonUnreachable  = "unreachable"  // at: since when
	ReasonRefused      = "refused"      // at: since when
	ReasonLoggedOut    = "logged_out"
	ReasonLocked       = "locked"
	ReasonUnlinked     = "unlinked"
	ReasonReplaced     = "replaced"
	ReasonBanned       = "banned" // at: until when
	ReasonBannedNoEnd  = "banned_no_end"
	ReasonBannedGone   = "banned_for_good"
	ReasonOutdated     = "outdated"
	ReasonStopped      = "stopped"
	ReasonPairFailed   = "pair_failed"
	ReasonTimedOut     = "codes_ran_out"
	ReasonRestricted   = "restricted"       // at: until when
	ReasonRechecked    = "restricted_check" // at: when it is looked again whether it is over
	ReasonRechecking   = "restricted_now"
)

// ReasonSentence words what a session's state means and what to do, or "" for one it does not know; at is the time that belongs
// to it, in the zone people live in. The words are in the group reason of templates/words/locales.
func ReasonSentence(reason, lang string, at time.Time) string {
	return moment("reason."+reason, lang, at)
}

// PortalSentence is what an owner reads about a session's state (ReasonX): what is, and what it means or what to do. at is the
// time that belongs to it, in the zone people live in. The words are in the groups now.* of templates/words/locales.
func PortalSentence(reason, lang string, at time.Time) (headline, detail string) {
	return moment("now."+reason+".headline", lang, at), moment("now."+reason+".detail", lang, at)
}

// moment gives a sentence that may name a time.
func moment(key, lang string, at time.Time) string {
	if !words.Has(key) {
		return ""
	}
	return words.T(lang, key, "at", words.Moment(lang, at, time.Now()))
}
