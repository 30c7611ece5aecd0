package routes

import (
	"strings"
	"time"
)

// PortalLang is the page language for a tenant's language: "sw" for SW, otherwise "en".
func PortalLang(language string) string {
	if strings.EqualFold(language, "sw") {
		return "sw"
	}
	return "en"
}

// PortalText holds the portal's own words in one language.
type PortalText struct {
	Home, Messages, Events, Account            string
	Today, Received, Answered, Waiting         string
	Latest, AllMessages                        string
	NoMessages, NoMessagesHint                 string
	NoEvents, NoEventsHint                     string
	SignedInAs, Role, SignOut, SignOutAll      string
	SignOutAllHint, Password, Theme            string
	ThemeAuto, ThemeLight, ThemeDark, Business string
	SignOutText                                SignOutText
}

// LinkText holds the words around linking a number.
type LinkText struct {
	Heading, Intro                        string
	Step1, Step2, Step3, Step3Code        string
	QRAlt, TimeLeft, CopyCode, Copied     string
	OrCode, PhoneLabel, PhoneHint, GetQR  string
	GetCode, CodeHeading, CodeHint        string
	Preparing, ConnectedAs, Since         string
	NotRunning, NotRunningHint, DemoScan  string
	NotConnected                          string // heading where a Reason follows
	ShowQRTab, UseCodeTab, ConnectedsHint string
}

// PasswordText holds the words of the password forms.
type PasswordText struct {
	Heading, Hello, Intro, Current, New, Hint  string
	Save, Saved, LinkEnds, For, Weak, OK, Good string
	Show                                       string
}

// SignOutText holds the words of the sign-out-everywhere page.
type SignOutText struct {
	Heading, Detail, Confirm, Back string
}

// PortalWords are the portal's words; lang is "en" or "sw".
func PortalWords(lang string) PortalText {
	if lang == "sw" {
		return PortalText{
			Home: "Nyumbani", Messages: "Ujumbe", Events: "Matukio", Account: "Akaunti",
			Today: "Leo", Received: "Zimepokelewa", Answered: "Zimejibiwa", Waiting: "Zinasubiri",
			Latest: "Ujumbe wa karibuni", AllMessages: "Ujumbe wote",
			NoMessages: "Bado hakuna ujumbe", NoMessagesHint: "Mteja akiandika kwa namba yako, ujumbe na jibu vitaonekana hapa papo hapo.",
			NoEvents: "Bado hakuna matukio", NoEventsHint: "Namba ikiunganishwa au kukatika, utaona hapa.",
			SignedInAs: "Umeingia kama", Role: "Nafasi", SignOut: "Toka", SignOutAll: "Toka kwenye vifaa vyote",
			SignOutAllHint: "Tumia hii ukipoteza simu au kompyuta.", Password: "Nenosiri", Theme: "Mwonekano",
			ThemeAuto: "Kama kifaa", ThemeLight: "Mwanga", ThemeDark: "Giza", Business: "Biashara",
			SignOutText: SignOutWords(lang),
		}
	}
	return PortalText{
		Home: "Home", Messages: "Messages", Events: "Events", Account: "Account",
		Today: "Today", Received: "Received", Answered: "Answered", Waiting: "Waiting",
		Latest: "Latest messages", AllMessages: "All messages",
		NoMessages: "No messages yet", NoMessagesHint: "When a customer writes to your number, the message and its answer appear here at once.",
		NoEvents: "Nothing happened yet", NoEventsHint: "When your number is linked or loses its connection, you see it here.",
		SignedInAs: "Signed in as", Role: "Role", SignOut: "Sign out", SignOutAll: "Sign out everywhere",
		SignOutAllHint: "Use this when a phone or computer is lost.", Password: "Password", Theme: "Appearance",
		ThemeAuto: "As the device", ThemeLight: "Light", ThemeDark: "Dark", Business: "Business",
		SignOutText: SignOutWords(lang),
	}
}

