package routes

import "time"

// CustomersPage lists the business's customers (template "portal/customers").
type CustomersPage struct {
	Page
	List CustomerList
	Add  CustomerForm
}

// CustomerList is the list (template "fragments/customer_list", element id "customers"; its rows alone: "fragments/customer_rows").
type CustomerList struct {
	Lang      string
	Tabs      []InboxTab
	Show      string
	Search    string
	Label     string
	Labels    []Choice
	Sort      string // "name", or "" for the latest message
	Rows      []CustomerRow
	MoreURL   string // empty at the end
	ExportURL string
	Total     int // of all customers, whatever is shown
}

// Filtered tells whether not all are listed.
func (l CustomerList) Filtered() bool { return l.Show != "" || l.Search != "" || l.Label != "" }

// CustomerRow is one customer.
type CustomerRow struct {
	URL, Lang     string
	Contact       string // name, or number where there is no name
	Phone         string // where the name stands for Contact
	Labels        []string
	Last          time.Time // zero: never wrote and was never written to
	Messages      int
	Out           bool
	Initials      string
	MessagesWords string
}

// CustomerForm adds one by hand. POST /portal/customers with name, phone and labels.
type CustomerForm struct {
	Lang, Name, Phone string
	Errors            FieldErrors
}

// CustomerImportPage takes a file of customers (template "portal/customers_import").
type CustomerImportPage struct {
	Page
	Error string
	Look  *CustomerImport // what the file would do; nil: none was sent
}

// CustomerImport is a file before anything of it is written. Rows go along with the form that writes them.
type CustomerImport struct {
	Lang                        string
	New, Changed, Same, Refused int
	Rows                        []CustomerImportRow // those to look at
	More                        int                 // others
	Carry                       string
}

// Writes tells whether an import would change anything.
func (l CustomerImport) Writes() bool { return l.New+l.Changed > 0 }

// CustomerImportRow is one row of the file.
type CustomerImportRow struct {
	Line        int
	Phone, Name string
	Labels      []string
	State       State
	Reason      string // why it is left out
}
