package routes

import "time"

// OverviewPage is what an admin sees first (template "admin/overview").
type OverviewPage struct {
	Page
	Overview
	Spans []SpanChoice
}

// SpanChoice is one span of time to look at.
type SpanChoice struct {
	Label, URL string
	Current    bool
}

// overviewParts are the fragments of the page that the stream keeps up to date; each takes the Overview and has an id of its own.
var overviewParts = []string{
	"fragments/overview_figures", "fragments/overview_tenants", "fragments/overview_troubles", "fragments/overview_nodes",
	"fragments/overview_series", "fragments/overview_hours",
}

// Overview is everything the page shows.
type Overview struct {
	Days     int
	Since    time.Time    // the span's first hour
	Tenants  []FilterChip // all, then by status
	Figures  []Figure
	Troubles []Trouble // every kind, also those nobody has
	Nodes    []NodeView
	Hours    []HourView
	Series   string    // JSON for the charts
	Stopped  time.Time // messages are not counted since then; zero while they are
}

// HasTenants tells a database in use from one that waits for its first tenant.
func (o Overview) HasTenants() bool { return len(o.Tenants) > 0 && o.Tenants[0].Count > 0 }

// Alarm is how many kinds of trouble there are.
func (o Overview) Alarm() (n int) {
	for _, t := range o.Troubles {
		if t.Count > 0 {
			n++
		}
	}
	return n
}

// Figure is one number in large type.
type Figure struct {
	Label, Value string
	URL          string // the list behind it; empty: there is none
	Note         string // what exactly it means
	Bad          bool
}

// Trouble is one kind of what may need somebody.
type Trouble struct {
	State
	Count int64
	URL   string // those concerned
}

// NodeView is a worker node with what it runs.
type NodeView struct {
	Name               string
	Since, Seen        time.Time
	Shards             int64
	Running, Connected int64
	URL                string // its workers
}

// HourView is one hour of messages. P50 and P99 are how long customers waited for answers, in seconds, 0 where there were none.
type HourView struct {
	At                     time.Time
	Received, Sent, Failed int64
	P50, P99               int
	Half, Most             string // the same in words
}
