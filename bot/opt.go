package bot

import "strings"

// Opt is what a customer decides with a message about automatic messages.
type Opt string

// The decisions; "" is none.
const (
	OptOut Opt = "OUT" // no automatic messages from now on
	OptIn  Opt = "IN"  // the bot may answer again
)

// Intents of messages about automatic messages.
const (
	IntentOptOut   = "OPT_OUT"
	IntentOptIn    = "OPT_IN"
	IntentOptedOut = "OPTED_OUT" // from a customer who wants no automatic messages
)

// The words must be all that a message says: "stop" alone is the one that people know from everywhere, while "acha" alone only ends a request.
var (
	optOutWords = setOfLines("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "acha ujumbe", "acha kutuma", "acha kutuma ujumbe", "acha kuniandikia",
		"sitaki ujumbe", "sitaki meseji", "sitaki message", "sitaki sms", "jiondoe", "jitoe", "niondoe", "nitoe", "stop ujumbe", "stop messages")
	optInWords = setOfLines("start", "unstop", "subscribe", "opt in", "optin", "anza", "anza tena", "jiunge", "rudisha", "nirudishe")
)

func setOfLines(lines ...string) map[string]bool {
	set := map[string]bool{}
	for _, l := range lines {
		set[l] = true
	}
	return set
}

// ReadOpt tells what a message decides, whoever answers it: OptIn only counts for those who are out.
func ReadOpt(text string, out bool) Opt {
	line := strings.Join(fold(nil, text), " ")
	switch {
	case !out && optOutWords[line]:
		return OptOut
	case out && optInWords[line]:
		return OptIn
	}
	return ""
}

// opt takes a message up that decides about automatic messages, or that comes from somebody who wants none. A running request is ended by
// "stop" as by any other word for it, and only the next "stop" is about everything.
func (t *turn) opt(out bool) (Decision, bool) {
	if _, running := t.flow(); running && !out {
		return Decision{}, false
	}
	switch ReadOpt(t.msg.Text, out) {
	case OptOut:
		t.next.leave()
		d := t.reply(IntentOptOut, t.say(sayOptedOut))
		d.Opt = OptOut
		return d, true
	case OptIn:
		d := t.reply(IntentOptIn, t.say(sayOptedIn))
		d.Opt = OptIn
		return d, true
	}
	if out {
		return t.ignore(IntentOptedOut, reasonOptedOut), true
	}
	return Decision{}, false
}
