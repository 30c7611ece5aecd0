package routes

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// say stores a message of a customer, as a worker would.
func (a *api) say(tenant uuid.UUID, phone, name, text string) uuid.UUID {
	a.t.Helper()
	id := uuid.Must(uuid.NewV7())
	a.exec(`WITH c AS (
			INSERT INTO contacts (id, tenant_id, phone_number, name) VALUES (gen_random_uuid(), $1, $2, $3)
			ON CONFLICT (tenant_id, phone_number) DO UPDATE SET name = excluded.name RETURNING id
		), v AS (
			INSERT INTO conversations (id, tenant_id, contact_id) SELECT gen_random_uuid(), $1, id FROM c
			ON CONFLICT (contact_id) DO UPDATE SET updated_at = now() RETURNING id
		)
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		SELECT $4, $1, v.id, 'IN', $2, '+255712000001', $5, $6, 'RECEIVED' FROM v`, tenant, phone, name, id, text, "WA"+id.String())
	a.announce(tenant, id)
	return id
}

func TestAPIMessages(t *testing.T) {
	t.Parallel()
	const hello = `{"to":"0713 000 001","text":"Karibu! 🦒"}`
	send := func(name, body string, status int, errors ...string) scenario {
		return scenario{name: "send: " + name, method: "POST", url: "/tenants/<linked>/messages", body: body, status: status, errors: errors}
	}
	list := func(name, query string, contains, lacks []string) scenario {
		return scenario{name: "list: " + name, method: "GET", url: "/tenants/<linked>/messages" + query, status: 200, contains: contains, lacks: lacks}
	}
	wrong := func(name, query string, status int, field string) scenario {
		return scenario{name: "list: " + name, method: "GET", url: "/tenants/<linked>/messages?" + query, status: status, errors: []string{field}}
	}
	keyed := func(key string) map[string]string { return map[string]string{"Idempotency-Key": key} }
	only := func(want, query string) scenario {
		all := []string{"naomba bei", "100% ya bei", "Asante sana", "Karibu!"}
		return list(query, "?"+query, []string{want}, slices.DeleteFunc(all, func(s string) bool { return s == want }))
	}
	runScenarios(t, []scenario{
		{
			name: "send", method: "POST", url: "/tenants/<linked>/messages", body: hello, status: 202, contains: []string{`{"id":"`, `"status":"QUEUED"}`},
			after: func(t *testing.T, a *api, w world) {
				if n := a.count(`SELECT count(*) FROM message_logs m JOIN river_job j ON j.args->>'message_id' = m.id::text JOIN tenants t ON t.id = m.tenant_id
					WHERE j.kind = 'message_send' AND j.queue = 'shard_' || t.shard AND m.tenant_id = $1 AND m.direction = 'OUT' AND m.source = 'API'
					AND m.to_number = '+255713000001' AND m.from_number = '+255712000001' AND m.message_text = 'Karibu! 🦒' AND m.wa_message_id <> ''`, w.linked); n != 1 {
					t.Errorf("%d messages with their jobs, want 1", n)
				}
				in := a.say(w.linked, "+255713000002", "Neema", "Habari, naomba bei")
				a.say(w.linked, "+255713000003", "Juma", "100% ya bei")
				a.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, in_reply_to, failure)
					SELECT gen_random_uuid(), tenant_id, conversation_id, 'OUT', to_number, from_number, 'Asante sana', 'WAX', 'FAILED', 'BOT', id, 'The number is not on WhatsApp.'
					FROM message_logs WHERE id = $1`, in)
				a.exec(`UPDATE message_logs SET created_at = '2026-01-01 12:00Z' WHERE message_text = '100% ya bei'`)
			},
		},
		list("all", "", []string{
			`"from_number":"+255713000002"`, `"contact_name":"Neema"`, `"direction":"IN"`, `"status":"RECEIVED"`, `"kind":"text"`,
			`"to_number":"+255713000001"`, `"failure":"The number is not on WhatsApp."`, `"in_reply_to":null`, `"created_at":"2026-01-01T12:00:00Z"`, `"next_cursor":null`,
		}, nil),
		only("naomba bei", "q=HABARI"),
		only("100% ya bei", "q="+url.QueryEscape("100% YA")),
		only("100% ya bei", "q="+url.QueryEscape("%")),
		list("underscore is no wildcard", "?q=_", []string{`"items":[]`}, nil),
		list("backslash", "?q=%5C", []string{`"items":[]`}, nil),
		list("quotes", "?q='%20OR%20''='", []string{`"items":[]`}, nil),
		list("Swahili, accents and emoji", "?q="+url.QueryEscape("🦒"), []string{"Karibu!"}, []string{"Asante"}),
		only("100% ya bei", "direction=IN&contact=0713000003"),
		only("Karibu!", "direction=OUT&contact=%2B255713000001"),
		only("Karibu!", "direction=OUT&contact=+255713000001"), // the + not escaped
		only("Asante sana", "direction=OUT&contact=%2B255713000002"),
		list("since", "?since=2026-01-01T12:00:01Z", []string{"Karibu!", "naomba"}, []string{"100%"}),
		list("since, another zone", "?since=2026-01-01T15:00:00%2B03:00", []string{"Karibu!", "100%"}, nil),
		list("nobody's", "?contact=%2B255799999999", []string{`"items":[]`, `"next_cursor":null`}, nil),
		{name: "list: of a tenant without messages", method: "GET", url: "/tenants/<new>/messages", status: 200, contains: []string{`{"items":[],"next_cursor":null}`}},
		{name: "list: with its own key", method: "GET", url: "/tenants/<linked>/messages", key: "LINKED", status: 200, contains: []string{"Karibu!"}},
		{name: "list: of an unknown tenant", method: "GET", url: "/tenants/<gone>/messages", status: 404},
		wrong("unknown direction", "direction=SIDEWAYS", 422, "direction"), wrong("direction in small letters", "direction=in", 422, "direction"),
		wrong("no phone number", "contact=neema", 422, "contact"), wrong("no time", "since=yesterday", 422, "since"),
		wrong("a day is no time", "since=2026-01-01", 422, "since"), wrong("limit", "limit=500", 400, "limit"),
		wrong("negative limit", "limit=-1", 400, "limit"), wrong("cursor", "cursor=!!", 400, "cursor"),
		wrong("broken UTF-8", "q=%ff", 400, "q"), wrong("NUL", "q=%00", 422, "q"), wrong("too long", "q="+strings.Repeat("a", 4097), 422, "q"),

		send("unknown field", `{"to":"+255713000001","text":"x","media":"cat.jpg"}`, 400, "media"),
		send("wrong type", `{"to":255713000001,"text":"x"}`, 400, "to"),
		send("no text", `{"to":"+255713000001"}`, 422, "text"),
		send("nobody", `{"text":"x"}`, 422, "to"),
		send("no number", `{"to":"Neema","text":"x"}`, 422, "to"),
		send("itself", `{"to":"+255712000001","text":"x"}`, 422, "to"),
		send("blank", `{"to":"+255713000001","text":" \n "}`, 422, "text"),
		send("too long", `{"to":"+255713000001","text":"`+strings.Repeat("é", 4097)+`"}`, 422, "text"),
		send("broken UTF-8", "{\"to\":\"+255713000001\",\"text\":\"\xc3\"}", 400),
		send("the longest", `{"to":"+255713000004","text":"`+strings.Repeat("é", 4096)+`"}`, 202),
		{name: "send: never linked", method: "POST", url: "/tenants/<new>/messages", body: hello, status: 409},
		{name: "send: unknown tenant", method: "POST", url: "/tenants/<gone>/messages", body: hello, status: 404},
		{name: "send: key too long", method: "POST", url: "/tenants/<linked>/messages", body: hello, header: keyed(strings.Repeat("k", 256)), status: 422, errors: []string{"Idempotency-Key"}},
		{name: "send: no JSON", method: "POST", url: "/tenants/<linked>/messages", body: hello, header: map[string]string{"Content-Type": "text/plain"}, status: 415},
	})
}

// 120 messages, read a few at a time while others come: each of the 120 is seen exactly once.
func TestAPIMessagesWalk(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tenant := a.newTenant("Asha Salon", "+255712000001", true)
	want := map[uuid.UUID]bool{}
	for i := range 120 {
		want[a.say(tenant, fmt.Sprintf("+2557130000%02d", i%7), "Neema", fmt.Sprintf("message %d", i))] = true
	}
	// Some are of one transaction, and so of the same microsecond.
	a.exec(`UPDATE message_logs SET created_at = date_trunc('second', created_at) WHERE right(message_text, 1) IN ('1', '2', '3', '4')`)
	seen := map[uuid.UUID]bool{}
	var last time.Time
	cursor, pages := "", 0
	for {
		var page listPage[messageJSON]
		a.call("GET", path("/tenants/%s/messages?limit=7&cursor=%s", tenant, cursor), a.key, "", nil).into(t, 200, &page)
		pages++
		for _, m := range page.Items {
			if seen[m.ID] {
				t.Errorf("%s came twice", m.MessageText)
			}
			if seen[m.ID] = true; !want[m.ID] {
				t.Errorf("%s is newer than the walk", m.MessageText)
			}
			if !last.IsZero() && m.CreatedAt.After(last) {
				t.Errorf("%s is newer than the one before", m.MessageText)
			}
			last = m.CreatedAt
		}
		if page.NextCursor == nil {
			break
		}
		if len(page.Items) != 7 {
			t.Fatalf("page %d has %d messages but is not the last", pages, len(page.Items))
		}
		cursor = *page.NextCursor
		a.say(tenant, "+255713000001", "Neema", "while you read")
	}
	if len(seen) != 120 || pages != 18 {
		t.Errorf("%d messages on %d pages, want 120 on 18", len(seen), pages)
	}

	var tenants []string
	for i := range 5 {
		a.newTenant(fmt.Sprint("Tenant ", i), fmt.Sprintf("+25571200010%d", i), false)
	}
	for next := ""; ; {
		var page listPage[tenantJSON]
		a.call("GET", path("/tenants?limit=2&cursor=%s", next), a.key, "", nil).into(t, 200, &page)
		for _, tenant := range page.Items {
			tenants = append(tenants, tenant.Name)
		}
		if page.NextCursor == nil {
			break
		}
		next = *page.NextCursor
	}
	if got := strings.Join(tenants, ", "); got != "Tenant 4, Tenant 3, Tenant 2, Tenant 1, Tenant 0, Asha Salon" {
		t.Errorf("tenants: %s", got)
	}
}

func TestAPIIdempotency(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.newTenant("Asha Salon", "+255712000001", true), a.newTenant("Duka la Juma", "+255712000002", true)
	send := func(tenant uuid.UUID, key, body string) reply {
		t.Helper()
		return a.call("POST", path("/tenants/%s/messages", tenant), a.key, body, map[string]string{"Idempotency-Key": key})
	}
	const hello, bye = `{"to":"+255713000001","text":"Karibu"}`, `{"to":"+255713000001","text":"Kwaheri"}`
	rows := func(want int) {
		t.Helper()
		if n := a.count(`SELECT count(*) FROM message_logs`); n != want {
			t.Errorf("%d messages, want %d", n, want)
		}
		if n := a.count(`SELECT count(*) FROM river_job WHERE kind = 'message_send'`); n != want {
			t.Errorf("%d jobs, want %d", n, want)
		}
	}

	// Many at once: one message.
	answers := make([]reply, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			var err error
			answers[i], err = a.try("POST", path("/tenants/%s/messages", first), a.key, hello, map[string]string{"Idempotency-Key": "k1"})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range answers {
		if r.status != 202 || !bytes.Equal(r.body, answers[0].body) {
			t.Errorf("%d %s, the first got %s", r.status, r.body, answers[0].body)
		}
	}
	rows(1)

	// Later, and also when the message has been sent by then: the same answer. Other spelling of the number is no other message.
	a.exec(`UPDATE message_logs SET status = 'SENT'`)
	for _, body := range []string{hello, `{"text":"Karibu","to":"0713 000 001"}`} {
		if r := send(first, "k1", body); r.status != 202 || !bytes.Equal(r.body, answers[0].body) {
			t.Errorf("repeated: %d %s, the first got %s", r.status, r.body, answers[0].body)
		}
	}
	rows(1)

	if r := send(first, "k1", bye); r.status != 409 {
		t.Errorf("the same key with another text: %d %s", r.status, r.body)
	} else {
		r.problem(t)
	}
	rows(1)

	for i, again := range []func() reply{
		func() reply { return send(first, "k2", hello) }, func() reply { return send(second, "k1", hello) },
		func() reply { return send(first, "", hello) }, func() reply { return send(first, "", hello) },
	} {
		r := again()
		if r.status != 202 {
			t.Errorf("%d: %d %s", i, r.status, r.body)
		}
		rows(2 + i)
	}

	// After 24 hours a key is new again.
	a.exec(`UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE key = 'k1'`)
	if r := send(first, "k1", bye); r.status != 202 {
		t.Errorf("after a day: %d %s", r.status, r.body)
	}
	rows(6)
}
