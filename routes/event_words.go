package routes

import (
	"encoding/json"
	"strings"

	"flowhq/queries"
	"flowhq/templates/words"
)

// eventLook is how a kind of event is shown; its words are in the group event of templates/words/locales.
type eventLook struct{ icon, tone string }

// eventLooks are the kinds of events that jobs, the pool and this package write.
var eventLooks = map[string]eventLook{
	"TENANT_CREATED":           {"user-plus", ""},
	"TENANT_CHANGED":           {"settings", ""},
	"TEST_SENT":                {"send-horizontal", ""},
	"BOT_SETTINGS_CHANGED":     {"settings", ""},
	"WORKER_START_REQUESTED":   {"play", ""},
	"WORKER_STOP_REQUESTED":    {"square", ""},
	"WORKER_RESTART_REQUESTED": {"rotate-cw", ""},
	"LOGOUT_REQUESTED":         {"unlink", ""},
	"PAIR_CODE_REQUESTED":      {"link", ""},
	"WORKER_STALE":             {"triangle-alert", ToneFailed},
	"SESSION_LINKED":           {"link", ToneOK},
	"SESSION_CONNECTED":        {"circle-check", ToneOK},
	"SESSION_DISCONNECTED":     {"wifi-off", ToneWaiting},
	"SESSION_LOGGED_OUT":       {"unlink", ToneFailed},
	"SESSION_REPLACED":         {"triangle-alert", ToneFailed},
	"SESSION_BANNED":           {"shield", ToneFailed},
	"SESSION_LOCKED":           {"shield", ToneFailed},
	"SESSION_RESTRICTED":       {"shield", ToneWaiting},
	"SESSION_UNRESTRICTED":     {"circle-check", ToneOK},
	"CLIENT_OUTDATED":          {"triangle-alert", ToneFailed},
	"PAIRING_FAILED":           {"triangle-alert", ToneFailed},
	"NUMBER_DIFFERS":           {"info", ToneWaiting},
	"WORKER_ERROR":             {"triangle-alert", ToneFailed},
	"MESSAGE_DROPPED":          {"triangle-alert", ToneFailed},
	"PERSON_ADDED":             {"user-plus", ""},
	"PERSON_REMOVED":           {"user-plus", ""},
	"SETUP_SUBMITTED":          {"clipboard-list", ToneWaiting},
	"SETUP_REVIEWING":          {"eye", ToneWaiting},
	"SETUP_APPROVED":           {"circle-check", ToneOK},
	"SETUP_REJECTED":           {"ban", ToneFailed},
	"SETUP_ACTIVE":             {"circle-check", ToneOK},
	"INVITE_CREATED":           {"link", ""},
	"ACCOUNT_CLOSING":          {"log-out", ToneFailed},
	"ACCOUNT_KEPT":             {"circle-check", ToneOK},
	"CHAT_TAKEN_OVER":          {"hand", ""},
	"CHAT_HANDED_BACK":         {"bot", ""},
	"CUSTOMER_OPTED_OUT":       {"volume-x", ""},
	"CUSTOMER_OPTED_IN":        {"bot", ""},
}

// eventView words one stored event; lang is "en" or "sw". A kind without words of its own is shown by its name.
func eventView(e queries.PortalEventLog, lang string) EventView {
	v := EventView{ID: e.ID.String(), Lang: lang, Icon: "activity", At: e.CreatedAt}
	if look, ok := eventLooks[e.EventType]; ok {
		v.Icon, v.Tone, v.Text = look.icon, look.tone, words.T(lang, "event."+e.EventType)
	} else {
		v.Text = plainName(e.EventType)
	}
	var payload struct {
		By       string   `json:"by"`
		Fields   []string `json:"fields"`
		Phone    string   `json:"phone"`
		Number   string   `json:"number"`
		Expected string   `json:"expected"`
		Person   string   `json:"person"`
		Detail   string   `json:"detail"`
		Reason   string   `json:"reason"`
	}
	if len(e.PayloadJson) == 0 || json.Unmarshal(e.PayloadJson, &payload) != nil {
		return v
	}
	v.Actor = payload.By
	switch e.EventType {
	case "TENANT_CHANGED":
		v.Detail = fieldNamesIn(payload.Fields, lang)
	case "PERSON_ADDED", "PERSON_REMOVED", "INVITE_CREATED":
		v.Detail = payload.Person
	case "SETUP_REJECTED", "ACCOUNT_CLOSING":
		v.Detail = payload.Reason
	case "PAIR_CODE_REQUESTED", "TEST_SENT", "CHAT_TAKEN_OVER", "CHAT_HANDED_BACK", "CUSTOMER_OPTED_OUT", "CUSTOMER_OPTED_IN":
		v.Detail = payload.Phone
	case "SESSION_LINKED":
		v.Detail = payload.Number
	case "NUMBER_DIFFERS":
		v.Detail = payload.Number + " ≠ " + payload.Expected
	case "PAIRING_FAILED", "WORKER_ERROR": // sentences; the details of the other kinds are for the log
		v.Detail = words.Refusal(lang, payload.Detail)
	}
	return v
}

// fieldNamesIn lists what changed.
func fieldNamesIn(fields []string, lang string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f
		if key := "field." + f; words.Has(key) {
			names[i] = words.T(lang, key)
		}
	}
	return strings.Join(names, ", ")
}

// plainName turns "SESSION_CONNECTED" into "Session connected".
func plainName(kind string) string {
	words := strings.ToLower(strings.ReplaceAll(kind, "_", " "))
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
