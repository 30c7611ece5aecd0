package routes

import (
	"time"

	"flowhq/jobs"
)

// LoginPage signs a person in (template "login"). POST /login with email, password, next.
type LoginPage struct {
	Page
	Email  string
	Next   string // local path to go to afterwards
	Error  string // "E-mail or password is wrong." or the wait after too many tries
	Demo   []DemoLogin
	Notice string // for example "You are signed out."
}

// DemoLogin is a sample account offered on the login page in demo mode.
type DemoLogin struct {
	Label    string // "Salon owner"
	Detail   string // "Neema Salon, Swahili"; empty: of the operator, which the page words
	Email    string
	Password string
}

// SetupPage creates the first admin (template "setup"). POST to its own URL with name, email, password.
type SetupPage struct {
	Page
	Action  string // "/setup/<token>"
	Name    string
	Email   string
	Errors  FieldErrors
	Error   string
	Expires time.Time
}

// InvitePage lets an invited person choose a password (template "invite"). POST to its own URL with password.
type InvitePage struct {
	Page
	Action   string // "/invite/<token>"
	Name     string
	Email    string
	Business string // empty for an admin
	Errors   FieldErrors
	Error    string
	Expires  time.Time
	person   jobs.Actor
}

// LinkGonePage is shown for a link that expired or was used (template "link_gone").
type LinkGonePage struct {
	Page
	Heading string
	Detail  string
}

// SignOutPage confirms signing out of every device (template "signout"). POST /logout-everywhere.
type SignOutPage struct {
	Page
	Sessions int // devices signed in now; 0 when unknown
	BackURL  string
}
