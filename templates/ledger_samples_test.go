package templates_test

import (
	"fmt"
	"time"

	"flowhq/routes"
)

func ledgerScope(active int, now time.Time) routes.LedgerScope {
	s := routes.LedgerScope{CountedAt: now, Since: now.Add(-24 * time.Hour)}
	for i, label := range []string{"Last hour", "Last 24 hours", "Last 7 days", "Last 30 days"} {
		s.Windows = append(s.Windows, routes.LedgerWindow{Label: label, URL: "/admin/ledger?window=x", Active: i == active})
	}
	return s
}

var (
	balanced  = routes.State{Code: "BALANCED", Word: "Balanced", Tone: routes.ToneOK}
	different = routes.State{Code: "UNBALANCED", Word: "12 differences", Tone: routes.ToneFailed}
)

func term(op, label string, count routes.Count) routes.LedgerTerm {
	return routes.LedgerTerm{Op: op, Label: label, Count: count}
}

func ledgerRows(n int, now time.Time) (rows []routes.LedgerRow) {
	for i, t := range tenantRows(n, now) {
		k := routes.Count(i * i * 977)
		r := routes.LedgerRow{Name: t.Name, Phone: t.Phone, URL: "/admin/tenants/" + t.ID + "/ledger", Sign: balanced,
			Received: k, Logged: k, Decided: k, Queued: k + 5, Sent: k + 3, Acknowledged: k, Failed: 3, Waiting: 2}
		if i < 2 {
			r.Sign, r.Received = different, k+1_234_567
		}
		rows = append(rows, r)
	}
	return rows
}

// ledgerSamples are the ledger's pages.
func ledgerSamples(add func(name, template string, data any), now time.Time) {
	p := routes.LedgerPage{Page: page("Ledger", "ledger"), Scope: ledgerScope(3, now), Rows: ledgerRows(8, now), Unbalanced: 2, More: 17}
	add("ledger", "admin/ledger", p)
	p.Rows, p.Unbalanced, p.More = ledgerRows(8, now)[2:], 0, 0
	p.Scope.Cut = "last 24 hours"
	add("ledger-cut", "admin/ledger", p)
	p.Rows, p.Scope = nil, ledgerScope(3, now)
	add("ledger-empty", "admin/ledger", p)
	p.Scope.Failed = true
	add("ledger-failed", "admin/ledger", p)

	one := routes.TenantLedgerPage{Page: page("Ledger of Neema Salon", "ledger"), Name: "Neema Salon", Phone: "+255712345678", TenantURL: "/admin/tenants/x",
		LedgerURL: "/admin/ledger", Scope: ledgerScope(1, now), Sign: balanced, Sums: []routes.LedgerSum{
			{Title: "Came in", Terms: []routes.LedgerTerm{term("", "received", 12_480), term("is", "logged", 12_480), term("is", "decided", 12_480)},
				Notes: []string{"Of those decided 12 001 were answered, 79 went over the limit of replies, and 400 needed no answer."}},
			{Title: "Went out", Terms: []routes.LedgerTerm{term("", "queued", 12_102), term("is", "sent", 12_100), term("plus", "not sent yet", 2)}},
			{Title: "What became of it", Terms: []routes.LedgerTerm{term("", "sent", 12_100), term("is", "acknowledged", 12_092), term("plus", "failed", 7), term("plus", "waiting for WhatsApp", 1)}}},
		Failures: []routes.LedgerFailure{{Reason: "This number is not on WhatsApp.", Messages: 5, Latest: now.Add(-3 * time.Hour)}, {Messages: 2, Latest: now.Add(-time.Minute)}}}
	add("tenant-ledger", "admin/tenant_ledger", one)
	wrong := one
	wrong.Name, wrong.Sign, wrong.Failures = longName, different, nil
	wrong.Sums = append([]routes.LedgerSum{{Title: "Came in", Terms: []routes.LedgerTerm{term("", "received", 1_234_568), term("isnt", "logged", 1_234_567), term("is", "decided", 1_234_567)},
		Notes: []string{"1 could not be read and may still come again: the sender was asked for it."}}}, one.Sums[1:]...)
	for i, m := range messages(11, "en", now).Rows {
		d := routes.LedgerDifference{Problems: []routes.LedgerProblem{{Title: "Answer missing", Sentence: "It was decided to answer, but no answer was queued."}},
			Message: &m, Customer: m.Contact(), WaMessageID: fmt.Sprintf("3EB0C431C26A1916E07%d", i), URL: "/admin/tenants/x#msg-" + m.ID, At: m.At}
		if i%4 == 0 {
			d.Problems = append(d.Problems, routes.LedgerProblem{Title: "Outcome without a time", Sentence: "It counts as delivered, but there is no time from WhatsApp that says so."})
		}
		if i%5 == 1 {
			d.Message, d.URL, d.Problems = nil, "", []routes.LedgerProblem{{Title: "Not logged", Sentence: "It could not be stored in three tries and was let go: ERROR: invalid input syntax (SQLSTATE 22P02)."}}
		}
		wrong.Differences = append(wrong.Differences, d)
	}
	wrong.More = []routes.LedgerMore{{Title: "Answer missing", Count: 1_200}}
	add("tenant-ledger-wrong", "admin/tenant_ledger", wrong)
	one.Sums, one.Failures, one.Sign = nil, nil, routes.State{}
	one.Scope.Failed = true
	add("tenant-ledger-failed", "admin/tenant_ledger", one)
}
