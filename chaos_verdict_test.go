package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flowhq/queries/ledger"

	"github.com/jackc/pgx/v5"

	"flowhq/database"
	"flowhq/whatsapp/simulator"
)

const clockFormat = "15:04:05.000"

// witness tells of a run: what the customers' phones saw, what the log says, and what happened when.
type witness struct {
	t    *testing.T
	db   *database.Database
	sim  *simulator.Server
	logs string // folder of the processes' logs; "": none

	mu       sync.Mutex
	timeline []chaosNote
}

type chaosNote struct {
	at   time.Time
	text string
}

func (w *witness) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timeline = append(w.timeline, chaosNote{time.Now(), fmt.Sprintf(format, args...)})
}

func (w *witness) notes() []chaosNote {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]chaosNote(nil), w.timeline...)
}

// chaosChat is a chat, as phone numbers in digits.
type chaosChat struct{ business, contact string }

// chaosToken is one message of a customer and all that became of it.
type chaosToken struct {
	business, contact string
	id, text          string
	sentAt, shownAt   time.Time
	rows              []chaosRow // received
	replies           []chaosRow // to it
	shown             int        // of its replies, on the customer's phone
	wrong             []string
}

// chaosRow is a row of message_logs; the names are its columns.
type chaosRow struct {
	ID            string
	Seq           int64
	Direction     string
	Source        string
	WaMessageID   string
	Status        string
	Decision      *string
	Intent        *string
	InReplyTo     *string
	Attempts      int32
	ClaimEpoch    *int64
	Failure       *string
	CreatedAt     time.Time
	SentAt        *time.Time
	MessageText   string
	BusinessPhone string
}

func (w *witness) rows(ctx context.Context) ([]chaosRow, error) {
	rows, err := w.db.System.Query(ctx, `
		SELECT m.id::text, m.seq, m.direction::text, m.source::text, m.wa_message_id, m.status::text, m.decision, m.intent, m.in_reply_to::text,
		       m.attempts, m.claim_epoch, m.failure, m.created_at, m.sent_at, m.message_text, t.phone_number AS business_phone
		FROM message_logs m JOIN tenants t ON t.id = m.tenant_id ORDER BY m.seq`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[chaosRow])
}

// settled waits until the log says that nothing is queued any more. A confirmation may come after the customer's phone showed the message.
func (w *witness) settled(most time.Duration) {
	w.t.Helper()
	queued := -1
	for deadline := time.Now().Add(most); queued != 0 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		_ = w.db.System.QueryRow(ctx, "SELECT count(*) FROM message_logs WHERE status = 'QUEUED'").Scan(&queued) // the database may be away
		cancel()
	}
	w.note("%d messages are queued", queued)
}

