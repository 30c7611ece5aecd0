package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/settings"
)

const mailTestTimeout = 15 * time.Second

// settingsSave changes one section and puts it in force here at once; other processes follow within seconds.
func (s *server) settingsSave(c *fiber.Ctx) error {
	v, id := visitorOf(c), c.Params("section")
	if !slices.ContainsFunc(settingsSections, func(x SettingsSection) bool { return x.ID == id }) && id != "schedules" {
		return notFound("This part of the settings")
	}
	typed := map[string]string{}
	c.Request().PostArgs().VisitAll(func(name, value []byte) { typed[string(name)] = strings.TrimSpace(string(value)) })
	errs := FieldErrors{}
	var row queries.Setting
	err := s.change(c, func(tx pgx.Tx) (err error) {
		q := queries.New(tx)
		if row, err = q.LockSettings(c.UserContext()); err != nil {
			return err
		}
		if s.readSettings(id, typed, &row, errs); len(errs) > 0 {
			return invalid(errs)
		}
		return q.SaveSettings(c.UserContext(), queries.SaveSettingsParams{
			ProductName: row.ProductName, Accent: row.Accent, MailHost: row.MailHost, MailPort: row.MailPort, MailSecurity: row.MailSecurity, MailUser: row.MailUser,
			MailPassword: row.MailPassword, MailFrom: row.MailFrom, RepliesPerMinute: row.RepliesPerMinute, HeartbeatSeconds: row.HeartbeatSeconds,
			StaleAfterSeconds: row.StaleAfterSeconds, StaleCheckSeconds: row.StaleCheckSeconds, KeepLogsDays: row.KeepLogsDays, KeepEventsDays: row.KeepEventsDays,
			KeepRunsDays: row.KeepRunsDays, KeepUnloggedDays: row.KeepUnloggedDays, KeepMessagesDays: row.KeepMessagesDays, Schedules: row.Schedules,
		})
	})
	if err != nil && len(errs) == 0 {
		return err
	}
	section := s.sectionOf(v, id, row)
	status, said := http.StatusOK, "Saved. It is in force here now, and everywhere within some seconds."
	if len(errs) > 0 {
		status, said = http.StatusUnprocessableEntity, ""
		for i, f := range section.Fields {
			section.Fields[i].Error = errs[f.Name]
			if value, is := typed[f.Name]; is && f.FixedBy == "" && f.Kind != "password" {
				section.Fields[i].Value = value
			}
		}
	} else if err := s.Settings.Load(c.UserContext()); err != nil {
		return err
	} else {
		section = s.sectionOf(v, id, row)
		section.Saved = true
	}
	if wantsHTMX(c) {
		if id == "brand" && status == http.StatusOK {
			return s.redirect(c, "/admin/settings") // the name stands in many places
		}
		return s.fragment(c, status, "fragments/settings_section", section, Toast{Kind: "ok", Text: said})
	}
	if status == http.StatusOK {
		return s.done(c, "/admin/settings#set-"+id, "", nil, said)
	}
	return s.settingsWith(c, status, row, section)
}

func (s *server) sectionOf(v *visitor, id string, row queries.Setting) SettingsSection {
	for _, section := range settingsSections {
		if section.ID == id {
			return s.settingsSection(v, section, row)
		}
	}
	return s.scheduleSection(v, row)
}

