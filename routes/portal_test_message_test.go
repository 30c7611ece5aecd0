package routes

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"flowhq/queries"
)

// A message to oneself: two taps send one, and what became of it is said in a sentence for each state.
func TestMessageToOneself(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	b := s.signedIn("owner@example.org")
	send := func(phone string) answer {
		return b.post("/portal/test", url.Values{"phone": {phone}}, "HX-Request", "true")
	}
	send("0713 000 111").want(t, 422, "no linked WhatsApp number yet")
	s.exec(`UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '255712000001:1@s.whatsapp.net', connected_at = now() WHERE tenant_id = $1`, tenant)
	send("abc").want(t, 422, "A phone number has no letters", `value="abc"`)
	send("+255712000001").want(t, 422, "business&#39;s own number")
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { send("0713 000 111") })
	}
	both.Wait()
	if n := s.count("SELECT count(*) FROM message_logs WHERE to_number = '+255713000111' AND message_text LIKE 'This is a test message from Neema Salon.%'"); n != 1 {
		t.Fatalf("two taps sent %d messages", n)
	}
	if n := s.count("SELECT count(*) FROM users WHERE phone = '+255713000111'") + s.count("SELECT count(*) FROM portal_event_logs WHERE event_type = 'TEST_SENT'"); n != 2 {
		t.Error("the number is not remembered, or the test is no event")
	}
	send("0713 000 111").want(t, 422, "a moment ago")
	for _, c := range []struct{ change, says string }{
		{"UPDATE whatsapp_sessions SET state = 'CONNECTED'", "is being sent"},
		{"UPDATE whatsapp_sessions SET reason = 'RESTRICTED'", "does not let this number begin chats"},
		{"UPDATE whatsapp_sessions SET state = 'DISCONNECTED', reason = 'RECONNECTING'", "waits, because the number is not connected"},
		{"UPDATE message_logs SET status = 'SENT', sent_at = now()", "it has not reached your phone yet"},
		{"UPDATE message_logs SET status = 'DELIVERED'", "has reached your phone. Everything works"},
		{"UPDATE message_logs SET status = 'READ'", "was read"},
		{"UPDATE message_logs SET status = 'FAILED', failure = 'The number is not on WhatsApp.'", "was not sent. The number is not on WhatsApp."},
	} {
		s.exec(c.change)
		b.get("/portal").want(t, 200, c.says, `value="&#43;255713000111"`)
	}
}

// Half of the customers waited less: counted from WhatsApp's times, of today's answers of the bot only.
func TestReplyTime(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	b := s.signedIn("owner@example.org")
	now := time.Now()
	answered := func(wait time.Duration, at time.Time) {
		in, out := s.message(tenant, "menu", queries.MessageDirectionIN, at), s.message(tenant, "Karibu", queries.MessageDirectionOUT, at)
		s.exec("UPDATE message_logs SET sent_at = $2 WHERE id = $1", in, at)
		s.exec("UPDATE message_logs SET status = 'SENT', in_reply_to = $2, sent_at = $3 WHERE id = $1", out, in, at.Add(wait))
	}
	answered(time.Hour, now.Add(-50*time.Hour)) // not of today
	got := b.get("/portal")
	if got.want(t, 200); len(got.body) == 0 || strings.Contains(got.body, "Reply time:") {
		t.Error("a reply time without a reply of today")
	}
	answered(0, now)
	b.get("/portal").want(t, 200, "Reply time:", "less than a second")
	answered(4*time.Second, now)
	answered(5*time.Second, now)
	b.get("/portal").want(t, 200, "4 seconds")
	answered(20*time.Minute, now)
	answered(30*time.Minute, now)
	answered(40*time.Minute, now)
	answered(50*time.Minute, now)
	b.get("/portal").want(t, 200, "20 minutes")
}
