package routes

import (
	"bytes"
	"fmt"
	"image/png"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"flowhq/queries"
)

func prefixes(t *testing.T, all ...string) (out []netip.Prefix) {
	t.Helper()
	for _, s := range all {
		p, err := netip.ParsePrefix(s)
		must(t, err)
		out = append(out, p)
	}
	return out
}

// message stores one message of a customer of the tenant.
func (s *site) message(tenant uuid.UUID, text string, direction queries.MessageDirection, at time.Time) uuid.UUID {
	s.t.Helper()
	status, source := "RECEIVED", ""
	if direction == queries.MessageDirectionOUT {
		status, source = "QUEUED", "BOT"
	}
	var id uuid.UUID
	must(s.t, s.db.System.QueryRow(s.t.Context(), `
		WITH contact AS (
			INSERT INTO contacts (id, tenant_id, phone_number, name) VALUES (gen_random_uuid(), $1, '+255713555777', 'Customer')
			ON CONFLICT (tenant_id, phone_number) DO UPDATE SET name = excluded.name RETURNING id
		), chat AS (
			INSERT INTO conversations (id, tenant_id, contact_id, last_message_at) SELECT gen_random_uuid(), $1, id, now() FROM contact
			ON CONFLICT (contact_id) DO UPDATE SET updated_at = now(), last_message_at = now() RETURNING id
		)
		INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, created_at)
		SELECT gen_random_uuid(), $1, id, $2, '', '', $3, gen_random_uuid()::text, $4::message_status, $5, $6 FROM chat RETURNING id`,
		tenant, direction, text, status, source, at).Scan(&id))
	s.announce(tenant, id)
	return id
}

// chatOf is the chat of a tenant's only customer.
func (s *site) chatOf(tenant uuid.UUID) (id uuid.UUID) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), "SELECT id FROM conversations WHERE tenant_id = $1", tenant).Scan(&id))
	return id
}

// announce tells of a message that was stored, as a worker does.
func (s *site) announce(tenant, message uuid.UUID) {
	s.t.Helper()
	must(s.t, s.q.RecordTicks(s.t.Context(), queries.RecordTicksParams{NewsTenants: []uuid.UUID{tenant}, NewsIds: []uuid.UUID{message}}))
}

