package routes

import (
	"time"

	"flowhq/words"
)

// Reasons why a session is not connected, as ReasonSentence knows them.
const (
	ReasonWaitingScan  = "waiting_scan"
	ReasonReconnecting = "reconnecting" // at: since when
	ReasonLoggedOut    = "logged_out"
	ReasonReplaced     = "replaced"
	ReasonBanned       = "banned" // at: until when; zero for unknown
	ReasonOutdated     = "outdated"
	ReasonPhoneOffline = "phone_offline"
	ReasonStopped      = "stopped"
	ReasonPairFailed   = "pair_failed"
	ReasonTimedOut     = "codes_ran_out"
)

// ReasonSentence words why a session is not connected, or "" for a reason it does not know. For
// ReasonBanned and ReasonReconnecting a non-zero at is added as a clock time in at's own zone.
func ReasonSentence(reason, lang string, at time.Time) string {
	if !words.Has("reason." + reason) {
		return ""
	}
	s := words.T(lang, "reason."+reason)
	switch {
	case at.IsZero():
	case reason == ReasonBanned:
		return s + " " + words.T(lang, "wait.until", "time", words.DayTime(lang, at))
	case reason == ReasonReconnecting:
		return s + " " + words.T(lang, "wait.since", "time", at.Format("15:04"))
	}
	return s
}
