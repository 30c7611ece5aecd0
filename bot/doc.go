// Package bot is the reply engine: it decides what a business answers to one
// message of one customer. It is pure. Decide takes everything it may know (the
// business's Config, the chat's Conversation, the Message and the time) and returns
// everything it wants (replies and the next Conversation); it reads no clock, does
// no I/O and keeps nothing between calls, so the same input always gives the same
// Decision and any number of goroutines may call it at once.
//
// # Following one message
//
// Decide (decide.go) puts the conversation in order (conversation.go), asks the
// loop guard (guard.go), reads the text as words (words.go) and as an intent
// (match.go), lets a running multi-step request take the message if it wants it
// (flow.go), and otherwise answers the intent. Texts are filled in by say.go;
// opening hours are read in hours.go and put into words in hours_words.go.
//
// What the bot says and which words it listens to are data, in both languages side
// by side: script_common.go for every business, and script_booking.go,
// script_shop.go and script_support.go for the three templates. Nothing outside
// these files contains a sentence meant for a customer.
//
// # How texts are written
//
// A text is {sw: "…", en: "…"}. Slots in braces are filled in: {business}, {name}
// (a space and the customer's first name, or nothing), {menu}, {offers} (one bullet
// each), {choices} (the same, numbered), {example}, {ref}, {lastref}, and the name
// of any step of the running request, such as {service} or {when}. A test
// fails on a text that is missing in one language or uses a slot that does not exist.
// Never state what only the business knows (a price, an address, a stock level):
// say that the team confirms it, until the business has entered it in Settings.
//
// # What a business enters
//
// Form (form.go) describes for each template what a business may enter, Check (check.go) says
// what is wrong with it, and ReadConfig (settings.go) makes a Config of it, once for each version:
// questions of the business's own are compiled (questions.go), holidays go into the hours
// (holidays.go). What is not entered stays as the template has it.
//
// # How words are matched
//
// A message is folded (case, accents, width, punctuation, drawn-out letters as in
// "habariiii") and compared by whole words, never by parts of words. A trigger may be a
// phrase of up to four words; the longest phrase at a place wins. A trigger written with
// a leading "=" counts only when the message says nothing else, apart from fillers such as
// "naomba" or "please" and greetings: "=mtu" hears "naomba mtu" but not "bei kwa mtu mmoja".
// When a message contains several intents, the one listed first in the template wins, and
// the template's own come before the common ones, except asking for a person, which comes first.
// Both languages are always understood; the answer is in the configured one.
//
// # Adding a template
//
//  1. Add its name to the Template constants in config.go (and to the database's enum).
//  2. Write script_<name>.go with one function returning a script: the introduction,
//     an example, the menu, the triggers, the answers, the flows, and the parts of the form
//     in which a business says it in its own words.
//  3. List it in scripts in script.go.
//
// The tests walk every script: they fail when a menu item has no answer, a text lacks
// a language, a trigger is not in its folded form or belongs to two intents, or a reply
// could grow beyond MaxReplyRunes.
package bot
