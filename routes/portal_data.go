package routes

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"
	"flowhq/templates/words"
)

const (
	dataURL          = "/portal/data"
	maxClosingReason = 500 // characters
	downloadsAtOnce  = 2   // of one process: each holds a connection now and then
)

// OwnDataPage is where an owner takes everything along, or closes the account (template "portal/data").
type OwnDataPage struct {
	Page
	Owner   bool
	Closing string // the day on which all is deleted; empty: it stays
	Days    int    // of grace
	Reason  string
	Errors  FieldErrors
}

func (s *server) dataOfTenantPage(c *fiber.Ctx) error {
	return s.showData(c, http.StatusOK, func(*OwnDataPage) {})
}

func (s *server) showData(c *fiber.Ctx, status int, change func(*OwnDataPage)) error {
	v := visitorOf(c)
	page := OwnDataPage{Page: s.page(c, words.T(v.Lang, "data.title"), "account"), Owner: v.Role == queries.UserRoleOWNER, Days: int(jobs.GracePeriod / (24 * time.Hour))}
	if !v.Closing.IsZero() {
		page.Closing, page.StreamURL = words.Date(v.Lang, v.Closing.In(s.Location)), ""
	}
	change(&page)
	return s.render(c, status, "portal/data", page)
}

// dataTables are the tables of the download, each a file, with its columns where not all of them are the business's to see.
var dataTables = []struct {
	name    string
	columns []string
}{
	{"tenants", []string{"name", "phone_number", "status", "created_at"}}, {"tenant_configs", nil}, {"bot_settings_versions", nil},
	{"users", []string{"name", "email", "phone", "role", "created_at"}}, {"contacts", nil}, {"conversations", nil}, {"message_logs", nil}, {"contact_notes", nil},
	{"canned_answers", nil}, {"setup_requests", nil}, {"portal_event_logs", nil},
}

// dataDownload sends everything of the business as an archive of files that spreadsheets open, read through the tenant's door a page at a time.
func (s *server) dataDownload(c *fiber.Ctx) error {
	v := visitorOf(c)
	select {
	case s.downloads <- struct{}{}:
	default:
		return &Error{Status: http.StatusTooManyRequests, RetryIn: 30 * time.Second, Message: "Others are downloading at the moment. Try again in half a minute."}
	}
	name := words.T(v.Lang, "data.file") + "-" + s.now().Format("2006-01-02") + ".zip"
	log := s.Log.With("request", requestID(c), "tenant_id", v.Tenant)
	return s.sendFile(c, name, "application/zip", log, func(w io.Writer) error { return s.writeData(w, v) }, func() { <-s.downloads })
}

func (s *server) writeData(w io.Writer, v *visitor) error {
	archive, at := zip.NewWriter(w), time.Now()
	file := func(name string) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
	}
	out, err := file("README.txt")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, words.T(v.Lang, "data.readme", "business", v.Business, "when", words.DateTime(v.Lang, at.In(s.Location)))+"\r\n"); err != nil {
		return err
	}
	for _, part := range dataTables {
		t := s.registry.Table(part.name)
		if out, err = file(part.name + ".csv"); err != nil {
			return err
		}
		if err := s.writeTable(out, v, t, part.columns); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return archive.Close()
}

func (s *server) writeTable(w io.Writer, v *visitor, t *tables.Table, only []string) error {
	var columns []*tables.Column
	for _, c := range t.Columns {
		if only == nil || slices.Contains(only, c.Name) {
			columns = append(columns, c)
		}
	}
	door := "tenant_id"
	if t.Name == "tenants" {
		door = "id"
	}
	query := tables.ListQuery{Table: t, Is: []tables.Is{{Column: t.Column(door), Values: []string{v.Tenant.String()}}}, Sort: t.Sort(""), Columns: columns, Whole: true, Limit: exportRows}
	out := spreadsheet.NewWriter(w)
	cells := make([]spreadsheet.Cell, len(columns))
	for i, c := range columns {
		cells[i] = spreadsheet.Text(c.Name)
	}
	if err := out.Write(cells...); err != nil {
		return err
	}
	for {
		var page tables.ListPage
		reading, cancel := context.WithTimeout(s.Context, requestTimeout)
		err := s.Database.InTenant(reading, v.Tenant, func(tx pgx.Tx) (err error) {
			page, err = s.registry.List(reading, tx, query)
			return err
		})
		cancel()
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			for i, c := range columns {
				cells[i] = csvCell(c, row.Values[i])
			}
			if err := out.Write(cells...); err != nil {
				return err
			}
		}
		if query.After = page.Next; page.Next == "" {
			return out.Flush()
		}
	}
}

// accountClose closes the business after its owner typed the password: quiet at once, deleted when the grace period is over.
func (s *server) accountClose(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	reason := strings.TrimSpace(c.FormValue("reason"))
	refuseForm := func(field, problem string) error {
		return s.showData(c, http.StatusUnprocessableEntity, func(p *OwnDataPage) { p.Reason, p.Errors = reason, FieldErrors{field: problem} })
	}
	if reason != "" {
		if problem := jobs.CheckText(reason, maxClosingReason, true); problem != "" {
			return refuseForm("reason", words.Refusal(v.Lang, problem))
		}
	}
	emailKey, addressKey := "email:"+v.Email, "ip:"+s.clientIP(c)
	if wait, err := s.takeAttempts(ctx, emailKey, addressKey); err != nil {
		return err
	} else if wait > 0 {
		return &Error{Status: http.StatusTooManyRequests, RetryIn: wait, Message: tooManyTries(wait)}
	}
	hash, err := s.system.GetPasswordHash(ctx, v.ID)
	if err != nil {
		return err
	}
	if ok, err := s.passwords.check(ctx, c.FormValue("password"), hash); err != nil {
		return err
	} else if !ok {
		return refuseForm("password", words.T(v.Lang, "password.wrong"))
	}
	if err := s.system.ClearLoginAttempts(ctx, emailKey); err != nil {
		return err
	}
	if err := s.system.ReturnLoginAttempt(ctx, addressKey); err != nil {
		return err
	}
	if _, err := s.Commands.CloseTenant(ctx, v.Tenant, reason, time.Now(), v.actor()); err != nil {
		return err
	}
	return s.redirect(c, dataURL)
}

// accountKeep takes the closing back.
func (s *server) accountKeep(c *fiber.Ctx) error {
	v := visitorOf(c)
	if err := s.Commands.KeepTenant(c.UserContext(), v.Tenant, v.actor()); err != nil {
		return err
	}
	if err := s.toast(c, "ok", words.T(v.Lang, "data.kept")); err != nil {
		return err
	}
	return s.redirect(c, dataURL)
}

// tenantKeep is the same by the operator.
func (s *server) tenantKeep(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	if err := s.Commands.KeepTenant(c.UserContext(), t.Tenant.ID, visitorOf(c).actor()); err != nil {
		return err
	}
	if err := s.toast(c, "ok", t.Tenant.Name+" stays."); err != nil {
		return err
	}
	return s.redirect(c, "/admin/tenants/"+t.Tenant.ID.String())
}
