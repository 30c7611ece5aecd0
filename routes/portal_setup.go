package routes

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// portalSetupPage is where an owner stands on the way to a bot that answers: the form, the steps, at last the code to scan.
func (s *server) portalSetupPage(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	page, err := s.setupPageOf(c, v)
	if err != nil {
		return err
	}
	if page.State.Status == "" || page.State.Status == "REJECTED" && c.Query("edit") != "" {
		if page.Form, err = s.setupForm(ctx, v); err != nil {
			return err
		}
		page.ShowForm = true
	}
	return s.render(c, http.StatusOK, "portal/setup", page)
}

func (s *server) setupPageOf(c *fiber.Ctx, v *visitor) (SetupProgressPage, error) {
	page := SetupProgressPage{Page: s.page(c, words.T(v.Lang, "setup.title"), "home")}
	if v.Tenant == uuid.Nil {
		return page, nil
	}
	page.StreamURL = "/portal/setup/stream"
	err := s.inTenant(c.UserContext(), v.Tenant, func(q *queries.Queries) (err error) {
		page.State, page.Link, err = s.setupState(c.UserContext(), q, v.Tenant, v.Lang)
		return err
	})
	return page, err
}

// setupState words the latest request of a tenant and, once it is approved, shows the code to scan.
func (s *server) setupState(ctx context.Context, q *queries.Queries, tenant uuid.UUID, lang string) (p SetupProgress, link *LinkPanel, err error) {
	p.Lang = lang
	r, err := q.LatestSetupRequest(ctx, tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil, nil // the operator made this business
	}
	if err != nil {
		return p, nil, err
	}
	p = SetupProgressOf(lang, string(r.Status))
	p.Business, p.Sent = r.BusinessName, r.CreatedAt
	if r.Reason != nil {
		p.Reason = *r.Reason
	}
	if r.Status != queries.SetupRequestStatusAPPROVED {
		return p, nil, nil
	}
	t, err := q.GetTenant(ctx, tenant)
	if err != nil {
		return p, nil, err
	}
	panel, err := s.linkPanel(t, portalBase, lang)
	return p, &panel, err
}

// setupForm is filled with what was sent before, or with what fits most.
func (s *server) setupForm(ctx context.Context, v *visitor) (SetupForm, error) {
	f := NewSetupForm(v.Lang)
	if v.Tenant == uuid.Nil {
		return f, nil
	}
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		r, err := q.LatestSetupRequest(ctx, v.Tenant)
		if err != nil {
			return err
		}
		f.BusinessName, f.Kind, f.Template = r.BusinessName, r.BusinessKind, string(r.TemplateType)
		f.Language, f.Phone = string(r.Language), r.WhatsappNumber
		f.readHours(r.HoursJson)
		return nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return f, err
}

// portalSetupSend sends the request. Sent twice, by two taps or from two tabs, it is one request: the second leads to the
// state of the first.
func (s *server) portalSetupSend(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	f := NewSetupForm(v.Lang)
	f.BusinessName, f.Kind, f.Template = c.FormValue("business_name"), c.FormValue("business_kind"), c.FormValue("template_type")
	f.Language, f.Phone = c.FormValue("language"), c.FormValue("whatsapp_number")
	f.Always, f.From, f.To = c.FormValue("always") != "", c.FormValue("from"), c.FormValue("to")
	var days []time.Weekday
	for i := range f.Days {
		f.Days[i].Open = c.FormValue("day"+strconv.Itoa(f.Days[i].Number)) != ""
		if f.Days[i].Open {
			days = append(days, time.Weekday(f.Days[i].Number))
		}
	}
	var hours []byte
	if !f.Always {
		var err error
		if hours, err = jobs.HoursOf(days, f.From, f.To); err != nil {
			return err
		}
	}
	_, err := s.Commands.SubmitSetup(ctx, v.ID, jobs.SetupRequest{
		BusinessName: f.BusinessName, BusinessKind: f.Kind, TemplateType: f.Template, Language: f.Language, WhatsAppNumber: f.Phone, Hours: hours,
	}, v.actor())
	var refusal *jobs.Error
	switch {
	case errors.As(err, &refusal) && len(refusal.Fields) > 0:
		f.Errors = refusalsIn(v.Lang, refusal.Fields)
		page, err := s.setupPageOf(c, v)
		if err != nil {
			return err
		}
		page.Form, page.ShowForm, page.StreamURL = f, true, ""
		return s.render(c, http.StatusUnprocessableEntity, "portal/setup", page)
	case errors.As(err, &refusal) && refusal.Code == jobs.Conflict: // it was sent already
	case err != nil:
		return err
	}
	return c.Redirect("/portal/setup", http.StatusSeeOther)
}

// portalSetupStream keeps the steps up to date, and the code once there is one.
func (s *server) portalSetupStream(c *fiber.Ctx) error {
	v := visitorOf(c)
	if v.Tenant == uuid.Nil {
		return refuse(http.StatusConflict, "Your business is not set up yet.")
	}
	query := func(ctx context.Context, fn func(*queries.Queries) error) error { return s.inTenant(ctx, v.Tenant, fn) }
	show := func(ctx context.Context, w *eventWriter) error {
		return query(ctx, func(q *queries.Queries) error {
			state, link, err := s.setupState(ctx, q, v.Tenant, v.Lang)
			if err != nil {
				return err
			}
			parts := []fragment{{"fragments/setup_state", state}, {"fragments/setup_link", SetupLink{Link: link}}, {"fragments/setup_steps", state}}
			return s.sendFragments(w, "session", parts...)
		})
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(v.Tenant), allowed: s.alive(v), present: show,
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			if !slices.ContainsFunc(events, func(e Event) bool { return e.Kind != KindMessage }) {
				return nil
			}
			return show(ctx, w)
		},
		watch: func(ctx context.Context) error {
			return query(ctx, func(q *queries.Queries) error { return q.WatchSession(ctx, v.Tenant) })
		},
	})
}
