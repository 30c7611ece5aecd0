package templates_test

import (
	"encoding/json"
	"time"

	"flowhq/routes"
)

// overviewPage is an overview with a day's messages; quiet: with nothing that needs anybody and no messages at all.
func overviewPage(now time.Time, quiet bool) routes.OverviewPage {
	p := routes.OverviewPage{Page: page("Overview", "overview"), Overview: routes.Overview{Days: 1, Tenants: filters("")},
		Spans: []routes.SpanChoice{{Label: "24 hours", URL: "/admin", Current: true}, {Label: "7 days", URL: "/admin?days=7"}}}
	p.Charts = true
	first := now.UTC().Truncate(time.Hour).Add(-23 * time.Hour)
	series := map[string][]any{}
	for i := range 24 {
		h := routes.HourView{At: first.Add(time.Duration(i) * time.Hour), Half: "–", Most: "–"}
		var p50, p99 any
		if !quiet && i > 4 {
			h.Received, h.Sent, h.Failed = int64(i*i*37%1200), int64(i*i*37%1200+i), int64(i%5/4*3)
			h.P50, h.P99, h.Half, h.Most = 2, 5+i%3*25, "under 2 s", "under 1 min"
			p50, p99 = h.P50, h.P99
		}
		p.Hours = append(p.Hours, h)
		for name, v := range map[string]any{"t": h.At.Unix(), "received": h.Received, "sent": h.Sent, "failed": h.Failed, "p50": p50, "p99": p99} {
			series[name] = append(series[name], v)
		}
	}
	raw, err := json.Marshal(series)
	if err != nil {
		panic(err)
	}
	p.Series = string(raw)
	p.Figures = []routes.Figure{{Label: "Received", Value: "1\u202f204\u202f311", URL: "/admin/data/message_logs"}, {Label: "Sent", Value: "1\u202f190\u202f004", URL: "/admin/data/message_logs"},
		{Label: "Failed", Value: "311", URL: "/admin/data/message_logs", Bad: true}, {Label: "Half waited", Value: "under 2 s", Note: "By WhatsApp's clock."}, {Label: "99 of 100 waited", Value: "over 5 min"},
		{Label: "of 4\u202f812 connected", Value: "4\u202f790", URL: "/admin/data/whatsapp_sessions"}}
	for i, word := range []string{"No sign of life", "Shards without a node", "Logged out", "Locked", "Banned", "Used elsewhere", "Update needed", "Turned away", "Connected, limited", "Waiting for scan",
		"Codes ran out", "Failed messages", "Requests to review"} {
		t := routes.Trouble{State: routes.State{Word: word, Tone: []string{routes.ToneFailed, routes.ToneWaiting}[i/7]}, URL: "/admin/data/whatsapp_sessions"}
		if !quiet && i%3 == 0 {
			t.Count = int64(i*i + 1)
		}
		p.Troubles = append(p.Troubles, t)
	}
	if !quiet {
		p.Stopped = now.Add(-time.Hour)
		p.Nodes = []routes.NodeView{{Name: "worker-dar-1:4123", Since: now.Add(-time.Hour), Seen: now, Shards: 8, Running: 2410, Connected: 2399, URL: "/admin/data/worker_processes"},
			{Name: longName, Since: now.Add(-time.Hour), Seen: now, URL: "/admin/data/worker_processes"}}
	}
	return p
}
