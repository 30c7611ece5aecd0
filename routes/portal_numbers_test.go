package routes

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// What the page says is what the log of messages holds, by the tenant's own midnights, and of nobody else.
func TestOwnersNumbers(t *testing.T) {
	zone, err := time.LoadLocation("Africa/Dar_es_Salaam")
	must(t, err)
	s := newSite(t, func(o *Options) { o.Location = zone })
	mine, other := s.tenant("Neema Salon", 1), s.tenant("Rival", 2)
	s.person(mine, "owner@example.org", queries.UserRoleOWNER)
	s.person(mine, "staff@example.org", queries.UserRoleSTAFF)
	b := s.signedIn("owner@example.org")
	b.get("/portal/numbers").want(t, http.StatusOK, "No numbers yet")

	// Each customer writes at some half hours of the last sixty days and, but for their last message, gets an answer 4 s later; a person takes 90 s.
	midnight := s.server.today()
	random := rand.New(rand.NewPCG(1, 2))
	type said struct {
		at       time.Time
		customer int
	}
	var all []said
	unanswered := 0
	write := func(tenant uuid.UUID, customers, messages int) {
		for c := range customers {
			chat := uuid.Must(uuid.NewV7())
			_, err := s.db.System.Exec(t.Context(), `WITH k AS (INSERT INTO contacts (id, tenant_id, phone_number) VALUES (gen_random_uuid(), $1, $2) RETURNING id)
				INSERT INTO conversations (id, tenant_id, contact_id, created_at) SELECT $3, $1, k.id, $4 FROM k`, tenant, fmt.Sprintf("+2557130000%02d", c), chat, midnight.AddDate(0, 0, -60))
			must(t, err)
			times := []time.Time{midnight.Add(-time.Minute)} // just yesterday here, and the same day in UTC
			for len(times) < messages {
				times = append(times, midnight.Add(-time.Duration(1+random.IntN(59*48))*30*time.Minute+7*time.Minute))
			}
			slices.SortFunc(times, time.Time.Compare)
			for m, at := range times {
				if tenant == mine {
					all = append(all, said{at, c})
				}
				in, text, intent := uuid.Must(uuid.NewV7()), "Mna maegesho?", "FALLBACK"
				if m%3 > 0 {
					text, intent = "bei", "PRICES"
				} else if m%2 == 0 {
					text = "mna  MAEGESHO"
				}
				if tenant == mine && intent == "FALLBACK" {
					unanswered++
				}
				_, err := s.db.System.Exec(t.Context(), `INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, decision, intent, created_at, sent_at, in_reply_to) VALUES
					($1, $2, $3, 'IN', '', '', $4, $1::uuid::text, 'RECEIVED', '', 'REPLIED', $5, $6::timestamptz, $6::timestamptz, NULL),
					(gen_random_uuid(), $2, $3, 'OUT', '', '', 'jibu', 'bot ' || $1::uuid::text, 'READ', 'BOT', NULL, NULL, $6::timestamptz, $6::timestamptz + interval '4 seconds', $1)`, in, tenant, chat, text, intent, at)
				must(t, err)
			}
			_, err = s.db.System.Exec(t.Context(), `INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, created_at, sent_at)
				SELECT gen_random_uuid(), $1, $2, 'OUT', '', '', 'mtu', gen_random_uuid()::text, 'READ', 'PERSON', max(created_at) + interval '90 seconds', now() FROM message_logs WHERE conversation_id = $2 AND direction = 'IN'`, tenant, chat)
			must(t, err)
		}
	}
	write(mine, 6, 20)
	write(other, 3, 30)

	for span, days := range map[string]int{"7d": 7, "30d": 30} {
		since := midnight.AddDate(0, 0, 1-days)
		received, wrote, perDay := 0, map[int]bool{}, map[string]int{}
		for _, m := range all {
			if !m.at.Before(since) {
				received++
				wrote[m.customer] = true
				perDay[m.at.In(zone).Format("2 Jan")]++
			}
		}
		got := b.get("/portal/numbers?span=" + span)
		got.want(t, http.StatusOK, fmt.Sprintf(`<dt>Messages from customers</dt><dd><span class="num amount">%d</span>`, received),
			fmt.Sprintf(`<dt>Customers who wrote</dt><dd><span class="num amount">%d</span>`, len(wrote)), `<dt>Wait for the bot</dt><dd><span class="num amount">4 seconds</span>`,
			`<dt>Wait for a person</dt><dd><span class="num amount">2 minutes</span>`)
		for day, n := range perDay {
			if row := day + fmt.Sprintf(`</th><td class="right num">%d</td>`, n); !strings.Contains(got.body, row) {
				t.Errorf("%s: the table lacks %q:\n%s", span, row, excerpt(got.body))
			}
		}
	}
	page := b.get("/portal/numbers?span=12w")
	page.want(t, http.StatusOK, "Messages per week", "Most write on", "/portal/bot?ask=", fmt.Sprintf("asked %d times", unanswered))
	if strings.Count(page.body, "Teach the bot") != 1 {
		t.Errorf("one question, however it is written, is listed %d times", strings.Count(page.body, "Teach the bot"))
	}
	b.get("/portal/bot?ask=Mna+maegesho%3F").want(t, http.StatusOK, `value="Mna maegesho?"`)
	if staff := s.signedIn("staff@example.org").get("/portal/numbers"); strings.Contains(staff.body, "/portal/bot?ask") {
		t.Error("staff are offered to teach the bot, which they may not")
	}
}
