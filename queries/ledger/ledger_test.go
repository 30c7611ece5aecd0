package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/queries"
	"flowhq/queries/ledger"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

// book is one tenant whose messages a test writes by hand.
type book struct {
	t      *testing.T
	db     *database.Database
	tenant uuid.UUID
	chat   uuid.UUID
	n      int // messages so far
}

func newBook(t *testing.T, db *database.Database, name string) *book {
	t.Helper()
	b := &book{t: t, db: db, tenant: newID(), chat: newID()}
	err := queries.New(db.System).CreateTenant(t.Context(), queries.CreateTenantParams{ID: b.tenant, Name: name,
		PhoneNumber: "+2557" + strings.ReplaceAll(b.tenant.String(), "-", "")[20:], ConfigID: newID(), SessionID: newID(), WorkerID: newID(),
		TemplateType: queries.TemplateTypeSUPPORT, BusinessName: name, Language: queries.LanguageEN})
	if err != nil {
		t.Fatal(err)
	}
	b.exec("INSERT INTO contacts (id, tenant_id, phone_number, lid, name) VALUES ($1, $2, '+255754000001', '998877', 'Asha')", b.chat, b.tenant)
	b.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", b.chat, b.tenant)
	b.exec("UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', reason_since = now() - interval '1 hour' WHERE tenant_id = $1", b.tenant)
	return b
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (b *book) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.System.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

// in logs a message of the customer as it was an hour ago. decision "" is none.
func (b *book) in(decision string) (id uuid.UUID) {
	b.t.Helper()
	id = newID()
	b.n++
	b.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, decision, created_at)
		VALUES ($1, $2, $3, 'IN', '+255754000001', '', 'hello', $4, 'RECEIVED', nullif($5, ''), now() - interval '1 hour')`,
		id, b.tenant, b.chat, fmt.Sprintf("IN%d", b.n), decision)
	return id
}

// out logs what went out in answer to a question, written with it; set changes its columns.
func (b *book) out(source string, question *uuid.UUID, set string) (id uuid.UUID) {
	b.t.Helper()
	id = newID()
	b.n++
	b.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source,
			in_reply_to, attempts, sent_at, delivered_at, read_at, created_at)
		VALUES ($1, $2, $3, 'OUT', '', '+255754000001', 'welcome', $4, 'READ', $5, $6, 1, now(), now(), now(),
			coalesce((SELECT created_at FROM message_logs WHERE id = $6), now() - interval '1 hour'))`,
		id, b.tenant, b.chat, fmt.Sprintf("OUT%d", b.n), source, question)
	if set != "" {
		b.exec("UPDATE message_logs SET "+set+" WHERE id = $1", id)
	}
	return id
}

// unlogged notes a message that is not in the log.
func (b *book) unlogged(waID, reason, age string) {
	b.t.Helper()
	b.exec(`INSERT INTO unlogged_messages (tenant_id, wa_message_id, reason, detail, lid, sent_at, first_seen_at)
		VALUES ($1, $2, $3::unlogged_reason, 'value out of range', '998877', now(), now() - $4::interval)`, b.tenant, waID, reason, age)
}

// whole writes messages of every kind that fit.
func (b *book) whole() {
	b.t.Helper()
	q := b.in("REPLIED")
	b.out("BOT", &q, "")
	b.out("BOT", &q, "status = 'SENT', delivered_at = NULL, read_at = NULL")
	q = b.in("REPLIED")
	b.out("BOT", &q, "status = 'DELIVERED', read_at = NULL, sent_at = NULL") // the receipt outlived a crash, the acknowledgement did not
	b.in("IGNORED")
	b.in("RATE_LIMITED")
	b.in("PAUSED") // a person has taken the chat over
	b.out("PERSON", nil, "")
	b.out("API", nil, "status = 'FAILED', failure = 'This number is not on WhatsApp.', sent_at = NULL, delivered_at = NULL, read_at = NULL")
	b.out("PERSON", nil, "status = 'QUEUED', attempts = 0, sent_at = NULL, delivered_at = NULL, read_at = NULL, created_at = now() - interval '9 minutes'")
	b.out("PERSON", nil, "status = 'QUEUED', attempts = 3, failure = 'Not yet', sent_at = NULL, delivered_at = NULL, read_at = NULL, created_at = now() - interval '9 minutes'")
	b.unlogged("IN1", "UNDECRYPTABLE", "50 minutes") // it came again
}

