package routes

import (
	"encoding/json"
	"strings"

	"flowhq/queries"
)

type eventWord struct{ icon, tone, en, sw string }

// eventWords are the kinds of events that jobs, the pool and this package write.
var eventWords = map[string]eventWord{
	"TENANT_CREATED":           {"user-plus", "", "Tenant created", "Biashara imeandikishwa"},
	"TENANT_CHANGED":           {"settings", "", "Settings changed", "Mipangilio imebadilishwa"},
	"WORKER_START_REQUESTED":   {"play", "", "Start requested", "Kuanzisha kumeombwa"},
	"WORKER_STOP_REQUESTED":    {"square", "", "Stop requested", "Kusimamisha kumeombwa"},
	"WORKER_RESTART_REQUESTED": {"rotate-cw", "", "Restart requested", "Kuanzisha upya kumeombwa"},
	"LOGOUT_REQUESTED":         {"unlink", "", "Log-out from WhatsApp requested", "Kutoka WhatsApp kumeombwa"},
	"PAIR_CODE_REQUESTED":      {"link", "", "Code for linking by phone number requested", "Msimbo wa kuunganisha kwa namba umeombwa"},
	"WORKER_STALE":             {"triangle-alert", ToneFailed, "No sign of life; starting again", "Hakuna dalili ya uhai; inaanzishwa upya"},
	"SESSION_LINKED":           {"link", ToneOK, "Number linked", "Namba imeunganishwa na simu"},
	"SESSION_CONNECTED":        {"circle-check", ToneOK, "Connected", "Imeunganishwa"},
	"SESSION_DISCONNECTED":     {"wifi-off", ToneWaiting, "Connection lost; connecting again", "Muunganisho umekatika; inaunganishwa tena"},
	"SESSION_LOGGED_OUT":       {"unlink", ToneFailed, "The link was removed on the phone", "Muunganisho uliondolewa kwenye simu"},
	"SESSION_REPLACED":         {"triangle-alert", ToneFailed, "Another program took over the link", "Programu nyingine imechukua kiungo"},
	"SESSION_BANNED":           {"shield", ToneFailed, "WhatsApp suspended the number", "WhatsApp imesimamisha namba"},
	"SESSION_LOCKED":           {"shield", ToneFailed, "WhatsApp ended the link: the account is locked or has moved", "WhatsApp imeondoa muunganisho: akaunti imefungwa au imehama"},
	"SESSION_RESTRICTED":       {"shield", ToneWaiting, "WhatsApp stops first messages to new customers for a while", "WhatsApp inazuia ujumbe wa kwanza kwa wateja wapya kwa muda"},
	"SESSION_UNRESTRICTED":     {"circle-check", ToneOK, "First messages to new customers go out again", "Ujumbe wa kwanza kwa wateja wapya unatumwa tena"},
	"CLIENT_OUTDATED":          {"triangle-alert", ToneFailed, "WhatsApp asks for a newer version of this server", "WhatsApp inahitaji toleo jipya la mfumo huu"},
	"PAIRING_FAILED":           {"triangle-alert", ToneFailed, "Linking did not work", "Kuunganisha hakukufaulu"},
	"NUMBER_DIFFERS":           {"info", ToneWaiting, "Linked with another number than expected", "Imeunganishwa na namba tofauti na iliyotarajiwa"},
	"WORKER_ERROR":             {"triangle-alert", ToneFailed, "The worker failed", "Imeshindwa kufanya kazi"},
	"MESSAGE_DROPPED":          {"triangle-alert", ToneFailed, "A message could not be read", "Ujumbe mmoja haukuweza kusomwa"},
	"PERSON_ADDED":             {"user-plus", "", "Account added", "Akaunti imeongezwa"},
	"PERSON_REMOVED":           {"user-plus", "", "Account removed", "Akaunti imeondolewa"},
	"INVITE_CREATED":           {"link", "", "New sign-in link made", "Kiungo kipya cha kuingia kimetengenezwa"},
}

// fieldWords name what a TENANT_CHANGED event lists.
var fieldWords = map[string][2]string{
	"name": {"name", "jina"}, "business_name": {"business name", "jina la biashara"}, "phone_number": {"phone number", "namba ya simu"},
	"template_type": {"template", "aina ya roboti"}, "language": {"language", "lugha"}, "hours": {"opening hours", "saa za kazi"},
	"replies_per_minute": {"replies per minute", "majibu kwa dakika"},
}

// eventView words one stored event; lang is "en" or "sw". A kind without words of its own is shown by its name.
func eventView(e queries.PortalEventLog, lang string) EventView {
	v := EventView{ID: e.ID.String(), Lang: lang, Icon: "activity", At: e.CreatedAt}
	if w, ok := eventWords[e.EventType]; ok {
		v.Icon, v.Tone, v.Text = w.icon, w.tone, w.en
		if lang == "sw" {
			v.Text = w.sw
		}
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
	case "PAIR_CODE_REQUESTED":
		v.Detail = payload.Phone
	case "SESSION_LINKED":
		v.Detail = payload.Number
	case "NUMBER_DIFFERS":
		v.Detail = payload.Number + " ≠ " + payload.Expected
	case "PAIRING_FAILED", "WORKER_ERROR": // sentences; the details of the other kinds are for the log
		v.Detail = payload.Detail
	}
	return v
}

// fieldNamesIn lists what changed.
func fieldNamesIn(fields []string, lang string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f
		if w, ok := fieldWords[f]; ok {
			names[i] = w[langIndex(lang)]
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
