package routes

// PortalHomePage is an owner's first page (template "portal/home").
type PortalHomePage struct {
	Page
	Text     PortalText
	Business string
	State    PortalState
	Link     LinkPanel
	Latest   MessageList // at most five
}

// PortalState is the business's state in one sentence with three numbers
// (template "fragments/portal_state", element id "portal-state").
type PortalState struct {
	Text     PortalText
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
	Text     PortalText
	Messages MessageList
}

// PortalEventsPage lists what happened (template "portal/events").
type PortalEventsPage struct {
	Page
	Text   PortalText
	Events EventList
}

// PortalAccountPage is the person's own account (template "portal/account").
type PortalAccountPage struct {
	Page
	Text     PortalText
	Business string
	Password PasswordForm
}
