package routes

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/spreadsheet"
	"flowhq/templates"
	"flowhq/templates/words"
)

const customersURL = "/portal/customers"

// customerShows are the ways to look at the list; queries/customers.sql says what they mean.
var customerShows = []string{"all", "week", "quiet", "never", "out"}

// customerLook is how somebody looks at the list, as its address says.
type customerLook struct{ show, search, label, sort string }

func customerLookOf(c *fiber.Ctx) customerLook {
	look := customerLook{search: strings.TrimSpace(c.Query("q")), label: strings.TrimSpace(c.Query("label"))}
	for _, show := range customerShows[1:] {
		if c.Query("show") == show {
			look.show = show
		}
	}
	if c.Query("sort") == "name" {
		look.sort = "name"
	}
	return look
}

func (l customerLook) address(path string, more ...string) string {
	q := url.Values{}
	for _, pair := range [][2]string{{"show", l.show}, {"q", l.search}, {"label", l.label}, {"sort", l.sort}} {
		if pair[1] != "" {
			q.Set(pair[0], pair[1])
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// params asks for a page of the list after a place in it; "" is the start.
func (l customerLook) params(tenant uuid.UUID, after string, size int32) (queries.ListCustomersParams, error) {
	p := queries.ListCustomersParams{
		ByName: l.sort == "name", TenantID: tenant, Show: l.show, Label: l.label, Search: escapeLike(l.search), Digits: phoneDigits(l.search), PageSize: size,
	}
	if after == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(after)
	id, place, found := strings.Cut(string(raw), " ")
	var bad error
	if p.AfterID, bad = uuid.Parse(id); err != nil || bad != nil || !found || jobs.CheckText("x"+place, 300, false) != "" {
		return p, refuse(http.StatusUnprocessableEntity, "This place in the list is not known. Open the list from its start.")
	}
	p.Further, p.AfterPlace = true, place
	return p, nil
}

func placeOf(r queries.ListCustomersRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(r.ID.String() + " " + r.Place))
}

func (s *server) customersPage(c *fiber.Ctx) error {
	v, look := visitorOf(c), customerLookOf(c)
	var list CustomerList
	params, err := look.params(v.Tenant, c.Query("cursor"), pageSize+1)
	if err != nil {
		return err
	}
	err = s.inTenant(c.UserContext(), v.Tenant, func(q *queries.Queries) (err error) {
		list, err = customerList(c.UserContext(), q, v, look, params)
		return err
	})
	if err != nil {
		return err
	}
	if wantsHTMX(c) && params.Further {
		return s.render(c, http.StatusOK, "fragments/customer_rows", list)
	}
	return s.showCustomers(c, http.StatusOK, list, CustomerForm{Lang: v.Lang})
}

func (s *server) showCustomers(c *fiber.Ctx, status int, list CustomerList, form CustomerForm) error {
	return s.render(c, status, "portal/customers", CustomersPage{Page: s.page(c, words.T(list.Lang, "customers.title"), "inbox"), List: list, Add: form})
}

func customerList(ctx context.Context, q *queries.Queries, v *visitor, look customerLook, params queries.ListCustomersParams) (CustomerList, error) {
	l := CustomerList{Lang: v.Lang, Show: look.show, Search: look.search, Label: look.label, Sort: look.sort, ExportURL: look.address(customersURL + "/export")}
	rows, err := q.ListCustomers(ctx, params)
	if err != nil {
		return l, err
	}
	if len(rows) == int(params.PageSize) {
		rows = rows[:len(rows)-1]
		l.MoreURL = look.address(customersURL, "cursor", placeOf(rows[len(rows)-1]))
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	counts, err := q.CountMessagesOf(ctx, queries.CountMessagesOfParams{TenantID: v.Tenant, Ids: ids})
	if err != nil {
		return l, err
	}
	of := map[uuid.UUID]int{}
	for _, n := range counts {
		of[n.ConversationID] = int(n.Messages)
	}
	for _, r := range rows {
		l.Rows = append(l.Rows, customerRow(r, of[r.ID], v.Lang))
	}
	if params.Further {
		return l, nil
	}
	for _, show := range customerShows {
		other := look
		if other.show = show; show == "all" {
			other.show = ""
		}
		l.Tabs = append(l.Tabs, InboxTab{Show: other.show, Label: words.T(v.Lang, "customers.show."+show), URL: other.address(customersURL), Current: other.show == look.show})
	}
	labels, err := q.ListLabels(ctx, v.Tenant)
	for _, label := range labels {
		l.Labels = append(l.Labels, Choice{Value: label, Label: label})
	}
	if err != nil {
		return l, err
	}
	total, err := q.CountCustomersShown(ctx, v.Tenant)
	l.Total = int(total)
	return l, err
}

func customerRow(r queries.ListCustomersRow, messages int, lang string) CustomerRow {
	row := CustomerRow{URL: inboxURL + "/" + r.ID.String(), Lang: lang, Labels: r.Labels, Messages: messages, Out: r.OptedOutAt != nil}
	row.Contact = words.T(lang, "messages.hidden_number")
	if r.PhoneNumber != nil {
		row.Contact = *r.PhoneNumber
	}
	if r.Name != nil && *r.Name != "" {
		row.Contact, row.Phone = *r.Name, row.Contact
		row.Initials = UserView{Name: *r.Name}.Initials()
	}
	if r.LastMessageAt != nil && messages > 0 {
		row.Last = *r.LastMessageAt
	}
	row.MessagesWords = words.T(lang, "customers.messages", "count", messages)
	return row
}

// customerAdd adds a customer by hand, or gives one who is there a name.
func (s *server) customerAdd(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	form := CustomerForm{Lang: v.Lang, Name: strings.Join(strings.Fields(c.FormValue("name")), " "), Phone: strings.TrimSpace(c.FormValue("phone")), Errors: FieldErrors{}}
	phone, err := jobs.NormalizePhone(form.Phone)
	if err != nil {
		form.Errors["phone"] = words.T(v.Lang, "customers.no_phone")
	}
	if form.Name != "" {
		if problem := jobs.CheckText(form.Name, jobs.MaxName, false); problem != "" {
			form.Errors["name"] = words.Refusal(v.Lang, problem)
		}
	}
	look := customerLook{}
	if len(form.Errors) > 0 {
		var list CustomerList
		params, _ := look.params(v.Tenant, "", pageSize+1) // the start always is
		err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
			list, err = customerList(ctx, q, v, look, params)
			return err
		})
		if err != nil {
			return err
		}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/customer_form", form)
		}
		return s.showCustomers(c, http.StatusUnprocessableEntity, list, form)
	}
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		_, err := q.PutCustomers(ctx, queries.PutCustomersParams{TenantID: v.Tenant, Phones: []string{phone}, Names: []string{form.Name}, Labels: []string{""}})
		return err
	})
	if err != nil {
		return err
	}
	if err := s.toast(c, "ok", words.T(v.Lang, "customers.added")); err != nil {
		return err
	}
	return s.redirect(c, customersURL+"?"+url.Values{"q": {phone}}.Encode())
}

