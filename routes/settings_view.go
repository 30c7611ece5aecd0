package routes

import "time"

// SettingsPage is what the operator decides while the server runs (template "admin/settings").
type SettingsPage struct {
	Page
	Sections []SettingsSection
	Jobs     []JobRow
	Keys     int // API keys that are valid
	Notice   string
}

// SettingsSection is one form (template "fragments/settings_section", element id "set-<ID>"). POST /admin/settings/<ID> with its
// fields' names.
type SettingsSection struct {
	ID, Title, About string
	Fields           []SettingField
	Error            string
	Saved            bool
	Notice           string    // why the reader may change nothing; empty: they may
	Test             *MailTest // of mail
}

// Editable tells whether anything of the form can be changed.
func (s SettingsSection) Editable() bool {
	for _, f := range s.Fields {
		if f.FixedBy == "" && s.Notice == "" {
			return true
		}
	}
	return false
}

// SettingField is one of its fields. Kind is text, number, color, select or password.
type SettingField struct {
	Name, Label, Kind, Value string
	Unit                     string // after the field
	Hint, Error              string
	Default                  string // in force where the field is empty
	FixedBy                  string // the environment's variable that decides it; empty: none does
	Choices                  []Choice
	Least, Most              int  // of a number
	Held                     bool // of a password: one is kept
}

// MailTest sends a mail to somebody (template "fragments/mail_test", element id "mail-test"). POST /admin/settings/mail/test with to.
type MailTest struct {
	To       string
	On       bool // a mail server is set
	Sent     string
	Error    string
	ReadOnly bool
}

// JobRow is a job that comes round by itself (template "fragments/job_row", element id "job-<Kind>"). POST
// /admin/settings/jobs/<Kind>/run runs it now.
type JobRow struct {
	Kind, Name, Does, Every string
	Began, Next             time.Time
	Took                    string
	Node                    string
	State                   State
	Error                   string
	ReadOnly                bool
}
