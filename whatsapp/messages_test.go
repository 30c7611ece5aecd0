package whatsapp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// unlimited lifts the limit of replies, as for measuring.
func unlimited(o *Options) { o.RepliesPerMinute = 0 }

func contact(i int) string { return fmt.Sprintf("2557540001%02d", i) }

// Five customers write 200 messages at once, half of them from their LIDs, and get an answer to each, once and in order.
func TestBurstBothWays(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	const customers, each = 5, 40
	var wg sync.WaitGroup
	for c := range customers {
		wg.Go(func() {
			for i := range each {
				if _, err := r.sim.Send(context.Background(), simulator.SendRequest{From: contact(c), To: salon, Text: "menu", LID: i%2 == 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for c := range customers {
		if got := len(r.inbox(contact(c), each)); got != each {
			t.Errorf("customer %d: %d answers", c, got)
		}
	}
	r.await("everything is marked as sent", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'OUT' AND status IN ('SENT', 'DELIVERED', 'READ')") == customers*each
	})
	if got := one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN' AND decision = 'REPLIED'"); got != customers*each {
		t.Errorf("%d messages received", got)
	}
	if got := one[int](r, "SELECT count(*) FROM contacts"); got != customers {
		t.Errorf("%d contacts of %d customers", got, customers)
	}
	for c := range customers {
		// The phone shows the answers in the order in which they were decided.
		var want, have []string
		rows, _ := r.db.System.Query(r.ctx(), "SELECT wa_message_id FROM message_logs WHERE to_number = $1 ORDER BY seq", "+"+contact(c))
		want, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.inbox(contact(c), each) {
			have = append(have, m.ID)
			if m.Resends != 0 {
				t.Errorf("customer %d: message %s came %d times more", c, m.ID, m.Resends)
			}
		}
		if strings.Join(want, " ") != strings.Join(have, " ") {
			t.Errorf("customer %d: answers out of order", c)
		}
	}
	if st := r.sim.Stats(); st.Undecryptable+st.RetriesIn+st.Resends+st.Nacks != 0 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// The business writes to five customers while they write: the case in which sending and receiving meet in one session.
func TestSendingWhileReceiving(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	const customers, each = 5, 40
	for c := range customers {
		r.say(contact(c), salon, "menu")
		r.inbox(contact(c), 1)
	}
	var wg sync.WaitGroup
	for c := range customers {
		wg.Go(func() {
			for range each {
				if _, err := r.sim.Send(context.Background(), simulator.SendRequest{From: contact(c), To: salon, Text: "menu"}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range each {
				if err := r.queue(n, id, "+"+contact(c), "hello"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for c := range customers {
		r.inbox(contact(c), 1+2*each)
	}
	r.await("all are counted", func() bool { return r.sim.Stats().Shown == customers*(1+2*each) })
	if st := r.sim.Stats(); st.Undecryptable+st.RetriesIn != 0 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// queue has the business write, as the API does.
func (r *rig) queue(n *node, tenant uuid.UUID, to, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	id := newID()
	err := pgx.BeginFunc(ctx, r.db.System, func(tx pgx.Tx) error {
		q := r.q.WithTx(tx)
		_, err := q.InsertContact(ctx, queries.InsertContactParams{ID: newID(), TenantID: tenant, PhoneNumber: &to})
		if err != nil {
			return err
		}
		found, err := q.FindContacts(ctx, queries.FindContactsParams{TenantID: tenant, PhoneNumber: &to})
		if err != nil {
			return err
		}
		conversation, err := q.EnsureChat(ctx, queries.EnsureChatParams{ID: newID(), TenantID: tenant, ContactID: found[0].ID})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source)
			VALUES ($1, $2, $3, 'OUT', '', $4, $5, $6, 'QUEUED', 'API')`, id, tenant, conversation, to, text, newMessageID())
		return err
	})
	if err != nil {
		return err
	}
	return n.Send(ctx, tenant, id)
}

func TestFirstMessageToANewNumber(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	if err := r.queue(n, id, "+255754000777", "Your order is ready"); err != nil {
		t.Fatal(err)
	}
	if m := r.inbox("255754000777", 1)[0]; m.Text != "Your order is ready" {
		t.Errorf("%+v", m)
	}
	// The answer comes from the LID and belongs to the same chat.
	r.say("255754000777", salon, "thanks", func(s *simulator.SendRequest) { s.LID = true })
	r.await("the answer is logged", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN'") == 1 })
	if c, v := one[int](r, "SELECT count(*) FROM contacts"), one[int](r, "SELECT count(DISTINCT conversation_id) FROM message_logs"); c != 1 || v != 1 {
		t.Errorf("%d contacts, %d conversations", c, v)
	}
	r.clean()
}

// Two contacts, one known by number and one by LID, become one when a message shows that they are one person.
func TestContactsMerge(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.await("the reply is marked", func() bool { return one[int](r, "SELECT count(*) FROM message_logs WHERE status = 'READ'") == 1 })
	// As if the mapping had not been known: the LID's chat is another one, with a message of its own.
	lid := one[string](r, "UPDATE contacts SET lid = NULL RETURNING (SELECT lid FROM contacts)")
	other, chat := newID(), newID()
	r.exec("INSERT INTO contacts (id, tenant_id, lid) VALUES ($1, $2, $3)", other, id, lid)
	r.exec("INSERT INTO conversations (id, tenant_id, contact_id) VALUES ($1, $2, $3)", chat, id, other)
	r.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		VALUES ($1, $2, $3, 'IN', '', '', 'before', 'OLD1', 'RECEIVED')`, newID(), id, chat)
	// What people know and have decided comes along.
	r.exec("UPDATE contacts SET labels = CASE id WHEN $1 THEN '{VIP,owes}'::text[] ELSE '{VIP}' END", other)
	r.exec("INSERT INTO contact_notes (id, tenant_id, contact_id, body) VALUES ($1, $2, $3, 'likes red')", newID(), id, other)
	r.exec("UPDATE conversations SET unread = 4, handoff_at = now(), paused_at = now() - interval '2 hours', paused_until = now() - interval '1 hour' WHERE id = $1", chat)
	if err := n.Restart(r.ctx(), id); err != nil {
		t.Fatal(err)
	}
	r.awaitReason(id, queries.SessionReasonCONNECTED)
	r.say(customer, salon, "menu", func(s *simulator.SendRequest) { s.LID = true })
	r.inbox(customer, 2)
	if got := one[int](r, `SELECT count(*) FROM contacts c JOIN conversations v ON v.contact_id = c.id JOIN contact_notes n ON n.contact_id = c.id
		WHERE c.labels = '{VIP,owes}' AND v.unread = 6 AND v.handoff_at IS NOT NULL AND v.paused_at IS NULL`); got != 1 {
		t.Error("labels, notes, unread messages or the request for a person were lost with the contact")
	}
	if c := one[int](r, "SELECT count(*) FROM contacts WHERE phone_number = '+"+customer+"' AND lid = $1", lid); c != 1 {
		t.Errorf("the contacts were not merged")
	}
	if v := one[int](r, "SELECT count(DISTINCT conversation_id) FROM message_logs"); v != 1 {
		t.Errorf("the messages are in %d conversations", v)
	}
	if m := one[int](r, "SELECT count(*) FROM message_logs"); m != 5 {
		t.Errorf("%d messages are left of 5", m)
	}
}

func TestWhatIsNotAnswered(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	first := r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	for _, kind := range []string{"group", "status", "newsletter", "reaction", "edit", "revoke", "protocol", "own"} {
		r.say(customer, salon, "menu", func(s *simulator.SendRequest) { s.Kind, s.Target = kind, first })
	}
	// What comes after them is handled after them.
	r.say(customer, salon, "menu")
	r.inbox(customer, 2)
	if got := one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN'"); got != 2 {
		t.Errorf("%d messages logged, two were meant for the bot", got)
	}
	for i, kind := range []string{"image", "voice", "video", "location", "document", "sticker", "contact"} {
		who := contact(i)
		waID := r.say(who, salon, "", func(s *simulator.SendRequest) { s.Kind = kind })
		if m := r.inbox(who, 1)[0]; m.Text == "" {
			t.Errorf("%s: empty answer", kind)
		}
		if got := one[string](r, "SELECT kind FROM message_logs WHERE wa_message_id = $1", waID); got != kind {
			t.Errorf("%s is logged as %s", kind, got)
		}
	}
	r.clean()
}

func TestHostileTexts(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	for i, text := range []string{"a\x00b", strings.Repeat("ñ", 20_000), "'; DROP TABLE tenants; --", "\u202e\u0000", "🙂🙂"} {
		waID := r.say(contact(i), salon, text)
		r.await("it is logged", func() bool {
			return one[int](r, "SELECT count(*) FROM message_logs WHERE wa_message_id = $1 AND char_length(message_text) <= 4096", waID) == 1
		})
	}
	if got := one[string](r, "SELECT message_text FROM message_logs WHERE message_text LIKE 'a%'"); got != "ab" {
		t.Errorf("%q", got)
	}
	if got := one[string](r, "SELECT right(message_text, 1) FROM message_logs WHERE char_length(message_text) = 4096"); got != "…" {
		t.Errorf("no mark where it was cut: %q", got)
	}
	if broken := storable("a\xffb\xc3", 10); broken != "a\uFFFDb\uFFFD" {
		t.Errorf("%q", broken)
	}
}

func TestRateLimit(t *testing.T) {
	r := newRig(t)
	n := r.run("a", func(o *Options) { o.RepliesPerMinute = 3 })
	id := r.tenant("Salon", "+"+salon, 0)
	other := r.tenant("Shop", "+"+shop, 1)
	r.exec("UPDATE tenant_configs SET replies_per_minute = 5 WHERE tenant_id = $1", other)
	r.link(n, id, salon)
	r.link(n, other, shop)
	for i := range 8 {
		r.say(contact(i), salon, "menu")
		r.say(contact(i), shop, "menu")
	}
	r.await("all are decided", func() bool {
		return one[int](r, "SELECT count(*) FROM message_logs WHERE direction = 'IN' AND decision IS NOT NULL") == 16
	})
	for tenant, want := range map[uuid.UUID]int{id: 3, other: 5} {
		if got := one[int](r, "SELECT count(*) FROM message_logs WHERE tenant_id = $1 AND decision = 'REPLIED'", tenant); got != want {
			t.Errorf("%d replies, the limit is %d", got, want)
		}
		if got := one[int](r, "SELECT count(*) FROM message_logs WHERE tenant_id = $1 AND decision = 'RATE_LIMITED'", tenant); got != 8-want {
			t.Errorf("%d messages limited", got)
		}
	}
}

// A message that somebody queued without telling the node, such as another node's last commit: it is found and sent.
func TestQueuedWithoutAWord(t *testing.T) {
	r := newRig(t)
	n := r.run("a", unlimited)
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source)
		SELECT gen_random_uuid(), tenant_id, conversation_id, 'OUT', from_number, to_number, 'unannounced', '3EB0UNANNOUNCED', 'QUEUED', 'BOT'
		FROM message_logs WHERE direction = 'OUT'`)
	if got := r.inbox(customer, 2); got[1].Text != "unannounced" {
		t.Errorf("got %q", got[1].Text)
	}
	r.clean()
}
