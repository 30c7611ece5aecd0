package bot

import "strconv"

// FieldKind is how a field is filled in.
type FieldKind string

// The kinds of fields. A page that can draw these four draws every template's form.
const (
	FieldLine FieldKind = "line" // one line
	FieldText FieldKind = "text" // several lines
	FieldRows FieldKind = "rows" // a list; each row has the field's columns
	FieldWeek FieldKind = "week" // opening hours: rows of day, from and to; a day without times is closed, no rows: hours unknown
)

// ColumnKind is how a column of a row is filled in.
type ColumnKind string

// The kinds of columns.
const (
	ColumnLine ColumnKind = "line"
	ColumnText ColumnKind = "text"
	ColumnDate ColumnKind = "date" // 2006-01-02
)

// Section is a part of a template's form: what belongs together. A template describes its form with these, so that one
// with more to say brings a longer form and no new page. The words people read beside it are the caller's, by Key.
type Section struct {
	Key    string
	Fields []Field
}

// Field is one thing a business may say in its own words.
type Field struct {
	Key     string // in Values
	Words   string // what the field is called, where that is not unique to the template: "menu", "offers", "services"
	Number  int    // of several with the same Words, from 1; else 0
	Kind    FieldKind
	Most    int // characters of a text, or rows
	Columns []Column

	standard text // what the bot says where nothing is entered
}

// Column is one entry of each row.
type Column struct {
	Key    string
	Kind   ColumnKind
	Most   int // characters
	Needed bool
}

// Keys of the fields and columns that every template may use.
const (
	KeyGreeting  = "greeting"
	KeyAway      = "away"
	KeyOffers    = "offers"
	KeyQuestions = "questions"
	KeyHours     = "hours"
	KeyHolidays  = "holidays"

	menuPrefix   = "menu."   // and the intent of a line of the menu
	answerPrefix = "answer." // and an intent

	colName, colPrice      = "name", "price"
	ColQuestion, colAnswer = "question", "answer"
	colNote                = "note"
)

// Columns of the week. A row that is open must have both times; one that is not and has none says that the day is closed.
const (
	ColDay  = "day" // as Days has it
	ColFrom = "from"
	ColTo   = "to"
	ColOpen = "open" // "" or anything
)

// Limits of what a business enters, beside those in config.go.
const (
	maxLabelRunes    = 40
	maxOwnRunes      = 500 // an answer
	maxAwayRunes     = 200
	maxQuestionRunes = 120
	maxQuestions     = 20
	maxHolidays      = 20
	maxNoteRunes     = 40
)

// Form describes what this template lets a business say in its own words.
func Form(t Template) []Section { return scriptOf(t).form }

// Standard is what the bot says where the business enters nothing, as this business's customers read it; "" where a field
// has no such text.
func (f Field) Standard(c Config) string {
	t := &turn{cfg: c, script: scriptOf(c.Template)}
	return t.say(f.standard)
}

// part makes one section of a template's form.
type part func(s *script) Section

func partWelcome(s *script) Section {
	return Section{"welcome", []Field{{Key: KeyGreeting, Words: KeyGreeting, Kind: FieldText, Most: maxGreetingRunes, standard: s.intro}}}
}

func partMenu(s *script) Section {
	sec := Section{Key: "menu"}
	for i, item := range s.menu {
		sec.Fields = append(sec.Fields, Field{Key: menuPrefix + item.intent, Words: "menu", Number: i + 1, Kind: FieldLine, Most: maxLabelRunes, standard: item.label})
	}
	return sec
}

// partOffers asks for what the business sells; words says what that is called.
func partOffers(words string) part {
	return func(*script) Section {
		return Section{words, []Field{{Key: KeyOffers, Words: words, Kind: FieldRows, Most: maxOffers, Columns: []Column{
			{colName, ColumnLine, maxOfferRunes, true}, {colPrice, ColumnLine, maxPriceRunes, false},
		}}}}
	}
}

// partAnswers asks for the business's own answers to these intents.
func partAnswers(intents ...string) part {
	return func(s *script) Section {
		sec := Section{Key: "answers"}
		for _, intent := range intents {
			said, ok := s.answers[intent]
			if !ok {
				said = commonAnswers[intent]
			}
			sec.Fields = append(sec.Fields, Field{Key: answerPrefix + intent, Words: "answer_" + intent, Kind: FieldText, Most: maxOwnRunes, standard: said})
		}
		return sec
	}
}

func partQuestions(*script) Section {
	return Section{KeyQuestions, []Field{{Key: KeyQuestions, Words: KeyQuestions, Kind: FieldRows, Most: maxQuestions, Columns: []Column{
		{ColQuestion, ColumnLine, maxQuestionRunes, true}, {colAnswer, ColumnText, maxOwnRunes, true},
	}}}}
}

func partHours(*script) Section {
	return Section{KeyHours, []Field{
		{Key: KeyHours, Words: KeyHours, Kind: FieldWeek, Most: maxPeriods},
		{Key: KeyHolidays, Words: KeyHolidays, Kind: FieldRows, Most: maxHolidays, Columns: []Column{
			{ColFrom, ColumnDate, len(isoDay), true}, {ColTo, ColumnDate, len(isoDay), false}, {colNote, ColumnLine, maxNoteRunes, false},
		}},
		{Key: KeyAway, Words: KeyAway, Kind: FieldText, Most: maxAwayRunes, standard: sayClosedShort},
	}}
}

// Show is a field's value as a person reads it in a history: its text, its rows one a line, or the week; "" for nothing.
func (f Field) Show(v Values, l Language) string {
	switch f.Kind {
	case FieldLine, FieldText:
		return v.Texts[f.Key]
	case FieldWeek:
		hours, err := v.hours()
		if err != nil || !hours.Known() {
			return ""
		}
		return hours.words(l)
	}
	out := ""
	for i, row := range v.Rows[f.Key] {
		if i > 0 {
			out += "\n"
		}
		out += strconv.Itoa(i+1) + ". "
		said := false
		for _, c := range f.Columns {
			if row[c.Key] == "" {
				continue
			}
			if said {
				out += " – "
			}
			out, said = out+row[c.Key], true
		}
	}
	return out
}
