package routes

import (
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/jobs"
)

// logged puts messages of a tenant into the log, as they would stand there some time after.
func (s dataSite) logged(tenant, chat uuid.UUID, at time.Time, n int, wait, status string) {
	s.t.Helper()
	s.exec(`
		WITH question AS (
			INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, created_at, sent_at)
			SELECT gen_random_uuid(), $1, $2, 'IN', '', '', 'Habari', gen_random_uuid()::text, 'RECEIVED', $3, $3 FROM generate_series(1, $4::int) RETURNING id)
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, in_reply_to, created_at, sent_at)
		SELECT gen_random_uuid(), $1, $2, 'OUT', '', '', 'Karibu', gen_random_uuid()::text, $6::message_status, 'BOT', id, $3, $3::timestamptz + $5::interval FROM question`,
		tenant, chat, at, n, wait, status)
}

// balanced compares what is counted with the log, hour by hour and tenant by tenant.
func (s dataSite) balanced(when string) {
	s.t.Helper()
	n := s.count(`
		SELECT count(*) FROM (
			SELECT date_bin('1 hour', created_at, 'epoch'::timestamptz) AS hour, tenant_id, count(*) FILTER (WHERE direction = 'IN') AS received,
				count(*) FILTER (WHERE direction = 'OUT') AS sent, count(*) FILTER (WHERE status = 'FAILED') AS failed FROM message_logs
			WHERE created_at < (SELECT max(counted_until) FROM counted_hours) GROUP BY 1, 2) log
		FULL JOIN message_hours m USING (hour, tenant_id)
		WHERE (log.received, log.sent, log.failed) IS DISTINCT FROM (m.received::bigint, m.sent::bigint, m.failed::bigint)`)
	if n != 0 {
		s.t.Errorf("%s: %d hours are not as the log has them", when, n)
	}
}

// Counts are what the log says: after every run, run again, after an outage, and when messages fail or are sent late.
func TestMessagesAreCountedOnce(t *testing.T) {
	s, ctx := newDataSite(t), context.Background()
	run := func() { t.Helper(); must(t, jobs.CountMessages(ctx, s.db.System)) }
	s.exec("DELETE FROM message_logs")
	run()
	if n := s.count("SELECT count(*) FROM counted_hours"); n != 0 {
		t.Errorf("%d hours are counted of an empty log", n)
	}
	now := time.Now()
	hour := now.Truncate(time.Hour)
	s.logged(s.neema, s.contact, now.Add(-50*time.Hour), 3, "1 second", "SENT")
	s.logged(s.neema, s.contact, hour.Add(-30*time.Minute), 5, "0 seconds", "READ")
	s.logged(s.neema, s.contact, hour.Add(-time.Hour), 1, "7 minutes", "SENT")        // the first moment of an hour
	s.logged(s.neema, s.contact, hour.Add(-time.Microsecond), 1, "4 seconds", "SENT") // and the last
	run()
	s.balanced("the first run")
	run()
	s.balanced("the second run")
	if n := s.count("SELECT count(*) FROM counted_hours"); n < 50 || n > 52 {
		t.Errorf("%d hours are counted, want all since the first message", n)
	}
	if n := s.count("SELECT sum(answers - waited_under_1 - waited_under_2 - waited_under_5)::int FROM message_hours"); n != 1 {
		t.Errorf("%d answers took longer than five minutes, want 1", n)
	}

	// The hour is over and counted. A message of it fails now: it is seen at the next look, and counted once.
	last := s.count("SELECT sum(received + sent)::int FROM message_hours")
	s.exec("UPDATE message_logs SET status = 'FAILED', sent_at = NULL WHERE direction = 'OUT' AND created_at < now() - interval '2 days'")
	run()
	if n := s.count("SELECT sum(failed)::int FROM message_hours"); n != 0 {
		t.Errorf("an hour was counted anew before it was due: %d failed", n)
	}
	s.exec("UPDATE counted_hours SET counted_at = hour + interval '2 hours' WHERE hour < now() - interval '2 days'") // as if that was the last look
	run()
	s.balanced("after a late failure")
	if n := s.count("SELECT sum(received + sent)::int FROM message_hours"); n != last {
		t.Errorf("%d messages after another look, %d before", n, last)
	}

	// The present hour is counted on from where the last run ended, which was before these; an hour that nobody counted is caught up.
	s.exec("UPDATE counted_hours SET counted_until = hour WHERE hour = $1", hour)
	s.exec("DELETE FROM message_hours WHERE hour >= $1", hour)
	s.exec("DELETE FROM counted_hours WHERE hour < $1", hour)
	s.exec("DELETE FROM message_hours WHERE hour < $1", hour.Add(-time.Hour))
	run()
	s.balanced("after an outage")
	s.exec("UPDATE message_hours SET hour = hour - interval '40 days' WHERE hour = (SELECT min(hour) FROM message_hours)")
	run()
	if n := s.count("SELECT count(*) FROM message_hours WHERE hour < now() - interval '31 days'"); n != 0 {
		t.Errorf("%d hours are kept for too long", n)
	}
}

// Two runs at once count every message once, too: each hour's row is locked while it is counted.
func TestTwoRunsCountOnce(t *testing.T) {
	s, ctx := newDataSite(t), context.Background()
	for i := range 30 {
		s.logged(s.neema, s.contact, time.Now().Add(-time.Duration(i)*25*time.Minute-time.Minute), 3, "1 second", "SENT")
	}
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- jobs.CountMessages(ctx, s.db.System) }()
	}
	for range cap(errs) {
		must(t, <-errs)
	}
	s.balanced("four runs at once")
}

var href = regexp.MustCompile(`href="([^"]*/admin/(?:data|tenants|requests)[^"]*)"`)