// LinkWords are the words of the link panel; lang is "en" or "sw".
func LinkWords(lang string) LinkText {
	if lang == "sw" {
		return LinkText{
			Heading: "Unganisha namba yako", Intro: "Hatua tatu, kama dakika moja. Simu yako inabaki kufanya kazi kama kawaida.",
			Step1: "Fungua WhatsApp kwenye simu ya biashara.", Step2: "Gusa Menyu au Mipangilio, kisha Vifaa vilivyounganishwa, kisha Unganisha kifaa.",
			Step3: "Elekeza kamera kwenye msimbo huu.", Step3Code: "Gusa \"Unganisha kwa namba ya simu\" na uandike msimbo huu.",
			QRAlt: "Msimbo wa QR wa kuunganisha WhatsApp", TimeLeft: "Muda uliobaki", CopyCode: "Nakili msimbo", Copied: "Imenakiliwa",
			OrCode: "Huwezi kuskani? Tumia namba ya simu", PhoneLabel: "Namba ya WhatsApp", PhoneHint: "Pamoja na nchi, mfano +255 712 345 678",
			GetQR: "Onyesha msimbo wa QR", GetCode: "Nipe msimbo", CodeHeading: "Andika msimbo huu kwenye simu",
			CodeHint:  "WhatsApp › Vifaa vilivyounganishwa › Unganisha kifaa › Unganisha kwa namba ya simu",
			Preparing: "Tunaandaa msimbo…", ConnectedAs: "Imeunganishwa kama", Since: "tangu",
			NotConnected: "Namba haijaunganishwa", NotRunning: "Namba bado haijaunganishwa", NotRunningHint: "Anza ili msimbo wa QR uonekane hapa.",
			DemoScan: "Skani kwa simu ya mfano", ShowQRTab: "Msimbo wa QR", UseCodeTab: "Namba ya simu",
			ConnectedsHint: "Wateja wanajibiwa kutoka namba hii. Simu si lazima iwe na intaneti muda wote.",
		}
	}
	return LinkText{
		Heading: "Link the number", Intro: "Three steps, about a minute. The phone keeps working as before.",
		Step1: "Open WhatsApp on the business phone.", Step2: "Tap Menu or Settings, then Linked devices, then Link a device.",
		Step3: "Point the camera at this code.", Step3Code: "Tap \"Link with phone number\" and type this code.",
		QRAlt: "QR code that links WhatsApp", TimeLeft: "Time left", CopyCode: "Copy code", Copied: "Copied",
		OrCode: "Cannot scan? Use the phone number", PhoneLabel: "WhatsApp number", PhoneHint: "With country code, for example +255 712 345 678",
		GetQR: "Show the QR code", GetCode: "Get a code", CodeHeading: "Type this code on the phone",
		CodeHint:  "WhatsApp › Linked devices › Link a device › Link with phone number",
		Preparing: "Preparing the code…", ConnectedAs: "Connected as", Since: "since",
		NotConnected: "The number is not connected", NotRunning: "The number is not linked yet", NotRunningHint: "Start to see the QR code here.",
		DemoScan: "Scan with the demo phone", ShowQRTab: "QR code", UseCodeTab: "Phone number",
		ConnectedsHint: "Customers get their answers from this number. The phone need not be online all the time.",
	}
}

// PasswordWords are the words of the password forms; lang is "en" or "sw".
func PasswordWords(lang string) PasswordText {
	if lang == "sw" {
		return PasswordText{
			Heading: "Chagua nenosiri", Hello: "Karibu", Intro: "Utalitumia pamoja na barua pepe yako kuingia.",
			Current: "Nenosiri la sasa", New: "Nenosiri jipya", Hint: "Angalau herufi 10. Maneno matatu yasiyohusiana ni rahisi kukumbuka na magumu kubahatisha.",
			Save: "Hifadhi nenosiri", Saved: "Nenosiri limebadilishwa.", LinkEnds: "Kiungo hiki kinaisha", For: "Kwa",
			Weak: "Fupi mno", OK: "Inatosha", Good: "Imara", Show: "Onyesha nenosiri",
		}
	}
	return PasswordText{
		Heading: "Choose a password", Hello: "Welcome", Intro: "You will use it with your e-mail address to sign in.",
		Current: "Current password", New: "New password", Hint: "At least 10 characters. Three unrelated words are easy to remember and hard to guess.",
		Save: "Save password", Saved: "Password changed.", LinkEnds: "This link ends", For: "For",
		Weak: "Too short", OK: "Fair", Good: "Strong", Show: "Show password",
	}
}

// SignOutWords are the words of the sign-out-everywhere page; lang is "en" or "sw".
func SignOutWords(lang string) SignOutText {
	if lang == "sw" {
		return SignOutText{
			Heading: "Utoke kwenye vifaa vyote?", Detail: "Kila simu na kompyuta iliyoingia na akaunti hii itatoka, pamoja na hii. Roboti ya WhatsApp inaendelea kufanya kazi.",
			Confirm: "Toka kila mahali", Back: "Ghairi",
		}
	}
	return SignOutText{
		Heading: "Sign out everywhere?", Detail: "Every phone and computer signed in with this account is signed out, this one included. The WhatsApp bot keeps running.",
		Confirm: "Sign out everywhere", Back: "Cancel",
	}
}

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

