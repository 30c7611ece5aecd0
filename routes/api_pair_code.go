package routes

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries"
)

// pairCodeWait is how long a request for a link code is held open.
const pairCodeWait = 20 * time.Second

// apiPairCode answers POST /tenants/{id}/pair-code. The code comes from WhatsApp through the node that runs the tenant; the
// request waits for the announcement that it has arrived.
func (s *server) apiPairCode(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	var phone string
	if err := readBody(c, body{"phone": &phone}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.Context, pairCodeWait) // shutting down does not wait for WhatsApp
	defer cancel()
	before, err := s.apiTenantRow(ctx, id)
	if err != nil {
		return err
	}
	sub := s.Hub.Subscribe(id)
	defer sub.Close()
	if _, err := s.Commands.RequestPairCode(ctx, id, phone, programOf(c).actor()); err != nil {
		return s.noPairCode(ctx, err)
	}
	if err := s.watchForProgram(id)(ctx); err != nil {
		return s.noPairCode(ctx, err)
	}
	old := textOf(before.WhatsappSession.PairCode) // void from now on, though a node that shows it may write it once more
	for {
		now, err := s.apiTenantRow(ctx, id)
		if err != nil {
			return s.noPairCode(ctx, err)
		}
		if code := textOf(now.WhatsappSession.PairCode); code != "" && code != old {
			return c.JSON(struct {
				Code string `json:"code"`
			}{code})
		}
		if why := pairingFailed(before, now); why != "" {
			return refuse(http.StatusConflict, why)
		}
		before = now
		select {
		case <-ctx.Done():
			return s.noPairCode(ctx, ctx.Err())
		case <-sub.Wake():
			sub.Take()
		}
	}
}

// noPairCode tells the end of the wait and of the process from other errors.
func (s *server) noPairCode(ctx context.Context, err error) error {
	switch {
	case s.Context.Err() != nil:
		return &Error{Status: http.StatusServiceUnavailable, Message: "The server is restarting. Ask for a new code in a moment.", RetryIn: 5 * time.Second, Err: err}
	case ctx.Err() != nil:
		return &Error{Status: http.StatusGatewayTimeout, Message: "No code arrived within 20 seconds. Ask for a new one.", RetryIn: time.Second, Err: err}
	}
	return err
}

// pairingFailed says why no code will come, or "" while it still may. Only what has changed counts: the session may have been
// logged out long before.
func pairingFailed(before, now queries.GetTenantRow) string {
	was, is := before.WhatsappSession, now.WhatsappSession
	if is.State == queries.SessionStateCONNECTED && was.State != is.State {
		return now.Tenant.Name + " was linked meanwhile."
	}
	if is.Reason != was.Reason || !is.ReasonSince.Equal(was.ReasonSince) {
		switch is.Reason {
		case queries.SessionReasonBANNED, queries.SessionReasonOUTDATED, queries.SessionReasonLOGGEDOUT, queries.SessionReasonLOCKED,
			queries.SessionReasonREPLACED, queries.SessionReasonSTOPPED, queries.SessionReasonUNLINKED:
			return sessionSentence(is, "en", time.UTC)
		}
	}
	failed := now.WorkerProcess
	if failed.Status == queries.WorkerStatusERROR && (before.WorkerProcess.Status != failed.Status || textOf(before.WorkerProcess.LastError) != textOf(failed.LastError)) {
		return "The worker failed: " + textOf(failed.LastError)
	}
	return ""
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
