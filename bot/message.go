package bot

// Kind is what a message is made of.
type Kind string

// The kinds a customer's message can have. Anything else is treated as KindUnknown.
const (
	KindText     Kind = "text"
	KindImage    Kind = "image"
	KindVideo    Kind = "video"
	KindAudio    Kind = "audio" // a sound file
	KindVoice    Kind = "voice" // a recorded voice note
	KindDocument Kind = "document"
	KindSticker  Kind = "sticker"
	KindLocation Kind = "location"
	KindContact  Kind = "contact"
	KindPoll     Kind = "poll"
	KindReaction Kind = "reaction"
	KindUnknown  Kind = "unknown"
)

// Message is one message of a customer. Nothing about it is trusted: the text may be of
// any length, in any script, or not valid UTF-8.
type Message struct {
	Kind       Kind
	Text       string // the text, or the caption of a picture, video or document
	SenderName string // as the customer's own phone states it; may be empty
	OptedOut   bool   // the customer wants no automatic messages
}

// Intents: what a message was taken to mean, as Decision.Intent names it.
// A request that was completed is reported as its intent with the suffix "_DONE".
const (
	IntentGreeting = "GREETING"
	IntentMenu     = "MENU"
	IntentHuman    = "HUMAN"
	IntentThanks   = "THANKS"
	IntentBye      = "BYE"
	IntentYes      = "YES"
	IntentNo       = "NO"
	IntentOK       = "OK"
	IntentHours    = "HOURS"
	IntentWhere    = "WHERE"
	IntentPrice    = "PRICE"
	IntentCancel   = "CANCEL"
	IntentStatus   = "STATUS"
	IntentBook     = "BOOK"
	IntentServices = "SERVICES"
	IntentOrder    = "ORDER"
	IntentProducts = "PRODUCTS"
	IntentDelivery = "DELIVERY"
	IntentPayment  = "PAYMENT"
	IntentProblem  = "PROBLEM"
	IntentOwn      = "OWN" // a question of the business's own

	IntentFallback = "FALLBACK" // not understood
	IntentWaiting  = "WAITING"  // not understood, but written to the team: noted for them
	IntentNonText  = "NON_TEXT" // a picture, voice note, location …
	IntentReaction = "REACTION"

	IntentBookDone    = IntentBook + doneSuffix
	IntentOrderDone   = IntentOrder + doneSuffix
	IntentProblemDone = IntentProblem + doneSuffix
	IntentCancelDone  = IntentCancel + doneSuffix
	IntentStatusDone  = IntentStatus + doneSuffix

	doneSuffix = "_DONE"
)

// MaxReplyRunes bounds every reply, in Unicode code points.
const MaxReplyRunes = 1000

// Reply is one message to send to the customer: valid UTF-8, 1 to MaxReplyRunes code points.
type Reply struct {
	Text string
}

// Decision is what to do about one message. Next is always to be stored, also when
// nothing is sent.
type Decision struct {
	Replies []Reply      // none or one; never more
	Next    Conversation // the chat's state after this message
	Intent  string       // one of the Intent constants
	Handoff bool         // the customer asked for a person with this message
	Opt     Opt          // what they decided about automatic messages
	Ignore  bool         // deliberately no reply; Reason says why
	Reason  string       // for the log: the guard that withheld a reply, or ""
}