// readSettings puts what was typed into the row. What the environment decides stays as it is.
func (s *server) readSettings(id string, typed map[string]string, row *queries.Setting, errs FieldErrors) {
	switch id {
	case "brand":
		name, accent := typed["product_name"], strings.ToLower(typed["accent"])
		if len([]rune(name)) > 40 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
			errs["product_name"] = "Use at most 40 characters, on one line."
		}
		row.ProductName, row.Accent = optional(name), optional(accent)
		if accent == settings.OwnAccent {
			row.Accent = nil
		} else if accent != "" {
			if _, err := settings.NewPalette(accent); err != nil {
				errs["accent"] = "Choose a colour, as # and six digits such as " + settings.OwnAccent + "."
			}
		}
	case "mail":
		if s.Settings.FixedBy("mail_host") == "" {
			readMail(typed, row, errs)
		}
	case "schedules":
		every := map[string]int{}
		for _, job := range jobs.Schedules() {
			if n := readNumber(job.Kind, typed[job.Kind], inSeconds(job.Least), inSeconds(job.Most), errs); n != nil && job.Least > 0 {
				every[job.Kind] = int(*n)
			}
		}
		row.Schedules, _ = json.Marshal(every) // strings and numbers
	default:
		for _, n := range numberSettings[id] {
			if s.Settings.FixedBy(n.column) == "" {
				*n.at(row) = readNumber(n.column, typed[n.column], n.least, n.most, errs)
			}
		}
	}
	if id == "signs" && len(errs) == 0 {
		if now := s.Settings.Merge(*row); now.StaleAfter < 2*now.Heartbeat {
			field := "stale_after_seconds"
			if s.Settings.FixedBy(field) != "" {
				field = "heartbeat_seconds"
			}
			errs[field] = fmt.Sprintf("A worker is silent only after two missed signs: signs every %d seconds need at least %d here.", inSeconds(now.Heartbeat), 2*inSeconds(now.Heartbeat))
		}
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// readNumber reads a number within its limits; an empty field is nil.
func readNumber(field, text string, least, most int, errs FieldErrors) *int32 {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || int(n) < least || int(n) > most {
		errs[field] = fmt.Sprintf("Use a whole number from %d to %d, or leave it empty.", least, most)
		return nil
	}
	number := int32(n)
	return &number
}

func readMail(typed map[string]string, row *queries.Setting, errs FieldErrors) {
	host := typed["mail_host"]
	if strings.ContainsAny(host, "/:@ ?#") || len(host) > 253 {
		errs["mail_host"] = "Use the server's name alone, such as mail.example.com."
	}
	row.MailHost, row.MailUser, row.MailFrom = optional(host), optional(typed["mail_user"]), optional(typed["mail_from"])
	row.MailPort = readNumber("mail_port", typed["mail_port"], 1, 65535, errs)
	security := typed["mail_security"]
	if security != "tls" {
		security = "starttls"
	}
	row.MailSecurity = optional(security)
	if password := typed["mail_password"]; password != "" {
		row.MailPassword = &password
	}
	if typed["mail_password_remove"] != "" || row.MailUser == nil {
		row.MailPassword = nil
	}
	if host == "" {
		row.MailHost, row.MailPort, row.MailSecurity, row.MailUser, row.MailPassword = nil, nil, nil, nil, nil
	} else if row.MailPort == nil {
		port := int32(587)
		if security == "tls" {
			port = 465
		}
		row.MailPort = &port
	}
	from := typed["mail_from"]
	if _, err := mail.ParseAddress(from); err != nil && (from != "" || host != "") {
		errs["mail_from"] = "Mails need a sender, such as Flow HQ <hq@example.com>."
	}
}

func (s *server) mailTest(v *visitor) *MailTest {
	return &MailTest{To: v.Email, On: s.Settings.Now().MailOn(), ReadOnly: !v.may(rightSystem)}
}

// mailTestSend sends a mail with the settings in force and says what became of it.
func (s *server) mailTestSend(c *fiber.Ctx) error {
	test := s.mailTest(visitorOf(c))
	test.To = strings.TrimSpace(c.FormValue("to"))
	status := http.StatusUnprocessableEntity
	switch address, err := mail.ParseAddress(test.To); {
	case err != nil:
		test.Error = "This is no e-mail address."
	case !test.On:
		test.Error = "No mail server is set. Save one first."
	default:
		sending, cancel := context.WithTimeout(c.UserContext(), mailTestTimeout)
		defer cancel()
		err := jobs.SendTestMail(sending, s.Settings.Now(), visitorOf(c).Name, address.Address)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			test.Error = "The mail server did not answer in " + mailTestTimeout.String() + ". Look at its name and port."
		case err != nil:
			test.Error = "The mail was not taken: " + err.Error()
		default:
			status, test.Sent = http.StatusOK, "The mail server took the mail to "+address.Address+"."
		}
	}
	if wantsHTMX(c) {
		return s.render(c, status, "fragments/mail_test", test)
	}
	row, err := s.system.GetSettings(c.UserContext())
	if err != nil {
		return err
	}
	section := s.sectionOf(visitorOf(c), "mail", row)
	section.Test = test
	return s.settingsWith(c, status, row, section)
}
