package routes

import (
	"time"

	"flowhq/templates/words"
)

// InboxPage is the business's chats and, with one chosen, what was written in it (template "portal/inbox"; for the operator "admin/chats"). On a
// phone one of the two is shown, on a desk both.
type InboxPage struct {
	Page
	List      ChatList
	Thread    *Thread // nil: none is chosen
	TenantURL string  // for the operator: the tenant's page
}

// ChatList is the list of chats, the latest first (template "fragments/chat_list"; its rows alone: "fragments/chat_rows").
type ChatList struct {
	Lang     string
	Base     string // its address
	Operator bool   // one of the operator's people looks on
	Tabs     []InboxTab
	Show     string // the chosen tab
	Search   string
	Rows     []ChatRow
	MoreURL  string // older ones; empty at the end
}

// Filtered tells whether not all chats are listed.
func (l ChatList) Filtered() bool { return l.Show != "" || l.Search != "" }

// InboxTab is one of the ways to look at the list.
type InboxTab struct {
	Show, Label, URL string
	Current          bool
}

// ChatRow is one chat in the list (template "fragments/chat_row", element id "chat-<ID>").
type ChatRow struct {
	ID, Lang, URL string
	Contact       string // name, or number where there is no name
	By            string // who wrote the last message, where it was not the customer
	Last          MessageView
	At            time.Time
	Unread        int
	Waiting       bool // the customer asked for a person
	Paused        bool // a person has taken over
	Out           bool // the customer wants no automatic messages
	Labels        []string
	Selected      bool
}

// Initials stand for the customer where there is no picture.
func (r ChatRow) Initials() string {
	if r.Contact == "" || r.Contact[0] == '+' {
		return ""
	}
	return UserView{Name: r.Contact}.Initials()
}

// Handoffs is how many customers wait for a person (template "fragments/inbox_badge", element ids "inbox-badge" and "inbox-waiting").
type Handoffs struct {
	Lang   string
	Count  int
	Latest time.Time // the latest of them began to wait
}

// Thread is one chat (template "fragments/thread").
type Thread struct {
	ID, Lang string
	Operator bool   // one of the operator's people looks on
	BackURL  string // the list, as it was
	Head     ChatHead
	Lines    []ThreadLine // oldest first
	OlderURL string       // before them; empty at the beginning
	Bar      ChatBar
	Compose  Composer
	Info     ContactInfo
	Canned   []CannedAnswer
}

// ChatHead is whose chat it is (template "fragments/chat_head", element id "chat-head").
type ChatHead struct {
	Lang    string
	Contact string // name or number
	Phone   string // where the name stands for Contact; E.164
	Labels  []string
}

// ThreadLine is one message of a thread (template "fragments/thread_line", element id "line-<ID>"), after the line of its day where it is
// the day's first.
type ThreadLine struct {
	MessageView
	Day    time.Time // the message's day, as its midnight; zero: not shown
	Writer string    // BOT, PERSON or API, of what the business wrote
	Seq    int64     // its place in the chat
}

// WriterIcon is the sprite's symbol for who wrote.
func (l ThreadLine) WriterIcon() string {
	switch l.Writer {
	case "BOT":
		return "bot"
	case "PERSON":
		return "user"
	}
	return "zap"
}

// ChatBar says who answers in a chat, and changes it (template "fragments/chat_bar", element id "chat-bar").
type ChatBar struct {
	Lang, Action string    // Action: the chat's address; empty: the reader changes nothing here
	Waiting      time.Time // since when the customer asks for a person; zero: not
	Paused       bool
	By           string    // who took over; empty: somebody
	Until        time.Time // the bot answers again from then on; zero: when it is handed back
	Out          bool      // the customer wants no automatic messages
}

// Today tells whether the pause ends soon enough for its time of day to say it.
func (b ChatBar) Today() bool { return time.Until(b.Until) < 12*time.Hour }

// PauseChoices are the times for which one takes a chat over, in minutes.
func (b ChatBar) PauseChoices() []Choice {
	var all []Choice
	for _, m := range pauseMinutes {
		all = append(all, Choice{Value: m, Label: words.T(b.Lang, "pause."+m)})
	}
	return all
}

// Composer is where a person answers (template "fragments/composer", element id "composer").
type Composer struct {
	Lang, Action string
	Operator     bool   // the business's quick answers are not the operator's
	Notice       string // why the reader may not write; empty: they may
	Key          string // of this form: sent twice, the message goes out once
	Text, Error  string
	Away         bool // the number is not connected: the message waits
}

// ContactInfo is what the business knows about a customer (template "fragments/contact_info", element id "contact-info").
type ContactInfo struct {
	Lang, Action string
	Phone        string
	Name         string    // that the business gave, or else WhatsApp's
	Own          bool      // the business gave it
	Out          time.Time // since when they want no automatic messages; zero: the bot answers
	OutBy        string    // CUSTOMER or PERSON
	Labels       []string
	Known        []string // labels in use, to choose from
	Notes        []NoteView
	NoteKey      string // of the form for one more: sent twice, it is one note
	Error        string
}

// NoteView is one note about a customer.
type NoteView struct {
	ID, Text, Author string
	At               time.Time
}

// CannedAnswer is a text that is used again and again.
type CannedAnswer struct{ ID, Title, Text string }

// CannedPage is where they are kept (template "portal/canned").
type CannedPage struct {
	Page
	Canned CannedPanel
}

// CannedPanel lists them with a form for one more (template "fragments/canned", element id "canned").
type CannedPanel struct {
	Lang   string
	Rows   []CannedAnswer
	New    CannedAnswer // as typed
	Errors FieldErrors  // of the new one
}
