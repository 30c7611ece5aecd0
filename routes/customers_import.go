package routes

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/spreadsheet"
	"flowhq/templates/words"
)

// Limits of a file of customers: with its rows, the form that follows stays below what a request may have.
const (
	customersMost  = 3000
	customersBytes = 512 << 10
	customersShown = 100 // rows to look at
)

// customerColumns are what people call the columns, in small letters.
var customerColumns = map[string][]string{
	"phone":  {"phone", "phone number", "number", "mobile", "tel", "telephone", "whatsapp", "whatsapp number", "simu", "namba", "nambari", "namba ya simu", "nambari ya simu", "namba ya whatsapp"},
	"name":   {"name", "full name", "customer", "client", "jina", "jina kamili", "mteja"},
	"labels": {"labels", "label", "tags", "tag", "group", "lebo", "kundi", "makundi"},
}

// customerLine is a row of a file as it would be written.
type customerLine struct {
	Line   int      `json:"l"`
	Phone  string   `json:"p"`
	Name   string   `json:"n,omitempty"`
	Labels []string `json:"t,omitempty"`
	reason string   // why it is left out; empty: it is not
}

func (s *server) customersImportPage(c *fiber.Ctx) error {
	return s.showCustomersImport(c, http.StatusOK, "", nil)
}

func (s *server) showCustomersImport(c *fiber.Ctx, status int, problem string, look *CustomerImport) error {
	lang := langOf(c)
	return s.render(c, status, "portal/customers_import", CustomerImportPage{Page: s.page(c, words.T(lang, "customers.import"), "inbox"), Error: problem, Look: look})
}

// customersImport first shows what a file would do, row by row, and with the rows of that look writes them: all or, where something breaks,
// nothing. Written twice, nothing is there twice.
func (s *server) customersImport(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	if carried := c.FormValue("rows"); carried != "" {
		var rows []customerLine
		if json.Unmarshal([]byte(carried), &rows) != nil || len(rows) > customersMost {
			return s.showCustomersImport(c, http.StatusUnprocessableEntity, words.T(v.Lang, "customers.choose_again"), nil)
		}
		return s.writeImport(c, v, rows)
	}
	upload, err := c.FormFile("file")
	if err != nil {
		return s.showCustomersImport(c, http.StatusUnprocessableEntity, words.T(v.Lang, "customers.choose_file"), nil)
	}
	file, err := upload.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, customersBytes+1))
	if err != nil {
		return err
	}
	rows, err := readCustomers(v.Lang, content)
	if wrong, is := errors.AsType[*spreadsheet.Error](err); is {
		return s.showCustomersImport(c, http.StatusUnprocessableEntity, faultWords(v.Lang, wrong), nil)
	} else if err != nil {
		return s.showCustomersImport(c, http.StatusUnprocessableEntity, err.Error(), nil)
	}
	var look CustomerImport
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		look, err = lookAtCustomers(ctx, q, v, rows)
		return err
	})
	if err != nil {
		return err
	}
	return s.showCustomersImport(c, http.StatusOK, "", &look)
}

func (s *server) writeImport(c *fiber.Ctx, v *visitor, rows []customerLine) error {
	ctx, p := c.UserContext(), queries.PutCustomersParams{TenantID: v.Tenant}
	for _, r := range rows {
		if r = checkImported(v.Lang, r); r.reason != "" || slices.Contains(p.Phones, r.Phone) { // a form that we did not make
			continue
		}
		p.Phones, p.Names, p.Labels = append(p.Phones, r.Phone), append(p.Names, r.Name), append(p.Labels, strings.Join(r.Labels, "\n"))
	}
	var added int64
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		added, err = q.PutCustomers(ctx, p)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.toast(c, "ok", words.T(v.Lang, "customers.imported", "new", words.Number(v.Lang, int(added)), "all", words.Number(v.Lang, len(p.Phones)))); err != nil {
		return err
	}
	return s.redirect(c, customersURL)
}

// faultWords says in the person's language what is wrong with a file.
func faultWords(lang string, e *spreadsheet.Error) string {
	switch e.Fault {
	case spreadsheet.Empty:
		return words.T(lang, "customers.file_empty")
	case spreadsheet.TooLarge, spreadsheet.TooManyRows:
		return words.T(lang, "customers.file_large", "rows", words.Number(lang, customersMost))
	}
	return words.T(lang, "customers.file_broken", "line", e.Line)
}

