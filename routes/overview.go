package routes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
)

// overviewRest lies between two rounds of an open overview's figures.
const overviewRest = 4 * time.Second

// overviewDays are the spans one can choose, the first at first.
var overviewDays = []int{1, 7}

// overviewPage is what an admin sees first: how everything is and what needs somebody now.
func (s *server) overviewPage(c *fiber.Ctx) error {
	page := OverviewPage{Page: s.page(c, "Overview", "overview"), Overview: Overview{Days: overviewSpan(c)}}
	for _, days := range overviewDays {
		choice := SpanChoice{Label: "24 hours", URL: "/admin", Current: days == page.Days}
		if days > 1 {
			choice.Label, choice.URL = strconv.Itoa(days)+" days", "/admin?days="+strconv.Itoa(days)
		}
		page.Spans = append(page.Spans, choice)
	}
	var err error
	if page.Overview, err = s.overview(c.UserContext(), page.Days); err != nil {
		return err
	}
	if page.HasTenants() {
		page.Charts, page.StreamURL = true, "/admin/overview/stream?days="+strconv.Itoa(page.Days)
	}
	return s.render(c, http.StatusOK, "admin/overview", page)
}

func overviewSpan(c *fiber.Ctx) int {
	for _, days := range overviewDays {
		if c.Query("days") == strconv.Itoa(days) {
			return days
		}
	}
	return overviewDays[0]
}

// overviewStream sends the parts of an open overview that changed.
func (s *server) overviewStream(c *fiber.Ctx) error {
	days, sent := overviewSpan(c), map[string][]byte{}
	show := func(ctx context.Context, w *eventWriter) error {
		o, err := s.overview(ctx, days)
		if err != nil {
			return err
		}
		for _, name := range overviewParts {
			var b bytes.Buffer
			if err := s.Views.Render(&b, name, o); err != nil {
				return err
			}
			if !bytes.Equal(sent[name], b.Bytes()) {
				sent[name] = b.Bytes()
				w.send("tenant", b.Bytes())
			}
		}
		return nil
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(visitorOf(c)), present: show, rest: overviewRest,
		changed: func(ctx context.Context, w *eventWriter, _ []Event) error { return show(ctx, w) },
	})
}

// overview reads all figures. The first hour of a span is a whole one, so that the lists behind the figures have as many.
func (s *server) overview(ctx context.Context, days int) (Overview, error) {
	hours := 24 * days
	since := s.now().UTC().Truncate(time.Hour).Add(-time.Duration(hours-1) * time.Hour)
	o := Overview{Days: days, Since: since}
	chips, err := s.tenantFilters(ctx, "", "")
	if err != nil {
		return o, err
	}
	o.Tenants = chips
	rows, err := s.system.MessagesByHour(ctx, since)
	if err != nil {
		return o, err
	}
	o.Hours = hoursOf(rows, since, hours)
	if stopped, err := s.system.CountingStopped(ctx); err != nil {
		return o, err
	} else if len(stopped) > 0 {
		o.Stopped = stopped[0]
	}
	reasons, err := s.system.CountSessionsByReason(ctx)
	if err != nil {
		return o, err
	}
	troubles, err := s.system.CountTroubles(ctx)
	if err != nil {
		return o, err
	}
	nodes, err := s.system.NodeLoads(ctx)
	if err != nil {
		return o, err
	}
	for _, n := range nodes {
		o.Nodes = append(o.Nodes, NodeView{
			Name: n.Name, Since: n.StartedAt, Seen: n.LastSeenAt, Shards: n.Shards, Running: n.Running, Connected: n.Connected,
			URL: filtered("worker_processes", `status = "RUNNING" && process_name ~ `+strconv.Quote(n.Name+"/")),
		})
	}
	o.count(rows, reasons, troubles)
	o.Series, err = seriesOf(o.Hours)
	return o, err
}