const customersAtOnce = 1000 // that an export reads at once

// customersExport sends the customers that are shown as a file that opens in a spreadsheet.
func (s *server) customersExport(c *fiber.Ctx) error {
	v, look := visitorOf(c), customerLookOf(c)
	name := words.T(v.Lang, "customers.file") + "-" + s.now().Format("2006-01-02") + ".csv"
	return s.sendFile(c, name, "text/csv; charset=utf-8", s.Log.With("request", requestID(c)), func(w io.Writer) error { return s.writeCustomers(w, v, look) }, nil)
}

func (s *server) writeCustomers(w io.Writer, v *visitor, look customerLook) error {
	out := spreadsheet.NewWriter(w)
	var heads []string
	for _, key := range []string{"name", "phone", "labels", "last", "count", "since", "automatic"} {
		heads = append(heads, words.T(v.Lang, "customers.col."+key))
	}
	if err := out.Names(heads...); err != nil {
		return err
	}
	when := func(t time.Time) spreadsheet.Cell {
		if t.IsZero() {
			return spreadsheet.Number("")
		}
		return spreadsheet.Number(t.In(s.Location).Format("2006-01-02 15:04"))
	}
	after := ""
	for {
		params, err := look.params(v.Tenant, after, customersAtOnce)
		if err != nil {
			return err
		}
		var rows []queries.ListCustomersRow
		counts := map[uuid.UUID]queries.CountMessagesOfRow{}
		reading, cancel := context.WithTimeout(s.Context, requestTimeout)
		err = s.inTenant(reading, v.Tenant, func(q *queries.Queries) (err error) {
			if rows, err = q.ListCustomers(reading, params); err != nil {
				return err
			}
			ids := make([]uuid.UUID, len(rows))
			for i, r := range rows {
				ids[i] = r.ID
			}
			counted, err := q.CountMessagesOf(reading, queries.CountMessagesOfParams{TenantID: v.Tenant, Ids: ids})
			for _, n := range counted {
				counts[n.ConversationID] = n
			}
			return err
		})
		cancel()
		if err != nil {
			return err
		}
		for _, r := range rows {
			n, text := counts[r.ID], func(p *string) spreadsheet.Cell {
				if p == nil {
					return spreadsheet.Text("")
				}
				return spreadsheet.Text(*p)
			}
			var last time.Time
			if n.Messages > 0 && r.LastMessageAt != nil {
				last = *r.LastMessageAt
			}
			automatic := "yes"
			if r.OptedOutAt != nil {
				automatic = "no"
			}
			phone := spreadsheet.Text("")
			if r.PhoneNumber != nil { // with gaps no spreadsheet takes it for an amount
				phone = spreadsheet.Number(strings.ReplaceAll(templates.Phone(*r.PhoneNumber), "\u00a0", " "))
			}
			if err := out.Write(text(r.Name), phone, spreadsheet.Text(strings.Join(r.Labels, ", ")), when(last),
				spreadsheet.Number(strconv.FormatInt(n.Messages, 10)), when(n.FirstAt), spreadsheet.Number(words.T(v.Lang, "customers.automatic."+automatic))); err != nil {
				return err
			}
		}
		if len(rows) < customersAtOnce {
			return out.Flush()
		}
		after = placeOf(rows[len(rows)-1])
	}
}
