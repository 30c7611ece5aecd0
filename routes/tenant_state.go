package routes

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// How long a code lives, by which its beginning is told from its end: whatsmeow's first code of a round lives a minute,
// each later one 20 seconds.
const (
	firstCodeLife = 60 * time.Second
	codeLife      = 20 * time.Second
)

// workerCode names what a worker is on its way to, beside the stored states.
func workerCode(w queries.WorkerProcess) string {
	switch {
	case w.Status == queries.WorkerStatusERROR:
		return "ERROR"
	case w.Desired == queries.WorkerStatusRUNNING && w.Status == queries.WorkerStatusSTOPPED:
		return "STARTING"
	case w.Desired == queries.WorkerStatusSTOPPED && w.Status == queries.WorkerStatusRUNNING:
		return "STOPPING"
	}
	return string(w.Status)
}

// lastSeen is the latest sign of life.
func lastSeen(t queries.GetTenantRow) time.Time {
	var at time.Time
	for _, sign := range []*time.Time{t.WhatsappSession.LastSeenAt, t.WorkerProcess.HeartbeatAt} {
		if sign != nil && sign.After(at) {
			at = *sign
		}
	}
	return at
}

// sessionState words a session's state; a restricted one is connected and has its own word.
func sessionState(w queries.WhatsappSession, lang string) State {
	if w.State == queries.SessionStateCONNECTED && w.Reason == queries.SessionReasonRESTRICTED {
		return SessionState(string(w.Reason), lang)
	}
	return SessionState(string(w.State), lang)
}

// waitingMessages counts a tenant's queued messages, and those among them that a restriction holds back.
func waitingMessages(ctx context.Context, q *queries.Queries, t queries.GetTenantRow) (queued, held int, err error) {
	all, err := q.CountQueued(ctx, t.Tenant.ID)
	if err == nil && t.WhatsappSession.Reason == queries.SessionReasonRESTRICTED && all > 0 {
		var some int64
		some, err = q.CountHeld(ctx, t.Tenant.ID)
		held = int(some)
	}
	return int(all), held, err
}

func (s *server) statePanel(ctx context.Context, q *queries.Queries, t queries.GetTenantRow) (StatePanel, error) {
	w, may := t.WorkerProcess, jobs.Allowed(t)
	p := StatePanel{
		TenantID: t.Tenant.ID.String(),
		Tenant:   TenantState(string(t.Tenant.Status), "en"),
		Session:  sessionState(t.WhatsappSession, "en"), SessionReason: sessionSentence(t.WhatsappSession, "en", s.Location),
		SessionSince: t.WhatsappSession.ReasonSince, LastSeen: lastSeen(t),
		Worker:   WorkerState(workerCode(w), "en"),
		CanStart: may.Start, CanStop: may.Stop, CanRestart: may.Restart, CanLogout: may.Logout,
	}
	if w.Status == queries.WorkerStatusRUNNING {
		p.WorkerNode = w.ProcessName
	}
	if w.Status == queries.WorkerStatusERROR && w.LastError != nil {
		p.WorkerError = *w.LastError
	}
	var err error
	p.Queued, p.Held, err = waitingMessages(ctx, q, t)
	return p, err
}

func (s *server) tenantRow(t queries.GetTenantRow) TenantRow {
	r := TenantRow{
		ID: t.Tenant.ID.String(), Name: t.Tenant.Name, Phone: t.Tenant.PhoneNumber,
		Template: labelOf(TemplateChoices(), string(t.TenantConfig.TemplateType)),
		Language: labelOf(LanguageChoices(), string(t.TenantConfig.Language)),
		Tenant:   TenantState(string(t.Tenant.Status), "en"), Session: sessionState(t.WhatsappSession, "en"),
		SessionReason: sessionSentence(t.WhatsappSession, "en", s.Location),
		Worker:        WorkerState(workerCode(t.WorkerProcess), "en"), LastSeen: lastSeen(t),
	}
	if t.WorkerProcess.Status == queries.WorkerStatusRUNNING {
		r.Node = t.WorkerProcess.ProcessName
	}
	return r
}

func labelOf(choices []Choice, value string) string {
	for _, c := range choices {
		if c.Value == value {
			return c.Label
		}
	}
	return value
}