func (b *book) account(o ledger.Options) ledger.Account {
	b.t.Helper()
	o.Tenants = []uuid.UUID{b.tenant}
	accounts, err := ledger.Read(b.t.Context(), b.db.System, o)
	if err != nil || len(accounts) != 1 {
		b.t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	return accounts[0]
}

// running are the options for a system that is at work.
var running = ledger.Options{Settling: ledger.Settling, Patience: ledger.Patience, PerKind: 10}

func TestWhatFitsBalances(t *testing.T) {
	b := newBook(t, databasetest.New(t), "Salon")
	b.whole()
	a := b.account(running)
	if a.Wrong() != 0 || len(a.Differences) != 0 {
		t.Errorf("%+v", a.Differences)
	}
	got := [...]int64{a.Received, a.Logged, a.Decided, a.Answered, a.RateLimited, a.Awaited, a.Queued, a.Sent, a.Acknowledged, a.Failed, a.Waiting, a.Unsent}
	if want := [...]int64{5, 5, 5, 2, 1, 0, 7, 6, 4, 1, 2, 1}; got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// Each row is wrong in one way, among many that fit, and is found as that, in its tenant only.
func TestEveryDifferenceIsFound(t *testing.T) {
	db := databasetest.New(t)
	tests := []struct {
		kind ledger.Kind
		cook func(b *book) (waID string)
	}{
		{ledger.GivenUp, func(b *book) string { b.unlogged("LOST", "GIVEN_UP", "0"); return "LOST" }},
		{ledger.Undecryptable, func(b *book) string { b.unlogged("LOST", "UNDECRYPTABLE", "11 minutes"); return "LOST" }},
		{ledger.Unavailable, func(b *book) string { b.unlogged("LOST", "UNAVAILABLE", "11 minutes"); return "LOST" }},
		{ledger.Undecided, func(b *book) string { return b.wa(b.in("")) }},
		{ledger.Unanswered, func(b *book) string { return b.wa(b.in("REPLIED")) }},
		{ledger.Unanswered, func(b *book) string { // a person's message is no answer of the bot
			q := b.in("REPLIED")
			b.out("PERSON", &q, "")
			return b.wa(q)
		}},
		{ledger.AnsweredUnasked, func(b *book) string {
			q := b.in("RATE_LIMITED")
			b.out("BOT", &q, "")
			return b.wa(q)
		}},
		{ledger.AnsweredUnasked, func(b *book) string { // in a chat that a person has taken over
			q := b.in("PAUSED")
			b.out("BOT", &q, "")
			return b.wa(q)
		}},
		{ledger.AnsweredTwice, func(b *book) string {
			q := b.in("REPLIED")
			b.out("BOT", &q, "")
			b.out("BOT", &q, "created_at = created_at + interval '1 second'")
			return b.wa(q)
		}},
		{ledger.NoQuestion, func(b *book) string { return b.wa(b.out("BOT", nil, "")) }},
		{ledger.NoQuestion, func(b *book) string {
			other := b.out("PERSON", nil, "")
			return b.wa(b.out("BOT", &other, ""))
		}},
		{ledger.OtherChat, func(b *book) string {
			q, other := b.in("REPLIED"), newID()
			b.exec("INSERT INTO contacts (id, tenant_id, lid) VALUES ($1, $2, 'another')", other, b.tenant)
			b.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $1)", other, b.tenant)
			return b.wa(b.out("BOT", &q, "conversation_id = '"+other.String()+"'"))
		}},
		{ledger.NotSent, func(b *book) string { return b.wa(b.out("API", nil, "attempts = 0")) }},
		{ledger.NoProof, func(b *book) string {
			return b.wa(b.out("API", nil, "status = 'SENT', sent_at = NULL, delivered_at = NULL, read_at = NULL"))
		}},
		{ledger.NoProof, func(b *book) string { return b.wa(b.out("API", nil, "read_at = NULL")) }},
		{ledger.Behind, func(b *book) string { return b.wa(b.out("API", nil, "status = 'SENT'")) }},
		{ledger.Behind, func(b *book) string { return b.wa(b.out("API", nil, "status = 'DELIVERED'")) }},
		{ledger.Behind, func(b *book) string {
			return b.wa(b.out("API", nil, "status = 'FAILED', failure = 'No', sent_at = NULL, delivered_at = NULL"))
		}},
		{ledger.NoReason, func(b *book) string {
			return b.wa(b.out("API", nil, "status = 'FAILED', sent_at = NULL, delivered_at = NULL, read_at = NULL"))
		}},
		{ledger.Stuck, func(b *book) string {
			return b.wa(b.out("API", nil, "status = 'QUEUED', attempts = 0, sent_at = NULL, delivered_at = NULL, read_at = NULL, created_at = now() - interval '2 years'"))
		}},
	}
	cooked := map[ledger.Kind]bool{}
	books := make([]*book, len(tests))
	wants := make([]string, len(tests))
	for i, tt := range tests {
		cooked[tt.kind] = true
		books[i] = newBook(t, db, fmt.Sprintf("Tenant %02d", i))
		books[i].whole()
		wants[i] = tt.cook(books[i])
	}
	for _, kind := range ledger.Kinds() {
		if !cooked[kind] {
			t.Errorf("no row is wrong as %s", kind)
		}
	}
	o := running
	o.Since = time.Now().Add(-30 * 24 * time.Hour)
	all, err := ledger.Read(t.Context(), db.System, o)
	if err != nil || len(all) != len(tests) {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%02d %s", i, tt.kind), func(t *testing.T) {
			if all[i].TenantID != books[i].tenant {
				t.Fatalf("accounts are not in order: %s", all[i].Name)
			}
			if all[i].Wrong() != 1 || all[i].Found[tt.kind] != 1 || len(all[i].Differences) != 1 {
				t.Fatalf("found %v, want one %s", all[i].Found, tt.kind)
			}
			d := all[i].Differences[0]
			if d.Kind != tt.kind || d.WaMessageID != wants[i] || d.At.IsZero() {
				t.Errorf("%+v", d)
			}
			if name := d.Customer(); name != "Asha" && tt.kind != ledger.OtherChat {
				t.Errorf("the customer is %q", name)
			}
			sentence := d.Sentence()
			t.Log(d.Kind.Title(), "|", sentence)
			if d.Kind.Title() == "" || len(sentence) < 20 || !strings.HasSuffix(sentence, ".") || strings.Contains(sentence, "%!") {
				t.Errorf("no words for %s: %q, %q", d.Kind, d.Kind.Title(), sentence)
			}
			books[i].t = t
			if one := books[i].account(running); one.Wrong() != 1 {
				t.Errorf("read alone it has %v", one.Found)
			}
			if counted := books[i].account(ledger.Options{Settling: running.Settling, Patience: running.Patience}); counted.Wrong() != 1 || counted.Differences != nil {
				t.Errorf("only counted it has %v and %v", counted.Found, counted.Differences)
			}
		})
	}
}

