package routes

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

type workerCommand func(context.Context, uuid.UUID, jobs.Actor) (int64, error)

// tenantWorker starts, stops, restarts or unlinks, as the path says. The state that follows comes by the stream.
func (s *server) tenantWorker(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	var command workerCommand
	var said string
	switch c.Params("action") {
	case "start":
		command = s.startCommand(t) // the panels show how it goes
	case "stop":
		command, said = s.Commands.StopWorker, "Stopping. The link is kept."
	case "restart":
		command, said = s.Commands.RestartWorker, "Restarting."
	case "logout":
		command, said = s.Commands.LogoutWorker, "Logging the number out of WhatsApp."
	default:
		return fiber.ErrNotFound
	}
	if _, err := command(c.UserContext(), t.Tenant.ID, visitorOf(c).actor()); err != nil {
		return err
	}
	if !wantsHTMX(c) {
		return s.done(c, tenantBase(t.Tenant.ID), "", nil, said)
	}
	if t, err = s.tenant(c.UserContext(), t.Tenant.ID); err != nil {
		return err
	}
	panel, err := s.statePanel(c.UserContext(), s.system, t)
	if err != nil {
		return err
	}
	return s.done(c, "", "fragments/state_panel", panel, said)
}

// startCommand: where a worker runs without a number (its codes ran out, the phone unlinked it), "Show the QR code" means a
// new round.
func (s *server) startCommand(t queries.GetTenantRow) workerCommand {
	may := jobs.Allowed(t)
	if !may.Start && may.Restart && t.WhatsappSession.Jid == nil && t.WhatsappSession.State == queries.SessionStateDISCONNECTED && !preparing(t) {
		return s.Commands.RestartWorker
	}
	return s.Commands.StartWorker
}

// tenantPairCode asks for a code to link by phone number.
func (s *server) tenantPairCode(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	return s.pairCode(c, t, tenantBase(t.Tenant.ID), tenantBase(t.Tenant.ID))
}

// pairCode serves admins and owners. The code itself arrives by the stream, as soon as WhatsApp gave one out.
func (s *server) pairCode(c *fiber.Ctx, t queries.GetTenantRow, base, back string) error {
	v := visitorOf(c)
	form := PairForm{Base: base, Lang: v.Lang, Phone: c.FormValue("phone")}
	_, err := s.Commands.RequestPairCode(c.UserContext(), t.Tenant.ID, form.Phone, v.actor())
	if refusal, ok := formRefusal(err); ok {
		form.Error = refusal.Message
		if problem := refusal.Fields["phone"]; problem != "" {
			form.Error = problem
		}
		form.Error = words.Refusal(v.Lang, form.Error)
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/pair_form", form)
		}
		return refusal
	}
	if err != nil {
		return err
	}
	said := words.T(v.Lang, "link.code_coming")
	return s.done(c, back, "fragments/pair_form", form, said)
}
