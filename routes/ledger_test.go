package routes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/queries/ledger"
)

// question logs a customer's message of an hour ago that was to be answered, with or without its answer.
func (s *site) question(tenant uuid.UUID, text string, answered bool) uuid.UUID {
	s.t.Helper()
	at := time.Now().Add(-time.Hour)
	id := s.message(tenant, text, queries.MessageDirectionIN, at)
	s.exec("UPDATE message_logs SET decision = 'REPLIED', intent = 'MENU' WHERE id = $1", id)
	if answered {
		reply := s.message(tenant, "to "+text, queries.MessageDirectionOUT, at)
		s.exec("UPDATE message_logs SET source = 'BOT', in_reply_to = $2, status = 'SENT', attempts = 1, sent_at = created_at WHERE id = $1", reply, id)
	}
	return id
}

func TestLedgerPages(t *testing.T) {
	s := newSite(t, nil)
	b := s.admin()
	b.get("/admin/ledger").want(t, http.StatusOK, "Nothing to count yet")
	quiet, whole, torn := s.tenant("Quiet Shop", 1), s.tenant("A Whole Salon", 2), s.tenant("Torn Salon", 3)
	b.get("/admin/ledger").want(t, http.StatusOK, "No messages")
	s.question(whole, "hello", true)
	s.question(torn, "hello", true)
	lost := s.question(torn, "anybody <there>?", false)
	s.exec(`INSERT INTO unlogged_messages (tenant_id, wa_message_id, reason, detail, phone_number, sent_at)
		VALUES ($1, 'GONE1', 'GIVEN_UP', 'value <out> of range', '+255754000009', now())`, torn)
	failed := s.message(torn, "welcome", queries.MessageDirectionOUT, time.Now().Add(-time.Hour))
	s.exec("UPDATE message_logs SET source = 'API', status = 'FAILED', attempts = 1, sent_at = NULL, failure = 'This number is not on WhatsApp.' WHERE id = $1", failed)

	all := b.get("/admin/ledger")
	all.want(t, http.StatusOK, "1 tenant does not balance", "2 differences", "Balanced", "Quiet Shop", fmt.Sprintf(`href="/admin/tenants/%s/ledger?window=30d"`, torn))
	if strings.Index(all.body, "Torn Salon") > strings.Index(all.body, "A Whole Salon") {
		t.Error("the tenant that does not balance is not the first")
	}
	one := b.get(fmt.Sprintf("/admin/tenants/%s/ledger", torn))
	one.want(t, http.StatusOK, "2 differences", "Answer missing", "anybody &lt;there&gt;?", "msg-"+lost.String(), "Not logged", "GONE1", "value &lt;out&gt; of range",
		"Why messages failed", "This number is not on WhatsApp.", "is not equal to")
	b.get(fmt.Sprintf("/admin/tenants/%s/ledger?window=24h", whole)).want(t, http.StatusOK, "None. Every message of this time is accounted for", `href="/admin/ledger?window=24h"`)
	b.get(fmt.Sprintf("/admin/tenants/%s/ledger", quiet)).want(t, http.StatusOK, "There are no messages in this time")
	b.get(fmt.Sprintf("/admin/tenants/%s", whole)).want(t, http.StatusOK, fmt.Sprintf(`href="/admin/tenants/%s/ledger"`, whole))
	b.get("/admin/ledger?window=9y").want(t, http.StatusUnprocessableEntity, "24h")
	b.get("/admin/tenants/"+newID().String()+"/ledger").want(t, http.StatusNotFound)

	// The time that was chosen counts.
	s.exec("UPDATE message_logs SET created_at = now() - interval '10 days' WHERE tenant_id = $1", torn)
	b.get(fmt.Sprintf("/admin/tenants/%s/ledger?window=7d", torn)).want(t, http.StatusOK, "1 difference", "Not logged")
}

// Where there are more messages than a page can wait for, it counts fewer and says so; where the database does not answer, it says that.
func TestLedgerOfVeryManyMessages(t *testing.T) {
	s := newSite(t, nil)
	b, tenant := s.admin(), s.tenant("Busy Shop", 1)
	chat := s.message(tenant, "hello", queries.MessageDirectionIN, time.Now().Add(-time.Hour))
	s.exec("ALTER TABLE message_logs DROP CONSTRAINT message_logs_chat") // so many are made sooner
	s.exec("DROP INDEX message_logs_conversation")
	s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, decision, created_at)
		SELECT gen_random_uuid(), m.tenant_id, m.conversation_id, 'IN', '', '', 'x', 'W' || n, 'RECEIVED', 'IGNORED', now() - interval '2 days' - n * interval '1 second'
		FROM message_logs m, generate_series(1, $2::integer) AS n WHERE m.id = $1`, chat, 260_000)
	s.exec("ANALYZE message_logs")
	b.get("/admin/ledger").want(t, http.StatusOK, "those of the last 24 hours")
	b.get("/admin/tenants/"+tenant.String()+"/ledger").want(t, http.StatusOK, "those of the last 24 hours")
	if answer := b.get("/admin/ledger?window=24h"); strings.Contains(answer.body, "too many messages") {
		t.Error("what was asked for was counted, and the page says it was not")
	}

	tx, err := s.db.System.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), "LOCK TABLE whatsapp_sessions") // the tenant's page does without
	must(t, err)
	if _, _, err := ledger.ReadQuickly(t.Context(), s.db.System, ledger.Options{}, time.Hour); !ledger.TooSlow(err) {
		t.Errorf("%v", err)
	}
	b.get("/admin/ledger?window=1h").want(t, http.StatusOK, "could not be counted in time")
}
