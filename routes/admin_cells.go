package routes

import (
	"strings"
	"unicode/utf8"

	"flowhq/queries/tables"
	"flowhq/templates"
)

var messageStateWords = []stateWord{
	{"RECEIVED", ToneIdle, "Received", ""}, {"QUEUED", ToneWaiting, "Waiting", ""}, {"SENT", ToneOK, "Sent", ""},
	{"DELIVERED", ToneOK, "Delivered", ""}, {"READ", ToneOK, "Read", ""}, {"FAILED", ToneFailed, "Failed", ""},
}

var requestWords = []stateWord{
	{"SUBMITTED", ToneWaiting, "Submitted", ""}, {"REVIEWING", ToneWaiting, "In review", ""}, {"APPROVED", ToneOK, "Approved", ""},
	{"ACTIVE", ToneOK, "Active", ""}, {"REJECTED", ToneFailed, "Rejected", ""},
}

// sessionReasonWords are one or two words where state_sentences.go has the sentence.
var sessionReasonWords = []stateWord{
	{"NEVER_LINKED", ToneIdle, "Never linked", ""}, {"UNLINKED", ToneIdle, "Unlinked", ""}, {"STOPPED", ToneIdle, "Stopped", ""},
	{"WAITING_FOR_SCAN", ToneWaiting, "Waiting for scan", ""}, {"SCAN_EXPIRED", ToneIdle, "Codes ran out", ""},
	{"CONNECTING", ToneWaiting, "Connecting", ""}, {"CONNECTED", ToneOK, "Connected", ""}, {"RESTRICTED", ToneWaiting, "Connected, limited", ""},
	{"RECONNECTING", ToneWaiting, "Reconnecting", ""}, {"REFUSED", ToneWaiting, "Turned away", ""}, {"LOGGED_OUT", ToneFailed, "Logged out", ""},
	{"LOCKED", ToneFailed, "Locked", ""}, {"REPLACED", ToneFailed, "Used elsewhere", ""}, {"BANNED", ToneFailed, "Banned", ""},
	{"OUTDATED", ToneFailed, "Update needed", ""},
}

// enumWords are the enums that say how something is doing, by Postgres' name of the type; others are shown as plain words.
var enumWords = map[string][]stateWord{
	"tenant_status": tenantWords, "session_state": sessionWords, "session_reason": sessionReasonWords, "worker_status": workerWords,
	"message_status": messageStateWords, "setup_request_status": requestWords,
}

// plainWord makes a stored value readable: "PHONE_OFFLINE" is "Phone offline".
func plainWord(code string) string {
	words := strings.ToLower(strings.ReplaceAll(code, "_", " "))
	if words == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(words)
	return strings.ToUpper(string(first)) + words[size:]
}

// enumWord is what people read for a value of an enum.
func enumWord(c *tables.Column, code string) string {
	if c.Type == "language" || c.Type == "template_type" {
		for _, choice := range append(TemplateChoices(), LanguageChoices()...) {
			if choice.Value == code {
				return choice.Label
			}
		}
	}
	if words := enumWords[c.Type]; words != nil {
		return stateOf(words, code, "en").Word
	}
	return plainWord(code)
}

// cell shows one value. title is what a related record is called.
func (s *server) cell(c *tables.Column, v tables.Value, title string) CellView {
	cell := CellView{Label: c.Label, Column: string(c.Kind), Kind: "text", Text: v.Text}
	if v.Null {
		cell.Kind = "null"
		return cell
	}
	switch c.Kind {
	case tables.Enum:
		cell.Kind, cell.Text, cell.Full = "tag", enumWord(c, v.Text), v.Text
		if words := enumWords[c.Type]; words != nil {
			state := stateOf(words, v.Text, "en")
			cell.Kind, cell.Tone, cell.Icon = "state", state.Tone, state.Icon()
		}
	case tables.Time:
		cell.Kind, cell.Time = "time", v.Time
	case tables.Int:
		cell.Kind = "num"
	case tables.Bool:
		cell.Kind, cell.Text = "bool", map[string]string{"true": "Yes", "false": "No"}[v.Text]
	case tables.Phone:
		cell.Kind, cell.Text = "num", templates.Phone(v.Text)
	case tables.UUID:
		cell.Kind, cell.Full = "code", v.Text
	case tables.JSON:
		cell.Kind = "code"
	case tables.Relation:
		cell.Kind, cell.Text = "link", title
		if title == "" {
			cell.Text = v.Text
		}
		cell.Href = recordURL(c.Ref, v.Text)
	}
	return cell
}

// recordURL is where a record is shown: on its own page, or in the drawer over its table's list.
func recordURL(t *tables.Table, key string) string {
	if t.Page != "" {
		return strings.Replace(t.Page, "%s", key, 1)
	}
	return dataBase(t) + "?open=" + queryEscape(key)
}
