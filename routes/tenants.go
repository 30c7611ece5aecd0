package routes

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
)

// tenantsPage is the list of businesses; htmx asks for the list or, with a cursor, for more of its rows.
func (s *server) tenantsPage(c *fiber.Ctx) error {
	list, err := s.tenantList(c)
	switch {
	case err != nil:
		return err
	case wantsHTMX(c) && c.Query("cursor") != "":
		return s.render(c, http.StatusOK, "fragments/tenant_rows", list)
	case wantsHTMX(c):
		return s.render(c, http.StatusOK, "fragments/tenant_list", list)
	}
	return s.showTenants(c, http.StatusOK, list, tenantForm())
}

func (s *server) showTenants(c *fiber.Ctx, status int, list TenantList, form TenantForm) error {
	page := TenantsPage{Page: s.page(c, "Tenants", "tenants"), List: list, Form: form, ReadOnly: !visitorOf(c).may(rightRecords)}
	page.StreamURL = "/admin/stream"
	return s.render(c, status, "admin/tenants", page)
}

func (s *server) tenantList(c *fiber.Ctx) (TenantList, error) {
	l := TenantList{Query: strings.TrimSpace(c.Query("q")), Status: c.Query("status")}
	if p := jobs.CheckText(l.Query, 100, false); l.Query != "" && p != "" {
		return l, invalid(FieldErrors{"q": p})
	}
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return l, err
	}
	params := queries.ListTenantsParams{BeforeCreatedAt: from.at, BeforeID: from.id, Search: escapeLike(l.Query), PageSize: pageSize + 1}
	if l.Status != "" {
		status := queries.TenantStatus(l.Status)
		if !status.Valid() {
			return l, refuse(http.StatusUnprocessableEntity, "There is no such status to filter by.")
		}
		params.Status = &status
	}
	ctx := c.UserContext()
	rows, err := s.system.ListTenants(ctx, params)
	if err != nil {
		return l, err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		last := rows[pageSize-1].Tenant
		l.MoreURL = "/admin/tenants?" + url.Values{"cursor": {cursor{last.CreatedAt, last.ID}.String()}, "status": {l.Status}, "q": {l.Query}}.Encode()
	}
	for _, r := range rows {
		l.Rows = append(l.Rows, s.tenantRow(queries.GetTenantRow(r)))
	}
	l.Filters, err = s.tenantFilters(ctx, params.Search, l.Status)
	return l, err
}

// tenantFilters are the chips: each status with how many tenants of the search have it.
func (s *server) tenantFilters(ctx context.Context, search, active string) ([]FilterChip, error) {
	counts, err := s.system.CountTenantsByStatus(ctx, search)
	if err != nil {
		return nil, err
	}
	per, all := map[queries.TenantStatus]int{}, 0
	for _, n := range counts {
		per[n.Status] = int(n.Tenants)
		all += int(n.Tenants)
	}
	chips := []FilterChip{{Label: "All", Count: all, Active: active == ""}}
	for _, status := range queries.AllTenantStatusValues() {
		state := TenantState(string(status), "en")
		chips = append(chips, FilterChip{Label: state.Word, Status: state.Code, Count: per[status], Tone: state.Tone, Active: active == state.Code})
	}
	return chips, nil
}

// escapeLike takes the meaning from the characters that LIKE treats as patterns.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

func tenantForm() TenantForm {
	return TenantForm{Templates: TemplateChoices(), Languages: LanguageChoices(), Template: "BOOKING", Language: "SW"}
}

// tenantCreate makes a tenant and opens its page.
func (s *server) tenantCreate(c *fiber.Ctx) error {
	n := jobs.NewTenant{
		Name: c.FormValue("name"), BusinessName: c.FormValue("business_name"), PhoneNumber: c.FormValue("phone_number"),
		TemplateType: c.FormValue("template_type"), Language: c.FormValue("language"),
	}
	id, err := s.Commands.CreateTenant(c.UserContext(), n, visitorOf(c).actor())
	var refusal *jobs.Error
	if errors.As(err, &refusal) && len(refusal.Fields) > 0 {
		form := tenantForm()
		form.Name, form.BusinessName, form.Phone, form.Template, form.Language = n.Name, n.BusinessName, n.PhoneNumber, n.TemplateType, n.Language
		form.Errors, form.Open = refusal.Fields, true
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/tenant_form", form)
		}
		list, err := s.tenantList(c)
		if err != nil {
			return err
		}
		return s.showTenants(c, http.StatusUnprocessableEntity, list, form)
	}
	if err != nil {
		return err
	}
	if err := s.toast(c, "ok", strings.TrimSpace(n.Name)+" is created. Start it to link its number."); err != nil {
		return err
	}
	return s.redirect(c, tenantBase(id))
}
