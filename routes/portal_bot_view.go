package routes

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"flowhq/bot"
	"flowhq/templates/words"
)

// BotPage is where a business says what its bot says (template "portal/bot").
type BotPage struct {
	Page
	Form BotForm
	Try  BotTry
}

// BotForm is drawn from what the business's template says of itself: bot.Form (template "fragments/bot_form", element id
// "bot-form"). POST /portal/bot.
type BotForm struct {
	Lang     string
	CanEdit  bool   // the owner; staff look
	Basis    string // the version of the configuration it was made from
	Sections []BotSection
	Problems int
	Conflict string      // who changed the settings meanwhile; "": nobody
	Theirs   []BotChange // from what is stored now to what this form says, with Conflict
	UndoID   string      // the version before the latest; "": none
}

// BotSection is a part of the form.
type BotSection struct {
	Key, Title, Hint string
	Fields           []BotField
}

// BotField is one field (template "fragments/bot_field", element id "field-<key>").
type BotField struct {
	Lang, Key, ID, Label string
	Kind                 bot.FieldKind
	CanEdit              bool
	Most                 int
	Value, Standard      string // Standard: what the bot says where nothing is entered
	Error                string
	Rows                 []BotRow
	Days                 []BotDay
	Always               bool   // no hours are given
	Add                  string // the word on the button that adds a row; "": the list is full
	Fresh                bool   // the last row was just added
}

// BotRow is one row of a list.
type BotRow struct {
	Index, Number int
	Cells         []BotCell
}

// BotCell is one entry of a row.
type BotCell struct {
	ID, Name, Label string
	Kind            bot.ColumnKind
	Most            int
	Needed          bool
	Value, Error    string
	Focus           bool
}

// BotDay is a day of the week.
type BotDay struct {
	Key, Word string
	Open      bool
	Periods   []BotPeriod
	CanAdd    bool
}

// BotPeriod is when a business is open on a day.
type BotPeriod struct {
	Index           int
	From, To, Error string
}

// times that a day has in the form before it is open.
const usualFrom, usualTo = "08:00", "18:00"

// BotFormOf draws the form for these values. wrong is what is wrong with them; nil: not looked at.
func BotFormOf(lang string, cfg bot.Config, v bot.Values, wrong []bot.Problem, canEdit bool) BotForm {
	f := BotForm{Lang: lang, CanEdit: canEdit, Problems: len(wrong)}
	for _, section := range bot.Form(cfg.Template) {
		part := BotSection{Key: section.Key, Title: words.T(lang, "botpart."+section.Key+".title"), Hint: words.T(lang, "botpart."+section.Key+".hint")}
		for _, field := range section.Fields {
			part.Fields = append(part.Fields, botField(lang, cfg, field, v, wrong, canEdit))
		}
		f.Sections = append(f.Sections, part)
	}
	return f
}

func botField(lang string, cfg bot.Config, field bot.Field, v bot.Values, wrong []bot.Problem, canEdit bool) BotField {
	f := BotField{
		Lang: lang, Key: field.Key, ID: "field-" + idOf(field.Key), Label: fieldLabel(lang, field), Kind: field.Kind, CanEdit: canEdit, Most: field.Most,
	}
	problem := func(row int, column string) string {
		for _, p := range wrong {
			if p.Field == field.Key && p.Row == row && p.Column == column {
				return words.T(lang, "botwrong."+string(p.Wrong), "most", p.Most)
			}
		}
		return ""
	}
	f.Error = problem(-1, "")
	switch field.Kind {
	case bot.FieldLine, bot.FieldText:
		f.Value, f.Standard = v.Texts[field.Key], field.Standard(cfg)
	case bot.FieldWeek:
		f.Always = len(v.Rows[field.Key]) == 0
		f.Days = botDays(lang, field, v.Rows[field.Key], problem)
	case bot.FieldRows:
		for i, row := range v.Rows[field.Key] {
			r := BotRow{Index: i, Number: i + 1}
			for _, c := range field.Columns {
				name := "r." + field.Key + "." + strconv.Itoa(i) + "." + c.Key
				r.Cells = append(r.Cells, BotCell{ID: "bf-" + idOf(name), Name: name, Label: words.T(lang, "botcolumn."+c.Key), Kind: c.Kind, Most: c.Most,
					Needed: c.Needed, Value: row[c.Key], Error: problem(i, c.Key)})
			}
			f.Rows = append(f.Rows, r)
		}
		if canEdit && len(f.Rows) < field.Most {
			f.Add = words.T(lang, "botadd."+field.Words)
		}
	}
	return f
}

