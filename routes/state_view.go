package routes

import "time"

// TenantState words a tenant's status; lang is "en" or "sw".
func TenantState(code, lang string) State {
	return stateOf(tenantWords, code, lang)
}

// SessionState words a WhatsApp session's state.
func SessionState(code, lang string) State {
	return stateOf(sessionWords, code, lang)
}

// WorkerState words a worker's state.
func WorkerState(code, lang string) State {
	return stateOf(workerWords, code, lang)
}

type stateWord struct{ code, tone, en, sw string }

var tenantWords = []stateWord{
	{"NEW", ToneIdle, "New", "Mpya"},
	{"QR_PENDING", ToneWaiting, "Waiting for link", "Inasubiri kuunganishwa"},
	{"ACTIVE", ToneOK, "Active", "Inafanya kazi"},
	{"PAUSED", ToneIdle, "Paused", "Imesimamishwa"},
	{"ERROR", ToneFailed, "Needs attention", "Inahitaji uangalizi"},
}

var sessionWords = []stateWord{
	{"DISCONNECTED", ToneIdle, "Not connected", "Haijaunganishwa"},
	{"QR_READY", ToneWaiting, "Waiting for scan", "Inasubiri kuskaniwa"},
	{"CONNECTED", ToneOK, "Connected", "Imeunganishwa"},
	{"RESTRICTED", ToneWaiting, "Connected, limited", "Imeunganishwa, kwa kikomo"}, // connected, but may not write to new customers
}

var workerWords = []stateWord{
	{"RUNNING", ToneOK, "Running", "Inaendesha"},
	{"STARTING", ToneWaiting, "Starting", "Inaanza"},
	{"STOPPING", ToneWaiting, "Stopping", "Inasimama"},
	{"STOPPED", ToneIdle, "Stopped", "Imesimama"},
	{"ERROR", ToneFailed, "Failed", "Imeshindwa"},
}

func stateOf(words []stateWord, code, lang string) State {
	for _, w := range words {
		if w.code == code {
			if lang == "sw" {
				return State{Code: code, Word: w.sw, Tone: w.tone}
			}
			return State{Code: code, Word: w.en, Tone: w.tone}
		}
	}
	return State{Code: code, Word: code, Tone: ToneIdle}
}

// StatePanel is the live strip of a tenant's three states with the actions that are legal now
// (template "fragments/state_panel", element id "state-panel").
type StatePanel struct {
	TenantID string
	Tenant   State
	Session  State
	// SessionReason is the sentence behind the session's state; empty when the word says all.
	SessionReason string
	SessionSince  time.Time // zero when unknown
	LastSeen      time.Time // last keepalive or heartbeat; zero when never
	Worker        State
	WorkerNode    string // host the worker runs on; empty when it runs nowhere
	WorkerError   string // last error in plain words; empty for none
	Queued        int    // replies waiting to be sent
	Held          int    // first messages to new customers among them, which WhatsApp does not take now

	// Which buttons are legal in the present state.
	CanStart, CanStop, CanRestart, CanLogout bool
}

// LinkPanel is where a number gets linked (template "fragments/link_panel", element id "link-panel").
// It serves the admin's tenant page and the portal; Base names the URLs of its forms.
type LinkPanel struct {
	Base string // "/admin/tenants/<id>" or "/portal": forms post to Base/pair-code, Base/worker/start, Base/demo-scan
	Text LinkText

	// Exactly one of these describes what to show; all false means "not running, start it".
	Connected bool // linked: shows "Connected as"
	ShowQR    bool // a code is on screen
	Preparing bool // the worker is starting; a skeleton of the QR's size is shown
	CanStart  bool // with none of the above: a button that starts the worker

	Phone string // linked number, E.164
	Since time.Time

	QR        string    // PNG data URI with a quiet zone of four modules; shown at 304 px, so the code itself is over 264
	QRCode    string    // the text inside the QR, for copying; empty hides it
	IssuedAt  time.Time // when this code appeared
	ExpiresAt time.Time // the ring runs from IssuedAt to ExpiresAt

	Reason   string // why it is not connected, as a sentence (logged out, banned, …); empty for none
	Blocked  bool   // linking again now cannot work (banned, outdated): no start button, only Reason
	DemoMode bool   // adds "Scan with the demo phone"

	Pair PairForm
}

// PairForm asks for a phone number and shows the eight characters to type on the phone
// (template "fragments/pair_form", element id "pair-form"). It is a fragment of its own, so a
// renewed QR never takes away what someone is typing.
type PairForm struct {
	Base      string
	Text      LinkText
	Phone     string // as typed
	Error     string
	Code      string // "ABCD1234"; empty until asked for
	ExpiresAt time.Time
}

// CodeShown splits the eight characters in two groups, as the phone shows them.
func (p PairForm) CodeShown() string {
	if len(p.Code) != 8 {
		return p.Code
	}
	return p.Code[:4] + "-" + p.Code[4:]
}
