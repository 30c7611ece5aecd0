package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

const (
	loginTimeout     = 45 * time.Second // from the dial to Connected or the first QR
	maxMissedPings   = 3                // keepalives without an answer until the connection counts as dead
	stableAfter      = time.Minute      // a connection that lasted this long starts the waiting times anew
	streamErrorPause = 3 * time.Second  // for WhatsApp to close after an error it did not explain
)

// prepare makes the client, where there is none, of what the tenant is linked with.
func (s *supervisor) prepare(ctx context.Context) error {
	if s.client != nil && s.jid != "" && !s.doubt {
		return nil // what is stored of a linked tenant only this supervisor changes
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	known := s.given
	s.given = nil
	if known == nil {
		t, err := s.pool.q.GetSupervised(ctx, s.tenant)
		if err != nil {
			return fmt.Errorf("load tenant: %w", err)
		}
		known = &given{tenant: t}
		if t.Jid != nil {
			if known.device, err = s.pool.devices.read(ctx, *t.Jid); err != nil {
				return fmt.Errorf("load device: %w", err)
			}
		}
	}
	s.doubt = false
	t := known.tenant
	s.phone, s.tenantSt = t.PhoneNumber, t.Status
	if s.tenantSt == queries.TenantStatusPAUSED || s.tenantSt == queries.TenantStatusERROR {
		s.tenantSt = queries.TenantStatusACTIVE
	}
	if s.client == nil {
		s.restriction.Store(storedRestriction(t))
	}
	jid, number := deref(t.Jid), t.PhoneNumber
	if user, _, _ := strings.Cut(jid, "@"); user != "" {
		user, _, _ = strings.Cut(user, ":")
		number = "+" + user
	}
	s.number.Store(&number)
	if s.client != nil && s.jid == jid {
		return nil
	}
	if jid != "" && known.device == nil { // the device's rows are gone, so the link is
		if err := s.newDevice().forget(ctx, jid); err != nil {
			return err
		}
		jid = ""
	}
	s.jid, s.device = jid, s.newDevice()
	var device *store.Device
	if jid == "" {
		device = s.device.blank()
	} else {
		var err error
		if device, err = s.device.open(known.device); err != nil {
			return err
		}
	}
	cli := whatsmeow.NewClient(device, waLogger{s.log, "whatsmeow"})
	forgetSent(cli)                 // not even room for them is needed
	cli.EnableAutoReconnect = false // the supervisor does it, with jitter, a cap and a limit per node
	cli.InitialAutoReconnect = false
	cli.DisableLoginAutoReconnect = true
	cli.SynchronousAck = true
	cli.EnableDecryptedEventBuffer = true
	cli.UseRetryMessageStore = true
	cli.ManualHistorySyncDownload = true // history notifications are acknowledged and never fetched
	cli.BackgroundEventCtx = s.ctx
	cli.RefreshCAT = noCAT
	cli.SetMaxParallelRetryReceiptHandling(1)
	cli.SetPreLoginHTTPClient(s.pool.http)
	cli.SetWebsocketHTTPClient(s.pool.http)
	cli.SetMediaHTTPClient(s.pool.http)
	cli.PrePairCallback = s.mayLink
	cli.AddEventHandlerWithSuccessStatus(func(evt any) bool { return s.handle(cli, evt) })
	s.client = cli
	return nil
}

// noCAT answers WhatsApp's asking for a token that only Messenger's clients have: without an answer whatsmeow would panic.
func noCAT(context.Context) error { return errors.New("WhatsApp asks for a token of Messenger") }

// connect makes one connection and stays with it until it ends.
func (s *supervisor) connect(ctx context.Context, w *waits) ending {
	if err := aside(func() error { return s.prepare(ctx) }); err != nil {
		end := s.again("", err)
		end.database = passing(err) && !errors.Is(err, pgx.ErrNoRows)
		return end
	}
	s.linking.Store(s.jid == "")
	s.scanned.Store(false)
	s.alive.Store(true)
	switch s.status.reason {
	case queries.SessionReasonRECONNECTING, queries.SessionReasonREFUSED, queries.SessionReasonWAITINGFORSCAN: // still so
	default:
		st := connectingStatus(s.jid != "", s.tenantSt)
		st.lastError = s.pairError
		s.record(ctx, st)
	}

	select {
	case s.pool.dials <- struct{}{}:
	case <-ctx.Done():
		return ending{}
	}
	release := sync.OnceFunc(func() { <-s.pool.dials })
	defer release()
	if ctx.Err() != nil {
		return ending{}
	}
	s.forgetEvents(ctx)
	s.pool.metrics.dials.Inc()
	cli, life := s.client, s.ctx
	if s.device.store != nil {
		life = s.device.store.resume(life)
	}
	if err := aside(func() error { return cli.ConnectContext(life) }); err != nil {
		end := s.again("WhatsApp cannot be reached", err)
		end.unreachable = true
		return end
	}
	var online *sender
	defer func() {
		s.online.Store(nil)
		online.wind(ctx)
		hangUp(cli) // ends what whatsmeow waits for
		online.stop()
	}()

	login := time.NewTimer(loginTimeout)
	defer login.Stop()
	var pairing *pairing
	defer func() { pairing.end() }()
	relogin := false // linked; log in as soon as PairSuccess was heard
	stopped := ctx.Done()
	var hurry <-chan time.Time
	connectedAt := time.Time{}
	defer func() {
		if !connectedAt.IsZero() && time.Since(connectedAt) > stableAfter {
			w.reset()
		}
	}()

	for {
		select {
		case <-stopped:
			if !s.scanned.Load() {
				return ending{}
			}
			stopped, hurry = nil, time.After(lastScan) // cut off now, the phone would say that linking failed
		case <-hurry:
			return ending{}
		case <-login.C:
			return s.again("WhatsApp did not let us in in time", nil)
		case err := <-s.resets:
			s.doubt = true
			return s.again("connection made anew", err)
		case <-pairing.timer():
			if !pairing.next(ctx, s) {
				return s.codesRanOut(ctx)
			}
		case request := <-s.pairs:
			pairing.answer(ctx, s, request)
		case <-s.restrictionEnds():
			if !connectedAt.IsZero() {
				s.checkRestriction(ctx)
			}
		case evt := <-s.events:
			switch evt := evt.(type) {
			case *events.QR:
				release()
				login.Stop()
				pairing = newPairing(evt.Codes)
				pairing.next(ctx, s)
				if s.pending != nil {
					pairing.answer(ctx, s, s.pending)
					s.pending = nil
				}
			case *events.PairSuccess:
				s.linked(ctx, evt)
				pairing.end()
				pairing = nil
				login.Reset(loginTimeout)
				if relogin {
					return ending{now: true}
				}
			case *events.PairError:
				return s.pairFailed(ctx, evt)
			case *events.QRScannedWithoutMultidevice:
				pairing.tell(ctx, s, "The phone's WhatsApp is too old to link devices. Update it and scan again.")
			case *events.PairPasskeyRequest:
				pairing.tell(ctx, s, "WhatsApp asks for this account's passkey, which only WhatsApp's own apps can give. Turn the passkey off in WhatsApp under Settings, Account, and scan again.")
			case *events.ManualLoginReconnect:
				if s.jid != "" {
					return ending{now: true}
				}
				relogin = true
			case *events.Connected:
				release()
				login.Stop()
				s.linking.Store(false)
				connectedAt = time.Now()
				s.lost(nil)
				w.since = time.Time{}
				if w.unreachable {
					w.unreachable = false
					s.pool.pace.reached()
				}
				s.connected(ctx, cli)
				online.stop()
				online = s.startSender()
				s.checkRestriction(ctx)
			case notice, firstRefused, firstTaken:
				s.onRestriction(ctx, evt)
			case *events.KeepAliveTimeout:
				s.seen.Store(false)
				if evt.ErrorCount >= maxMissedPings {
					return s.again("WhatsApp stopped answering", nil)
				}
			case *events.KeepAliveRestored:
				s.seen.Store(true)
			case *events.Disconnected:
				if cli.IsConnected() {
					continue // of an earlier connection
				}
				if pairing != nil && len(pairing.codes) == 0 {
					return s.codesRanOut(ctx)
				}
				return s.again("the connection broke", nil)
			case *events.StreamError:
				sleep(ctx, streamErrorPause)
				return s.again("WhatsApp ended the connection: "+evt.Code, nil)
			default:
				if end, ok := s.ended(ctx, evt); ok {
					return end
				}
			}
		}
	}
}

// connected notes that the tenant is online and lets its messages flow.
func (s *supervisor) connected(ctx context.Context, cli *whatsmeow.Client) {
	s.seen.Store(true)
	s.alive.Store(true)
	st := connectedStatus()
	s.tenantSt = st.tenant
	if s.told || s.status.reason != queries.SessionReasonRECONNECTING && s.status.reason != queries.SessionReasonREFUSED {
		st.event = eventConnected // a short break is no event
	}
	s.told = false
	s.online.Store(&link{client: cli, store: s.device.store})
	s.record(ctx, st)
	s.log.Info("connected")
}

// again is the ending of a connection that is made anew after a pause.
func (s *supervisor) again(what string, err error) ending {
	detail := what
	if err != nil {
		if detail != "" {
			detail += ": "
		}
		detail += err.Error()
	}
	tenant := s.tenantSt
	if s.jid == "" {
		tenant = queries.TenantStatusQRPENDING
	}
	return ending{status: reconnectingStatus(tenant, detail)}
}

// ended recognises the events after which WhatsApp does not want this connection any more.
func (s *supervisor) ended(ctx context.Context, evt any) (ending, bool) {
	switch evt := evt.(type) {
	case *events.LoggedOut:
		s.unlinked(ctx)
		if s.leaving.Load() { // we asked for it; what is shown then, Logout writes
			return ending{final: true, status: endStatus(queries.SessionReasonUNLINKED, "", "", "")}, true
		}
		switch evt.Reason {
		case events.ConnectFailureMainDeviceGone:
			return ending{final: true, status: endStatus(queries.SessionReasonLOCKED, evt.Reason.String(),
				"WhatsApp ended the link: the account on the phone is locked, logged out or on another phone. Open WhatsApp there, then link again.", eventLocked)}, true
		case events.ConnectFailureUnknownLogout:
			return ending{final: true, status: endStatus(queries.SessionReasonBANNED, evt.Reason.String(),
				"WhatsApp banned this number and ended the link. Ask for a review in WhatsApp on the phone, then link again.", eventBanned)}, true
		}
		return ending{final: true, status: endStatus(queries.SessionReasonLOGGEDOUT, evt.Reason.String(),
			"The phone removed this device. Link the number again.", eventLoggedOut)}, true
	case *events.StreamReplaced:
		return ending{final: true, status: endStatus(queries.SessionReasonREPLACED, "",
			"The same device connected from somewhere else. Stop the other one, then restart this worker.", eventReplaced)}, true
	case *events.TemporaryBan:
		st := endStatus(queries.SessionReasonBANNED, evt.Code.String(), "WhatsApp banned this number for a time.", eventBanned)
		if evt.Expire > 0 {
			st.until = new(time.Now().Add(evt.Expire))
		}
		return ending{final: true, status: st, until: st.until}, true
	case *events.ClientOutdated:
		return ending{final: true, status: endStatus(queries.SessionReasonOUTDATED, "",
			"WhatsApp refuses this version of the program. Update Flow HQ.", eventOutdated)}, true
	case *events.ConnectFailure:
		return ending{refused: true, status: refusedStatus(strings.TrimSpace(evt.Reason.String() + " " + evt.Message))}, true
	case *events.CATRefreshError:
		return ending{refused: true, status: refusedStatus(evt.Error.Error())}, true
	}
	return ending{}, false
}

// unlinked forgets the device. whatsmeow does the same on its own goroutine; the state must not be shown before it is true.
func (s *supervisor) unlinked(ctx context.Context) {
	if s.jid != "" {
		if err := s.device.forget(ctx, s.jid); err != nil {
			s.log.Error("device not forgotten", "error", err)
		}
	}
	hangUp(s.client)
	s.client, s.jid = nil, ""
}

// forgetEvents drops what an earlier connection left behind, except what is true of the number in any case.
func (s *supervisor) forgetEvents(ctx context.Context) {
	for {
		select {
		case evt := <-s.events:
			s.onRestriction(ctx, evt)
		case <-s.resets:
		default:
			return
		}
	}
}

// handle is where every event of whatsmeow arrives, on whatsmeow's goroutines. False: not handled, do not acknowledge.
func (s *supervisor) handle(cli *whatsmeow.Client, evt any) bool {
	switch evt := evt.(type) {
	case *events.Message:
		return s.receive(cli, evt)
	case *events.Receipt:
		s.receipt(evt)
	case *events.NotifyAccountReachoutTimelock:
		s.hearNotice(evt)
	case *events.UndecryptableMessage:
		s.undecryptable(evt)
	case *events.QR, *events.PairSuccess, *events.PairError, *events.QRScannedWithoutMultidevice, *events.PairPasskeyRequest,
		*events.ManualLoginReconnect, *events.Connected,
		*events.Disconnected, *events.KeepAliveTimeout, *events.KeepAliveRestored, *events.StreamError,
		*events.LoggedOut, *events.StreamReplaced, *events.TemporaryBan, *events.ClientOutdated, *events.ConnectFailure,
		*events.CATRefreshError:
		select {
		case s.events <- evt:
		case <-s.ctx.Done():
		}
	}
	return true
}