// Whatever an owner asks for, with whichever ids of another tenant, nothing of that tenant is in the answer.
func TestPortalShowsNothingOfOthers(t *testing.T) {
	s := newSite(t, func(o *Options) { o.DemoMode, o.SimulatorURL = true, "http://127.0.0.1:1" })
	mine, theirs := s.tenant("Mine Salon", 1), s.tenant("Theirs Secret", 2)
	s.person(mine, "owner@example.org", queries.UserRoleOWNER)
	for i := range pageSize + 5 {
		s.message(mine, fmt.Sprintf("my words %d", i), queries.MessageDirectionIN, time.Now().Add(-time.Duration(i)*time.Second))
	}
	theirMessage := s.message(theirs, "their secret words", queries.MessageDirectionIN, time.Now())
	s.exec("UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = 'their secret code', qr_expires_at = now() + interval '1 minute' WHERE tenant_id = $1", theirs)
	s.exec(`INSERT INTO portal_event_logs (id, tenant_id, event_type, payload_json) VALUES (gen_random_uuid(), $1, 'SECRET_EVENT', '{"by": "their secret person"}')`, theirs)
	theirPerson := s.person(theirs, "secret@example.org", queries.UserRoleSTAFF)
	theirCursor := cursor{time.Now().Add(time.Hour), theirMessage}.String()
	s.signedIn("secret@example.org")
	var theirSession uuid.UUID
	must(t, s.db.System.QueryRow(t.Context(), "SELECT id FROM user_sessions WHERE user_id = $1", theirPerson).Scan(&theirSession))

	theirVersion := s.secretVersion(theirs)
	theirChat, theirNote, theirCanned := s.chatOf(theirs), newID(), newID()
	s.exec(`INSERT INTO contact_notes (id, tenant_id, contact_id, body) SELECT $1, tenant_id, contact_id, 'secret note' FROM conversations WHERE id = $2`, theirNote, theirChat)
	s.exec(`INSERT INTO canned_answers (id, tenant_id, title, body) VALUES ($1, $2, 'secret title', 'secret answer')`, theirCanned, theirs)
	s.exec(`UPDATE contacts SET labels = '{secret}' WHERE tenant_id = $1`, theirs)
	s.exec(`UPDATE conversations SET unread = 7, handoff_at = now() WHERE tenant_id = $1`, theirs)

	browser := s.signedIn("owner@example.org")
	ids := "?cursor=" + theirCursor + "&tenant=" + theirs.String() + "&tenant_id=" + theirs.String() + "&id=" + theirs.String()
	seen := 0
	for _, r := range s.server.table() {
		if !slices.Contains([]role{portal, owner, member, applicant}, r.role) || strings.HasSuffix(r.path, "/stream") {
			continue
		}
		for _, htmx := range []string{"", "true"} {
			path := strings.NewReplacer(":user", theirPerson.String(), ":session", theirSession.String(), ":version", theirVersion.String(),
				":chat", theirChat.String(), ":note", theirNote.String(), ":canned", theirCanned.String()).Replace(r.path)
			form := url.Values{"text": {"hello"}, "note": {"hello"}, "label": {"hello"}, "title": {"hello"}, "minutes": {"60"}, "before": {"9"}}
			if path == r.path {
				form = nil
			}
			got := browser.do(r.method, path+ids, form, "Sec-Fetch-Site", "same-origin", "HX-Request", htmx)
			if strings.Contains(strings.ToLower(got.body), "secret") {
				t.Errorf("%s %s shows something of another tenant:\n%s", r.method, r.path, excerpt(got.body))
			}
			if path != r.path && got.status != 404 {
				t.Errorf("%s %s with another tenant's id: %d, want 404", r.method, r.path, got.status)
			}
			seen++
		}
	}
	if seen < 10 {
		t.Fatalf("only %d portal requests made", seen)
	}
	browser.get("/portal/messages"+ids).want(t, 200, "my words 0", "/portal/messages?cursor=")
	// The admin's pages of either tenant are closed, as is everything by the other tenant's id.
	for _, id := range []uuid.UUID{mine, theirs} {
		browser.get(tenantBase(id)).want(t, 403)
		browser.post(tenantBase(id)+"/worker/start", nil).want(t, 403)
		browser.get(tenantBase(id)+"/messages").want(t, 403)
	}
	// Nor by a chat of one's own with a note of theirs, nor in a stream.
	browser.post("/portal/inbox/"+s.chatOf(mine).String()+"/notes/"+theirNote.String()+"/remove", nil).want(t, 404)
	browser.do("GET", "/portal/inbox/stream?chat="+theirChat.String(), nil).want(t, 404)
	if n := s.count(`SELECT count(*) FROM conversations v JOIN contacts c ON c.id = v.contact_id JOIN contact_notes n ON n.contact_id = c.id JOIN canned_answers a ON a.tenant_id = v.tenant_id
		JOIN message_logs m ON m.conversation_id = v.id
		WHERE v.tenant_id = $1 AND v.unread = 7 AND v.handoff_at IS NOT NULL AND v.paused_at IS NULL AND c.labels = '{secret}' AND a.body = 'secret answer'`, theirs); n != 1 {
		t.Error("something of the other tenant's inbox was changed")
	}
	if n := s.count("SELECT count(*) FROM portal_event_logs WHERE tenant_id = $1 AND event_type <> 'SECRET_EVENT' AND event_type <> 'TENANT_CREATED'", theirs); n != 0 {
		t.Errorf("%d events were written for the other tenant", n)
	}
	if n := s.count("SELECT count(*) FROM users JOIN user_sessions ON user_id = users.id WHERE users.id = $1 AND NOT EXISTS (SELECT FROM one_time_links l WHERE l.user_id = users.id)", theirPerson); n != 1 {
		t.Error("the other tenant's staff lost their session, or got a link")
	}
}