// count makes the figures of the rows.
func (o *Overview) count(rows []queries.MessagesByHourRow, reasons []queries.CountSessionsByReasonRow, troubles queries.CountTroublesRow) {
	var all waits
	var received, sent, failed, sessions, connected int64
	for _, r := range rows {
		received, sent, failed = received+r.Received, sent+r.Sent, failed+r.Failed
		all.add(waitsOf(r))
	}
	per := map[queries.SessionReason]int64{}
	for _, r := range reasons {
		per[r.Reason] = r.Sessions
		sessions, connected = sessions+r.Sessions, connected+r.Connected
	}
	span := fmt.Sprintf(`created_at >= "%s"`, o.Since.Format(time.RFC3339))
	failures := filtered("message_logs", `status = "FAILED" && `+span)
	o.Figures = []Figure{
		{Label: "Received", Value: grouped(received), URL: filtered("message_logs", `direction = "IN" && `+span)},
		{Label: "Sent", Value: grouped(sent), URL: filtered("message_logs", `direction = "OUT" && `+span)},
		{Label: "Failed", Value: grouped(failed), URL: failures, Bad: failed > 0},
		{Label: "Half waited", Value: all.words(.5), Note: "Half of the customers who got an answer waited this long or less, by WhatsApp's clock, which counts whole seconds."},
		{Label: "99 of 100 waited", Value: all.words(.99), Note: "99 of 100 customers who got an answer waited this long or less."},
		{Label: "of " + grouped(sessions) + " connected", Value: grouped(connected), URL: filtered("whatsapp_sessions", `state = "CONNECTED"`)},
	}
	o.Troubles = append(o.Troubles,
		trouble(State{Word: "No sign of life", Tone: ToneFailed}, troubles.Stale, filtered("worker_processes", `status = "ERROR"`)),
		trouble(State{Word: "Shards without a node", Tone: ToneFailed}, troubles.Ownerless, filtered("shards", `node_id = null || lease_until < @now`)))
	for _, reason := range []queries.SessionReason{
		queries.SessionReasonLOGGEDOUT, queries.SessionReasonLOCKED, queries.SessionReasonBANNED, queries.SessionReasonREPLACED, queries.SessionReasonOUTDATED,
		queries.SessionReasonREFUSED, queries.SessionReasonRESTRICTED, queries.SessionReasonWAITINGFORSCAN, queries.SessionReasonSCANEXPIRED,
	} {
		o.Troubles = append(o.Troubles, trouble(sessionReasons[string(reason)], per[reason], filtered("whatsapp_sessions", `reason = "`+string(reason)+`"`)))
	}
	o.Troubles = append(o.Troubles,
		trouble(State{Word: "Failed messages", Tone: ToneFailed}, failed, failures),
		trouble(State{Word: "Requests to review", Tone: ToneWaiting}, troubles.Requests, "/admin/requests"),
		trouble(State{Word: "Closing their account", Tone: ToneWaiting}, troubles.Closing, filtered("tenants", "closing_at != null")))
}

func trouble(state State, n int64, url string) Trouble {
	if state.Tone != ToneFailed {
		state.Tone = ToneWaiting // something to do, whatever it is elsewhere
	}
	return Trouble{State: state, Count: n, URL: url}
}

// filtered is the address of a table's list with a filter.
func filtered(table, filter string) string {
	return "/admin/data/" + table + "?" + url.Values{"q": {filter}}.Encode()
}

// hoursOf gives every hour of a span, those without messages too.
func hoursOf(rows []queries.MessagesByHourRow, since time.Time, n int) []HourView {
	known := map[int64]queries.MessagesByHourRow{}
	for _, r := range rows {
		known[r.Hour.Unix()] = r
	}
	hours := make([]HourView, n)
	for i := range hours {
		at := since.Add(time.Duration(i) * time.Hour)
		r := known[at.Unix()]
		w := waitsOf(r)
		hours[i] = HourView{At: at, Received: r.Received, Sent: r.Sent, Failed: r.Failed, P50: w.under(.5), P99: w.under(.99), Half: w.words(.5), Most: w.words(.99)}
	}
	return hours
}

// seriesOf is what the charts draw; an hour without answers has no waiting time.
func seriesOf(hours []HourView) (string, error) {
	series := struct {
		T        []int64 `json:"t"`
		Received []int64 `json:"received"`
		Sent     []int64 `json:"sent"`
		Failed   []int64 `json:"failed"`
		P50      []*int  `json:"p50"`
		P99      []*int  `json:"p99"`
	}{}
	seconds := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	for _, h := range hours {
		series.T = append(series.T, h.At.Unix())
		series.Received, series.Sent, series.Failed = append(series.Received, h.Received), append(series.Sent, h.Sent), append(series.Failed, h.Failed)
		series.P50, series.P99 = append(series.P50, seconds(h.P50)), append(series.P99, seconds(h.P99))
	}
	raw, err := json.Marshal(series)
	return string(raw), err
}
