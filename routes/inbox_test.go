package routes

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// inboxSite is a linked business with an owner, and its customer's chat.
func inboxSite(t *testing.T) (s *site, owner *browser, tenant, chat uuid.UUID) {
	t.Helper()
	s = newSite(t, nil)
	tenant = s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	s.exec("UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '255712000001:3@s.whatsapp.net' WHERE tenant_id = $1", tenant)
	s.message(tenant, "Habari, bei gani?", queries.MessageDirectionIN, time.Now().Add(-48*time.Hour))
	s.message(tenant, "Karibu!", queries.MessageDirectionOUT, time.Now())
	return s, s.signedIn("owner@example.org"), tenant, s.chatOf(tenant)
}

// another customer writes.
func (s *site) customer(tenant uuid.UUID, phone, name, text string) (chat uuid.UUID) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), `
		WITH contact AS (INSERT INTO contacts (id, tenant_id, phone_number, name) VALUES (gen_random_uuid(), $1, $2, nullif($3, '')) RETURNING id),
		chat AS (INSERT INTO conversations (id, tenant_id, contact_id, last_message_at) SELECT gen_random_uuid(), $1, id, now() FROM contact RETURNING id)
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status)
		SELECT gen_random_uuid(), $1, id, 'IN', $2, '', $4, gen_random_uuid()::text, 'RECEIVED' FROM chat RETURNING conversation_id`,
		tenant, phone, name, text).Scan(&chat))
	return chat
}

var chatRowID = regexp.MustCompile(`<li id="chat-([0-9a-f-]{36})"`)

