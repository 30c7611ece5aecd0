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

// portalSentence is what an owner reads first: what is, and what it means or what to do; {at} is the time.
type portalSentence struct{ headline, detail [2]string } // English, Swahili

// portalSentences are an owner's words for what a session's state means.
var portalSentences = map[string]portalSentence{
	portalConnected: {
		[2]string{"Your number answers customers", "Namba yako inajibu wateja"},
		[2]string{"The bot replies by itself. You can read along under Messages.", "Roboti inajibu yenyewe. Unaweza kusoma kwenye Ujumbe."},
	},
	portalNew: {
		[2]string{"Link your number to begin", "Unganisha namba yako kuanza"},
		[2]string{"Scan a code with the phone, and customers get answers a minute later.", "Skani msimbo kwa simu; baada ya dakika moja wateja watapata majibu."},
	},
	ReasonConnecting: {
		[2]string{"Getting ready…", "Inajiandaa…"},
		[2]string{"This takes a few seconds. The page updates by itself.", "Inachukua sekunde chache. Ukurasa unajisasisha wenyewe."},
	},
	ReasonWaitingScan: {
		[2]string{"Scan the code to link your number", "Skani msimbo kuunganisha namba yako"},
		[2]string{"Open WhatsApp on the phone, then Linked devices.", "Fungua WhatsApp kwenye simu, kisha Vifaa vilivyounganishwa."},
	},
	ReasonTimedOut: {
		[2]string{"The code ran out", "Muda wa msimbo umeisha"},
		[2]string{"Ask for a new one and scan it within a minute.", "Omba mwingine na uuskani ndani ya dakika moja."},
	},
	ReasonReconnecting: {
		[2]string{"Connecting again", "Inaunganishwa tena"},
		[2]string{"The connection dropped and comes back by itself. Customers get their answers then.", "Muunganisho umekatika na utarudi wenyewe. Wateja watajibiwa ukirudi."},
	},
	ReasonUnreachable: {
		[2]string{"No connection to WhatsApp since {at}", "Hakuna muunganisho na WhatsApp tangu {at}"},
		[2]string{"It is tried again all the time, and customers get their answers when it is back. If it lasts, tell your operator.",
			"Tunajaribu tena muda wote, na wateja watajibiwa ukirudi. Ukiendelea hivi, mwambie msimamizi wako."},
	},
	ReasonRefused: {
		[2]string{"WhatsApp turns the connection away", "WhatsApp inakataa muunganisho"},
		[2]string{"It is tried again by itself. If it lasts longer than an hour, tell your operator.", "Tunajaribu tena wenyewe. Ikizidi saa moja, mwambie msimamizi wako."},
	},
	ReasonStopped: {
		[2]string{"Your number is paused", "Namba yako imesimamishwa"},
		[2]string{"Customers get no answers until it is started again. The link to the phone is kept.", "Wateja hawajibiwi hadi ianzishwe tena. Muunganisho na simu umehifadhiwa."},
	},
	ReasonLoggedOut: {
		[2]string{"The link was removed on the phone", "Muunganisho uliondolewa kwenye simu"},
		[2]string{"Link the number again to go on answering.", "Unganisha namba tena ili kuendelea kujibu."},
	},
	ReasonLocked: {
		[2]string{"WhatsApp ended the link to your number", "WhatsApp imeondoa muunganisho na namba yako"},
		[2]string{"The account on the phone is locked, logged out or on another phone. Open WhatsApp there, follow what it says, then link the number again.",
			"Akaunti kwenye simu imefungwa, imetoka au imehamia simu nyingine. Fungua WhatsApp huko, fuata inachosema, kisha unganisha namba tena."},
	},
	ReasonUnlinked: {
		[2]string{"Your number is not linked any more", "Namba yako haijaunganishwa tena"},
		[2]string{"Link it again to go on answering. Your messages and settings are kept.", "Iunganishe tena ili kuendelea kujibu. Ujumbe na mipangilio yako imehifadhiwa."},
	},
	ReasonReplaced: {
		[2]string{"Another program uses this link", "Programu nyingine inatumia kiungo hiki"},
		[2]string{"Close the other one, or ask your operator.", "Funga hiyo nyingine, au muulize msimamizi wako."},
	},
	ReasonBanned: {
		[2]string{"WhatsApp suspended this number until {at}", "WhatsApp imesimamisha namba hii hadi {at}"},
		[2]string{"It connects again by itself then, and customers get their answers. Until then nothing can be sent.",
			"Itaunganishwa yenyewe baada ya hapo, na wateja watajibiwa. Hadi hapo hakuna kinachoweza kutumwa."},
	},
	ReasonBannedNoEnd: {
		[2]string{"WhatsApp suspended this number", "WhatsApp imesimamisha namba hii"},
		[2]string{"Nothing can be sent until WhatsApp lifts it. Look at WhatsApp on the phone and talk to your operator.",
			"Hakuna kinachoweza kutumwa hadi WhatsApp iondoe zuio. Angalia WhatsApp kwenye simu na wasiliana na msimamizi wako."},
	},
	ReasonBannedGone: {
		[2]string{"WhatsApp banned this number", "WhatsApp imeifungia namba hii"},
		[2]string{"Ask for a review in WhatsApp on the phone. When it is granted, your operator can link the number again.",
			"Omba ikaguliwe upya ndani ya WhatsApp kwenye simu. Ikikubaliwa, msimamizi wako ataunganisha namba tena."},
	},
	ReasonOutdated: {
		[2]string{"The server needs an update", "Mfumo unahitaji kusasishwa"},
		[2]string{"WhatsApp refuses its version. Your operator has to update it.", "WhatsApp inakataa toleo lake. Msimamizi wako anapaswa kulisasisha."},
	},
	ReasonRestricted: {
		[2]string{"Your number answers; new chats wait", "Namba yako inajibu; mazungumzo mapya yanasubiri"},
		[2]string{"Until {at} WhatsApp does not let it write first to new customers. Whoever writes to you is answered as always, and the messages that wait go out by themselves then.",
			"Hadi {at} WhatsApp hairuhusu namba yako kuwaandikia wateja wapya kwanza. Wanaokuandikia wanajibiwa kama kawaida, na ujumbe unaosubiri utatumwa wenyewe baada ya hapo."},
	},
	ReasonRechecked: {
		[2]string{"Your number answers; new chats wait", "Namba yako inajibu; mazungumzo mapya yanasubiri"},
		[2]string{"WhatsApp does not let it write first to new customers and does not say until when; checked again at {at}. Whoever writes to you is answered as always, and the messages that wait go out by themselves.",
			"WhatsApp hairuhusu namba yako kuwaandikia wateja wapya kwanza na haisemi hadi lini; itaangaliwa tena {at}. Wanaokuandikia wanajibiwa kama kawaida, na ujumbe unaosubiri utatumwa wenyewe."},
	},
	ReasonRechecking: {
		[2]string{"Your number answers; new chats wait", "Namba yako inajibu; mazungumzo mapya yanasubiri"},
		[2]string{"WhatsApp did not let it write first to new customers; it is being checked whether that is over. Whoever writes to you is answered as always.",
			"WhatsApp haikuruhusu namba yako kuwaandikia wateja wapya kwanza; inaangaliwa kama imekwisha. Wanaokuandikia wanajibiwa kama kawaida."},
	},
}

// PortalSentence is what an owner reads about a session's state (ReasonX): what is, and what it means or what to do. at is the
// time that belongs to it, in the zone people live in.
func PortalSentence(reason, lang string, at time.Time) (headline, detail string) {
	w := portalSentences[reason]
	return withTime(w.headline, lang, at), withTime(w.detail, lang, at)
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
