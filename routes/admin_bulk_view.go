package routes

import "time"

// BulkOffers are what can be done to many records of a table. They can always be exported.
type BulkOffers struct{ Edit, Delete, Workers bool }

// BulkQuestion asks before many records are changed (template "fragments/bulk_question", element id "bulk-question").
type BulkQuestion struct {
	Base, Action, Verb, Heading string
	RunID                       string // of the run that will be: a second click asks for the same
	Query, Keys                 string // which records; Keys is empty where All is set
	All                         bool
	Whole                       bool // no filter: it is the whole table
	Count                       int64
	Danger                      bool
	Type                        bool   // the number must be typed …
	Number                      string // … which is this
	Columns                     []Choice
	Column                      string
	Field                       *FieldView // nil: no column is chosen yet
	Goes, Stays                 []string
	Unknown                     bool
	Error                       string
}

// BulkRunPage is one run (template "admin/bulk_run").
type BulkRunPage struct {
	Page
	Run BulkRunView
}

// BulkRunView is how far a run is (template "fragments/bulk_run", element id "bulk-run").
type BulkRunView struct {
	ID, URL  string
	Heading  string // "Delete 1 204 contacts"
	State    State
	AtWork   bool
	Cancel   bool // the reader may end it
	Percent  int
	Progress string // "340 of 1 204"
	Facts    []BulkFact
	Failures []BulkFailureView
	More     string // how many more failures there are; empty: none
	Error    string
	By       string
	Asked    time.Time
	Finished time.Time // zero while it is at work
	Filter   string
	Changes  []BulkFact
	ListURL  string
	List     string // "contacts"
}

// BulkFact is a number or a value with its name.
type BulkFact struct{ Label, Text string }

// BulkFailureView is a record that was refused.
type BulkFailureView struct{ Title, URL, Reason string }
