package routes

import (
	"time"

	"flowhq/queries"
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

// portalSentence is what an owner reads first: what is, and what it means or what to do.
type portalSentence struct{ headline, detail [2]string } // English, Swahili

var portalConnected = portalSentence{
	[2]string{"Your number answers customers", "Namba yako inajibu wateja"},
	[2]string{"The bot replies by itself. You can read along under Messages.", "Roboti inajibu yenyewe. Unaweza kusoma kwenye Ujumbe."},
}

var portalPreparing = portalSentence{
	[2]string{"Getting ready…", "Inajiandaa…"},
	[2]string{"This takes a few seconds. The page updates by itself.", "Inachukua sekunde chache. Ukurasa unajisasisha wenyewe."},
}

var portalSentences = map[queries.SessionReason]portalSentence{
	queries.SessionReasonNEVERLINKED: {
		[2]string{"Link your number to begin", "Unganisha namba yako kuanza"},
		[2]string{"Scan a code with the phone, and customers get answers a minute later.", "Skani msimbo kwa simu; baada ya dakika moja wateja watapata majibu."},
	},
	queries.SessionReasonWAITINGFORSCAN: {
		[2]string{"Scan the code to link your number", "Skani msimbo kuunganisha namba yako"},
		[2]string{"Open WhatsApp on the phone, then Linked devices.", "Fungua WhatsApp kwenye simu, kisha Vifaa vilivyounganishwa."},
	},
	queries.SessionReasonSCANEXPIRED: {
		[2]string{"The code ran out", "Muda wa msimbo umeisha"},
		[2]string{"Ask for a new one and scan it within a minute.", "Omba mwingine na uuskani ndani ya dakika moja."},
	},
	queries.SessionReasonRECONNECTING: {
		[2]string{"Connecting again", "Inaunganishwa tena"},
		[2]string{"The connection dropped and comes back by itself. Customers get their answers then.", "Muunganisho umekatika na utarudi wenyewe. Wateja watajibiwa ukirudi."},
	},
	queries.SessionReasonSTOPPED: {
		[2]string{"Your number is paused", "Namba yako imesimamishwa"},
		[2]string{"Customers get no answers until it is started again. The link to the phone is kept.", "Wateja hawajibiwi hadi ianzishwe tena. Muunganisho na simu umehifadhiwa."},
	},
	queries.SessionReasonLOGGEDOUT: {
		[2]string{"The link was removed on the phone", "Muunganisho uliondolewa kwenye simu"},
		[2]string{"Link the number again to go on answering.", "Unganisha namba tena ili kuendelea kujibu."},
	},
	queries.SessionReasonREPLACED: {
		[2]string{"Another program uses this link", "Programu nyingine inatumia kiungo hiki"},
		[2]string{"Close the other one, or ask your operator.", "Funga hiyo nyingine, au muulize msimamizi wako."},
	},
	queries.SessionReasonBANNED: {
		[2]string{"WhatsApp suspended this number", "WhatsApp imesimamisha namba hii"},
		[2]string{"Nothing can be sent until WhatsApp lifts it. Talk to your operator.", "Hakuna kinachoweza kutumwa hadi WhatsApp iondoe zuio. Wasiliana na msimamizi wako."},
	},
	queries.SessionReasonOUTDATED: {
		[2]string{"The server needs an update", "Mfumo unahitaji kusasishwa"},
		[2]string{"WhatsApp refuses its version. Your operator has to update it.", "WhatsApp inakataa toleo lake. Msimamizi wako anapaswa kulisasisha."},
	},
	queries.SessionReasonPHONEOFFLINE: {
		[2]string{"The phone has been offline too long", "Simu haijawa mtandaoni kwa muda mrefu"},
		[2]string{"Open WhatsApp on the phone and connect it to the internet.", "Fungua WhatsApp kwenye simu na uiunganishe na intaneti."},
	},
}

// portalWords gives headline and detail for a tenant's present state.
func portalWords(t queries.GetTenantRow, lang string) (headline, detail string) {
	i := 0
	if lang == "sw" {
		i = 1
	}
	w, known := portalSentences[t.WhatsappSession.Reason]
	switch {
	case t.WhatsappSession.State == queries.SessionStateCONNECTED:
		w = portalConnected
	case !known || preparing(t):
		w = portalPreparing
	}
	return w.headline[i], w.detail[i]
}
