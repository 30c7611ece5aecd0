package routes

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
)

// DemoCustomer is a customer whom the virtual phone can play.
type DemoCustomer struct{ Name, Phone string } // Phone: E.164

// DemoCustomers are the people on the virtual phone; the demo's history is theirs too.
func DemoCustomers() []DemoCustomer {
	return []DemoCustomer{
		{"Asha Mwakyusa", "+255754100201"}, {"Juma Kilonzo", "+255713100202"}, {"Neema Shayo", "+255767100203"},
		{"Baraka Mrema", "+255688100204"}, {"Grace Wanjiru", "+254722100205"},
	}
}

// demoRoutes exist only in the demo: they play customers, whom nobody must be able to play in earnest.
func (s *server) demoRoutes() []route {
	if !s.DemoMode {
		return nil
	}
	return []route{
		{"GET", "/demo/phone", anyone, s.phonePage},
		{"GET", "/demo/phone/stream", anyone, s.phoneStream},
		{"POST", "/demo/phone/send", anyone, s.phoneSend},
		{"POST", "/admin/tenants/:id/demo-scan", rightWorkers, s.tenantDemoScan},
		{"POST", "/portal/demo-scan", portal, s.portalDemoScan},
	}
}

// phoneChoice is who writes to whom.
type phoneChoice struct {
	business queries.GetTenantRow // zero where there is no business yet
	customer DemoCustomer
}

func (p phoneChoice) query() string {
	return "?" + url.Values{"business": {p.business.Tenant.ID.String()}, "customer": {p.customer.Phone}}.Encode()
}

// choose reads business and customer; without them it is the first of each.
func (s *server) choose(ctx context.Context, business, customer string) (phoneChoice, []queries.GetTenantRow, error) {
	from := newest()
	rows, err := s.system.ListTenants(ctx, queries.ListTenantsParams{BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: 50})
	if err != nil {
		return phoneChoice{}, nil, err
	}
	all := make([]queries.GetTenantRow, len(rows))
	for i, r := range rows {
		all[len(rows)-1-i] = queries.GetTenantRow(r) // oldest first: the samples before what people add
	}
	p := phoneChoice{customer: DemoCustomers()[0]}
	for _, c := range DemoCustomers() {
		if c.Phone == customer {
			p.customer = c
		}
	}
	if len(all) > 0 {
		p.business = all[0]
	}
	for _, t := range all {
		if t.Tenant.ID.String() == business {
			p.business = t
		}
	}
	return p, all, nil
}

// phonePage is the virtual phone: a customer's chat with a business.
func (s *server) phonePage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	chosen, all, err := s.choose(ctx, c.Query("business"), c.Query("customer"))
	if err != nil {
		return err
	}
	page := PhonePage{Page: s.page(c, "Virtual phone", "phone")}
	page.Lang = "en"
	for _, t := range all {
		selected := t.Tenant.ID == chosen.business.Tenant.ID
		contact := phoneBusiness(t)
		contact.Selected, contact.URL = selected, "/demo/phone"+phoneChoice{t, chosen.customer}.query()
		page.Businesses = append(page.Businesses, contact)
		if selected {
			page.Business = contact
		}
	}
	for _, p := range DemoCustomers() {
		contact := PhoneContact{
			ID: p.Phone, Name: p.Name, Phone: p.Phone, Selected: p == chosen.customer,
			URL: "/demo/phone" + phoneChoice{chosen.business, p}.query(),
		}
		page.Customers = append(page.Customers, contact)
		if contact.Selected {
			page.Customer = contact
		}
	}
	if len(all) > 0 {
		if page.Chat, err = s.chat(ctx, chosen); err != nil {
			s.Log.Warn("simulator", "request", requestID(c), "err", err)
			page.Flash = append(page.Flash, Toast{Kind: "warn", Text: "The simulated WhatsApp does not answer. Is it running?"})
		}
		page.StreamURL = "/demo/phone/stream" + chosen.query()
		page.TenantURL = tenantBase(chosen.business.Tenant.ID)
		page.Quick = quickWords(chosen.business.TenantConfig)
		page.Form = s.phoneForm(chosen, len(page.Chat) == 0)
	}
	return s.render(c, http.StatusOK, "demo/phone", page)
}

func phoneBusiness(t queries.GetTenantRow) PhoneContact {
	return PhoneContact{
		ID: t.Tenant.ID.String(), Name: t.TenantConfig.BusinessName, Phone: linkedPhone(t),
		Detail: labelOf(TemplateChoices(), string(t.TenantConfig.TemplateType)) + ", " + labelOf(LanguageChoices(), string(t.TenantConfig.Language)),
		Online: t.WhatsappSession.State == queries.SessionStateCONNECTED,
	}
}

func (s *server) phoneForm(chosen phoneChoice, empty bool) PhoneForm {
	f := PhoneForm{Business: chosen.business.Tenant.ID.String(), Customer: chosen.customer.Phone}
	if empty {
		f.Quick = quickWords(chosen.business.TenantConfig)
	}
	return f
}

