package routes

import (
	"strconv"
	"strings"

	"flowhq/queries"
	"flowhq/queries/tables"
	"flowhq/templates"
	"flowhq/templates/words"
)

var messageStates = map[string]State{
	"RECEIVED": {"RECEIVED", "Received", ToneIdle}, "QUEUED": {"QUEUED", "Waiting", ToneWaiting}, "SENT": {"SENT", "Sent", ToneOK},
	"DELIVERED": {"DELIVERED", "Delivered", ToneOK}, "READ": {"READ", "Read", ToneOK}, "FAILED": {"FAILED", "Failed", ToneFailed},
}

// sessionReasons are one or two words where state_sentences.go has the sentence.
var sessionReasons = map[string]State{
	"NEVER_LINKED": {"NEVER_LINKED", "Never linked", ToneIdle}, "UNLINKED": {"UNLINKED", "Unlinked", ToneIdle}, "STOPPED": {"STOPPED", "Stopped", ToneIdle},
	"WAITING_FOR_SCAN": {"WAITING_FOR_SCAN", "Waiting for scan", ToneWaiting}, "SCAN_EXPIRED": {"SCAN_EXPIRED", "Codes ran out", ToneIdle},
	"CONNECTING": {"CONNECTING", "Connecting", ToneWaiting}, "CONNECTED": {"CONNECTED", "Connected", ToneOK},
	"RESTRICTED": {"RESTRICTED", "Connected, limited", ToneWaiting}, "RECONNECTING": {"RECONNECTING", "Reconnecting", ToneWaiting},
	"REFUSED": {"REFUSED", "Turned away", ToneWaiting}, "LOGGED_OUT": {"LOGGED_OUT", "Logged out", ToneFailed}, "LOCKED": {"LOCKED", "Locked", ToneFailed},
	"REPLACED": {"REPLACED", "Used elsewhere", ToneFailed}, "BANNED": {"BANNED", "Banned", ToneFailed}, "OUTDATED": {"OUTDATED", "Update needed", ToneFailed},
}

var logLevels = map[string]State{"INFO": {"INFO", "Info", ToneIdle}, "WARN": {"WARN", "Warning", ToneWaiting}, "ERROR": {"ERROR", "Error", ToneFailed}}

// enumStates are the enums that say how something is doing, by Postgres' name of the type; others are shown as plain words.
var enumStates = map[string]func(code string) State{
	"tenant_status":        func(code string) State { return TenantState(code, "en") },
	"session_state":        func(code string) State { return SessionState(code, "en") },
	"session_reason":       func(code string) State { return sessionReasons[code] },
	"worker_status":        func(code string) State { return WorkerState(code, "en") },
	"message_status":       func(code string) State { return messageStates[code] },
	"bulk_state":           func(code string) State { return bulkStates[queries.BulkState(code)] },
	"import_state":         func(code string) State { return importStates[queries.ImportState(code)] },
	"setup_request_status": func(code string) State { return requestStates[queries.SetupRequestStatus(code)] },
	"log_level":            func(code string) State { return logLevels[code] },
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
	if state := enumStates[c.Type]; state != nil {
		return state(code).Word
	}
	return plainName(code)
}

// cell shows one value. title is what a related record is called.
func (s *server) cell(c *tables.Column, v tables.Value, title string) CellView {
	cell := CellView{Label: c.Label, Column: string(c.Kind), Kind: "text", Text: v.Text}
	if v.Null {
		cell.Kind = "null"
		return cell
	}
	if c.Name == "request_id" { // whatever else was noted of it
		cell.Kind, cell.Href = "link", filtered("logs", "request_id = "+strconv.Quote(v.Text))
		return cell
	}
	switch c.Kind {
	case tables.Text:
		if key := "event." + v.Text; c.Name == "event_type" && words.Has(key) {
			cell.Text, cell.Full = words.T(words.English, key), v.Text
		}
		if t := s.registry.Table(v.Text); t != nil && c.Name == "table_name" {
			cell.Kind, cell.Text, cell.Full = "tag", plainName(t.Singular), v.Text
		}
	case tables.Enum:
		cell.Kind, cell.Text, cell.Full = "tag", enumWord(c, v.Text), v.Text
		if states := enumStates[c.Type]; states != nil {
			state := states(v.Text)
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
