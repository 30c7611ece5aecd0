package routes

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// tenantJSON is a tenant as programs see it.
type tenantJSON struct {
	ID              uuid.UUID            `json:"id"`
	Name            string               `json:"name"`
	PhoneNumber     string               `json:"phone_number"` // E.164; the number the business means to link
	Status          queries.TenantStatus `json:"status"`
	CreatedAt       time.Time            `json:"created_at"`
	UpdatedAt       time.Time            `json:"updated_at"`
	Config          configJSON           `json:"config"`
	WhatsAppSession sessionJSON          `json:"whatsapp_session"`
	WorkerProcess   workerJSON           `json:"worker_process"`
}

type configJSON struct {
	TemplateType     queries.TemplateType `json:"template_type"`
	BusinessName     string               `json:"business_name"`
	Language         queries.Language     `json:"language"`
	Hours            json.RawMessage      `json:"hours"`              // null: always open
	RepliesPerMinute *int32               `json:"replies_per_minute"` // null: the operator's default
}

type sessionJSON struct {
	State       queries.SessionState  `json:"state"`
	Reason      queries.SessionReason `json:"reason"`
	ReasonSince time.Time             `json:"reason_since"`
	ReasonUntil *time.Time            `json:"reason_until"`
	// ReasonText says for people what it means and what to do, in English; null: the state says all.
	ReasonText   *string          `json:"reason_text"`
	ReasonDetail *string          `json:"reason_detail"` // what WhatsApp or the network said; for the log
	Restriction  *restrictionJSON `json:"restriction"`   // null: none
	PhoneNumber  *string          `json:"phone_number"`  // the linked one, E.164; null: none is linked
	JID          *string          `json:"jid"`
	PushName     *string          `json:"push_name"`
	QRExpiresAt  *time.Time       `json:"qr_expires_at"`
	ConnectedAt  *time.Time       `json:"connected_at"`
	LastSeenAt   *time.Time       `json:"last_seen_at"`
}

// restrictionJSON says that first messages to new customers are held back; answers to whoever wrote are not.
type restrictionJSON struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	EndKnown bool      `json:"end_known"` // false: until is when it is looked again whether it is over
}

type workerJSON struct {
	Status      queries.WorkerStatus `json:"status"`
	Desired     queries.WorkerStatus `json:"desired"`
	ProcessName *string              `json:"process_name"` // "node/shard"; null: runs nowhere yet
	LastError   *string              `json:"last_error"`
	StartedAt   *time.Time           `json:"started_at"`
	HeartbeatAt *time.Time           `json:"heartbeat_at"`
}

type messageJSON struct {
	ID          uuid.UUID                `json:"id"`
	Direction   queries.MessageDirection `json:"direction"`
	FromNumber  string                   `json:"from_number"` // E.164; "" while WhatsApp hides the customer's number
	ToNumber    string                   `json:"to_number"`
	MessageText string                   `json:"message_text"`
	Kind        string                   `json:"kind"`
	WAMessageID string                   `json:"wa_message_id"`
	Status      queries.MessageStatus    `json:"status"`
	Failure     *string                  `json:"failure"`
	ContactName *string                  `json:"contact_name"`
	InReplyTo   *uuid.UUID               `json:"in_reply_to"` // the inbound message that a reply answers
	CreatedAt   time.Time                `json:"created_at"`
}

func toTenantJSON(t queries.GetTenantRow) tenantJSON {
	return tenantJSON{
		ID: t.Tenant.ID, Name: t.Tenant.Name, PhoneNumber: t.Tenant.PhoneNumber, Status: t.Tenant.Status,
		CreatedAt: t.Tenant.CreatedAt.UTC(), UpdatedAt: t.Tenant.UpdatedAt.UTC(),
		Config: configJSON{
			TemplateType: t.TenantConfig.TemplateType, BusinessName: t.TenantConfig.BusinessName, Language: t.TenantConfig.Language,
			Hours: t.TenantConfig.HoursJson, RepliesPerMinute: t.TenantConfig.RepliesPerMinute,
		},
		WhatsAppSession: toSessionJSON(t.WhatsappSession),
		WorkerProcess:   toWorkerJSON(t.WorkerProcess),
	}
}

func toSessionJSON(s queries.WhatsappSession) sessionJSON {
	view := sessionJSON{
		State: s.State, Reason: s.Reason, ReasonSince: s.ReasonSince.UTC(), ReasonUntil: utc(s.ReasonUntil),
		PhoneNumber: phoneOfJID(s.Jid), JID: s.Jid, PushName: s.PushName, QRExpiresAt: utc(s.QrExpiresAt),
		ConnectedAt: utc(s.ConnectedAt), LastSeenAt: utc(s.LastSeenAt), ReasonDetail: s.ReasonDetail,
	}
	if text := sessionSentence(s, "en", time.UTC); text != "" {
		view.ReasonText = &text
	}
	if s.RestrictedSince != nil && s.RestrictedUntil != nil {
		view.Restriction = &restrictionJSON{Since: s.RestrictedSince.UTC(), Until: s.RestrictedUntil.UTC(), EndKnown: s.RestrictedChecks == 0}
	}
	return view
}

func toWorkerJSON(w queries.WorkerProcess) workerJSON {
	view := workerJSON{Status: w.Status, Desired: w.Desired, LastError: w.LastError, StartedAt: utc(w.StartedAt), HeartbeatAt: utc(w.HeartbeatAt)}
	if w.ProcessName != "" {
		view.ProcessName = &w.ProcessName
	}
	return view
}

func toMessageJSON(m queries.MessageLog, contactName, contactPhone *string) messageJSON {
	view := messageJSON{
		ID: m.ID, Direction: m.Direction, FromNumber: m.FromNumber, ToNumber: m.ToNumber, MessageText: m.MessageText, Kind: m.Kind,
		WAMessageID: m.WaMessageID, Status: m.Status, Failure: m.Failure, ContactName: contactName, InReplyTo: m.InReplyTo,
		CreatedAt: m.CreatedAt.UTC(),
	}
	// A message that came before WhatsApp told the customer's number shows it once it is known.
	if contactPhone != nil {
		if view.Direction == queries.MessageDirectionIN && view.FromNumber == "" {
			view.FromNumber = *contactPhone
		}
		if view.Direction == queries.MessageDirectionOUT && view.ToNumber == "" {
			view.ToNumber = *contactPhone
		}
	}
	return view
}

// phoneOfJID takes the number out of a linked device's id: "255712345678:3@s.whatsapp.net".
func phoneOfJID(jid *string) *string {
	if jid == nil {
		return nil
	}
	user, _, _ := strings.Cut(*jid, "@")
	user, _, _ = strings.Cut(user, ":")
	number := "+" + user
	return &number
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	in := t.UTC()
	return &in
}