// preparing: a code is on its way, since the worker should run and nothing stands against a new round.
func preparing(t queries.GetTenantRow) bool {
	w := t.WhatsappSession
	if t.WorkerProcess.Desired != queries.WorkerStatusRUNNING || t.WorkerProcess.Status == queries.WorkerStatusERROR ||
		w.Jid != nil || w.State == queries.SessionStateCONNECTED || qrOnOffer(w) {
		return false
	}
	switch w.Reason {
	case queries.SessionReasonLOGGEDOUT, queries.SessionReasonLOCKED, queries.SessionReasonREPLACED, queries.SessionReasonBANNED,
		queries.SessionReasonOUTDATED:
		return false
	}
	return true
}

func qrOnOffer(w queries.WhatsappSession) bool {
	return w.State == queries.SessionStateQRREADY && w.LastQr != nil && *w.LastQr != "" &&
		(w.QrExpiresAt == nil || w.QrExpiresAt.After(time.Now()))
}

// linkPanel shows where the linking of a number stands; base names the URLs of its forms.
func (s *server) linkPanel(t queries.GetTenantRow, base, lang string) (LinkPanel, error) {
	w := t.WhatsappSession
	p := LinkPanel{Base: base, Lang: lang, DemoMode: s.DemoMode, Phone: linkedPhone(t), Pair: pairForm(w, base, lang)}
	if w.ConnectedAt != nil {
		p.Since = *w.ConnectedAt
	}
	if e := t.WorkerProcess.LastError; w.Jid == nil && e != nil { // the last try to link failed; the next code is coming
		if p.Reason = words.Refusal(lang, *e); lang == words.Swahili && p.Reason == *e { // of what has no words in Swahili, that it failed
			p.Reason = ReasonSentence(ReasonPairFailed, lang, time.Time{})
		}
	}
	switch {
	case w.State == queries.SessionStateCONNECTED:
		p.Connected = true
		return p, nil
	case qrOnOffer(w):
		p.ShowQR, p.QRCode = true, *w.LastQr
		image, err := QRPNG(*w.LastQr)
		if err != nil {
			return p, err
		}
		p.QR = "data:image/png;base64," + base64.StdEncoding.EncodeToString(image)
		if w.QrExpiresAt != nil {
			p.ExpiresAt = *w.QrExpiresAt
			p.IssuedAt = p.ExpiresAt.Add(-codeLife)
			if time.Until(p.ExpiresAt) > codeLife {
				p.IssuedAt = p.ExpiresAt.Add(-firstCodeLife)
			}
		}
		return p, nil
	case preparing(t):
		p.Preparing = true
		if w.Reason == queries.SessionReasonREFUSED || w.Reason == queries.SessionReasonRECONNECTING { // then the code does not come in a moment
			p.Reason = sessionSentence(w, lang, s.Location)
		}
		return p, nil
	}
	if sentence := sessionSentence(w, lang, s.Location); sentence != "" {
		p.Reason = sentence
	}
	p.Blocked = w.Reason == queries.SessionReasonOUTDATED || (w.Reason == queries.SessionReasonBANNED && (w.ReasonUntil == nil || w.ReasonUntil.After(time.Now())))
	may := jobs.Allowed(t)
	p.CanStart = may.Start || (w.Jid == nil && may.Restart)
	if base != portalBase { // there the state panel above has the start, and says who stopped it
		p.CanStart = !may.Start && w.Jid == nil && may.Restart
		if w.Reason == queries.SessionReasonSTOPPED {
			p.Reason = ""
		}
	}
	p.Idle = w.Jid != nil
	return p, nil
}

// linkedPhone is the number WhatsApp linked, or else the one the business means to link.
func linkedPhone(t queries.GetTenantRow) string {
	if t.WhatsappSession.Jid != nil {
		user, _, _ := strings.Cut(*t.WhatsappSession.Jid, "@")
		user, _, _ = strings.Cut(user, ":")
		if user != "" {
			return "+" + user
		}
	}
	return t.Tenant.PhoneNumber
}

func pairForm(w queries.WhatsappSession, base, lang string) PairForm {
	f := PairForm{Base: base, Lang: lang}
	if w.PairCode != nil && (w.PairCodeExpiresAt == nil || w.PairCodeExpiresAt.After(time.Now())) {
		f.Code = strings.ReplaceAll(*w.PairCode, "-", "")
		if w.PairCodeExpiresAt != nil {
			f.ExpiresAt = *w.PairCodeExpiresAt
		}
	}
	return f
}

// portalBase and tenantBase name where a link panel's forms post to.
const portalBase = "/portal"

func tenantBase(id uuid.UUID) string { return "/admin/tenants/" + id.String() }
