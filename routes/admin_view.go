package routes

import "time"

// TenantsPage is the list of businesses (template "admin/tenants").
type TenantsPage struct {
	Page
	List     TenantList
	Form     TenantForm // the "New tenant" drawer
	ReadOnly bool       // the reader may make none
}

// TenantList is the list with its filters (template "fragments/tenant_list", element id "tenant-list").
type TenantList struct {
	Filters []FilterChip
	Query   string // search text as typed
	Status  string // active filter, empty for all
	Rows    []TenantRow
	MoreURL string // next page ("/admin/tenants?cursor=…&status=…&q=…"); empty at the end
	Error   string // shown instead of the rows
}

// Filtered tells whether an empty list is due to the filters.
func (l TenantList) Filtered() bool { return l.Query != "" || l.Status != "" }

// FilterChip is one status filter with the number of tenants it leaves.
type FilterChip struct {
	Label  string
	Status string // empty for "All"
	Count  int
	Tone   string
	Active bool
}

// TenantRow is one line of the list (template "fragments/tenant_row", element id "tenant-<ID>").
type TenantRow struct {
	ID            string
	Name          string // the business
	Phone         string // E.164
	Template      string // label: "Bookings"
	Language      string // label: "Swahili"
	Tenant        State
	Session       State
	SessionReason string
	Worker        State
	Node          string
	LastSeen      time.Time
}

// TenantForm creates a tenant (template "fragments/tenant_form", element id "tenant-form").
// POST /admin/tenants with name, business_name, phone_number, template_type, language.
type TenantForm struct {
	Name, BusinessName, Phone, Template, Language string
	Errors                                        FieldErrors // by those field names
	Error                                         string
	Templates, Languages                          []Choice
	Open                                          bool // the drawer is open on load (form posted without JavaScript)
}

// TenantPage is one business (template "admin/tenant").
type TenantPage struct {
	Page
	ID       string
	Name     string
	Business string
	Phone    string
	Created  time.Time
	State    StatePanel
	Link     LinkPanel
	Send     SendForm
	Messages MessageList
	Events   EventList
	Config   ConfigForm
	People   PeoplePanel
	Delete   DeleteForm

	May           Rights    // the reader's
	Closing       time.Time // when it is deleted, because its owner closed it; zero: it stays
	ClosingReason string    // in the owner's words

	ConfigURL  string // where those look at the settings who may not change them
	HistoryURL string
}

// ConfigForm edits how the bot answers (template "fragments/config_form", element id "config-form").
// POST /admin/tenants/<id>/config with business_name, template_type, language, replies_per_minute.
type ConfigForm struct {
	TenantID             string
	BusinessName         string
	Template, Language   string
	RepliesPerMinute     string // as typed; empty means the default
	DefaultReplies       int    // the server-wide limit a minute; 0 is unlimited
	Templates, Languages []Choice
	Errors               FieldErrors
	Error                string
	Saved                bool // just saved: a quiet confirmation beside the button
}

// PeoplePanel lists owner and staff (template "fragments/people", element id "people").
// POST /admin/tenants/<id>/people with name, email, role; …/people/<user>/invite for a new link;
// …/people/<user>/remove.
type PeoplePanel struct {
	TenantID string
	People   []PersonView
	HasOwner bool // then only staff can be added
	Name     string
	Email    string
	Role     string
	Errors   FieldErrors
	Error    string
	Invite   *InviteLink // just created: shown once
	Notice   string      // why the reader may change nobody; empty: they may
}

// PersonView is one account of a tenant.
type PersonView struct {
	ID        string
	Name      string
	Email     string
	Role      string // Owner, Staff
	Pending   bool   // has not chosen a password yet
	LastLogin time.Time
}

// InviteLink is a single-use link to choose a password, shown once.
type InviteLink struct {
	Name      string
	Email     string
	URL       string
	ExpiresAt time.Time
	Mailed    bool // it was also sent by e-mail
}

// DeleteForm is the danger zone (template "fragments/delete_form", element id "delete-form").
// POST /admin/tenants/<id>/delete with confirm = the tenant's name.
type DeleteForm struct {
	TenantID string
	Name     string
	Error    string
}

// KeysPage lists API keys (template "admin/keys").
type KeysPage struct {
	Page
	Keys KeysPanel
}

// KeysPanel is the list with its form (template "fragments/keys", element id "keys").
// POST /admin/keys with label and tenant_id; POST /admin/keys/<id>/revoke.
type KeysPanel struct {
	Rows     []KeyRow
	Label    string
	TenantID string
	Tenants  []Choice // value: id, label: name; "All tenants" is added by the template
	Errors   FieldErrors
	Error    string
	NewKey   string // shown once, right after creating
	NewLabel string
	Notice   string // why the reader may neither make nor revoke any; empty: they may
}

// KeyRow is one API key. The key itself is stored only as a hash.
type KeyRow struct {
	ID       string
	Label    string
	Tenant   string // name; empty for a key that reaches all tenants
	Created  time.Time
	LastUsed time.Time
	Revoked  time.Time // zero while it is valid
}

// AccountPage is the admin's own account (template "admin/account").
type AccountPage struct {
	Page
	Password PasswordForm
}

// PasswordForm changes one's own password (template "fragments/password_form", id "password-form").
// Fields: current, password.
type PasswordForm struct {
	Action string // "/admin/account/password" or "/portal/account/password"
	Email  string // the person's own, so password managers know which account changes
	Lang   string
	Errors FieldErrors
	Error  string
	Saved  bool
}