// rows are the chats of a page, in its order.
func (a answer) rows() (ids []string) {
	for _, m := range chatRowID.FindAllStringSubmatch(a.body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestInboxList(t *testing.T) {
	s, owner, tenant, first := inboxSite(t)
	juma := s.customer(tenant, "+255754000111", "Juma Ally", "50%_off?")
	nobody := s.customer(tenant, "+255754000222", "", "mtu")
	s.exec("UPDATE conversations SET handoff_at = now(), unread = 2 WHERE id = $1", nobody)
	s.exec("UPDATE conversations SET paused_at = now() WHERE id = $1", juma)
	s.exec("UPDATE conversations SET paused_at = now(), paused_until = now() - interval '1 second' WHERE id = $1", first)
	s.exec("UPDATE contacts SET labels = '{VIP}' WHERE phone_number = '+255754000111'")
	s.exec("INSERT INTO contact_notes (id, tenant_id, contact_id, body) SELECT gen_random_uuid(), tenant_id, contact_id, 'owes 5000' FROM conversations WHERE id = $1", first)
	for query, want := range map[string][]uuid.UUID{
		"": {nobody, juma, first}, "?show=waiting": {nobody}, "?show=unread": {nobody}, "?show=paused": {juma}, "?show=nonsense": {nobody, juma, first},
		"?q=juma": {juma}, "?q=vip": {juma}, "?q=owes": {first}, "?q=0754+000": {nobody, juma}, "?q=%2B255+754+000+222": {nobody},
		"?q=BEI": {first}, "?q=%25_": {juma}, "?q=nobody+says": nil, "?q=juma&show=waiting": nil,
	} {
		var ids []string
		for _, id := range want {
			ids = append(ids, id.String())
		}
		got := owner.get("/portal/inbox" + query)
		got.want(t, 200, "")
		if fmt.Sprint(got.rows()) != fmt.Sprint(ids) {
			t.Errorf("%q lists %v, want %v", query, got.rows(), ids)
		}
	}
	owner.get("/portal/inbox").want(t, 200, "Juma Ally", "Asks for a person", "VIP", "Karibu!")
	for i := range pageSize {
		s.customer(tenant, fmt.Sprintf("+2557550000%02d", i), "", "hello")
	}
	page := owner.get("/portal/inbox?q=e")
	more := regexp.MustCompile(`hx-get="(/portal/inbox\?cursor=[^"]+)"`).FindStringSubmatch(page.body)
	if len(page.rows()) != pageSize || more == nil {
		t.Fatalf("%d rows and the next page at %v", len(page.rows()), more)
	}
	rest := owner.do("GET", strings.ReplaceAll(more[1], "&amp;", "&"), nil, "HX-Request", "true")
	if n := len(rest.rows()); n < 1 || strings.Contains(rest.body, "<html") {
		t.Errorf("the next page has %d rows", n)
	}
}

func TestThread(t *testing.T) {
	s, owner, tenant, chat := inboxSite(t)
	s.exec("UPDATE message_logs SET status = 'QUEUED', failure = 'Not confirmed by WhatsApp yet; it will be tried again.' WHERE message_text = 'Karibu!'")
	at := "/portal/inbox/" + chat.String()
	got := owner.get(at)
	got.want(t, 200, "Habari, bei gani?", "Karibu!", "Today", "The bot answers", "Not confirmed by WhatsApp yet", "Bot")
	if n := strings.Count(got.body, `class="day"`); n != 2 {
		t.Errorf("%d days of messages from two", n)
	}
	for i := range threadSize {
		s.message(tenant, fmt.Sprintf("message %d", i), queries.MessageDirectionIN, time.Now())
	}
	got = owner.get(at)
	older := regexp.MustCompile(`hx-get="(/portal/inbox/[^"]+/older\?before=\d+)"`).FindStringSubmatch(got.body)
	if older == nil || strings.Contains(got.body, "bei gani") {
		t.Fatal("a long chat is not shown in parts")
	}
	before := owner.do("GET", older[1], nil, "HX-Request", "true")
	before.want(t, 200, "Habari, bei gani?", "Karibu!")
	if strings.Contains(before.body, "thread-older") || strings.Contains(before.body, "message 0") {
		t.Error("the part before it is not the first one, or overlaps")
	}
	owner.get(at+"/older?before=x").want(t, 422)
}

var formKey = regexp.MustCompile(`name="key" value="([^"]+)"`)

// An answer goes out once, however often its form is sent; the bot stays out of the chat from then on, and the queue forgets it.
func TestAnswerOnce(t *testing.T) {
	s, owner, _, chat := inboxSite(t)
	s.exec("UPDATE conversations SET handoff_at = now(), unread = 3 WHERE id = $1", chat)
	at := "/portal/inbox/" + chat.String()
	key := formKey.FindStringSubmatch(owner.get(at).body)[1]
	form := url.Values{"text": {"Nipo hapa"}, "key": {key}}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { owner.post(at+"/answer", form).want(t, 303) })
	}
	wg.Wait()
	if n := s.count(`SELECT count(*) FROM message_logs m JOIN users u ON u.id = m.author_id WHERE m.message_text = 'Nipo hapa' AND m.source = 'PERSON' AND m.status = 'QUEUED'
		AND u.email = 'owner@example.org'`); n != 1 {
		t.Errorf("the answer is there %d times", n)
	}
	if n := s.count(`SELECT count(*) FROM conversations WHERE id = $1 AND handoff_at IS NULL AND unread = 0 AND paused_at IS NOT NULL
		AND paused_until BETWEEN now() + interval '59 minutes' AND now() + interval '61 minutes'`, chat); n != 1 {
		t.Error("the customer waits still, or the bot goes on answering")
	}
	owner.get(at).want(t, 200, "Answering: You", "Nipo hapa")
	form.Set("text", "Another thing") // with the browser's back button
	owner.do("POST", at+"/answer", form, "HX-Request", "true", "Sec-Fetch-Site", "same-origin").want(t, 200, `id="composer"`)
	form.Set("text", " ")
	owner.do("POST", at+"/answer", form, "HX-Request", "true", "Sec-Fetch-Site", "same-origin").want(t, 422, "Please fill this in.")
	owner.post(at+"/answer", form).want(t, 422, "Please fill this in.", "<html")
	if n := s.count("SELECT count(*) FROM message_logs WHERE source = 'PERSON'"); n != 2 {
		t.Errorf("%d answers, want 2", n)
	}
	// Who has taken over until they hand back stays so; a shorter time is made longer by an answer.
	for minutes, want := range map[string]string{"0": "paused_until IS NULL", "30": "paused_until > now() + interval '50 minutes'", "240": "paused_until > now() + interval '200 minutes'"} {
		owner.post(at+"/take-over", url.Values{"minutes": {minutes}}).want(t, 303)
		owner.post(at+"/answer", url.Values{"text": {"after " + minutes}, "key": {"k" + minutes}}).want(t, 303)
		if s.count("SELECT count(*) FROM conversations WHERE id = $1 AND paused_at IS NOT NULL AND "+want, chat) != 1 {
			t.Errorf("an answer after taking over for %s minutes: not %s", minutes, want)
		}
	}
	s.exec("UPDATE whatsapp_sessions SET jid = NULL")
	owner.do("POST", at+"/answer", url.Values{"text": {"x"}, "key": {"y"}}, "HX-Request", "true", "Sec-Fetch-Site", "same-origin").want(t, 422, "has no linked WhatsApp number yet")
}

