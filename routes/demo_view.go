package routes

import "time"

// PhonePage is the demo's virtual phone (template "demo/phone").
// GET /demo/phone?business=<id>&customer=<phone>; POST /demo/phone/send with business, customer, text.
type PhonePage struct {
	Page
	Businesses []PhoneContact
	Customers  []PhoneContact
	Business   PhoneContact // the chosen one; ID empty when there is none
	Customer   PhoneContact
	Chat       []PhoneBubble // oldest first
	Quick      []string      // suggestions for a first message, in the business's language
	Form       PhoneForm
	TenantURL  string // this conversation as the operator sees it
}

// PhoneContact is a business or a sample customer. Whether a business is connected is a template of its own
// ("fragments/phone_online", element id "online-<ID>").
type PhoneContact struct {
	ID       string // tenant id, or the customer's number
	Name     string
	Phone    string
	Detail   string // "Bookings, Swahili"
	Online   bool   // business: its number is connected
	Selected bool
	URL      string // page with this one chosen
}

// PhoneBubble is one message on the virtual phone (template "fragments/phone_bubble", element id "bubble-<ID>").
// Status is for the customer's own messages: QUEUED, SENT, DELIVERED, READ, FAILED.
type PhoneBubble struct {
	ID     string
	Mine   bool // written by the customer
	Text   string
	Status string
	At     time.Time
}

// Tick is the delivery sign of the customer's own message.
func (b PhoneBubble) Tick() Tick { return TickOf(b.Status, "en") }

// PhoneTyping shows or hides the dots (template "fragments/phone_typing", element id "typing").
type PhoneTyping struct {
	Name   string
	Typing bool
}

// PhoneForm is the message box (template "fragments/phone_form", element id "phone-form").
type PhoneForm struct {
	Business string
	Customer string
	Text     string
	Error    string
	Quick    []string
}