// quickWords are first messages that the business's bot understands.
func quickWords(config queries.TenantConfig) []string {
	if config.Language == queries.LanguageSW {
		switch config.TemplateType {
		case queries.TemplateTypeECOMMERCE:
			return []string{"Habari", "Bei gani?", "Nataka kuagiza", "menu"}
		case queries.TemplateTypeSUPPORT:
			return []string{"Habari", "Nina tatizo", "Mko wazi saa ngapi?", "menu"}
		}
		return []string{"Habari", "Nataka miadi", "Huduma zenu?", "menu"}
	}
	switch config.TemplateType {
	case queries.TemplateTypeECOMMERCE:
		return []string{"Hello", "What are your prices?", "I want to order", "menu"}
	case queries.TemplateTypeSUPPORT:
		return []string{"Hello", "I have a problem", "When are you open?", "menu"}
	}
	return []string{"Hello", "I want to book", "Which services do you have?", "menu"}
}

// phoneSend writes to the business as the customer. The bubble comes by the stream.
func (s *server) phoneSend(c *fiber.Ctx) error {
	ctx := c.UserContext()
	text := c.FormValue("text")
	chosen, _, err := s.choose(ctx, c.FormValue("business"), c.FormValue("customer"))
	if err != nil {
		return err
	}
	form := s.phoneForm(chosen, false)
	form.Error = jobs.CheckText(text, jobs.MaxText, true)
	if chosen.business.Tenant.ID.String() != c.FormValue("business") || chosen.customer.Phone != c.FormValue("customer") {
		form.Error = "Choose a business and a customer first."
	}
	if form.Error == "" {
		err := s.simulator(ctx, "POST", "/send", map[string]string{
			"from": chosen.customer.Phone, "to": linkedPhone(chosen.business), "text": text, "name": chosen.customer.Name,
		}, nil)
		if refusal, ok := formRefusal(err); ok {
			form.Error = refusal.Message
		} else if err != nil {
			return err
		}
	}
	if form.Error != "" {
		form.Text = text
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/phone_form", form)
		}
		return refuse(http.StatusUnprocessableEntity, form.Error)
	}
	return s.done(c, "/demo/phone"+chosen.query(), "fragments/phone_form", form, "")
}

// tenantDemoScan and portalDemoScan let the demo's phone scan the code on offer.
func (s *server) tenantDemoScan(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	return s.demoScan(c, t, tenantBase(t.Tenant.ID))
}

func (s *server) portalDemoScan(c *fiber.Ctx) error {
	t, err := s.portalTenant(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	return s.demoScan(c, t, portalBase)
}

func (s *server) demoScan(c *fiber.Ctx, t queries.GetTenantRow, back string) error {
	if !qrOnOffer(t.WhatsappSession) {
		return &jobs.Error{Code: jobs.Conflict, Message: "There is no code to scan at the moment. Show the QR code first."}
	}
	err := s.simulator(c.UserContext(), "POST", "/scan", map[string]string{"qr": *t.WhatsappSession.LastQr, "phone": t.Tenant.PhoneNumber}, nil)
	if err != nil {
		return err
	}
	if wantsHTMX(c) {
		return c.SendStatus(http.StatusNoContent)
	}
	return c.Redirect(back, http.StatusSeeOther)
}

// chat is the conversation as the customer's phone shows it: what the simulator remembers and, from before it started, what
// the business's log has.
func (s *server) chat(ctx context.Context, p phoneChoice) ([]PhoneBubble, error) {
	var lines []chatLine
	query := url.Values{"business": {linkedPhone(p.business)}, "contact": {p.customer.Phone}}
	simErr := s.simulator(ctx, "GET", "/chat?"+query.Encode(), nil, &lines)
	var bubbles []PhoneBubble
	known := map[string]bool{}
	for _, l := range lines {
		known[l.ID] = true
		bubbles = append(bubbles, PhoneBubble{ID: l.ID, Mine: l.FromContact, Text: l.shown(), Status: strings.ToUpper(l.Status), At: l.At})
	}
	from := newest()
	rows, err := s.system.ListMessages(ctx, queries.ListMessagesParams{
		TenantID: p.business.Tenant.ID, BeforeCreatedAt: from.at, BeforeID: from.id, Contact: &p.customer.Phone, PageSize: 100,
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		m := r.MessageLog
		mine := m.Direction == queries.MessageDirectionIN
		if known[m.WaMessageID] || (!mine && m.SentAt == nil) {
			continue
		}
		b := PhoneBubble{ID: m.WaMessageID, Mine: mine, Text: m.MessageText, At: m.CreatedAt}
		if mine {
			b.Status = "READ"
		}
		bubbles = append(bubbles, b)
	}
	slices.SortStableFunc(bubbles, func(a, b PhoneBubble) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return bubbles, simErr
}