func TestWhatIsKnownOfACustomer(t *testing.T) {
	s, owner, tenant, chat := inboxSite(t)
	at := "/portal/inbox/" + chat.String()
	owner.post(at+"/labels", url.Values{"label": {"  Good   payer "}}).want(t, 303)
	owner.post(at+"/labels", url.Values{"label": {"VIP"}}).want(t, 303)
	owner.post(at+"/labels", url.Values{"label": {"VIP"}}).want(t, 303)
	owner.post(at+"/labels", url.Values{"label": {strings.Repeat("x", maxLabel+1)}}).want(t, 422, "This is too long")
	twice := url.Values{"note": {"Likes red"}, "key": {newID().String()}} // one form, sent by two taps at once and by going back
	var taps sync.WaitGroup
	for range 2 {
		taps.Go(func() { owner.post(at+"/notes", twice).want(t, 303) })
	}
	taps.Wait()
	owner.post(at+"/notes", twice).want(t, 303)
	owner.post(at+"/notes", url.Values{"note": {""}}).want(t, 422, "Please fill this in.")
	owner.get(at).want(t, 200, "Good payer", "Likes red")
	if n := s.count("SELECT count(*) FROM contacts WHERE labels = '{Good payer,VIP}' AND tenant_id = $1", tenant); n != 1 {
		t.Error("the labels are not as they were given")
	}
	owner.post(at+"/labels/remove", url.Values{"label": {"VIP"}}).want(t, 303)
	for i := range maxLabels - 1 {
		owner.post(at+"/labels", url.Values{"label": {fmt.Sprint("l", i)}}).want(t, 303)
	}
	owner.post(at+"/labels", url.Values{"label": {"one more"}}).want(t, 409, "A customer can have 10 labels")
	note := regexp.MustCompile(`/notes/([0-9a-f-]{36})/remove`).FindStringSubmatch(owner.get(at).body)[1]
	owner.post(at+"/notes/"+note+"/remove", nil).want(t, 303)
	owner.post(at+"/notes/"+note+"/remove", nil).want(t, 404)

	owner.post("/portal/canned", url.Values{"title": {"Prices"}, "text": {"From 5,000"}}).want(t, 303)
	owner.post("/portal/canned", url.Values{"title": {"Prices"}, "text": {"From 6,000"}}).want(t, 303)
	owner.post("/portal/canned", url.Values{"title": {"Where"}, "text": {"Mikocheni"}}).want(t, 303)
	owner.post("/portal/canned", url.Values{"title": {""}, "text": {""}}).want(t, 422, "Please fill this in.")
	owner.get(at).want(t, 200, `data-insert="From 6,000"`, "Mikocheni")
	page := owner.get("/portal/canned")
	page.want(t, 200, "From 6,000")
	id := regexp.MustCompile(`action="/portal/canned/([0-9a-f-]{36})"`).FindStringSubmatch(page.body)[1]
	owner.post("/portal/canned/"+id, url.Values{"title": {"Where"}, "text": {"x"}}).want(t, 409, "Another answer has this title already.")
	owner.post("/portal/canned/"+id, url.Values{"title": {"Cost"}, "text": {"From 7,000"}}).want(t, 303)
	owner.get("/portal/canned").want(t, 200, "Cost", "From 7,000")
	owner.post("/portal/canned/"+id+"/remove", nil).want(t, 303)
	owner.post("/portal/canned/"+id+"/remove", nil).want(t, 404)
	if n := s.count("SELECT count(*) FROM canned_answers"); n != 1 {
		t.Errorf("%d canned answers, want 1", n)
	}
}