// reasonWords say what is and what to do, in English and Swahili; {at} is the time.
var reasonWords = map[string][2]string{
	ReasonConnecting:   {"Connecting to WhatsApp.", "Inaunganishwa na WhatsApp."},
	ReasonWaitingScan:  {"Waiting for the phone to scan the code.", "Tunasubiri simu iskani msimbo."},
	ReasonReconnecting: {"The connection dropped; it comes back by itself. Since {at}.", "Muunganisho umekatika; unarudi wenyewe. Tangu {at}."},
	ReasonUnreachable: {"No connection to WhatsApp since {at}; it is tried again at least once a minute. If other numbers are away too, look at this server's internet connection.",
		"Hakuna muunganisho na WhatsApp tangu {at}; inajaribiwa tena angalau kila dakika. Kama namba nyingine pia zimekatika, angalia intaneti ya mfumo huu."},
	ReasonRefused: {"WhatsApp has turned the connection away since {at}. It is tried again by itself, with growing pauses; if it lasts, update this server.",
		"WhatsApp inakataa muunganisho tangu {at}. Inajaribiwa tena yenyewe, kwa kusubiri zaidi kila mara; ikiendelea, wasiliana na msimamizi."},
	ReasonLoggedOut: {"The device was removed on the phone. Link the number again.", "Kifaa kiliondolewa kwenye simu. Unganisha namba tena."},
	ReasonLocked: {"WhatsApp ended the link: the account on the phone is locked, logged out or on another phone. Open WhatsApp there, follow what it says, then link again.",
		"WhatsApp imeondoa muunganisho: akaunti kwenye simu imefungwa, imetoka au imehamia simu nyingine. Fungua WhatsApp huko, fuata inachosema, kisha unganisha tena."},
	ReasonUnlinked: {"The number is not linked any more. Link it again to go on.", "Namba haijaunganishwa tena. Iunganishe tena ili kuendelea."},
	ReasonReplaced: {"Another program took over this link. Stop the other one, then start again.", "Programu nyingine imechukua kiungo hiki. Izime, kisha uanze tena."},
	ReasonBanned: {"WhatsApp has suspended this number until {at}. It connects again by itself then; do not restart it before.",
		"WhatsApp imeisimamisha namba hii hadi {at}. Itaunganishwa yenyewe baada ya hapo; usiianzishe kabla."},
	ReasonBannedNoEnd: {"WhatsApp has suspended this number and named no end. Look at WhatsApp on the phone, and restart when it works there.",
		"WhatsApp imeisimamisha namba hii bila kusema hadi lini. Angalia WhatsApp kwenye simu, na uanzishe upya ikifanya kazi huko."},
	ReasonBannedGone: {"WhatsApp has banned this number and ended the link. Ask for a review in WhatsApp on the phone, then link it again.",
		"WhatsApp imeifungia namba hii na kuondoa muunganisho. Omba ikaguliwe upya ndani ya WhatsApp kwenye simu, kisha unganisha tena."},
	ReasonOutdated:   {"WhatsApp asks for a newer version of this server. Update it, then start again.", "WhatsApp inahitaji toleo jipya la mfumo huu. Wasiliana na msimamizi."},
	ReasonStopped:    {"Stopped by a person.", "Imesimamishwa na mtu."},
	ReasonPairFailed: {"Linking did not work. Try once more.", "Kuunganisha hakukufaulu. Jaribu tena."},
	ReasonTimedOut:   {"Nobody scanned the code in time. Ask for a new one.", "Msimbo haukuskaniwa kwa wakati. Omba mwingine."},
	ReasonRestricted: {"WhatsApp does not let this number write first to new customers until {at}. Whoever wrote is answered as always; first messages wait and go out by themselves then.",
		"WhatsApp hairuhusu namba hii kuwaandikia wateja wapya kwanza hadi {at}. Walioandika wanajibiwa kama kawaida; ujumbe wa kwanza unasubiri na utatumwa wenyewe baada ya hapo."},
	ReasonRechecked: {"WhatsApp does not let this number write first to new customers and names no end; checked again at {at}. Whoever wrote is answered as always; first messages wait and go out by themselves.",
		"WhatsApp hairuhusu namba hii kuwaandikia wateja wapya kwanza, bila kusema hadi lini; itaangaliwa tena {at}. Walioandika wanajibiwa kama kawaida; ujumbe wa kwanza unasubiri na utatumwa wenyewe."},
	ReasonRechecking: {"WhatsApp does not let this number write first to new customers; it is being checked whether that is over. Whoever wrote is answered as always.",
		"WhatsApp hairuhusu namba hii kuwaandikia wateja wapya kwanza; inaangaliwa kama imekwisha. Walioandika wanajibiwa kama kawaida."},
}

// ReasonSentence words what a session's state means, or "" for one it does not know; at is the time that belongs to it, in the
// zone people live in.
func ReasonSentence(reason, lang string, at time.Time) string {
	return withTime(reasonWords[reason], lang, at)
}

// withTime puts a time into words that name one: today's without the day.
func withTime(words [2]string, lang string, at time.Time) string {
	i := 0
	if lang == "sw" {
		i = 1
	}
	form := "2 Jan 15:04"
	if now := time.Now().In(at.Location()); now.YearDay() == at.YearDay() && now.Year() == at.Year() {
		form = "15:04"
	}
	return strings.ReplaceAll(words[i], "{at}", at.Format(form))
}