// wa is the WhatsApp id of a logged message.
func (b *book) wa(id uuid.UUID) (waID string) {
	b.t.Helper()
	if err := b.db.System.QueryRow(b.t.Context(), "SELECT wa_message_id FROM message_logs WHERE id = $1", id).Scan(&waID); err != nil {
		b.t.Fatal(err)
	}
	return waID
}

// What is under way is no difference yet, and is one as soon as nothing may be under way any more.
func TestUnderWay(t *testing.T) {
	b := newBook(t, databasetest.New(t), "Salon")
	for _, id := range []uuid.UUID{b.in(""), b.in("REPLIED"), b.out("BOT", nil, ""), b.out("API", nil, "attempts = 0")} {
		b.exec("UPDATE message_logs SET created_at = now() WHERE id = $1", id)
	}
	b.out("API", nil, "status = 'QUEUED', attempts = 1, sent_at = NULL, delivered_at = NULL, read_at = NULL, created_at = now()")
	b.unlogged("ASKED", "UNDECRYPTABLE", "1 minute")
	a := b.account(running)
	if a.Wrong() != 0 || a.Awaited != 1 || a.Received != 3 || a.Logged != 2 {
		t.Errorf("under way: %+v", a)
	}
	if a := b.account(ledger.Options{PerKind: 10}); a.Wrong() != 6 || a.Awaited != 0 || a.Received != 3 {
		t.Errorf("at the end: %v", a.Found)
	}
	// A number that is away, or has just come back, has all the time.
	for _, sql := range []string{"state = 'DISCONNECTED'", "state = 'CONNECTED', reason_since = now() - interval '9 minutes'"} {
		b.exec("UPDATE message_logs SET created_at = now() - interval '1 hour' WHERE status = 'QUEUED'")
		b.exec("UPDATE whatsapp_sessions SET "+sql+" WHERE tenant_id = $1", b.tenant)
		if a := b.account(running); a.Found[ledger.Stuck] != 0 || a.Waiting != 1 {
			t.Errorf("%s: %v, %d waiting", sql, a.Found, a.Waiting)
		}
	}
}