// Should a handler ever pass another tenant's id to a query, the database still shows nothing.
func TestPortalPoolIsBoundToItsTenant(t *testing.T) {
	s := newSite(t, nil)
	mine, theirs := s.tenant("Mine", 1), s.tenant("Theirs", 2)
	s.message(theirs, "secret", queries.MessageDirectionIN, time.Now())
	must(t, s.server.inTenant(t.Context(), mine, func(q *queries.Queries) error {
		list, err := listMessages(t.Context(), q, theirs, newest(), pageSize, "en", "")
		if err != nil || len(list.Rows) != 0 {
			t.Errorf("messages of another tenant: %d, %v", len(list.Rows), err)
		}
		if _, err := q.GetTenant(t.Context(), theirs); err == nil {
			t.Error("another tenant is visible")
		}
		return q.WatchSession(t.Context(), theirs)
	}))
	if n := s.count("SELECT count(*) FROM whatsapp_sessions WHERE watched_until IS NOT NULL"); n != 0 {
		t.Error("another tenant's session was marked")
	}
}

func TestPortalPages(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	owner := s.signedIn("owner@example.org")
	owner.get("/portal").want(t, 200, "Link your number to begin", "Neema Salon", `sse-connect="/portal/stream?page=home"`)

	s.exec("UPDATE whatsapp_sessions SET state = 'QR_READY', reason = 'WAITING_FOR_SCAN', last_qr = '2@abc,def', qr_expires_at = now() + interval '50 seconds' WHERE tenant_id = $1", tenant)
	s.exec("UPDATE tenant_configs SET language = 'SW' WHERE tenant_id = $1", tenant)
	owner.get("/portal").want(t, 200, "data:image/png;base64,", "Skani msimbo", `<html lang="sw">`)

	s.exec("UPDATE whatsapp_sessions SET state = 'CONNECTED', reason = 'CONNECTED', jid = '255712000001:3@s.whatsapp.net', last_qr = NULL, connected_at = now() WHERE tenant_id = $1", tenant)
	s.message(tenant, "Habari", queries.MessageDirectionIN, time.Now())
	got := owner.get("/portal")
	got.want(t, 200, "Namba yako inajibu wateja", "Habari")
	if strings.Contains(got.body, "data:image/png") {
		t.Error("a linked number still shows a code")
	}
	owner.get("/portal/events").want(t, 200, "Biashara imeandikishwa")
	owner.get("/portal/messages?cursor=nonsense").want(t, 422)
}

