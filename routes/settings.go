package routes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/settings"
)

// numberSetting is a setting that is a whole number.
type numberSetting struct {
	column, label, unit, hint string
	least, most               int
	at                        func(*queries.Setting) **int32
	base                      func(settings.Values) int // where nobody decides; 0 in "how long to keep" is for ever
}

func inSeconds(d time.Duration) int { return int(d / time.Second) }

// numberSettings are those of each section.
var numberSettings = map[string][]numberSetting{
	"limits": {{"replies_per_minute", "Replies of a bot", "a minute", "For tenants that set none of their own. 0: no limit.", 0, 100000,
		func(r *queries.Setting) **int32 { return &r.RepliesPerMinute }, func(v settings.Values) int { return v.RepliesPerMinute }}},
	"signs": {
		{"heartbeat_seconds", "A sign of life every", "seconds", "Each worker notes that its numbers are connected.", 1, 3600,
			func(r *queries.Setting) **int32 { return &r.HeartbeatSeconds }, func(v settings.Values) int { return inSeconds(v.Heartbeat) }},
		{"stale_after_seconds", "Silent, and started again, after", "seconds", "At least twice the time above, or healthy workers are restarted.", 2, 86400,
			func(r *queries.Setting) **int32 { return &r.StaleAfterSeconds }, func(v settings.Values) int { return inSeconds(v.StaleAfter) }},
		{"stale_check_seconds", "Looked for every", "seconds", "", 5, 3600,
			func(r *queries.Setting) **int32 { return &r.StaleCheckSeconds }, func(v settings.Values) int { return inSeconds(v.StaleCheck) }},
	},
	"retention": {
		{"keep_logs_days", "Logs", "days", "Requests and what the server notes.", 1, 365,
			func(r *queries.Setting) **int32 { return &r.KeepLogsDays }, func(v settings.Values) int { return v.Keep.Logs }},
		{"keep_runs_days", "Bulk runs", "days", "How changes to many records went.", 1, 3650,
			func(r *queries.Setting) **int32 { return &r.KeepRunsDays }, func(v settings.Values) int { return v.Keep.Runs }},
		{"keep_events_days", "Events", "days", "What happened to each tenant.", 30, 3650,
			func(r *queries.Setting) **int32 { return &r.KeepEventsDays }, func(v settings.Values) int { return v.Keep.Events }},
		{"keep_unlogged_days", "Unlogged messages", "days", "Messages that WhatsApp could not decrypt, or that were given up.", 30, 3650,
			func(r *queries.Setting) **int32 { return &r.KeepUnloggedDays }, func(v settings.Values) int { return v.Keep.Unlogged }},
		{"keep_messages_days", "Messages", "days", "Careful: older messages of all tenants are deleted for good, for their owners too.", 30, 3650,
			func(r *queries.Setting) **int32 { return &r.KeepMessagesDays }, func(v settings.Values) int { return v.Keep.Messages }},
	},
}

// settingsSections are the forms of the page, in its order.
var settingsSections = []SettingsSection{
	{ID: "brand", Title: "Name and colour", About: "On every page, in the browser's tabs and in mails."},
	{ID: "mail", Title: "Mail", About: "Owners sign up, get their links and hear of their requests by mail. Without a mail server you pass links on yourself."},
	{ID: "limits", Title: "Default limits", About: "What holds for tenants that decide nothing themselves."},
	{ID: "signs", Title: "Signs of life", About: "How soon a worker that fell silent is noticed."},
	{ID: "retention", Title: "How long to keep", About: "What is older is deleted, within the hour. An empty field is the default. The audit log is kept for ever."},
}

func (s *server) settingsPage(c *fiber.Ctx) error {
	row, err := s.system.GetSettings(c.UserContext())
	if err != nil {
		return err
	}
	return s.settingsWith(c, http.StatusOK, row, SettingsSection{})
}

// settingsWith is the whole page, with one section as it is after a post without htmx.
func (s *server) settingsWith(c *fiber.Ctx, status int, row queries.Setting, special SettingsSection) error {
	ctx, v := c.UserContext(), visitorOf(c)
	p := SettingsPage{Page: s.page(c, "Settings", "settings"), Notice: v.lacks(rightSystem)}
	p.StreamURL = "/admin/settings/stream"
	for _, section := range settingsSections {
		if section.ID == special.ID {
			p.Sections = append(p.Sections, special)
			continue
		}
		p.Sections = append(p.Sections, s.settingsSection(v, section, row))
	}
	schedules := s.scheduleSection(v, row)
	if special.ID == schedules.ID {
		schedules = special
	}
	p.Sections = append(p.Sections, schedules)
	var err error
	if p.Jobs, err = s.jobRows(ctx, v); err != nil {
		return err
	}
	keys, err := s.system.ListAPIKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.RevokedAt == nil {
			p.Keys++
		}
	}
	return s.render(c, status, "admin/settings", p)
}

