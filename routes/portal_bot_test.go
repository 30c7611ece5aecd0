package routes

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"flowhq/queries"
)

// secretVersion gives a tenant a version of its bot's settings.
func (s *site) secretVersion(tenant uuid.UUID) uuid.UUID {
	s.t.Helper()
	id := newID()
	s.exec(`INSERT INTO bot_settings_versions (id, tenant_id, number, settings_json, changed_by) VALUES ($1, $2, 1, '{"texts":{"greeting":"secret words"}}', 'secret person')`, id, tenant)
	s.exec(`UPDATE tenant_configs SET settings_json = '{"texts":{"greeting":"secret words"}}', updated_at = now() WHERE tenant_id = $1`, tenant)
	return id
}

var basisField = regexp.MustCompile(`name="basis" value="(\d+)"`)

// botForm opens the page of the settings and gives its form with nothing entered, at the version that is shown.
func (b *browser) botForm() url.Values {
	b.t.Helper()
	page := b.get("/portal/bot")
	page.want(b.t, 200)
	m := basisField.FindStringSubmatch(page.body)
	if m == nil {
		b.t.Fatalf("the form names no version:\n%s", excerpt(page.body))
	}
	return url.Values{"draft": {"1"}, "basis": {m[1]}, "week.hours.always": {"1"}}
}

func amend(form url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// versionOf is the id of a numbered version.
func (s *site) versionOf(tenant uuid.UUID, number int) (id uuid.UUID) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), "SELECT id FROM bot_settings_versions WHERE tenant_id = $1 AND number = $2", tenant, number).Scan(&id))
	return id
}

func (s *site) stored(tenant uuid.UUID) (settings, hours string) {
	s.t.Helper()
	must(s.t, s.db.System.QueryRow(s.t.Context(), "SELECT coalesce(settings_json::text, ''), coalesce(hours_json::text, '') FROM tenant_configs WHERE tenant_id = $1", tenant).Scan(&settings, &hours))
	return settings, hours
}

