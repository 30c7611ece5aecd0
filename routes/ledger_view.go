package routes

import (
	"fmt"
	"strconv"
	"time"

	"flowhq/queries"
	"flowhq/queries/ledger"
)

// LedgerPage is every tenant's ledger (template "admin/ledger").
type LedgerPage struct {
	Page
	Scope      LedgerScope
	Rows       []LedgerRow // those that do not balance first
	Unbalanced int
	More       int // rows that are not shown
}

// LedgerScope is what was counted.
type LedgerScope struct {
	Windows   []LedgerWindow
	Since     time.Time
	CountedAt time.Time
	Cut       string // "last 24 hours": more would have taken too long
	Failed    bool   // nothing could be counted in time
}

// LedgerWindow is one choice of how far to look back.
type LedgerWindow struct {
	Label  string
	URL    string
	Active bool
}

// query keeps the choice in links between the ledger's pages.
func (s LedgerScope) query() string {
	for i, w := range s.Windows {
		if w.Active {
			return "?window=" + ledgerSpans[i].name
		}
	}
	return ""
}

// LedgerRow is one tenant's ledger.
type LedgerRow struct {
	Name, Phone                                 string
	URL                                         string
	Sign                                        State
	Received, Logged, Decided                   Count
	Queued, Sent, Acknowledged, Failed, Waiting Count
}

// Count is a number that is read in groups of three digits.
type Count int64

func (c Count) String() string {
	s := strconv.FormatInt(int64(c), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// TenantLedgerPage is one tenant's ledger (template "admin/tenant_ledger").
type TenantLedgerPage struct {
	Page
	Name, Phone          string
	TenantURL, LedgerURL string
	Scope                LedgerScope
	Sign                 State
	Sums                 []LedgerSum
	Differences          []LedgerDifference
	More                 []LedgerMore
	Failures             []LedgerFailure
}

// LedgerSum is one line of the ledger: what is equal, or should be.
type LedgerSum struct {
	Title string
	Terms []LedgerTerm
	Notes []string
}

// LedgerTerm is one number of a line, and how it belongs to those before it.
type LedgerTerm struct {
	Op    string // "", is, isnt or plus
	Label string
	Count Count
}

// Word is what a screen reader says for the sign.
func (t LedgerTerm) Word() string {
	return map[string]string{"is": "equals", "isnt": "is not equal to", "plus": "plus"}[t.Op]
}

// LedgerDifference is one message with all that is wrong with it.
type LedgerDifference struct {
	Problems    []LedgerProblem
	Message     *MessageView // nil: it is not in the log
	Customer    string       // of one that is not
	WaMessageID string
	URL         string // where the message is shown; empty: nowhere
	At          time.Time
}

// LedgerProblem is one thing that is wrong with a message.
type LedgerProblem struct{ Title, Sentence string }

// LedgerMore says how many differences of a kind are not listed.
type LedgerMore struct {
	Title string
	Count Count
}

// LedgerFailure is one reason why messages failed.
type LedgerFailure struct {
	Reason   string
	Messages Count
	Latest   time.Time
}

func ledgerSign(a ledger.Account) State {
	switch n := a.Wrong(); {
	case n == 1:
		return State{Code: "UNBALANCED", Word: "1 difference", Tone: ToneFailed}
	case n > 1:
		return State{Code: "UNBALANCED", Word: Count(n).String() + " differences", Tone: ToneFailed}
	case a.Received+a.Queued == 0:
		return State{Code: "EMPTY", Word: "No messages", Tone: ToneIdle}
	}
	return State{Code: "BALANCED", Word: "Balanced", Tone: ToneOK}
}

func ledgerRow(a ledger.Account, query string) LedgerRow {
	return LedgerRow{Name: a.Name, Phone: a.Phone, URL: tenantBase(a.TenantID) + "/ledger" + query, Sign: ledgerSign(a),
		Received: Count(a.Received), Logged: Count(a.Logged), Decided: Count(a.Decided),
		Queued: Count(a.Queued), Sent: Count(a.Sent), Acknowledged: Count(a.Acknowledged), Failed: Count(a.Failed), Waiting: Count(a.Waiting)}
}

// fill puts an account on the page.
func (p *TenantLedgerPage) fill(a ledger.Account) {
	p.Sign = ledgerSign(a)
	unconfirmed := a.Waiting - a.Unsent
	in := LedgerSum{Title: "Came in", Terms: []LedgerTerm{
		{"", "received", Count(a.Received)}, {equal(a.Received, a.Logged), "logged", Count(a.Logged)}, {equal(a.Logged, a.Decided), "decided", Count(a.Decided)}}}
	if a.Decided > 0 {
		in.Notes = append(in.Notes, fmt.Sprintf("Of those decided %s were answered, %s went over the limit of replies, and %s needed no answer.",
			Count(a.Answered), Count(a.RateLimited), Count(a.Decided-a.Answered-a.RateLimited)))
	}
	if a.Awaited > 0 {
		in.Notes = append(in.Notes, fmt.Sprintf("%s could not be read and may still come again: the sender was asked for it.", Count(a.Awaited)))
	}
	p.Sums = []LedgerSum{in,
		{Title: "Went out", Terms: []LedgerTerm{{"", "queued", Count(a.Queued)}, {equal(a.Queued, a.Sent+a.Unsent), "sent", Count(a.Sent)}, {"plus", "not sent yet", Count(a.Unsent)}}},
		{Title: "What became of it", Terms: []LedgerTerm{{"", "sent", Count(a.Sent)}, {equal(a.Sent, a.Acknowledged+a.Failed+unconfirmed), "acknowledged", Count(a.Acknowledged)},
			{"plus", "failed", Count(a.Failed)}, {"plus", "waiting for WhatsApp", Count(unconfirmed)}}},
	}
	listed := map[ledger.Kind]int64{}
	at := map[string]int{} // places of messages in the list
	for _, d := range a.Differences {
		listed[d.Kind]++
		problem := LedgerProblem{d.Kind.Title(), d.Sentence()}
		if i, known := at[d.WaMessageID]; known {
			p.Differences[i].Problems = append(p.Differences[i].Problems, problem)
			continue
		}
		at[d.WaMessageID] = len(p.Differences)
		p.Differences = append(p.Differences, ledgerDifference(d, problem, p.TenantURL))
	}
	for _, kind := range ledger.Kinds() {
		if more := a.Found[kind] - listed[kind]; more > 0 {
			p.More = append(p.More, LedgerMore{kind.Title(), Count(more)})
		}
	}
}

func ledgerDifference(d ledger.Difference, problem LedgerProblem, tenantURL string) LedgerDifference {
	v := LedgerDifference{Problems: []LedgerProblem{problem}, Customer: d.Customer(), WaMessageID: d.WaMessageID, At: d.At}
	if d.Message != nil {
		m := messageView(queries.ListMessagesRow(*d.Message), "en")
		v.Message, v.URL = &m, tenantURL+"#msg-"+m.ID
	}
	return v
}

func equal(a, b int64) string {
	if a == b {
		return "is"
	}
	return "isnt"
}
