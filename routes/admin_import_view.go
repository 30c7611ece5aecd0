package routes

import "time"

// ImportUploadPage asks for a file (template "admin/import_upload").
type ImportUploadPage struct {
	Page
	ID              string // of the import that will be: sent twice, it is one
	Base            string // "/admin/data/contacts"
	Singular, Many  string
	Create, Change  bool // what can be imported
	Columns         []Choice
	MostMB, MostMax int    // limit of the file: in megabytes, in bytes
	MostRows        string // in rows
	Error           string
}

// ImportPage is one import (template "admin/import").
type ImportPage struct {
	Page
	Import  ImportView
	Mapping *ImportMappingForm // what the columns mean is asked; nil: it is known
}

// ImportMappingForm asks what the columns of a file mean (template "fragments/import_mapping", element id "import-mapping").
type ImportMappingForm struct {
	Action         string // where it is sent
	CancelURL      string // back to the report; empty: there is none yet
	Singular, Many string
	Columns        []ImportColumnView
	Targets        []Choice
	Modes          []Choice
	Mode           string
	Keys           []Choice
	Key            string
	Defaults       []ImportDefault
	Error          string
	Errors         FieldErrors
}

// ImportColumnView is a column of the file.
type ImportColumnView struct {
	Field, Name string
	First       []string // of its values
	Target      string   // column of the table; empty: it is left out
	Error       string
}

// ImportDefault is a value for a column that the file does not have.
type ImportDefault struct {
	Field, Column, Label, Value, Hint, Error string
	Choices                                  []Choice
	Required                                 bool
	Mapped                                   bool // the file has the column after all
}

// ImportView is how far an import is and what its rows came to (template "fragments/import", element id "import").
type ImportView struct {
	ID, URL       string
	State         State
	Trying        bool // what follows is what would be
	AtWork, Ready bool // Ready: it was tried and can begin
	Done          bool // it began for good and is over
	May           bool // the reader may go on with it
	Notice        string
	Percent       int
	Progress      string
	File          string
	By            string
	Asked         time.Time
	Finished      time.Time
	Attempt       int32
	Will          string // "Import 12 rows"
	Nothing       bool   // no row would make or change anything
	Refused       string // how many rows are refused; empty: none
	Invited       bool   // new people have links that wait
	Error         string
	List, ListURL string
	Rows          ImportRows
}

// ImportRows is the report, row by row (template "fragments/import_rows").
type ImportRows struct {
	Chips   []FilterChip
	Show    string
	Rows    []ImportRowView
	MoreURL string
	URL     string // of the page
}

// ImportRowView is a row of the file and what comes of it.
type ImportRowView struct {
	Line    int32
	Words   []string // its first values
	State   State
	URL     string // of the record; empty: there is none
	Changes []ImportChangeView
	Reasons []BulkFact // column and sentence
}

// ImportChangeView is a field that a row changes.
type ImportChangeView struct{ Label, From, To string }