// What happens in one tab, on a phone or at a node is in every open page at once, also that a pause ends by itself.
func TestInboxStream(t *testing.T) {
	s, owner, tenant, chat := inboxSite(t)
	at := "/portal/inbox/" + chat.String()
	thread := owner.listen("/portal/inbox/stream?chat=" + chat.String())
	waiting := owner.listen("/portal/inbox/stream?show=waiting")
	home := owner.listen("/portal/stream?page=home")
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "The bot answers")
	awaitEvent(t, thread, "message", "Karibu!")
	awaitEvent(t, waiting, "chat", `id="inbox-badge"`, `data-count="0"`)
	awaitEvent(t, home, "chat", `id="inbox-badge"`, `data-count="0"`)

	id := s.message(tenant, "naomba mtu", queries.MessageDirectionIN, time.Now())
	s.exec("UPDATE conversations SET handoff_at = now(), unread = 1 WHERE id = $1", chat)
	s.announce(tenant, id)
	awaitEvent(t, thread, "message", "naomba mtu", `data-into="thread"`)
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "The customer asks for a person")
	awaitEvent(t, waiting, "chat", `<li id="chat-`+chat.String(), "naomba mtu")
	awaitEvent(t, home, "chat", `data-count="1"`)

	owner.post(at+"/read", nil).want(t, 204)
	if n := s.count("SELECT count(*) FROM conversations WHERE unread = 0"); n != 1 {
		t.Error("the chat is unread still")
	}
	owner.do("POST", at+"/take-over", url.Values{"minutes": {"30"}}, "HX-Request", "true", "Sec-Fetch-Site", "same-origin").want(t, 200, `<div id="chat-bar"`, "Answering: You")
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "Answering: You")
	awaitEvent(t, waiting, "chat", `<li id="chat-`+chat.String()+`" data-gone`)
	awaitEvent(t, home, "chat", `data-count="0"`)
	s.exec("UPDATE conversations SET paused_until = now() + interval '500 milliseconds'")
	owner.post(at+"/labels", url.Values{"label": {"VIP"}}).want(t, 303) // which tells the pages of the new end
	awaitEvent(t, thread, "chat", `id="chat-head"`, "VIP")
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "The bot answers")
	owner.post(at+"/take-over", url.Values{"minutes": {"7"}}).want(t, 422)
	owner.post(at+"/take-over", url.Values{"minutes": {"0"}}).want(t, 303)
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "until handed back")
	owner.post(at+"/hand-back", nil).want(t, 303)
	awaitEvent(t, thread, "chat", `id="chat-bar"`, "The bot answers")
	s.exec("UPDATE whatsapp_sessions SET state = 'DISCONNECTED', reason = 'RECONNECTING'")
	awaitEvent(t, thread, "chat", `id="composer-away" class="notice waiting" >`)
}

// A page that was away while more came than one page of messages gets all of them, each once, in their order.
func TestThreadCatchesUpWhole(t *testing.T) {
	s, owner, tenant, chat := inboxSite(t)
	stream := regexp.MustCompile(`sse-connect="([^"]*)"`).FindStringSubmatch(owner.get("/portal/inbox/" + chat.String()).body)[1]
	const missed = 3*threadSize + 7
	s.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, created_at)
		SELECT gen_random_uuid(), $1, $2, 'IN', '', '', 'missed ' || n || '.', 'missed ' || n, 'RECEIVED', now() + n * interval '1 millisecond' FROM generate_series(1, $3) AS n ORDER BY n`, tenant, chat, missed)
	events := owner.listen(strings.ReplaceAll(stream, "&amp;", "&"))
	for n := 1; n <= missed; {
		select {
		case e := <-events:
			if e.name != "message" {
				continue
			}
			if strings.Contains(e.data, "missed ") {
				if !strings.Contains(e.data, fmt.Sprintf("missed %d.", n)) {
					t.Fatalf("where message %d belongs comes %s", n, e.data)
				}
				n++
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("only %d of %d missed messages came", n-1, missed)
		}
	}
}
