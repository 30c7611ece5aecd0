package routes

import "flowhq/templates"

// Sidebar is the admin's list of tables (template "partials/admin_side"): the overview, pinned ones, then all, by group.
type Sidebar struct {
	Home   SideLink
	Pins   []SideLink
	Groups []SideGroup
}

// SideGroup is a heading with its entries.
type SideGroup struct {
	Name  string
	Links []SideLink
}

// SideLink is one entry.
type SideLink = templates.SideLink

// DataPage is the list of one table (template "admin/data").
type DataPage struct {
	Page
	List   DataList
	Record *RecordDrawer // open on load; nil: none
	Runs   []BulkRunView // at work on this table now
	NewURL string        // where a new record is made, in the drawer or on a page of its own; empty: nowhere
	NewIn  string        // "drawer" or "page"
	Chart  *ListChart    // over the list; nil: none
}

// ListChart draws how many records there are through time (template "admin/data"), of each value of an enum.
type ListChart struct {
	URL    string // gives the ListSeries of the list's filter
	Values []Choice
	Lost   string // what is known to be missing; empty: nothing
}

// ListSeries is what the chart of a list draws (template "fragments/list_series", element id "log-series").
type ListSeries struct {
	Series string // JSON
	Words  string // the same in a sentence
}

// DataList is the list with what belongs to it (template "fragments/data_list", element id "list").
type DataList struct {
	Table, Singular, Plural, Icon string
	Many                          string // the plural inside a sentence
	Base                          string // "/admin/data/messages"
	Import                        bool   // the reader may import a file
	Query                         string // as typed
	Sort                          string
	Error                         *FilterProblem
	Columns                       []ColumnHead // those shown
	All                           []ColumnChoice
	Rows                          []DataRow
	CountURL                      string
	MoreURL                       string // empty at the end
	SelfURL                       string // this view
	Views                         []SavedView
	ViewName                      string // of the saved view that is shown now; empty: none
	Hints                         string // JSON for the suggestions: columns, operators, values
	Example                       string
	Search                        bool // a word alone is searched for
	Pinned                        bool // to the top of the sidebar
	Bulk                          BulkOffers
}

// Span is how many cells a row has.
func (l DataList) Span() int { return len(l.Columns) }

// FilterProblem is a filter's text divided at what is wrong with it.
type FilterProblem struct {
	Before, Bad, After, Message string
}

// ColumnHead is a column's head. SortURL is empty where ordering by it would be slow.
type ColumnHead struct {
	Name, Label, Kind string
	SortURL           string
	Next              string // the order that a click asks for, of what stands in the bar by then
	Order             string // ascending, descending, or empty
}

// ColumnChoice is one switch of the columns' menu.
type ColumnChoice struct {
	Name, Label string
	Shown       bool
}

// SavedView is a list under a name.
type SavedView struct {
	ID, Name, URL string
	Current       bool
}

// DataRow is one row (template "fragments/data_row", element id "row-<Key>").
type DataRow = templates.Row

// CellView is one value.
type CellView = templates.Cell

// CountView is a list's number of rows (template "fragments/data_count", element id "list-count").
type CountView struct {
	Text     string
	ExactURL string // counts exactly, whatever it takes; empty where it is exact
}
