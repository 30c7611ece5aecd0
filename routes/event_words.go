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
		By      string   `json:"by"`
		Fields  []string `json:"fields"`
		Phone   string   `json:"phone"`
		Person  string   `json:"person"`
		Detail  string   `json:"detail"`
		Error   string   `json:"error"`
		Process string   `json:"process"`
	}
	if len(e.PayloadJson) == 0 || json.Unmarshal(e.PayloadJson, &payload) != nil {
		return v
	}
	v.Actor = payload.By
	names := make([]string, 0, len(payload.Fields))
	for _, f := range payload.Fields {
		if w, ok := fieldWords[f]; ok {
			f = w[langIndex(lang)]
		}
		names = append(names, f)
	}
	for _, detail := range []string{payload.Detail, payload.Error, payload.Person, payload.Phone, strings.Join(names, ", "), payload.Process} {
		if detail != "" {
			v.Detail = detail
			break
		}
	}
	return v
}

// plainName turns "SESSION_CONNECTED" into "Session connected".
func plainName(kind string) string {
	words := strings.ToLower(strings.ReplaceAll(kind, "_", " "))
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
