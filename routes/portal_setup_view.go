package routes

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"flowhq/jobs"
	"flowhq/templates/words"
)

// SetupProgressPage is the owner's way to a bot that answers (template "portal/setup").
type SetupProgressPage struct {
	Page
	State    SetupProgress
	Link     *LinkPanel // once the request is approved
	Form     SetupForm
	ShowForm bool // instead of the steps
}

// SetupProgress is where a request stands (templates "fragments/setup_state", element id "setup-state", and
// "fragments/setup_steps", "setup-steps").
type SetupProgress struct {
	Lang, Status, Business string // Status: of the request; empty: none was sent
	Headline, Detail       string
	Reason                 string // why it was rejected
	Steps                  []SetupStep
	Sent                   time.Time
}

// SetupStep is one of the four.
type SetupStep struct {
	Word, Says        string
	Done, Now, Failed bool
}

// SetupProgressOf words where a request with this status stands.
func SetupProgressOf(lang, status string) SetupProgress {
	group := "setup." + status + "."
	p := SetupProgress{Lang: lang, Status: status, Headline: words.T(lang, group+"headline"), Detail: words.T(lang, group+"detail")}
	at := slices.Index([]string{"SUBMITTED", "REVIEWING", "APPROVED", "ACTIVE"}, status)
	if status == "REJECTED" {
		at = 1
	}
	for i, key := range []string{"setup.step.sent", "setup.step.review", "setup.step.scan", "setup.step.live"} {
		step := SetupStep{Word: words.T(lang, key), Says: words.T(lang, "setup.step.later")}
		switch {
		case status == "REJECTED" && i == 1:
			step.Failed, step.Says = true, words.T(lang, "setup.step.failed")
		case i < at || i == 0 || status == "ACTIVE":
			step.Done, step.Says = true, words.T(lang, "setup.step.done")
		case i == max(at, 1):
			step.Now, step.Says = true, words.T(lang, "setup.step.now")
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

// SetupLink holds the code to scan, or nothing (template "fragments/setup_link", element id "setup-link").
type SetupLink struct{ Link *LinkPanel }

// SetupForm asks for what a bot needs to begin (template "portal/setup"). POST /portal/setup.
type SetupForm struct {
	Lang                                          string
	BusinessName, Kind, Template, Language, Phone string
	Always                                        bool
	From, To                                      string // HH:MM
	Days                                          []SetupDay
	Kinds, Templates, Languages                   []Choice
	Errors                                        FieldErrors
}

// SetupDay is one day of the week.
type SetupDay struct {
	Number int // as time.Weekday
	Word   string
	Open   bool
}

// NewSetupForm is an empty form, with the hours that most businesses have.
func NewSetupForm(lang string) SetupForm {
	f := SetupForm{Lang: lang, Language: "SW", From: "08:00", To: "18:00", Errors: FieldErrors{}}
	if lang == words.English {
		f.Language = "EN"
	}
	for _, kind := range jobs.BusinessKinds {
		f.Kinds = append(f.Kinds, Choice{kind, words.T(lang, "business."+kind)})
	}
	for _, c := range TemplateChoices() {
		f.Templates = append(f.Templates, Choice{c.Value, words.T(lang, "template."+c.Value)})
	}
	for _, c := range LanguageChoices() {
		f.Languages = append(f.Languages, Choice{c.Value, words.T(lang, "language."+c.Value)})
	}
	for _, d := range []time.Weekday{1, 2, 3, 4, 5, 6, 0} { // the week begins on Monday
		f.Days = append(f.Days, SetupDay{Number: int(d), Word: words.Weekday(lang, d), Open: d != time.Sunday})
	}
	return f
}

// readHours fills in hours as they were sent before.
func (f *SetupForm) readHours(raw []byte) {
	var week map[string][][2]string
	if f.Always = len(raw) == 0; f.Always || json.Unmarshal(raw, &week) != nil {
		return
	}
	for i, d := range f.Days {
		periods := week[strings.ToLower(time.Weekday(d.Number).String()[:3])]
		if f.Days[i].Open = len(periods) > 0; f.Days[i].Open {
			f.From, f.To = periods[0][0], periods[0][1]
		}
	}
}