// botDays are the week from Monday, each day with at least one period to fill in.
func botDays(lang string, field bot.Field, rows []bot.Row, problem func(int, string) string) (days []BotDay) {
	for _, key := range bot.Days() {
		day := BotDay{Key: key, Word: words.T(lang, "day."+key)}
		for i, row := range rows {
			if row[bot.ColDay] != key || row[bot.ColFrom] == "" && row[bot.ColTo] == "" && row[bot.ColOpen] == "" {
				continue
			}
			day.Open = true
			day.Periods = append(day.Periods, BotPeriod{Index: len(day.Periods), From: row[bot.ColFrom], To: row[bot.ColTo], Error: problem(i, "")})
		}
		if day.CanAdd = day.Open && len(day.Periods) < field.Most; !day.Open {
			day.Periods = []BotPeriod{{From: usualFrom, To: usualTo}}
		}
		days = append(days, day)
	}
	return days
}

// fieldLabel is what a field is called.
func fieldLabel(lang string, f bot.Field) string {
	return words.T(lang, "botfield."+f.Words, "n", f.Number)
}

// idOf makes a key fit for an element's id.
func idOf(key string) string { return strings.ToLower(strings.ReplaceAll(key, ".", "-")) }

// BotTry is the chat beside the form (template "fragments/bot_chat", element id "bot-chat"): the customer's messages and what
// the bot answers to them with what stands in the form (template "fragments/bot_lines", "bot-said"). POST /portal/bot/preview.
type BotTry struct {
	Lang     string
	Business string
	Lines    []BotLine
	Said     []string // by the customer; they travel with the form, nothing of it is stored
	Text     string   // typed and not sent
	Closed   bool     // tried at a time at which the business is closed
	Chips    []string
}

// BotLine is one message of the chat.
type BotLine struct {
	Mine bool // the customer's
	Text string
	Note string // what the bot does besides, or that it says nothing
}

// BotHistoryPage lists the versions of the settings (template "portal/bot_history").
type BotHistoryPage struct {
	Page
	Versions []BotVersion
	MoreURL  string
}

// BotVersion is one version and what it changed.
type BotVersion struct {
	Lang    string
	ID      string
	Title   string // "Version 3"
	Tag     string // that it is the present one
	By      string
	At      time.Time
	Note    string // that an earlier version was brought back, or that it is the beginning
	Current bool
	Changed []string // the fields, by their names
}

// BotVersionPage compares one version with the one before and with the present (template "portal/bot_version").
type BotVersionPage struct {
	Page
	Version    BotVersion
	Changes    []BotChange // against the version before
	Since      []BotChange // from this version to the present one
	Basis      string
	CanRestore bool
}

// BotChange is one field that two versions have differently.
type BotChange struct{ Label, Before, After string }

// botChanges are the fields of a template that differ, in the order of its form.
func botChanges(lang string, cfg bot.Config, before, after bot.Values) (all []BotChange) {
	for _, section := range bot.Form(cfg.Template) {
		for _, f := range section.Fields {
			was, is := f.Show(before, cfg.Language), f.Show(after, cfg.Language)
			if was != is {
				all = append(all, BotChange{fieldLabel(lang, f), was, is})
			}
		}
	}
	return all
}

// changedFields names the fields of changes.
func changedFields(changes []BotChange) (names []string) {
	for _, c := range changes {
		if !slices.Contains(names, c.Label) {
			names = append(names, c.Label)
		}
	}
	return names
}
