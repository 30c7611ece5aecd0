package routes

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

// tenantOf reads the tenant the path names.
func (s *server) tenantOf(c *fiber.Ctx) (queries.GetTenantRow, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return queries.GetTenantRow{}, notFound("This tenant")
	}
	return s.tenant(c.UserContext(), id)
}

func (s *server) tenant(ctx context.Context, id uuid.UUID) (queries.GetTenantRow, error) {
	t, err := s.system.GetTenant(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, notFound("This tenant")
	}
	return t, err
}

// tenantPage shows one business. What the page lacks by the time its stream starts, the stream brings.
func (s *server) tenantPage(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	page, err := s.tenantView(c, t)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "admin/tenant", page)
}

// tenantView reads all that the page shows.
func (s *server) tenantView(c *fiber.Ctx, t queries.GetTenantRow) (TenantPage, error) {
	ctx, base := c.UserContext(), tenantBase(t.Tenant.ID)
	page := TenantPage{
		Page: s.page(c, t.Tenant.Name, "tenants"), ID: t.Tenant.ID.String(), Name: t.Tenant.Name,
		Business: t.TenantConfig.BusinessName, Phone: t.Tenant.PhoneNumber, Created: t.Tenant.CreatedAt,
		Send:   sendForm(t).For(visitorOf(c)),
		Config: s.configForm(t.TenantConfig),
		Delete: DeleteForm{TenantID: t.Tenant.ID.String(), Name: t.Tenant.Name},
	}
	v := visitorOf(c)
	page.May, page.HistoryURL = v.rights, recordHistory(s.registry.Table("tenants"), page.ID)
	page.ConfigURL = recordURL(s.registry.Table("tenant_configs"), t.TenantConfig.ID.String())
	page.StreamURL = base + "/stream"
	if t.Tenant.ClosingAt != nil {
		page.Closing, page.ClosingReason = *t.Tenant.ClosingAt, t.Tenant.ClosingReason
	}
	var err error
	if page.State, err = s.statePanel(ctx, s.system, t); err != nil {
		return page, err
	}
	if page.Link, err = s.linkPanel(t, base, "en"); err != nil {
		return page, err
	}
	page.State = page.State.For(v)
	if !v.may(rightWorkers) {
		page.Link = page.Link.withoutLinking()
	}
	if page.Messages, err = listMessages(ctx, s.system, t.Tenant.ID, newest(), pageSize, "en", base+"/messages"); err != nil {
		return page, err
	}
	if page.Events, err = listEvents(ctx, s.system, t.Tenant.ID, newest(), pageSize, "en", base+"/events"); err != nil {
		return page, err
	}
	page.People, err = s.peoplePanel(ctx, v, t.Tenant.ID)
	return page, err
}

// tenantMessages and tenantEvents are what "Show older" asks for.
func (s *server) tenantMessages(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := listMessages(c.UserContext(), s.system, t.Tenant.ID, from, pageSize, "en", tenantBase(t.Tenant.ID)+"/messages")
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/message_rows", list)
}

func (s *server) tenantEvents(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	list, err := listEvents(c.UserContext(), s.system, t.Tenant.ID, from, pageSize, "en", tenantBase(t.Tenant.ID)+"/events")
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/event_rows", list)
}

// sendForm is open once a number is linked: while it is disconnected, messages wait in the queue.
func sendForm(t queries.GetTenantRow) SendForm {
	return SendForm{Action: tenantBase(t.Tenant.ID) + "/messages", Enabled: t.WhatsappSession.Jid != nil}
}

// For says why the reader may not write, where their role does not allow it.
func (f SendForm) For(v *visitor) SendForm {
	f.Notice = v.lacks(rightMessages)
	return f
}

// tenantSend writes to a customer in a person's name.
func (s *server) tenantSend(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	form := sendForm(t)
	form.To, form.Text = c.FormValue("to"), c.FormValue("text")
	_, err = s.Commands.QueueMessage(c.UserContext(), jobs.OutgoingMessage{
		TenantID: t.Tenant.ID, To: form.To, Text: form.Text, Source: "PERSON", Actor: visitorOf(c).actor(),
	})
	if refusal, ok := formRefusal(err); ok {
		form.Errors = refusal.Fields
		if len(refusal.Fields) == 0 {
			form.Error = refusal.Message
		}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/send_form", form)
		}
		return s.tenantPageWith(c, t, func(p *TenantPage) { p.Send = form })
	}
	if err != nil {
		return err
	}
	if !wantsHTMX(c) {
		return s.done(c, tenantBase(t.Tenant.ID), "", nil, "Queued.")
	}
	return s.render(c, http.StatusAccepted, "fragments/send_form", sendForm(t))
}

