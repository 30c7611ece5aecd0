package routes

import (
	"time"

	"flowhq/templates/words"
)

// TenantState words a tenant's status; lang is "en" or "sw".
func TenantState(code, lang string) State {
	return stateOf("state.tenant.", tenantTones, code, lang)
}

// SessionState words a WhatsApp session's state.
func SessionState(code, lang string) State {
	return stateOf("state.session.", sessionTones, code, lang)
}

// WorkerState words a worker's state.
func WorkerState(code, lang string) State {
	return stateOf("state.worker.", workerTones, code, lang)
}

// tones of the states; their words are in the groups state.* of templates/words/locales.

var tenantTones = map[string]string{
	"NEW":        ToneIdle,
	"QR_PENDING": ToneWaiting,
	"ACTIVE":     ToneOK,
	"PAUSED":     ToneIdle,
	"ERROR":      ToneFailed,
}

var sessionTones = map[string]string{
	"DISCONNECTED": ToneIdle,
	"QR_READY":     ToneWaiting,
	"CONNECTED":    ToneOK,
	"RESTRICTED":   ToneWaiting, // connected, but may not write to new customers
}

var workerTones = map[string]string{
	"RUNNING":  ToneOK,
	"STARTING": ToneWaiting,
	"STOPPING": ToneWaiting,
	"STOPPED":  ToneIdle,
	"ERROR":    ToneFailed,
}

func stateOf(group string, tones map[string]string, code, lang string) State {
	tone, known := tones[code]
	if !known {
		return State{Code: code, Word: code, Tone: ToneIdle}
	}
	return State{Code: code, Word: words.T(lang, group+code), Tone: tone}
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
	Notice                                   string // why the reader has none of them
}

// For leaves out what the reader's role does not allow.
func (p StatePanel) For(v *visitor) StatePanel {
	if p.Notice = v.lacks(rightWorkers); p.Notice != "" {
		p.CanStart, p.CanStop, p.CanRestart, p.CanLogout = false, false, false, false
	}
	return p
}

// LinkPanel is where a number gets linked (template "fragments/link_panel", element id "link-panel").
// It serves the admin's tenant page and the portal; Base names the URLs of its forms.
type LinkPanel struct {
	Base string // "/admin/tenants/<id>" or "/portal": forms post to Base/pair-code, Base/worker/start, Base/demo-scan
	Lang string

	// Exactly one of these describes what to show; all false means "not running, start it".
	Connected bool // linked: shows "Connected as"
	ShowQR    bool // a code is on screen
	Preparing bool // the worker is starting; a skeleton of the QR's size is shown
	CanStart  bool // with none of the above: a button that starts the worker
	Idle      bool // with none of the above: the link to the phone is kept, no scan is needed

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

// withoutLinking leaves out what links a number: who sees a code can.
func (p LinkPanel) withoutLinking() LinkPanel {
	if (p.ShowQR || p.Preparing) && p.Reason == "" {
		p.Reason = "A number is being linked. The code is for those who may link one."
	}
	p.ShowQR, p.QR, p.QRCode, p.Preparing, p.CanStart, p.Pair.Code = false, "", "", false, false, ""
	return p
}

// PairForm asks for a phone number and shows the eight characters to type on the phone
// (template "fragments/pair_form", element id "pair-form"). It is a fragment of its own, so a
// renewed QR never takes away what someone is typing.
type PairForm struct {
	Base      string
	Lang      string
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