func TestBotSettings(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	s.exec(`UPDATE tenant_configs SET hours_json = '{"mon": [["08:00","12:00"],["14:00","24:00"]], "tue": []}' WHERE tenant_id = $1`, tenant)
	b := s.signedIn("owner@example.org")
	b.get("/portal/bot").want(t, 200, "Services and prices", "Welcome to *Neema Salon*. I", `name="week.hours.mon.1.to" value="00:00"`,
		`placeholder="Book an appointment"`, "Hello! Welcome to <strong>Neema Salon</strong>")

	// What is wrong is said where it is, and all that was typed stays.
	form := b.botForm()
	wrong := amend(form, "t.greeting", strings.Repeat("x", 301), "r.offers.3.price", "5,000", "r.questions.0.question", "je?", "r.questions.0.answer", "Yes & <b>",
		"r.holidays.0.from", "2026-12-26", "r.holidays.0.to", "2026-12-25", "week.hours.always", "", "week.hours.wed.open", "1", "week.hours.wed.0.from", "09:00")
	got := b.post("/portal/bot", wrong, "HX-Request", "true")
	got.want(t, 422, "at most 300 characters", "Please fill this in.", `value="5,000"`, "a word that says what the customer asks", "Yes &amp; &lt;b&gt;",
		"The end must come after the beginning", "Fill in when you open and when you close", `value="09:00"`, `<form id="bot-form"`)
	if n := s.count("SELECT count(*) FROM bot_settings_versions"); n != 0 {
		t.Fatalf("refused settings made %d versions", n)
	}
	b.post("/portal/bot", wrong).want(t, 422, "at most 300 characters", `<html lang="en">`)

	// The chat answers with the draft, and stores nothing.
	draft := amend(form, "t.greeting", "Karibu sana!", "t.menu.BOOK", "Get a chair", "r.offers.0.name", "Braids", "r.offers.0.price", "20,000",
		"week.hours.always", "", "week.hours.mon.open", "1", "week.hours.mon.0.from", "08:00", "week.hours.mon.0.to", "18:00")
	b.post("/portal/bot/preview", amend(draft, "say", "price"), "HX-Request", "true").want(t, 200, "• Braids – 20,000", `name="said" value="price"`)
	got = b.post("/portal/bot/preview?refresh=1", amend(draft, "said", "hello", "say", "half a sent"), "HX-Request", "true")
	if got.want(t, 200, `<div id="bot-said"`, "Hello! Karibu sana!", "1. Get a chair"); strings.Contains(got.body, "half a sent") {
		t.Error("what is not sent yet is in the chat")
	}
	b.post("/portal/bot/preview", amend(draft, "say", "agent", "closed", "1"), "HX-Request", "true").want(t, 200, "We are closed at the moment", "your team is called")
	b.post("/portal/bot/preview", amend(draft, "chip", "menu")).want(t, 200, `<html lang="en">`, "Karibu sana!", "1. Get a chair")
	if settings, _ := s.stored(tenant); settings != "" {
		t.Fatalf("trying stored %s", settings)
	}

	// A row more and a row less, of what is typed; nothing is stored either.
	got = b.post("/portal/bot/rows", amend(draft, "do", "add offers"), "HX-Request", "true")
	got.want(t, 200, `<div id="field-offers"`, `value="Braids"`, `name="r.offers.1.name" type="text" value="" maxlength="40" dir="auto" autocomplete="off" autofocus`)
	got = b.post("/portal/bot/rows", amend(draft, "do", "remove offers 0"), "HX-Request", "true")
	if got.want(t, 200, "Add a service"); strings.Contains(got.body, "Braids") {
		t.Error("a row that was removed is there")
	}
	b.post("/portal/bot/rows", amend(draft, "do", "add hours mon"), "HX-Request", "true").want(t, 200, `name="week.hours.mon.1.from"`)
	b.post("/portal/bot/rows", amend(draft, "do", "add hours")).want(t, 422)
	b.post("/portal/bot/rows", amend(draft, "do", "add nothing")).want(t, 422)
	b.post("/portal/bot/rows", amend(draft, "do", "add offers")).want(t, 200, `<html lang="en">`, `name="r.offers.1.name"`)

	// Saved: at once, with who and when, and what was there before as the first version.
	b.post("/portal/bot", draft, "HX-Request", "true").want(t, 200, "Karibu sana!")
	settings, hours := s.stored(tenant)
	if !strings.Contains(settings, "Karibu sana!") || !strings.Contains(hours, `"mon": [["08:00", "18:00"]]`) {
		t.Errorf("stored %s, %s", settings, hours)
	}
	if n := s.count("SELECT count(*) FROM bot_settings_versions WHERE (number = 1 AND changed_by = '' AND settings_json IS NULL) OR (number = 2 AND changed_by <> '' AND user_id IS NOT NULL)"); n != 2 {
		t.Errorf("%d versions are as they should be, want 2", n)
	}
	b.get("/portal/events").want(t, 200, "The bot&#39;s words changed")
	b.post("/portal/bot", amend(draft, "basis", b.botForm().Get("basis"))).want(t, 303)
	if n := s.count("SELECT count(*) FROM bot_settings_versions"); n != 2 {
		t.Errorf("saving the same again makes %d versions", n)
	}

	// From two tabs: the second is told, keeps its text, and replaces nothing unseen.
	got = b.post("/portal/bot", amend(draft, "t.greeting", "From the other tab"), "HX-Request", "true")
	got.want(t, 422, "Person of owner@example.org changed the settings while you were writing", "From the other tab", "<del>Karibu sana!</del>")
	if settings, _ := s.stored(tenant); strings.Contains(settings, "other tab") {
		t.Fatal("what somebody else saved was overwritten")
	}
	again := basisField.FindStringSubmatch(got.body)[1]
	b.post("/portal/bot", amend(draft, "t.greeting", "From the other tab", "basis", again)).want(t, 303)

	// History: compare, and bring back as a new version.
	b.get("/portal/bot/history").want(t, 200, "Version 3", "In use", "Version 1", "Before the first change", "Words of welcome", "Person of owner@example.org")
	b.get("/portal/bot/history/"+s.versionOf(tenant, 3).String()).want(t, 200, "<del>Karibu sana!</del>", "<ins>From the other tab</ins>")
	first := "/portal/bot/history/" + s.versionOf(tenant, 1).String()
	b.get(first).want(t, 200, "Bring this version back", "From then until now", "<ins>From the other tab</ins>")
	b.post(first+"/restore", url.Values{"basis": {again}}).want(t, 303) // the version meanwhile is another
	b.get("/portal/bot").want(t, 200, "nothing was brought back")
	b.post(first+"/restore", url.Values{"basis": {b.botForm().Get("basis")}}).want(t, 303)
	if settings, hours := s.stored(tenant); settings != "" || !strings.Contains(hours, `["14:00", "24:00"]`) {
		t.Errorf("brought back: %q, %s", settings, hours)
	}
	b.get("/portal/bot/history").want(t, 200, "Version 4", "Brought back from version 1")

	// What the operator changes elsewhere is a version, too, before it is replaced.
	s.exec(`UPDATE tenant_configs SET hours_json = NULL, updated_at = now() WHERE tenant_id = $1`, tenant)
	b.post("/portal/bot", amend(draft, "basis", b.botForm().Get("basis"))).want(t, 303)
	b.get("/portal/bot/history").want(t, 200, "Version 6", "Changed by the operator")
	// Undo is one tap, and of itself.
	m := regexp.MustCompile(`formaction="(/portal/bot/history/[^"]+/restore)"`).FindStringSubmatch(b.get("/portal/bot").body)
	b.post(m[1], b.botForm()).want(t, 303)
	if settings, hours := s.stored(tenant); settings+hours != "" {
		t.Errorf("undone: %s, %s", settings, hours)
	}
}

