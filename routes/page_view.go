package routes

import (
	"strings"
	"unicode/utf8"
)

// Page is what every full page carries; page structs embed it. Fragments do not.
type Page struct {
	Title        string // shown in the header and, before the product name, in the browser's tab
	ProductName  string // "Flow HQ", or what the operator calls it
	BrandURL     string // the style sheet of the operator's colour; empty for our own
	Lang         string // "en" or "sw": the language of the page itself
	User         *UserView
	Nav          string // active entry: tenants, jobs, keys, account; in the portal home, inbox, messages, events, account
	Flash        []Toast
	DemoMode     bool     // shows the "simulated WhatsApp" ribbon and the virtual phone's entry
	Applying     bool     // an owner whose business is not let in yet: only the set-up and the account are there
	OfferEnglish bool     // to somebody who reads Swahili pages with an English browser
	Here         string   // where this page is found again, in another language
	Side         *Sidebar // the admin's tables; nil outside the admin
	StreamURL    string   // server-sent events of this page; empty for none
	Charts       bool     // loads what draws them
}

// UserView is the person signed in.
type UserView struct {
	Name      string
	Email     string
	Role      string // ADMIN, OWNER or STAFF
	AdminRole string // of the operator's people: support, say; empty for an admin
}

// Initials are the first letters of the first and the last word of the name, for the avatar.
func (u UserView) Initials() string {
	words := strings.Fields(u.Name)
	if len(words) == 0 {
		words = []string{u.Email}
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return strings.ToUpper(string(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return strings.ToUpper(string(first) + string(last))
}

// Toast is a short notice at the bottom of the page. Error toasts stay until closed.
type Toast struct {
	Kind string `json:"kind"` // ok, info, warn or error
	Text string `json:"text"`
	Lang string `json:"-"` // of the word on its button
}

// FieldErrors holds one readable sentence per form field that was refused, by the field's name.
type FieldErrors map[string]string

// Tones of a state. They are never the only sign: each has its own icon beside a word.
const (
	ToneOK      = "ok"
	ToneWaiting = "waiting"
	ToneFailed  = "failed"
	ToneIdle    = "idle"
)

// State is a status as people see it.
type State struct {
	Code string // the stored value, for example QR_READY
	Word string // for example "Waiting for scan"
	Tone string
}

// Icon is the sprite's symbol for the tone.
func (s State) Icon() string {
	switch s.Tone {
	case ToneOK:
		return "circle-check"
	case ToneWaiting:
		return "clock"
	case ToneFailed:
		return "triangle-alert"
	}
	return "circle-dashed"
}

// Choice is one option of a select.
type Choice struct {
	Value string
	Label string
}

// TemplateChoices are the kinds of bot a business can have.
func TemplateChoices() []Choice {
	return []Choice{{"BOOKING", "Bookings"}, {"ECOMMERCE", "Shop"}, {"SUPPORT", "Support desk"}}
}

// LanguageChoices are the languages a bot answers in.
func LanguageChoices() []Choice {
	return []Choice{{"SW", "Swahili"}, {"EN", "English"}}
}

// ErrorPage is shown for 403, 404, 429, 500 and 503 (template "error").
type ErrorPage struct {
	Page
	Status    int
	Heading   string // what happened
	Detail    string // what it means and what to do
	RequestID string // printed small so a person can quote it; empty hides it
	RetryIn   int    // seconds until another try makes sense (429); 0 for none
	HomeURL   string // where "Back" leads
}