func TestOverview(t *testing.T) {
	s := newDataSite(t)
	b := s.fork("admin@example.org")
	now := time.Now()
	s.logged(s.neema, s.contact, now.Add(-5*time.Hour), 98, "1 second", "READ")
	s.logged(s.neema, s.contact, now.Add(-5*time.Hour), 2, "45 seconds", "READ")
	s.logged(s.neema, s.contact, now.Add(-3*24*time.Hour), 7, "1 second", "FAILED")
	s.logged(s.neema, s.contact, now.Add(-time.Second), 4, "0 seconds", "FAILED") // too fresh to be counted
	must(t, jobs.CountMessages(context.Background(), s.db.System))
	s.exec("UPDATE whatsapp_sessions SET reason = 'LOGGED_OUT' WHERE tenant_id = $1", s.neema)
	s.exec("UPDATE whatsapp_sessions SET reason = 'CONNECTED', state = 'CONNECTED' WHERE tenant_id = $1", s.duka)
	s.exec("UPDATE worker_processes SET status = 'ERROR', desired = 'RUNNING' WHERE tenant_id = $1", s.neema)
	s.exec("INSERT INTO setup_requests (id, tenant_id, user_id, template_type, whatsapp_number) SELECT gen_random_uuid(), $1, id, 'BOOKING', '+255712000001' FROM users WHERE email = 'owner@example.org'", s.neema)
	node := uuid.New()
	s.exec("INSERT INTO nodes (id, name) VALUES ($1, 'dar-1:77')", node)
	s.exec("UPDATE shards SET node_id = $1, lease_until = now() + interval '1 hour'", node)

	got := b.get("/admin")
	got.want(t, 200, ">113<", ">104<", ">4<", "under 2 s", "under 1 min", "of 2 connected", "Needs attention", "Logged out", "No sign of life", "Requests to review", "Failed messages",
		"dar-1:77", "data-series=", "charts.js", "uplot.min.js", "/admin/overview/stream?days=1")
	if strings.Contains(got.body, "The charts end at") {
		t.Error("the page says that counting has stopped")
	}
	b.get("/admin?days=7").want(t, 200, ">120<", ">11<")
	b.get("/admin?days=9999").want(t, 200, ">113<") // unknown: as without

	// Every figure that has a list leads to one with as many records.
	seen := 0
	for _, m := range href.FindAllStringSubmatch(excerptMain(got.body), -1) {
		link := html.UnescapeString(m[1])
		list := b.get(link)
		list.want(t, 200)
		if q := mustQuery(t, link).Get("q"); q != "" {
			seen++
			if strings.Contains(list.body, "filter-error") {
				t.Errorf("%s: the list does not understand the filter", link)
			}
		}
	}
	if seen < 8 || !strings.Contains(got.body, `href="/admin/requests"`) {
		t.Errorf("only %d links to filtered lists", seen)
	}
	for filter, want := range map[string]string{`status = "FAILED" && created_at >= "` + now.UTC().Truncate(time.Hour).Add(-23*time.Hour).Format(time.RFC3339) + `"`: "4 messages",
		`direction = "IN" && created_at >= "` + now.UTC().Truncate(time.Hour).Add(-23*time.Hour).Format(time.RFC3339) + `"`: "113 messages"} {
		if !strings.Contains(html.UnescapeString(got.body), "q="+url.QueryEscape(filter)) {
			t.Errorf("no link to %s", filter)
		}
		b.get("/admin/data/message_logs/count"+q(filter), "HX-Request", "true").want(t, 200, want)
	}

	// Its parts come anew when something changed, and only those that did.
	events := b.listen("/admin/overview/stream?days=1")
	awaitEvent(t, events, "tenant", `id="overview-hours"`)
	s.exec("UPDATE whatsapp_sessions SET reason = 'BANNED' WHERE tenant_id = $1", s.neema)
	if data := awaitEvent(t, events, "tenant", `id="overview-troubles"`, "Banned", "BANNED"); strings.Contains(data, "overview-figures") {
		t.Error("one event carries more than one part")
	}

	// Counting that stopped is said.
	s.exec("UPDATE counted_hours SET counted_until = counted_until - interval '2 days'")
	b.get("/admin").want(t, 200, "The charts end at")
}

// A database without tenants says what to do first and has nothing to draw.
func TestOverviewOfNothing(t *testing.T) {
	s := newSite(t, nil)
	got := s.admin().get("/admin")
	got.want(t, 200, "Begin with a business", "/admin/tenants#new-tenant")
	for _, part := range []string{"uplot", "data-plot", "sse-connect"} {
		if strings.Contains(got.body, part) {
			t.Errorf("an overview of nothing has %s", part)
		}
	}
}

func TestWaits(t *testing.T) {
	for _, c := range []struct {
		w          waits
		half, most string
	}{
		{waits{}, "–", "–"},
		{waits{0: 1}, "under 1 s", "under 1 s"},
		{waits{0: 50, 1: 50}, "under 1 s", "under 2 s"},
		{waits{0: 49, 1: 51}, "under 2 s", "under 2 s"},
		{waits{0: 99, 8: 1}, "under 1 s", "under 1 s"},
		{waits{0: 98, 8: 2}, "under 1 s", "over 5 min"},
		{waits{6: 1}, "under 1 min", "under 1 min"},
		{waits{7: 3}, "under 5 min", "under 5 min"},
	} {
		if half, most := c.w.words(.5), c.w.words(.99); half != c.half || most != c.most {
			t.Errorf("%v: %s and %s, want %s and %s", c.w, half, most, c.half, c.most)
		}
	}
}

func excerptMain(body string) string {
	_, main, _ := strings.Cut(body, "<main")
	return main
}

func mustQuery(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	must(t, err)
	return u.Query()
}
