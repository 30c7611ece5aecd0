package routes

import "time"

// RecordDrawer is one record in the drawer (template "fragments/record", element id "record-body").
type RecordDrawer struct {
	Table, Singular string
	Title           string
	Key             string // empty: a new one
	Base            string // "/admin/data/contacts"
	Action          string // where the form posts; empty: nothing can be changed
	Version         string
	Fields          []FieldView
	Facts           []FactView // what nobody edits here
	Error           string
	Changed         []FactView // what somebody else changed meanwhile, as it is now
	Saved           bool
	PageURL         string // the record's own page; empty: none
	DeleteURL       string // asks what goes with it; empty: it cannot be deleted by hand
	DuplicateURL    string // empty: records of this table are not made by hand
	JSONURL         string
	HistoryURL      string // who changed it, and what
	Notice          string // why the reader may not change it
	Invite          *InviteLink
	Change          *ChangeView // of an entry of the audit log
}

// New tells a record that is not there yet.
func (d RecordDrawer) New() bool { return d.Key == "" }

// FieldView is one editor.
type FieldView struct {
	Name, Label, Kind string
	Value             string // as typed or stored; of a time RFC 3339
	Choices           []Choice
	Optional          bool
	RefTable          string // of a relation
	RefTitle          string // what the chosen record is called
	Error, Hint       string
}

// FactView is one value that is only shown.
type FactView struct {
	Label string
	Cell  CellView
	Long  bool // several lines
}

// DeleteQuestion asks before a record goes (template "fragments/record_delete", element id "delete-question").
type DeleteQuestion struct {
	Singular, Title, Action string
	Goes, Stays             []string // "3 conversations"
	Unknown                 bool     // counting took too long: there may be much more
}

// PickList is what a relation's picker found (template "fragments/pick_list").
type PickList struct {
	Options []Choice
	Query   string
	More    bool
}

// LocalValue is a time as the browser's editor takes it, in UTC until a script puts it into the reader's zone.
func (f FieldView) LocalValue() string {
	if at, err := time.Parse(time.RFC3339Nano, f.Value); err == nil {
		return at.UTC().Format("2006-01-02T15:04:05")
	}
	return f.Value
}