// Staff look and try; what they send in the form is not used.
func TestBotSettingsForStaff(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "staff@example.org", queries.UserRoleSTAFF)
	b := s.signedIn("staff@example.org")
	page := b.get("/portal/bot")
	page.want(t, 200, "The owner of the business changes these", "readonly")
	for _, no := range []string{"bot-save", "Add a service", `value="remove`} {
		if strings.Contains(page.body, no) {
			t.Errorf("staff are offered %s", no)
		}
	}
	got := b.post("/portal/bot/preview", url.Values{"draft": {"1"}, "t.greeting": {"Smuggled"}, "say": {"hello"}}, "HX-Request", "true")
	if got.want(t, 200, "Welcome to"); strings.Contains(got.body, "Smuggled") {
		t.Error("staff try what they may not write")
	}
	b.post("/portal/bot", url.Values{"draft": {"1"}}).want(t, http.StatusForbidden)
}

// A form without the version it was made from, as from a program or a broken browser, replaces nothing; nor does a huge one.
func TestBotSettingsHostile(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	b := s.signedIn("owner@example.org")
	form := b.botForm()
	for _, bad := range []url.Values{
		{}, {"draft": {"1"}}, amend(form, "basis", "x"), amend(form, "basis", "99999999999999999999"), amend(form, "t.greeting", "a\x00b"), amend(form, "t.greeting", "\xff"),
		amend(form, "week.hours.always", "", "week.hours.mon.open", "1", "week.hours.mon.0.from", "99:99", "week.hours.mon.0.to", "'"), amend(form, "r.holidays.0.from", "now()"),
	} {
		b.post("/portal/bot", bad, "HX-Request", "true").want(t, 422)
	}
	many := amend(form)
	for i := range draftRows + 5 {
		many.Set(fmt.Sprintf("r.offers.%d.name", i), "x")
		many.Add("said", strings.Repeat("m", 2000))
	}
	b.post("/portal/bot", many, "HX-Request", "true").want(t, 422, "at most 12")
	got := b.post("/portal/bot/preview", amend(many, "say", "menu"), "HX-Request", "true")
	if got.want(t, 200); strings.Count(got.body, `name="said"`) != trySaid {
		t.Errorf("%d messages travel with the form", strings.Count(got.body, `name="said"`))
	}
	for _, version := range []string{"x", uuid.NewString()} {
		b.get("/portal/bot/history/"+version).want(t, 404)
		b.post("/portal/bot/history/"+version+"/restore", form).want(t, 404)
	}
	b.get("/portal/bot/history?before=x").want(t, 422)
	if n := s.count("SELECT count(*) FROM bot_settings_versions"); n != 0 {
		t.Errorf("%d versions were made", n)
	}
	// Settings that cannot be read, from a restored backup perhaps, still show a form.
	s.exec(`UPDATE tenant_configs SET settings_json = '{"texts": 5}', updated_at = now() WHERE tenant_id = $1`, tenant)
	b.get("/portal/bot").want(t, 200, "Services and prices")
}