// formRefusal tells refusals that belong into the form from those that are the page's.
func formRefusal(err error) (*jobs.Error, bool) {
	var refusal *jobs.Error
	if !errors.As(err, &refusal) || refusal.Code == jobs.NotFound || refusal.Code == jobs.Unavailable {
		return nil, false
	}
	return refusal, true
}

// tenantPageWith shows the whole page again for a form posted without htmx, with what was wrong in it.
func (s *server) tenantPageWith(c *fiber.Ctx, t queries.GetTenantRow, change func(*TenantPage)) error {
	page, err := s.tenantView(c, t)
	if err != nil {
		return err
	}
	change(&page)
	return s.render(c, http.StatusUnprocessableEntity, "admin/tenant", page)
}

func (s *server) configForm(config queries.TenantConfig) ConfigForm {
	f := ConfigForm{
		TenantID: config.TenantID.String(), BusinessName: config.BusinessName,
		Template: string(config.TemplateType), Language: string(config.Language),
		DefaultReplies: s.Settings.Now().RepliesPerMinute, Templates: TemplateChoices(), Languages: LanguageChoices(),
	}
	if config.RepliesPerMinute != nil {
		f.RepliesPerMinute = strconv.Itoa(int(*config.RepliesPerMinute))
	}
	return f
}

// tenantConfig changes how the bot answers.
func (s *server) tenantConfig(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	form := s.configForm(t.TenantConfig)
	form.BusinessName, form.Template, form.Language = c.FormValue("business_name"), c.FormValue("template_type"), c.FormValue("language")
	form.RepliesPerMinute = strings.TrimSpace(c.FormValue("replies_per_minute"))
	change := jobs.TenantChange{BusinessName: &form.BusinessName, TemplateType: &form.Template, Language: &form.Language}
	var replies *int32
	change.RepliesPerMinute = &replies
	if form.RepliesPerMinute != "" {
		n, err := strconv.ParseInt(form.RepliesPerMinute, 10, 32)
		if err != nil {
			n = -1 // refused below, in the same words as a number out of range
		}
		limit := int32(n)
		replies = &limit
	}
	err = s.Commands.UpdateTenant(c.UserContext(), t.Tenant.ID, change, visitorOf(c).actor())
	if refusal, ok := formRefusal(err); ok {
		form.Errors, form.Error = refusal.Fields, ""
		if len(refusal.Fields) == 0 {
			form.Error = refusal.Message
		}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/config_form", form)
		}
		return s.tenantPageWith(c, t, func(p *TenantPage) { p.Config = form })
	}
	if err != nil {
		return err
	}
	form.BusinessName, form.Saved = strings.TrimSpace(form.BusinessName), true
	return s.done(c, tenantBase(t.Tenant.ID), "fragments/config_form", form, "Settings saved.")
}

// manyMessages are more than are deleted while somebody waits.
const manyMessages = 5000

// tenantDelete removes a tenant once its name was typed.
func (s *server) tenantDelete(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	if strings.TrimSpace(c.FormValue("confirm")) != t.Tenant.Name {
		form := DeleteForm{TenantID: t.Tenant.ID.String(), Name: t.Tenant.Name, Error: "Type the name exactly as it is shown."}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/delete_form", form)
		}
		return s.tenantPageWith(c, t, func(p *TenantPage) { p.Delete = form })
	}
	run, err := s.deleteTenant(c.UserContext(), t.Tenant.ID, visitorOf(c).actor())
	if err != nil {
		return err
	}
	if run != uuid.Nil {
		return s.redirect(c, bulkURL(run))
	}
	if err := s.toast(c, "ok", t.Tenant.Name+" is deleted."); err != nil {
		return err
	}
	return s.redirect(c, "/admin/tenants")
}

// deleteTenant removes a tenant and tells the open pages of every process: rows that are gone announce nothing themselves. One with
// very many messages is removed by a run, which it gives.
func (s *server) deleteTenant(ctx context.Context, id uuid.UUID, actor jobs.Actor) (run uuid.UUID, err error) {
	many, err := s.system.HasManyMessages(ctx, queries.HasManyMessagesParams{TenantID: id, Many: manyMessages})
	if err != nil {
		return run, err
	}
	if many {
		run = newID()
		return run, s.Commands.Bulk(ctx, jobs.BulkAsk{
			RunID: run, Table: s.registry.Table("tenants"), Action: queries.BulkActionDELETE, Zone: s.Location, Keys: []string{id.String()}, Total: 1,
		}, actor)
	}
	if err := s.Commands.DeleteTenant(ctx, id, actor); err != nil {
		return run, err
	}
	e := Event{Kind: KindTenant, Tenant: id, ID: id}
	if _, err := s.Database.System.Exec(ctx, "SELECT pg_notify($1, $2)", liveChannel, e.payload()); err != nil {
		s.Log.Warn("open pages do not learn that a tenant is deleted", "tenant", id, "err", err)
	}
	return run, nil
}
