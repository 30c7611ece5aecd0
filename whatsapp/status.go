package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"flowhq/queries"
)

// status is everything that is shown of a tenant's connection; it is always written as a whole.
type status struct {
	state  queries.SessionState
	reason queries.SessionReason
	until  *time.Time // a ban's or a restriction's end
	detail string     // what WhatsApp said

	restriction *restriction // record fills it in

	qr          string
	qrUntil     *time.Time
	code        string // pairing code
	codeUntil   *time.Time
	tenant      queries.TenantStatus
	worker      queries.WorkerStatus
	lastError   string // of the worker, in plain words
	event       string // "" where nobody needs to know
	eventDetail map[string]any
}

// Events that the pool writes; the portal has a sentence for each.
const (
	eventLinked       = "SESSION_LINKED"
	eventConnected    = "SESSION_CONNECTED"
	eventDisconnected = "SESSION_DISCONNECTED"
	eventLoggedOut    = "SESSION_LOGGED_OUT"
	eventReplaced     = "SESSION_REPLACED"
	eventBanned       = "SESSION_BANNED"
	eventOutdated     = "CLIENT_OUTDATED"
	eventPairFailed   = "PAIRING_FAILED"
	eventOtherNumber  = "NUMBER_DIFFERS"
	eventWorkerError  = "WORKER_ERROR"
	eventDropped      = "MESSAGE_DROPPED"
	eventOptedOut     = "CUSTOMER_OPTED_OUT"
	eventOptedIn      = "CUSTOMER_OPTED_IN"
	eventLocked       = "SESSION_LOCKED"
	eventRestricted   = "SESSION_RESTRICTED"
	eventUnrestricted = "SESSION_UNRESTRICTED"
)

func (st status) same(o status) bool {
	return st.state == o.state && st.reason == o.reason && st.until == o.until && st.detail == o.detail && st.qr == o.qr &&
		st.code == o.code && st.tenant == o.tenant && st.worker == o.worker && st.lastError == o.lastError && st.restriction == o.restriction
}

func connectingStatus(linked bool, tenant queries.TenantStatus) status {
	st := status{state: queries.SessionStateDISCONNECTED, reason: queries.SessionReasonCONNECTING,
		tenant: tenant, worker: queries.WorkerStatusRUNNING}
	if !linked && tenant != queries.TenantStatusNEW {
		st.tenant = queries.TenantStatusQRPENDING
	}
	return st
}

func scanStatus(qr string, until time.Time) status {
	return status{state: queries.SessionStateQRREADY, reason: queries.SessionReasonWAITINGFORSCAN, qr: qr, qrUntil: &until,
		tenant: queries.TenantStatusQRPENDING, worker: queries.WorkerStatusRUNNING}
}

func scanExpiredStatus() status {
	return status{state: queries.SessionStateDISCONNECTED, reason: queries.SessionReasonSCANEXPIRED,
		tenant: queries.TenantStatusQRPENDING, worker: queries.WorkerStatusRUNNING}
}

func connectedStatus() status {
	return status{state: queries.SessionStateCONNECTED, reason: queries.SessionReasonCONNECTED,
		tenant: queries.TenantStatusACTIVE, worker: queries.WorkerStatusRUNNING}
}

func reconnectingStatus(tenant queries.TenantStatus, detail string) status {
	return status{state: queries.SessionStateDISCONNECTED, reason: queries.SessionReasonRECONNECTING, detail: detail,
		tenant: tenant, worker: queries.WorkerStatusRUNNING}
}

// refusedStatus: WhatsApp answers, and turns the connection away. It is tried again, slowly.
func refusedStatus(detail string) status {
	return status{state: queries.SessionStateDISCONNECTED, reason: queries.SessionReasonREFUSED, detail: detail,
		tenant: queries.TenantStatusERROR, worker: queries.WorkerStatusRUNNING, lastError: "WhatsApp turns the connection away: " + detail}
}

// stoppedStatus is what a stopped tenant is shown as. What is true of the number whether it runs or not stays: that the phone removed the
// link, that WhatsApp bans it. A tenant whose number was linked once is never new again.
func stoppedStatus(t queries.GetSupervisedRow) status {
	st := status{state: queries.SessionStateDISCONNECTED, reason: queries.SessionReasonSTOPPED,
		tenant: queries.TenantStatusPAUSED, worker: queries.WorkerStatusSTOPPED}
	lasting := false
	switch t.Reason {
	case queries.SessionReasonBANNED:
		lasting = t.ReasonUntil == nil || t.ReasonUntil.After(time.Now())
	case queries.SessionReasonLOGGEDOUT, queries.SessionReasonLOCKED:
		lasting = t.Jid == nil
	}
	switch {
	case lasting:
		st.reason, st.until, st.detail = t.Reason, t.ReasonUntil, deref(t.ReasonDetail)
	case t.Jid == nil && t.ConnectedAt != nil:
		st.reason = queries.SessionReasonUNLINKED
	case t.Jid == nil:
		st.reason, st.tenant = queries.SessionReasonNEVERLINKED, queries.TenantStatusNEW
	}
	return st
}