// settingsSection is one form as the row has it.
func (s *server) settingsSection(v *visitor, section SettingsSection, row queries.Setting) SettingsSection {
	base := s.Settings.Base()
	section.Notice = v.lacks(rightSystem)
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	switch section.ID {
	case "brand":
		accent := text(row.Accent)
		if accent == "" {
			accent = settings.OwnAccent
		}
		section.Fields = []SettingField{
			{Name: "product_name", Label: "Name of the product", Kind: "text", Value: text(row.ProductName), Default: base.ProductName},
			{Name: "accent", Label: "Colour", Kind: "color", Value: accent, Default: settings.OwnAccent, Hint: "The page shows it at once. It is made lighter or darker where it could not be read."},
		}
	case "mail":
		section.Test = s.mailTest(v)
		port := ""
		if row.MailPort != nil {
			port = strconv.Itoa(int(*row.MailPort))
		}
		section.Fields = []SettingField{
			{Name: "mail_host", Label: "Mail server", Kind: "text", Value: text(row.MailHost), Hint: "Such as mail.example.com. Empty: nothing is mailed."},
			{Name: "mail_port", Label: "Port", Kind: "number", Value: port, Default: "587", Least: 1, Most: 65535},
			{Name: "mail_security", Label: "Encryption", Kind: "select", Value: text(row.MailSecurity), Choices: []Choice{{Value: "starttls", Label: "STARTTLS"}, {Value: "tls", Label: "TLS from the start"}}},
			{Name: "mail_user", Label: "User name", Kind: "text", Value: text(row.MailUser), Hint: "Empty: without signing in."},
			{Name: "mail_password", Label: "Password", Kind: "password", Held: row.MailPassword != nil},
			{Name: "mail_from", Label: "From", Kind: "text", Value: text(row.MailFrom), Hint: "Such as " + base.ProductName + " <hq@example.com>."},
		}
		if by := s.Settings.FixedBy("mail_host"); by != "" {
			for i := range section.Fields {
				section.Fields[i].FixedBy, section.Fields[i].Value, section.Fields[i].Held = by, "", false
			}
		}
	default:
		for _, n := range numberSettings[section.ID] {
			section.Fields = append(section.Fields, s.numberField(n, row))
		}
	}
	return section
}

func (s *server) numberField(n numberSetting, row queries.Setting) SettingField {
	f := SettingField{Name: n.column, Label: n.label, Kind: "number", Unit: n.unit, Hint: n.hint, Least: n.least, Most: n.most, FixedBy: s.Settings.FixedBy(n.column)}
	base := n.base(s.Settings.Base())
	f.Default = strconv.Itoa(base)
	if base == 0 && n.least > 0 {
		f.Default = "for ever"
	}
	if value := *n.at(&row); value != nil && f.FixedBy == "" {
		f.Value = strconv.Itoa(int(*value))
	}
	if f.FixedBy != "" {
		f.Value = strconv.Itoa(base)
	}
	return f
}

// scheduleSection is how often jobs come round.
func (s *server) scheduleSection(v *visitor, row queries.Setting) SettingsSection {
	section := SettingsSection{ID: "schedules", Title: "How often", About: "An empty field is the default.", Notice: v.lacks(rightSystem)}
	chosen := map[string]int{}
	_ = json.Unmarshal(row.Schedules, &chosen) // an object, by the only ones who write it
	for _, job := range jobs.Schedules() {
		if job.Least == 0 {
			continue
		}
		f := SettingField{Name: job.Kind, Label: job.Name + ", every", Kind: "number", Unit: "seconds", Default: strconv.Itoa(inSeconds(job.Every)), Least: inSeconds(job.Least), Most: inSeconds(job.Most)}
		if n := chosen[job.Kind]; n > 0 {
			f.Value = strconv.Itoa(n)
		}
		section.Fields = append(section.Fields, f)
	}
	return section
}

// jobRows are the jobs that come round by themselves, and how their last runs went.
func (s *server) jobRows(ctx context.Context, v *visitor) ([]JobRow, error) {
	runs, err := s.system.ListJobRuns(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Settings.Now()
	var rows []JobRow
	for _, job := range jobs.Schedules() {
		every := job.In(now)
		row := JobRow{Kind: job.Kind, Name: job.Name, Does: job.Does, Every: spanWords(every), State: State{"NEVER", "Not yet run", ToneIdle}, ReadOnly: !v.may(rightSystem)}
		for _, run := range runs {
			if run.Kind != job.Kind {
				continue
			}
			row.Began, row.Node, row.Next = run.BeganAt, run.Node, run.BeganAt.Add(every)
			switch {
			case run.FinishedAt == nil:
				row.State = State{"RUNNING", "At work", ToneWaiting}
			case run.Error != nil:
				row.State, row.Error = State{"FAILED", "Failed", ToneFailed}, *run.Error
			default:
				row.State = State{"DONE", "Done", ToneOK}
			}
			if run.FinishedAt != nil {
				row.Took = run.FinishedAt.Sub(run.BeganAt).Round(time.Millisecond).String()
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// spanWords is a time between two runs as people say it.
func spanWords(d time.Duration) string {
	n, unit := int(d/time.Second), "second"
	switch {
	case d%time.Hour == 0:
		n, unit = int(d/time.Hour), "hour"
	case d%time.Minute == 0:
		n, unit = int(d/time.Minute), "minute"
	}
	if n == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", n, unit)
}

// jobRun runs a job now.
func (s *server) jobRun(c *fiber.Ctx) error {
	for _, job := range jobs.Schedules() {
		if job.Kind != c.Params("kind") {
			continue
		}
		ordered, err := s.Commands.RunNow(c.UserContext(), job)
		if err != nil {
			return err
		}
		said := "“" + job.Name + "” runs now."
		if !ordered {
			said = "“" + job.Name + "” is at work already."
		}
		rows, err := s.jobRows(c.UserContext(), visitorOf(c))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Kind == job.Kind {
				return s.done(c, "/admin/settings#jobs", "fragments/job_row", row, said)
			}
		}
	}
	return notFound("This job")
}

// settingsStream keeps the jobs' rows up to date.
func (s *server) settingsStream(c *fiber.Ctx) error {
	v := visitorOf(c)
	send := func(ctx context.Context, w *eventWriter) error {
		rows, err := s.jobRows(ctx, v)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := s.sendFragments(w, "event", fragment{"fragments/job_row", row}); err != nil {
				return err
			}
		}
		return nil
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(v), present: send,
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			for _, e := range events {
				if e.Kind == "row:job_runs" {
					return send(ctx, w)
				}
			}
			return nil
		},
	})
}
