package bot

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// monday is Monday 23 November 2026, 10:00 in Dar es Salaam.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, eastAfrica)

// chat is a conversation of one customer, for tests. Each message arrives a minute after
// the one before, and the state passes through its stored form.
type chat struct {
	t     testing.TB
	cfg   Config
	state []byte
	now   time.Time
	name  string
}

func newChat(t testing.TB, template Template, language Language) *chat {
	return &chat{t: t, cfg: Config{Template: template, Language: language, BusinessName: "Salon Asili"}, now: monday}
}

func (c *chat) send(s string) Decision {
	return c.message(Message{Kind: KindText, Text: s, SenderName: c.name})
}

func (c *chat) message(m Message) Decision {
	c.t.Helper()
	c.now = c.now.Add(time.Minute)
	d := Decide(c.cfg, ParseConversation(c.state), m, c.now)
	c.state = d.Next.JSON()
	checkDecision(c.t, d)
	return d
}

// says sends a text and expects an intent and parts of the one reply; it returns the reply.
func (c *chat) says(s, intent string, parts ...string) string {
	c.t.Helper()
	d := c.send(s)
	if d.Intent != intent {
		c.t.Fatalf("%q: intent %s, want %s (reply %q)", s, d.Intent, intent, d.Replies)
	}
	if len(d.Replies) != 1 {
		c.t.Fatalf("%q: %d replies, want 1 (%s)", s, len(d.Replies), d.Reason)
	}
	for _, p := range parts {
		if !strings.Contains(d.Replies[0].Text, p) {
			c.t.Fatalf("%q: reply lacks %q:\n%s", s, p, d.Replies[0].Text)
		}
	}
	return d.Replies[0].Text
}

// checkDecision holds for every decision whatsoever.
func checkDecision(t testing.TB, d Decision) {
	t.Helper()
	if len(d.Replies) > 1 {
		t.Fatalf("%d replies", len(d.Replies))
	}
	if d.Ignore != (len(d.Replies) == 0) || d.Ignore != (d.Reason != "") {
		t.Fatalf("ignore %v, reason %q, %d replies", d.Ignore, d.Reason, len(d.Replies))
	}
	if d.Intent == "" {
		t.Fatal("no intent")
	}
	for _, r := range d.Replies {
		if !utf8.ValidString(r.Text) || strings.TrimSpace(r.Text) == "" {
			t.Fatalf("bad reply %q", r.Text)
		}
		if n := utf8.RuneCountInString(r.Text); n > MaxReplyRunes {
			t.Fatalf("reply of %d runes", n)
		}
		if strings.ContainsAny(r.Text, "{}") {
			t.Fatalf("open slot in %q", r.Text)
		}
	}
	b := d.Next.JSON()
	if len(b) >= 4<<10 {
		t.Fatalf("state of %d bytes: %s", len(b), b)
	}
	if again := ParseConversation(b).JSON(); string(again) != string(b) {
		t.Fatalf("state does not round-trip:\n%s\n%s", b, again)
	}
}

var (
	everyTemplate = []Template{Booking, Ecommerce, Support}
	everyLanguage = []Language{Swahili, English}
)