// leftStatus is the state in which WhatsApp, or nobody looking, left a tenant when another node or an earlier process ran it.
// False: it is to be connected. A new version of the program may be what OUTDATED asked for, so that one is tried.
func leftStatus(t queries.GetSupervisedRow) (ending, bool) {
	switch t.Reason {
	case queries.SessionReasonSCANEXPIRED:
		return ending{final: true, watch: true, status: scanExpiredStatus()}, t.Jid == nil
	case queries.SessionReasonBANNED:
		if t.ReasonUntil != nil && !t.ReasonUntil.After(time.Now()) {
			return ending{}, false
		}
	case queries.SessionReasonLOGGEDOUT, queries.SessionReasonLOCKED, queries.SessionReasonREPLACED:
	default:
		return ending{}, false
	}
	st := endStatus(t.Reason, deref(t.ReasonDetail), deref(t.LastError), "")
	st.until = t.ReasonUntil
	return ending{final: true, status: st, until: st.until}, true
}

// endStatus is a state that does not pass by itself: WhatsApp said so.
func endStatus(reason queries.SessionReason, detail, lastError, event string) status {
	return status{state: queries.SessionStateDISCONNECTED, reason: reason, detail: detail, tenant: queries.TenantStatusERROR,
		worker: queries.WorkerStatusERROR, lastError: lastError, event: event}
}

// record writes a change of state with its event. It tries for some seconds; what could not be written then is written
// with a later heartbeat. Saying the same again is no change: a worker that cannot connect goes without a sign of life.
func (s *supervisor) record(ctx context.Context, st status) {
	s.writing.Lock()
	defer s.writing.Unlock()
	st.restriction = s.restriction.Load()
	if st.state == queries.SessionStateCONNECTED {
		st.reason, st.until = queries.SessionReasonCONNECTED, nil
		if st.restriction != nil {
			st.reason, st.until = queries.SessionReasonRESTRICTED, &st.restriction.until
		}
	}
	if st.event == "" && s.unsaved == nil && st.same(s.status) {
		return
	}
	s.status, s.unsaved = st, nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	if err := retry(ctx, func(ctx context.Context) error { return s.write(ctx, st) }); err != nil {
		s.log.Error("state not recorded yet", "reason", st.reason, "error", err)
		s.unsaved = &st
	}
}

// recordAgain has the present state written with the next heartbeat, if it is that of a connection still.
func (s *supervisor) recordAgain() {
	if !s.writing.TryLock() {
		return // a newer one is on its way
	}
	defer s.writing.Unlock()
	if st := s.status; s.unsaved == nil && st.state == queries.SessionStateCONNECTED {
		st.event = ""
		s.unsaved = &st
	}
}

// mayBeLost tells which states a crash of Postgres may cost: those that a heartbeat or the next change puts right.
func (st status) mayBeLost() bool {
	passing := st.event == "" || st.event == eventConnected || st.event == eventDisconnected
	return passing && st.worker == queries.WorkerStatusRUNNING
}

// recordUnsaved writes the state that could not be written when it changed.
func (s *supervisor) recordUnsaved(ctx context.Context) {
	if !s.writing.TryLock() {
		return // a newer one is on its way
	}
	defer s.writing.Unlock()
	if s.unsaved == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if err := s.write(ctx, *s.unsaved); err == nil {
		s.unsaved = nil
	}
}

func (s *supervisor) write(ctx context.Context, st status) error {
	change := stateChange{
		TenantID: s.tenant, Shard: s.shard, Epoch: s.epoch,
		State: st.state, Reason: st.reason, ReasonUntil: st.until, ReasonDetail: ptrOrNil(storable(st.detail, 500)),
		LastQR: ptrOrNil(st.qr), QRExpiresAt: st.qrUntil, PairCode: ptrOrNil(st.code), PairCodeExpiresAt: st.codeUntil,
		TenantStatus: st.tenant, WorkerStatus: st.worker, LastError: ptrOrNil(storable(st.lastError, 500)),
		ProcessName: fmt.Sprintf("%s/%d", s.pool.o.NodeName, s.shard), Alive: s.alive.Load(), mayBeLost: st.mayBeLost(),
	}
	if r := st.restriction; r != nil {
		change.RestrictedSince, change.RestrictedUntil, change.RestrictedChecks, change.RestrictedNumber = &r.since, &r.until, r.checks, &r.number
	}
	if st.event != "" {
		change.EventID, change.EventType, change.EventPayload = newID(), &st.event, map[string]any{"reason": st.reason}
		maps.Copy(change.EventPayload, st.eventDetail)
		if st.detail != "" {
			change.EventPayload["detail"] = storable(st.detail, 500)
		}
		if st.until != nil {
			change.EventPayload["until"] = st.until.UTC().Format(time.RFC3339)
		}
	}
	owned, err := s.pool.recorder.write(ctx, change)
	if err == nil && !owned {
		s.log.Warn("state not recorded: this node does not hold the shard any more", "reason", st.reason)
	}
	return err
}

// event writes one event without a change of state.
func (s *supervisor) event(ctx context.Context, kind string, detail map[string]any) {
	payload, _ := json.Marshal(detail)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	if err := s.pool.q.InsertEvent(ctx, queries.InsertEventParams{
		ID: newID(), TenantID: s.tenant, EventType: kind, PayloadJson: payload}); err != nil {
		s.log.Error("event not recorded", "event", kind, "error", err)
	}
}
