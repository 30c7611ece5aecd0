package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

// How long a QR is shown is the client's business; these are what WhatsApp Web uses.
const (
	firstCodeLife  = 60 * time.Second
	nextCodeLife   = 20 * time.Second
	pairCodeLife   = 3 * time.Minute
	lastScan       = 2 * time.Second  // for a phone that is linking when the tenant is stopped
	pairClientName = "Chrome (Linux)" // WhatsApp refuses any other form
)

// ErrAlreadyLinked is returned by PairCode for a tenant whose number is linked.
var ErrAlreadyLinked = errors.New("the number is linked already")

// ErrNumberRefused is returned by PairCode when WhatsApp does not accept the phone number.
var ErrNumberRefused = errors.New("WhatsApp does not accept this phone number")

type pairRequest struct {
	phone string
	reply chan pairReply // room for one
}

type pairReply struct {
	code string
	err  error
}

// pairing is one round of codes on one connection. A nil pairing is none.
type pairing struct {
	codes  []string
	shown  bool
	ticker *time.Timer
	status status
}

func newPairing(codes []string) *pairing {
	return &pairing{codes: codes, ticker: time.NewTimer(time.Hour)}
}

func (p *pairing) timer() <-chan time.Time {
	if p == nil {
		return nil
	}
	return p.ticker.C
}

func (p *pairing) end() {
	if p != nil {
		p.ticker.Stop()
	}
}

// next shows the next QR; false: there is none left. A code to type keeps the round open until it is over too.
func (p *pairing) next(ctx context.Context, s *supervisor) bool {
	if len(p.codes) == 0 {
		if p.status.codeUntil == nil || time.Until(*p.status.codeUntil) <= 0 {
			return false
		}
		p.status.qr, p.status.qrUntil = "", nil
		p.ticker.Reset(time.Until(*p.status.codeUntil))
		s.record(ctx, p.status)
		return true
	}
	life := s.pool.codeLife.next
	if !p.shown {
		life = s.pool.codeLife.first
	}
	p.shown = true
	st := scanStatus(p.codes[0], time.Now().Add(life))
	st.lastError = s.pairError
	p.codes = p.codes[1:]
	if p.status.codeUntil != nil && time.Until(*p.status.codeUntil) > 0 {
		st.code, st.codeUntil = p.status.code, p.status.codeUntil
	}
	p.status = st
	p.ticker.Reset(life)
	s.record(ctx, st)
	return true
}

// tell shows beside the code why scanning it did not work.
func (p *pairing) tell(ctx context.Context, s *supervisor, why string) {
	s.pairError = why
	if p != nil {
		p.status.lastError, p.status.detail = why, why
		s.record(ctx, p.status)
	}
}

// answer gets a code to type into the phone.
func (p *pairing) answer(ctx context.Context, s *supervisor, request *pairRequest) {
	if p == nil {
		if s.jid != "" {
			request.reply <- pairReply{err: ErrAlreadyLinked}
		} else {
			s.pending = request // the codes are not here yet
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	code, err := s.client.PairPhone(ctx, request.phone, true, whatsmeow.PairClientChrome, pairClientName)
	if err != nil {
		request.reply <- pairReply{err: fmt.Errorf("%w: %w", ErrNumberRefused, err)}
		return
	}
	p.status.code, p.status.codeUntil = code, new(time.Now().Add(pairCodeLife))
	s.record(ctx, p.status)
	request.reply <- pairReply{code: code}
}

// codesRanOut begins the next round while somebody is looking, and rests otherwise.
func (s *supervisor) codesRanOut(ctx context.Context) ending {
	query, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if watched, err := s.pool.q.IsWatched(query, s.tenant); err != nil {
		return s.again("", err)
	} else if watched {
		return ending{now: true}
	}
	return ending{final: true, watch: true, status: scanExpiredStatus()}
}

// mayLink is asked when a phone has scanned the code: a number belongs to one tenant only, and what is being stopped links none.
func (s *supervisor) mayLink(jid types.JID, _, _ string) bool {
	if s.scanned.Store(true); s.work.Err() != nil { // in this order: see connect
		return false
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	others, err := s.pool.q.NumberLinkedTo(ctx, queries.NumberLinkedToParams{Number: jid.User, TenantID: s.tenant})
	if err != nil {
		s.log.Error("could not check whether the number is free", "error", err)
		return false
	}
	if len(others) > 0 {
		s.log.Warn("number is linked to another tenant", "number", "+"+jid.User, "other_tenant_id", others[0].ID)
	}
	return len(others) == 0
}

// linked notes the device; its rows were stored when WhatsApp was told, see PutDevice.
func (s *supervisor) linked(ctx context.Context, evt *events.PairSuccess) {
	s.jid, s.pairError = evt.ID.String(), ""
	number := "+" + evt.ID.User
	if r := s.restriction.Load(); r != nil && r.number != number {
		s.restriction.Store(nil)
	}
	st := connectingStatus(true, queries.TenantStatusQRPENDING)
	st.event, st.eventDetail = eventLinked, map[string]any{"number": number, "platform": evt.Platform}
	s.record(ctx, st)
	s.tenantSt = queries.TenantStatusACTIVE
	if number != s.phone {
		// The business knows best which phone it holds in its hand: accepted, and said.
		s.event(ctx, eventOtherNumber, map[string]any{"expected": s.phone, "number": number})
		s.log.Info("linked with another number than expected", "expected", s.phone, "number", number)
	}
}

// pairFailed records why linking did not work; a new round begins after a pause, with new keys.
func (s *supervisor) pairFailed(ctx context.Context, evt *events.PairError) ending {
	s.pairError = "Linking did not work: " + storable(evt.Error.Error(), 200)
	if errors.Is(evt.Error, whatsmeow.ErrPairRejectedLocally) {
		s.pairError = fmt.Sprintf("The number +%s is linked to another business already. Unlink it there first.", evt.ID.User)
	}
	st := connectingStatus(false, queries.TenantStatusQRPENDING)
	st.lastError, st.detail = s.pairError, s.pairError
	st.event, st.eventDetail = eventPairFailed, map[string]any{"number": "+" + evt.ID.User}
	s.jid = evt.ID.String() // it may have been stored already
	s.unlinked(ctx)
	return ending{status: st}
}
