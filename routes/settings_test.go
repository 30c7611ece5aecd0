package routes

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"flowhq/queries/settings"
)

func TestSettings(t *testing.T) {
	s := newSite(t, func(o *Options) {
		o.Settings = settings.New(o.Database.System, settings.Defaults(), map[string]string{"keep_logs_days": "LOG_RETENTION_DAYS"}, o.Log)
	})
	b := s.admin()
	other := settings.New(s.db.System, settings.Defaults(), nil, slog.New(slog.DiscardHandler)) // another process
	told := make(chan settings.Values, 1)
	other.OnChange(func(v settings.Values) { told <- v })

	b.get("/admin/settings").want(t, http.StatusOK, `placeholder="Flow HQ"`, "Decided by the environment: <code>LOG_RETENTION_DAYS</code>", `placeholder="for ever"`)
	for _, wrong := range []struct {
		section, field, value, says string
	}{
		{"limits", "replies_per_minute", "-1", "from 0 to 100000"}, {"limits", "replies_per_minute", "ten", "whole number"}, {"limits", "replies_per_minute", "99999999999999", "whole number"},
		{"signs", "stale_after_seconds", "20", "need at least 30"}, {"signs", "heartbeat_seconds", "61", "need at least 122"},
		{"retention", "keep_messages_days", "7", "from 30"}, {"brand", "accent", "red;}body{", "Choose a colour"}, {"brand", "product_name", strings.Repeat("x", 41), "at most 40"},
		{"mail", "mail_host", "smtp://user:secret@mail", "name alone"}, {"schedules", "count_messages", "1", "from 15 to 600"},
	} {
		b.post("/admin/settings/"+wrong.section, url.Values{wrong.field: {wrong.value}}, "HX-Request", "true").want(t, http.StatusUnprocessableEntity, wrong.says)
		b.post("/admin/settings/"+wrong.section, url.Values{wrong.field: {wrong.value}}).want(t, http.StatusUnprocessableEntity, wrong.says)
	}
	b.post("/admin/settings/mail", url.Values{"mail_host": {"mail.example.com"}}).want(t, http.StatusUnprocessableEntity, "need a sender")
	b.post("/admin/settings/nothing", nil).want(t, http.StatusNotFound)
	if got := s.server.Settings.Now(); got.RepliesPerMinute != 30 || got.MailOn() {
		t.Fatalf("a refused change is in force: %+v", got)
	}

	b.post("/admin/settings/limits", url.Values{"replies_per_minute": {"12"}}).want(t, http.StatusSeeOther)
	b.post("/admin/settings/retention", url.Values{"keep_logs_days": {"300"}, "keep_runs_days": {"10"}}).want(t, http.StatusSeeOther)
	b.post("/admin/settings/schedules", url.Values{"count_messages": {"120"}}).want(t, http.StatusSeeOther)
	b.post("/admin/settings/brand", url.Values{"product_name": {"Duka & Co"}, "accent": {"#7A1FA2"}}).want(t, http.StatusSeeOther)
	b.post("/admin/settings/mail", url.Values{
		"mail_host": {"mail.example.com"}, "mail_port": {""}, "mail_security": {"tls"}, "mail_user": {"hq"}, "mail_password": {"hush-hush"}, "mail_from": {"Duka <hq@example.com>"},
	}).want(t, http.StatusSeeOther)
	now := s.server.Settings.Now()
	if now.RepliesPerMinute != 12 || now.Keep.Logs != 7 || now.Keep.Runs != 10 || now.ProductName != "Duka & Co" || now.Schedules["count_messages"] != 2*time.Minute || now.MailServer != "smtps://hq:hush-hush@mail.example.com:465" {
		t.Errorf("in force is %+v", now)
	}
	must(t, other.Load(t.Context()))
	if v := <-told; v.RepliesPerMinute != 12 || v.Keep.Logs != 7 {
		t.Errorf("another process has %+v", v)
	}
	// The password is used and never shown, and stays when the rest is saved again.
	b.post("/admin/settings/mail", url.Values{"mail_host": {"mail.example.com"}, "mail_user": {"hq2"}, "mail_from": {"hq@example.com"}}).want(t, http.StatusSeeOther)
	if server := s.server.Settings.Now().MailServer; server != "smtp://hq2:hush-hush@mail.example.com:587" {
		t.Errorf("mail server is %s", server)
	}
	for _, page := range []string{"/admin/settings", "/admin/data/settings", "/admin/data/audit_log?q=table_name+%3D+%22settings%22", "/admin/data/settings/export?format=json"} {
		if got := b.get(page); got.status != http.StatusOK || strings.Contains(got.body, "hush") {
			t.Errorf("%s: %d; shows the password: %v", page, got.status, strings.Contains(got.body, "hush"))
		}
	}
	b.post("/admin/settings/mail", url.Values{"mail_host": {"mail.example.com"}, "mail_user": {"hq2"}, "mail_from": {"hq@example.com"}, "mail_password_remove": {"1"}}).want(t, http.StatusSeeOther)
	if server := s.server.Settings.Now().MailServer; server != "smtp://hq2@mail.example.com:587" {
		t.Errorf("mail server is %s", server)
	}

	// Name and colour are everywhere, for strangers too.
	stranger := s.browser()
	stranger.get("/login").want(t, http.StatusOK, "Duka &amp; Co</title>", `href="/brand/7a1fa2.css"`)
	sheet := stranger.get("/brand/7a1fa2.css")
	sheet.want(t, http.StatusOK, "--accent: light-dark(#7a1fa2, ")
	if kind := sheet.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/css") {
		t.Errorf("the style sheet is %s", kind)
	}
	stranger.get("/brand/red.css").want(t, http.StatusNotFound)
	stranger.get("/brand/7a1fa2").want(t, http.StatusNotFound)

	// Those who may look see why they may not change anything.
	s.colleague("read-only")
	reader := s.signedIn("read-only@example.org")
	page := reader.get("/admin/settings")
	page.want(t, http.StatusOK, "Your role, read-only, may not change jobs or settings.")
	if strings.Contains(page.body, ">Save<") || strings.Contains(page.body, "Run now") {
		t.Error("somebody who may change nothing is offered buttons")
	}

	b.post("/admin/settings/jobs/count_messages/run", nil, "HX-Request", "true").want(t, http.StatusOK, "job-count_messages")
	if again := b.post("/admin/settings/jobs/count_messages/run", nil, "HX-Request", "true"); !strings.Contains(again.header.Get("HX-Trigger"), "at work already") {
		t.Errorf("asked for twice, it says %s", again.header.Get("HX-Trigger"))
	}
	var waiting int
	must(t, s.db.System.QueryRow(t.Context(), "SELECT count(*) FROM river_job WHERE kind = 'count_messages'").Scan(&waiting))
	if waiting != 1 {
		t.Errorf("%d runs are ordered, want 1", waiting)
	}
	b.post("/admin/settings/jobs/tenant_start/run", nil).want(t, http.StatusNotFound)
}
