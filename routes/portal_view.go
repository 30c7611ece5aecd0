package routes

// PortalHomePage is an owner's first page (template "portal/home").
type PortalHomePage struct {
	Page
	Business string
	State    PortalState
	Link     LinkPanel
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
	Received int // messages from customers today
	Answered int // replies today
	Waiting  int // replies not sent yet
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