// readCustomers reads a file: its columns are known by their names, in either language, and a column of phone numbers also by them. A file
// without a line of names is read from its first line on.
func readCustomers(lang string, content []byte) ([]customerLine, error) {
	in, err := spreadsheet.NewReader(content, spreadsheet.Limits{Bytes: customersBytes, Rows: customersMost, Columns: 60, Cell: 2000})
	if err != nil {
		return nil, err
	}
	var all []spreadsheet.Row
	faults := map[int]string{}
	for {
		row, err := in.Next()
		if err == io.EOF {
			break
		}
		if wrong, is := errors.AsType[*spreadsheet.Error](err); is && wrong.OfRow() {
			faults[row.Line] = faultWords(lang, wrong)
		} else if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	header := in.Header()
	at := map[string]int{"phone": -1, "name": -1, "labels": -1}
	for i, cell := range header {
		name := strings.ToLower(strings.Trim(strings.TrimSpace(cell), ":*."))
		for column, names := range customerColumns {
			if at[column] < 0 && slices.Contains(names, name) {
				at[column] = i
			}
		}
	}
	if at["phone"] < 0 { // no names, or none of ours: numbers are seen
		numbers := func(column int) (n int) {
			for _, row := range all[:min(20, len(all))] {
				if _, err := jobs.NormalizePhone(row.Cells[column]); err == nil {
					n++
				}
			}
			return n
		}
		best := 0
		for i := range header {
			if n := numbers(i); n > best {
				best, at["phone"] = n, i
			}
		}
		for i, cell := range header {
			if _, err := jobs.NormalizePhone(cell); err == nil {
				at["phone"] = i
				all = slices.Insert(all, 0, spreadsheet.Row{Line: 1, Cells: header})
				break
			}
		}
		if at["phone"] < 0 {
			return nil, errors.New(words.T(lang, "customers.no_column"))
		}
		if at["name"] < 0 && len(header) > 1 {
			at["name"] = 0
			if at["phone"] == 0 {
				at["name"] = 1
			}
		}
	}
	cell := func(row spreadsheet.Row, column string) string {
		if at[column] < 0 || at[column] >= len(row.Cells) {
			return ""
		}
		return strings.Join(strings.Fields(row.Cells[at[column]]), " ")
	}
	place := map[string]int{}
	var rows []customerLine
	for _, row := range all {
		r := customerLine{Line: row.Line, Phone: cell(row, "phone"), Name: cell(row, "name"), reason: faults[row.Line]}
		for label := range strings.FieldsFuncSeq(cell(row, "labels"), func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
			if label = strings.TrimSpace(label); label != "" && !slices.Contains(r.Labels, label) {
				r.Labels = append(r.Labels, label)
			}
		}
		if r.reason == "" {
			r = checkImported(lang, r)
		}
		if r.reason == "" {
			if first, twice := place[r.Phone]; twice {
				r.reason = words.T(lang, "customers.twice", "line", rows[first].Line)
			} else {
				place[r.Phone] = len(rows)
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// checkImported normalises a row, or says why it is left out.
func checkImported(lang string, r customerLine) customerLine {
	phone, err := jobs.NormalizePhone(r.Phone)
	switch {
	case err != nil:
		r.reason = words.T(lang, "customers.no_phone")
	case r.Name != "" && jobs.CheckText(r.Name, jobs.MaxName, false) != "":
		r.reason = words.Refusal(lang, jobs.CheckText(r.Name, jobs.MaxName, false))
	case len(r.Labels) > maxLabels || slices.ContainsFunc(r.Labels, func(l string) bool { return jobs.CheckText(l, maxLabel, false) != "" }):
		r.reason = words.T(lang, "customers.bad_labels")
	default:
		r.Phone = phone
	}
	return r
}

// lookAtCustomers compares a file's rows with the customers there are.
func lookAtCustomers(ctx context.Context, q *queries.Queries, v *visitor, rows []customerLine) (CustomerImport, error) {
	look := CustomerImport{Lang: v.Lang}
	var phones []string
	for _, r := range rows {
		if r.reason == "" {
			phones = append(phones, r.Phone)
		}
	}
	known, err := q.KnownCustomers(ctx, queries.KnownCustomersParams{TenantID: v.Tenant, Phones: phones})
	if err != nil {
		return look, err
	}
	have := map[string]queries.KnownCustomersRow{}
	for _, k := range known {
		have[k.PhoneNumber] = k
	}
	states := map[string]State{}
	for code, tone := range map[string]string{"new": ToneOK, "changed": ToneWaiting, "same": ToneIdle, "refused": ToneFailed} {
		states[code] = State{Code: code, Word: words.T(v.Lang, "customers.row."+code), Tone: tone}
	}
	var carried []customerLine
	var shown, refused []CustomerImportRow
	for _, r := range rows {
		row, code := CustomerImportRow{Line: r.Line, Phone: r.Phone, Name: r.Name, Labels: r.Labels, Reason: r.reason}, "new"
		k, there := have[r.Phone]
		switch {
		case r.reason != "":
			code = "refused"
			look.Refused++
		case !there:
			look.New++
		case r.Name != "" && (k.Name == nil || *k.Name != r.Name) || slices.ContainsFunc(r.Labels, func(l string) bool { return !slices.Contains(k.Labels, l) }):
			code = "changed"
			look.Changed++
		default:
			code = "same"
			look.Same++
		}
		row.State = states[code]
		switch {
		case code == "refused":
			refused = append(refused, row)
		default:
			shown = append(shown, row)
			if code != "same" {
				carried = append(carried, r)
			}
		}
	}
	raw, err := json.Marshal(carried)
	look.Carry = string(raw)
	look.Rows = slices.Concat(refused[:min(customersShown, len(refused))], shown[:min(customersShown, len(shown))]) // what is left out is seen first
	look.More = len(rows) - len(look.Rows)
	return look, err
}
