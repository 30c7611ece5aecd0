package routes

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/spreadsheet"
)

var carriedRows = regexp.MustCompile(`name="rows" value="([^"]*)"`)

func TestOwnersCustomers(t *testing.T) {
	s := newSite(t, nil)
	mine, other := s.tenant("Neema Salon", 1), s.tenant("Rival", 2)
	s.person(mine, "owner@example.org", queries.UserRoleOWNER)
	s.message(mine, "habari", queries.MessageDirectionIN, time.Now())
	s.message(other, "secret", queries.MessageDirectionIN, time.Now())
	s.exec(`UPDATE contacts SET name = 'Secret' WHERE tenant_id = $1`, other)
	b := s.signedIn("owner@example.org")

	// By hand: bad numbers are said at the field; the same number twice is one customer.
	b.post("/portal/customers", url.Values{"name": {"Asha"}, "phone": {"12"}}).want(t, http.StatusUnprocessableEntity, "not a phone number", `value="Asha"`)
	for range 2 {
		b.post("/portal/customers", url.Values{"name": {"=Asha"}, "phone": {"0754 111 222"}}).want(t, http.StatusSeeOther)
	}
	b.get("/portal/customers?q=0754+111").want(t, http.StatusOK, "=Asha", "0 messages")
	if page := b.get("/portal/customers"); strings.Contains(page.body, "Secret") {
		t.Error("another business's customer is listed")
	}

	// Import: nothing before it was looked at, everything of it once, whatever is sent twice.
	file := "Jina;Namba ya simu;Lebo\r\nMama Neema;0713 000 001;VIP, Anadaiwa\r\n\"Juma; Jr\";+255713000002;\r\nNani;abc;\r\nMama Neema tena;255713000001;\r\n=Asha;0754111222;\r\n"
	look := b.uploadTo("/portal/customers/import", "wateja.csv", file)
	look.want(t, http.StatusOK, "Nothing is written yet", "not a phone number", "same number as in line 2", "Juma; Jr", `<dt>New</dt><dd class="num">2</dd>`, `<dt>As it is</dt><dd class="num">1</dd>`, `<dt>Left out</dt><dd class="num">2</dd>`)
	total := func() (n int) {
		must(t, s.db.System.QueryRow(t.Context(), "SELECT count(*) FROM contacts WHERE tenant_id = $1", mine).Scan(&n))
		return n
	}
	if total() != 2 {
		t.Errorf("looking at a file wrote: %d customers", total())
	}
	rows := strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#39;", "'", "&#43;", "+", "&lt;", "<", "&gt;", ">").Replace(carriedRows.FindStringSubmatch(look.body)[1])
	for range 2 {
		b.post("/portal/customers/import", url.Values{"rows": {rows}}).want(t, http.StatusSeeOther)
	}
	if total() != 4 {
		t.Errorf("%d customers after the import, want 4", total())
	}
	b.get("/portal/customers?label=VIP").want(t, http.StatusOK, "Mama Neema", "Anadaiwa")
	if page := b.get("/portal/customers?label=VIP"); strings.Contains(page.body, "Juma; Jr") {
		t.Error("the label's filter lets others through")
	}
	for _, bad := range []struct{ content, says string }{
		{"", "The file is empty"}, {"a,b\nx,y\n", "no column of phone numbers"}, {"phone\n\"broken", "cannot be read"}, {"phone\n" + strings.Repeat("0713000001\n", 3001), "too large"},
		{strings.Repeat("x", customersBytes+1), "too large"},
	} {
		b.uploadTo("/portal/customers/import", "x.csv", bad.content).want(t, http.StatusUnprocessableEntity, bad.says)
	}
	b.post("/portal/customers/import", url.Values{"rows": {"[{"}}).want(t, http.StatusUnprocessableEntity, "Choose the file again")
	b.post("/portal/customers/import", url.Values{"rows": {`[{"l":1,"p":"evil"},{"l":2,"p":"0713000009","n":"Ok"}]`}}).want(t, http.StatusSeeOther)

	// Export: what was shown, as a spreadsheet opens it right, and back in again it changes nothing.
	got := b.get("/portal/customers/export?sort=name")
	got.want(t, http.StatusOK, "\ufeffName,Phone,Labels")
	in, err := spreadsheet.NewReader([]byte(got.body), spreadsheet.Limits{Bytes: 1 << 20, Rows: 100, Columns: 20, Cell: 1000})
	must(t, err)
	var names, phones []string
	for {
		row, err := in.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		names, phones = append(names, row.Cells[0]), append(phones, row.Cells[1])
	}
	if fmt.Sprint(names) != "[=Asha Customer Juma; Jr Mama Neema Ok]" || phones[0] != "+255 754 111 222" || strings.Contains(got.body, "Secret") {
		t.Errorf("exported %q %q:\n%s", names, phones, got.body)
	}
	b.uploadTo("/portal/customers/import", "again.csv", got.body).want(t, http.StatusOK, `<dt>New</dt><dd class="num">0</dd>`, `<dt>Changed</dt><dd class="num">0</dd>`)

	// Pages follow each other without a gap, in either order.
	for i := range 70 {
		_, err := jobs.NormalizePhone(fmt.Sprintf("07140000%02d", i))
		must(t, err)
		s.exec(`WITH k AS (INSERT INTO contacts (id, tenant_id, phone_number, name) VALUES (gen_random_uuid(), $1, $2, $3) RETURNING id)
			INSERT INTO conversations (id, tenant_id, contact_id) SELECT gen_random_uuid(), $1, k.id FROM k`, mine, fmt.Sprintf("+2557140000%02d", i), fmt.Sprintf("Mteja %02d", i))
	}
	more := regexp.MustCompile(`hx-get="(/portal/customers\?[^"]*cursor=[^"]*)"`)
	for _, sort := range []string{"", "name"} {
		seen := map[string]bool{}
		path := "/portal/customers?sort=" + sort
		for path != "" {
			page := b.get(path, "HX-Request", "true")
			for _, m := range regexp.MustCompile(`Mteja \d\d`).FindAllString(page.body, -1) {
				seen[m] = true
			}
			next := more.FindStringSubmatch(page.body)
			if path = ""; next != nil {
				path = strings.ReplaceAll(next[1], "&amp;", "&")
			}
		}
		if len(seen) != 70 {
			t.Errorf("sorted by %q: %d of 70 customers were listed", sort, len(seen))
		}
	}
	b.get("/portal/customers?cursor=x").want(t, http.StatusUnprocessableEntity)

	// A name of the business's own, and opt-out: seen everywhere, said in an event, and no program writes to them.
	var chat string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT v.id::text FROM conversations v JOIN message_logs m ON m.conversation_id = v.id WHERE v.tenant_id = $1", mine).Scan(&chat))
	b.post("/portal/inbox/"+chat+"/name", url.Values{"name": {"Bibi Rehema"}}, "HX-Request", "true").want(t, http.StatusOK, "Bibi Rehema", "Your name for them")
	b.post("/portal/inbox/"+chat+"/name", url.Values{"name": {strings.Repeat("x", 121)}}, "HX-Request", "true").want(t, http.StatusUnprocessableEntity, "too long")
	for range 2 { // sent twice, it is one
		b.post("/portal/inbox/"+chat+"/opt", url.Values{"out": {"1"}}, "HX-Request", "true").want(t, http.StatusOK, "Let the bot answer again")
	}
	b.get("/portal/inbox/"+chat).want(t, http.StatusOK, "Bibi Rehema", "Wants no automatic messages")
	b.get("/portal/customers?show=out").want(t, http.StatusOK, "Bibi Rehema")
	var events int
	must(t, s.db.System.QueryRow(t.Context(), "SELECT count(*) FROM portal_event_logs WHERE tenant_id = $1 AND event_type = 'CUSTOMER_OPTED_OUT'", mine).Scan(&events))
	if events != 1 {
		t.Errorf("%d events of one opt-out", events)
	}
	s.exec(`UPDATE whatsapp_sessions SET jid = '255712000001:1@s.whatsapp.net' WHERE tenant_id = $1`, mine)
	var phone string
	must(t, s.db.System.QueryRow(t.Context(), "SELECT c.phone_number FROM contacts c JOIN conversations v ON v.contact_id = c.id WHERE v.id = $1::uuid", chat).Scan(&phone))
	_, err = s.commands.QueueMessage(t.Context(), jobs.OutgoingMessage{TenantID: mine, To: phone, Text: "Ofa!", Source: "API"})
	if refusal, is := err.(*jobs.Error); !is || refusal.Code != jobs.Conflict || !strings.Contains(refusal.Message, "opted out") {
		t.Errorf("a program's message to somebody who opted out: %v", err)
	}
	if _, err := s.commands.QueueMessage(t.Context(), jobs.OutgoingMessage{TenantID: mine, To: phone, Text: "Karibu", Source: "PERSON"}); err != nil {
		t.Errorf("a person's message: %v", err)
	}
	b.post("/portal/inbox/"+chat+"/opt", url.Values{"out": {""}}, "HX-Request", "true").want(t, http.StatusOK, "No automatic messages")
}