// judge compares what the customers' phones sent and show with the log, message by message: what a customer wrote was answered once
// and in order, and what else was queued (a message from the API) is shown once.
func (w *witness) judge(chats []chaosChat, sent int) {
	w.t.Helper()
	stats := w.sim.Stats()
	if stats.DroppedDuplicateKeys+stats.MissingCopies+stats.QueueOverflow != 0 {
		w.t.Errorf("dropped by phones: %d for a used key, %d without a copy; %d lost by the simulator's queues: %+v",
			stats.DroppedDuplicateKeys, stats.MissingCopies, stats.QueueOverflow, stats.Incidents)
	}
	if stats.Undecryptable != 0 { // no loss: whether they got them is judged below
		w.t.Logf("phones could not read %d messages and asked for them again: %+v", stats.Undecryptable, stats.Incidents)
	}
	rows, err := w.rows(within(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	tokens := map[string]*chaosToken{} // by the id of the customer's message
	for _, chat := range chats {
		for _, m := range w.sim.Chat(chat.contact, chat.business) {
			if m.FromContact {
				tokens[m.ID] = &chaosToken{business: chat.business, contact: chat.contact, id: m.ID, text: m.Text, sentAt: m.At}
			}
		}
	}
	if len(tokens) != sent {
		w.t.Errorf("the phones sent %d messages, the load says %d", len(tokens), sent)
	}
	var general []string
	asked, answers := map[string]*chaosToken{}, map[string]*chaosToken{} // by the row of the question; by the id of the answer
	written := map[string]int{}                                          // by the id of a message that answers none: how often it is shown
	for _, row := range rows {
		if row.Direction != "IN" {
			continue
		}
		if k := tokens[row.WaMessageID]; k != nil {
			k.rows, asked[row.ID] = append(k.rows, row), k
		} else {
			general = append(general, fmt.Sprintf("a received message is logged that nobody sent: %+v", row))
		}
	}
	for _, row := range rows {
		if row.Direction != "OUT" {
			continue
		}
		if k := asked[deref(row.InReplyTo)]; k != nil {
			k.replies, answers[row.WaMessageID] = append(k.replies, row), k
		} else if row.Source == "API" {
			written[row.WaMessageID] = 0
		} else {
			general = append(general, fmt.Sprintf("a message went out that answers none: %+v", row))
		}
	}
	for _, chat := range chats {
		var last *chaosToken
		for _, m := range w.sim.Inbox(chat.contact, 0) {
			k := answers[m.ID]
			if _, ok := written[m.ID]; ok {
				written[m.ID]++
				continue
			}
			if k == nil || k.contact != chat.contact || k.business != m.From {
				general = append(general, fmt.Sprintf("%s shows message %s from %s, which the log does not know as an answer in this chat", chat.contact, m.ID, m.From))
				continue
			}
			if k.shown++; k.shown == 1 {
				k.shownAt = m.At
			}
			if last != nil && k.shown == 1 && k.text < last.text { // tokens of a chat grow
				k.wrong = append(k.wrong, "answered after "+last.text)
			}
			last = k
		}
	}
	for id, n := range written {
		if n != 1 {
			general = append(general, fmt.Sprintf("message %s from the API is shown %d times", id, n))
		}
	}
	general = append(general, w.books()...)
	w.pace(tokens)
	var bad []*chaosToken
	for _, k := range tokens {
		k.check()
		if len(k.wrong) > 0 {
			bad = append(bad, k)
		}
	}
	for _, what := range general[:min(len(general), 20)] {
		w.t.Error(what)
	}
	if len(bad) == 0 && len(general) == 0 {
		return
	}
	w.t.Errorf("%d of %d tokens and %d other messages are wrong", len(bad), len(tokens), len(general))
	slices.SortFunc(bad, func(a, b *chaosToken) int { return a.sentAt.Compare(b.sentAt) })
	for _, k := range bad[:min(len(bad), 10)] {
		w.t.Error(w.explain(k))
	}
	for _, k := range bad[min(len(bad), 10):min(len(bad), 100)] {
		w.t.Errorf("%s in the chat of %s with %s: %s", k.text, k.contact, k.business, strings.Join(k.wrong, "; "))
	}
}

// books lists what the ledger says does not fit, now that nothing is under way any more.
func (w *witness) books() (wrong []string) {
	started := time.Now()
	accounts, err := ledger.Read(w.t.Context(), w.db.System, ledger.Options{PerKind: 20, Timeout: 2 * time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("the ledger was read in %s", time.Since(started).Round(time.Millisecond))
	for _, a := range accounts {
		wrong = append(wrong, differenceLines(a)...)
		if a.Received != a.Logged || a.Logged != a.Decided || a.Queued != a.Sent || a.Sent != a.Acknowledged+a.Failed+a.Waiting {
			wrong = append(wrong, fmt.Sprintf("%s: the ledger's columns do not add up: %+v", a.Name, a))
		}
	}
	return wrong
}

// pace logs how long customers waited, by when they wrote.
func (w *witness) pace(tokens map[string]*chaosToken) {
	var first time.Time
	waits := map[int][]time.Duration{} // by ten seconds
	for _, k := range tokens {
		if first.IsZero() || k.sentAt.Before(first) {
			first = k.sentAt
		}
	}
	for _, k := range tokens {
		if k.shown > 0 {
			at := int(k.sentAt.Sub(first) / (10 * time.Second))
			waits[at] = append(waits[at], k.shownAt.Sub(k.sentAt))
		}
	}
	for _, at := range slices.Sorted(maps.Keys(waits)) {
		slices.Sort(waits[at])
		w.t.Logf("from %s on, %d messages waited for %.1f s in the middle and %.1f s at most", first.Add(time.Duration(at)*10*time.Second).Format(time.TimeOnly),
			len(waits[at]), waits[at][len(waits[at])/2].Seconds(), waits[at][len(waits[at])-1].Seconds())
	}
}

// check says what is wrong with a token: logged once, decided, answered once and told so, shown once.
func (k *chaosToken) check() {
	wrong := func(format string, args ...any) { k.wrong = append(k.wrong, fmt.Sprintf(format, args...)) }
	if len(k.rows) != 1 {
		wrong("logged %d times", len(k.rows))
	}
	for _, row := range k.rows {
		if deref(row.Decision) != "REPLIED" || deref(row.Intent) != "MENU" {
			wrong("decided as %q, intent %q", deref(row.Decision), deref(row.Intent))
		}
	}
	if len(k.replies) != 1 {
		wrong("%d replies in the log", len(k.replies))
	}
	for _, row := range k.replies {
		if row.Status != "SENT" && row.Status != "DELIVERED" && row.Status != "READ" {
			wrong("its reply is %s", row.Status)
		}
	}
	if k.shown != 1 {
		wrong("the phone shows %d answers", k.shown)
	}
}

// explain tells a token's story: its rows, the faults around it, and what the processes logged about it.
func (w *witness) explain(k *chaosToken) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) in the chat of %s with %s: %s\n", k.text, k.id, k.contact, k.business, strings.Join(k.wrong, "; "))
	fmt.Fprintf(&b, "  %s the customer sends it\n", k.sentAt.Format(clockFormat))
	words := []string{k.id}
	until := k.sentAt
	for _, row := range slices.Concat(k.rows, k.replies) {
		fmt.Fprintf(&b, "  %s logged: %s %s %s seq %d, decision %s, attempts %d, epoch %d, failure %q", row.CreatedAt.Local().Format(clockFormat), row.Direction,
			row.WaMessageID, row.Status, row.Seq, deref(row.Decision), row.Attempts, deref(row.ClaimEpoch), deref(row.Failure))
		if row.SentAt != nil {
			fmt.Fprintf(&b, ", sent at %s", row.SentAt.Local().Format(clockFormat))
		}
		b.WriteString("\n")
		words = append(words, row.WaMessageID)
		until = row.CreatedAt
	}
	for _, m := range w.sim.Inbox(k.contact, 0) {
		if slices.Contains(words, m.ID) {
			fmt.Fprintf(&b, "  %s the phone shows %s, which came %d times more\n", m.At.Format(clockFormat), m.ID, m.Resends)
		}
	}
	for _, note := range w.notes() {
		if note.at.After(k.sentAt.Add(-10*time.Second)) && note.at.Before(until.Add(30*time.Second)) {
			fmt.Fprintf(&b, "    %s %s\n", note.at.Format(clockFormat), note.text)
		}
	}
	for _, in := range w.sim.Stats().Incidents {
		if slices.Contains(words, in.ID) {
			fmt.Fprintf(&b, "    %s phone: %s %s %s\n", in.At.Format(clockFormat), in.What, in.ID, in.Error)
		}
	}
	files, _ := filepath.Glob(filepath.Join(w.logs, "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
				fmt.Fprintf(&b, "    %s: %s", filepath.Base(file), line)
			}
		}
	}
	return b.String()
}

func deref[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// errors counts what the processes logged as an error, by its message. A panic is a fault of the program whatever happened around it.
func (w *witness) errors() map[string]int {
	counts := map[string]int{}
	files, _ := filepath.Glob(filepath.Join(w.logs, "w*.log")) // web and workers
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			w.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var entry struct{ Level, Msg string }
			switch err := json.Unmarshal([]byte(line), &entry); {
			case err == nil && entry.Level == "ERROR":
				counts[entry.Msg]++
			case strings.HasPrefix(line, "panic:"), strings.HasPrefix(line, "fatal error:"):
				counts[strings.TrimSpace(line)]++
			}
		}
	}
	for message := range counts {
		if strings.Contains(message, "panic") || strings.HasPrefix(message, "fatal error") {
			w.t.Errorf("logged: %s", message)
		}
	}
	return counts
}