// Every state that a session can be in has its own sentence for the operator and its own words for the owner, in both languages.
func TestEverySessionReasonHasWords(t *testing.T) {
	now := time.Now()
	session := func(reason queries.SessionReason, change ...func(*queries.WhatsappSession)) queries.WhatsappSession {
		w := queries.WhatsappSession{Reason: reason, State: queries.SessionStateDISCONNECTED, ReasonSince: now}
		if reason == queries.SessionReasonCONNECTED || reason == queries.SessionReasonRESTRICTED {
			w.State = queries.SessionStateCONNECTED
		}
		for _, c := range change {
			c(&w)
		}
		return w
	}
	linked := func(w *queries.WhatsappSession) { w.Jid = new("255712000001:3@s.whatsapp.net") }
	until := func(d time.Duration) func(*queries.WhatsappSession) {
		return func(w *queries.WhatsappSession) { w.ReasonUntil, w.RestrictedUntil = new(now.Add(d)), new(now.Add(d)) }
	}
	states := map[string]queries.WhatsappSession{
		"a ban with an end":          session(queries.SessionReasonBANNED, linked, until(50*time.Hour)),
		"a ban without an end":       session(queries.SessionReasonBANNED, linked),
		"a ban for good":             session(queries.SessionReasonBANNED),
		"away for long":              session(queries.SessionReasonRECONNECTING, linked, func(w *queries.WhatsappSession) { w.ReasonSince = now.Add(-time.Hour) }),
		"restricted with an end":     session(queries.SessionReasonRESTRICTED, linked, until(50*time.Hour)),
		"restricted without an end":  session(queries.SessionReasonRESTRICTED, linked, until(time.Hour), func(w *queries.WhatsappSession) { w.RestrictedChecks = 2 }),
		"restricted and now checked": session(queries.SessionReasonRESTRICTED, linked, until(-time.Second), func(w *queries.WhatsappSession) { w.RestrictedChecks = 2 }),
	}
	for _, reason := range queries.AllSessionReasonValues() {
		if reason != queries.SessionReasonBANNED && reason != queries.SessionReasonRESTRICTED {
			states[string(reason)] = session(reason)
		}
	}
	seen := map[string]string{}
	for name, w := range states {
		row := queries.GetTenantRow{WhatsappSession: w, WorkerProcess: queries.WorkerProcess{Desired: queries.WorkerStatusSTOPPED}}
		english, inDetail := portalWords(row, "en", time.UTC)
		for _, lang := range []string{"en", "sw"} {
			headline, detail := portalWords(row, lang, time.UTC)
			sentence := sessionSentence(w, lang, time.UTC)
			for _, text := range []string{headline, detail, sentence} {
				if strings.Contains(text, "{") || text == "" && !(w.Reason == queries.SessionReasonNEVERLINKED || w.Reason == queries.SessionReasonCONNECTED) {
					t.Errorf("%s in %s: headline %q, detail %q, sentence %q", name, lang, headline, detail, sentence)
				}
			}
			if lang == "sw" && (headline == english || detail == inDetail) {
				t.Errorf("%s is not in Swahili: %q, %q", name, headline, detail)
			}
			if other := seen[lang+sentence]; sentence != "" && other != "" {
				t.Errorf("%s and %s have the same sentence %q", name, other, sentence)
			}
			seen[lang+sentence] = name
		}
		if w.RestrictedUntil != nil && w.RestrictedUntil.After(now) || w.ReasonUntil != nil && w.ReasonUntil.After(now) {
			when := w.ReasonUntil.In(time.UTC).Format("15:04")
			if headline, detail := portalWords(row, "sw", time.UTC); !strings.Contains(headline+detail, when) || !strings.Contains(sessionSentence(w, "en", time.UTC), when) {
				t.Errorf("%s: nobody is told until when (%s): %q, %q", name, when, headline, detail)
			}
		}
	}
	if word := sessionState(states["restricted with an end"], "en"); word.Word == SessionState("CONNECTED", "en").Word || word.Tone != ToneWaiting {
		t.Errorf("a restricted session is shown as %+v", word)
	}
}

func TestQRPNG(t *testing.T) {
	text := strings.Repeat("2@abcdefghijklmnop,", 12)
	raw, err := QRPNG(text)
	must(t, err)
	image, err := png.Decode(bytes.NewReader(raw))
	must(t, err)
	dark := func(x, y int) bool { r, _, _, _ := image.At(x, y).RGBA(); return r < 0x8000 }
	if edge := qrQuiet * qrScale; dark(edge-1, edge-1) || !dark(edge, edge) {
		t.Errorf("the code does not begin after %d pixels of white", edge)
	}
	if side := image.Bounds().Dx(); side != image.Bounds().Dy() || side < 528 {
		t.Errorf("%d pixels wide, want a square of twice the 264 that pages show", side)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(image)
	must(t, err)
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	must(t, err)
	if read.GetText() != text {
		t.Errorf("a phone reads %q, want %q", read.GetText(), text)
	}
}

func TestCursor(t *testing.T) {
	want := cursor{time.UnixMicro(1_795_000_000_123_456), newID()}
	got, err := parseCursor(want.String())
	if err != nil || !got.at.Equal(want.at) || got.id != want.id {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"x", "AAAA", cursor{time.UnixMicro(-5), newID()}.String(), strings.Repeat("A", 400)} {
		if _, err := parseCursor(bad); err == nil {
			t.Errorf("parseCursor(%q) is accepted", bad)
		}
	}
}
