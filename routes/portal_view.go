package routes

import "time"

// PortalHomePage is an owner's first page (template "portal/home").
type PortalHomePage struct {
	Page
	Business string
	State    PortalState
	Link     LinkPanel
	Test     TestForm
	Result   TestResult
	Latest   MessageList // at most five
}

// PortalState is the business's state in one sentence with three numbers
// (template "fragments/portal_state", element id "portal-state").
type PortalState struct {
	Lang     string
	State    State
	Headline string // "Your number answers customers."
	Detail   string // what it means or what to do
	Phone    string
	Since    time.Time // of a state that is not connected; zero: not said
	Replies  string    // how long half of the customers waited at most for an answer today, in words; "": none was answered
	Received int       // messages from customers today
	Answered int       // replies today
	Waiting  int       // replies not sent yet
}

// TestForm sends a message to the person's own phone (template "fragments/test_form", element id "test-form"). POST /portal/test.
type TestForm struct {
	Lang, Phone, Error string
}

// TestResult is what became of the latest test message (template "fragments/test_result", element id "test-result").
type TestResult struct {
	Lang, Tone, Icon string
	Phone            string // "": no test lately
	Sentence         string
	At               time.Time
}

// PortalMessagesPage lists messages (template "portal/messages").
type PortalMessagesPage struct {
	Page
	Messages MessageList
}

// PortalEventsPage lists what happened (template "portal/events").
type PortalEventsPage struct {
	Page
	Events EventList
}

// PortalAccountPage is the person's own account (template "portal/account").
type PortalAccountPage struct {
	Page
	Business      string
	Password      PasswordForm
	EmailForm     EmailForm
	Devices       DeviceList
	ManagesPeople bool // the owner's link to the page of staff
}