// A number that may not write first holds what is for customers who never wrote, and nothing else.
func TestHeldFirstMessages(t *testing.T) {
	db := databasetest.New(t)
	const waits = "status = 'QUEUED', attempts = 1, claim_epoch = NULL, failure = 'Not yet', sent_at = NULL, delivered_at = NULL, read_at = NULL"
	stranger, known := newBook(t, db, "To a stranger"), newBook(t, db, "To a customer")
	stranger.out("API", nil, waits)
	known.in("IGNORED")
	known.out("API", nil, waits)
	for _, tt := range []struct {
		until    string
		stranger int64
	}{{"5 hours", 0}, {"-9 minutes", 0}, {"-11 minutes", 1}} {
		for _, b := range []*book{stranger, known} {
			b.exec("UPDATE whatsapp_sessions SET reason = 'RESTRICTED', restricted_since = now() - interval '6 hours', restricted_until = now() + $2::interval WHERE tenant_id = $1", b.tenant, tt.until)
		}
		if got := stranger.account(running).Wrong(); got != tt.stranger {
			t.Errorf("restricted until %s: %d first messages count as stuck, want %d", tt.until, got, tt.stranger)
		}
		if got := known.account(running).Found[ledger.Stuck]; got != 1 {
			t.Errorf("restricted until %s: %d answers count as stuck, want 1", tt.until, got)
		}
	}
}

// Of many differences the newest are listed, and all are counted; those before the window are not looked at.
func TestManyDifferences(t *testing.T) {
	b := newBook(t, databasetest.New(t), "Salon")
	for i := range 5 {
		b.unlogged(fmt.Sprint("LOST", i), "GIVEN_UP", fmt.Sprintf("%d hours", i))
		b.exec("UPDATE message_logs SET created_at = now() - make_interval(hours => $2) WHERE id = $1", b.in("REPLIED"), i+1)
	}
	o := running
	o.PerKind = 2
	a := b.account(o)
	if a.Wrong() != 10 || a.Found[ledger.Unanswered] != 5 || a.Found[ledger.GivenUp] != 5 || len(a.Differences) != 4 || a.Received != 10 {
		t.Errorf("%v, %d listed", a.Found, len(a.Differences))
	}
	if !slices.IsSortedFunc(a.Differences, func(x, y ledger.Difference) int { return y.At.Compare(x.At) }) {
		t.Error("the differences are not newest first")
	}
	o.Since = time.Now().Add(-150 * time.Minute)
	if a := b.account(o); a.Found[ledger.Unanswered] != 2 || a.Found[ledger.GivenUp] != 3 || a.Logged != 2 {
		t.Errorf("in two and a half hours: %v of %d logged", a.Found, a.Logged)
	}
}

func TestReadEndsInTime(t *testing.T) {
	db := databasetest.New(t)
	newBook(t, db, "Salon").whole()
	tx, err := db.System.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE message_logs"); err != nil {
		t.Fatal(err)
	}
	o := running
	o.Timeout = 50 * time.Millisecond
	if _, err := ledger.Read(t.Context(), db.System, o); !ledger.TooSlow(err) {
		t.Errorf("while the log is locked: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Read(t.Context(), db.System, o); err != nil {
		t.Errorf("then: %v", err)
	}
	if _, err := ledger.Read(t.Context(), db.System, ledger.Options{Tenants: []uuid.UUID{newID()}}); err != nil {
		t.Errorf("of a tenant that does not exist: %v", err)
	}
}

// A server that crashed has no statistics until somebody gathers them: the checks must not become quadratic then.
func TestReadWithoutStatistics(t *testing.T) {
	db := databasetest.New(t)
	b := newBook(t, db, "Salon")
	b.exec("ALTER TABLE message_logs SET (autovacuum_enabled = off)")
	b.exec(`WITH questions AS (
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, decision)
		SELECT gen_random_uuid(), $1, $2, 'IN', '+255754000001', '', 'hello', 'IN' || g, 'RECEIVED', 'REPLIED' FROM generate_series(1, 15000) g
		RETURNING id, wa_message_id)
	INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source,
		in_reply_to, attempts, read_at)
	SELECT gen_random_uuid(), $1, $2, 'OUT', '', '+255754000001', 'welcome', 'RE' || wa_message_id, 'READ', 'BOT', id, 1, now() FROM questions`, b.tenant, b.chat)
	accounts, err := ledger.Read(t.Context(), db.System, ledger.Options{PerKind: 20, Timeout: 30 * time.Second}) // it takes a fraction of a second
	if err != nil {
		t.Fatal(err)
	}
	if a := accounts[0]; a.Answered != 15000 || a.Acknowledged != 15000 || a.Wrong() != 0 {
		t.Errorf("%+v", a)
	}
}
