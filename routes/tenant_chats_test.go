package routes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

// The operator sees a business's chats as its people do, without a mark of having looked; writing takes its right, and each chat is its tenant's.
func TestOperatorSeesChats(t *testing.T) {
	s, owner, tenant, chat := inboxSite(t)
	juma := s.customer(tenant, "+255754000111", "Juma Ally", "naomba mtu")
	s.exec("UPDATE conversations SET handoff_at = now(), unread = 2 WHERE id = $1", juma)
	s.exec("INSERT INTO contact_notes (id, tenant_id, contact_id, body) SELECT gen_random_uuid(), tenant_id, contact_id, 'a secret of the business' FROM conversations WHERE id = $1", juma)
	elsewhere := s.customer(s.tenant("Duka la Juma", 2), "+255754000999", "Zuri", "mambo")
	s.colleague("read-only")
	admin, reader := s.admin(), s.signedIn("read-only@example.org")
	base := tenantBase(tenant) + "/chats"
	at := base + "/" + juma.String()

	admin.get(tenantBase(tenant)).want(t, 200, `href="`+base+`"`)
	list := admin.get(base)
	list.want(t, 200, "Juma Ally", "Asks for a person", "Karibu!", `action="`+base+`"`)
	if got := strings.Join(list.rows(), " "); got != juma.String()+" "+chat.String() {
		t.Errorf("the chats are %s", got)
	}
	for query, want := range map[string]uuid.UUID{"?q=juma": juma, "?q=0754+000+111": juma, "?show=waiting": juma, "?q=BEI": chat} {
		if got := admin.get(base + query).rows(); len(got) != 1 || got[0] != want.String() {
			t.Errorf("%s lists %v", query, got)
		}
	}
	thread := admin.get(at)
	thread.want(t, 200, "naomba mtu", "Today", `action="`+at+`/answer"`)
	admin.get(at+"/older", "HX-Request", "true").want(t, 200, "naomba mtu")
	for _, hers := range []string{"a secret of the business", "take-over", "hand-back", "data-read", "quick-answers", "/portal/"} {
		if strings.Contains(thread.body, hers) {
			t.Errorf("the operator is offered %q", hers)
		}
	}
	reader.get(at).want(t, 200, "naomba mtu", "may not write to customers")
	reader.post(at+"/answer", url.Values{"text": {"x"}}).want(t, http.StatusForbidden)
	events := admin.listen(base + "/stream?chat=" + juma.String())
	awaitEvent(t, events, "chat", "chat-bar")
	if n := s.count("SELECT count(*) FROM conversations WHERE id = $1 AND unread = 2 AND handoff_at IS NOT NULL", juma); n != 1 {
		t.Error("a look was taken for the business's")
	}

	// Live, and back: what the operator writes is the business's answer.
	message := s.message(tenant, "bado naomba", queries.MessageDirectionIN, time.Now())
	s.exec("UPDATE message_logs SET conversation_id = $1 WHERE id = $2", juma, message)
	s.announce(tenant, message)
	awaitEvent(t, events, "message", "bado naomba")
	form := url.Values{"text": {" "}, "key": {formKey.FindStringSubmatch(thread.body)[1]}}
	admin.post(at+"/answer", form, "HX-Request", "true").want(t, 422, "Please fill this in")
	for range 2 {
		form.Set("text", "Tunakusikia")
		admin.post(at+"/answer", form, "HX-Request", "true").want(t, 200, `id="composer"`)
	}
	awaitEvent(t, events, "message", "Tunakusikia", "You")
	if n := s.count("SELECT count(*) FROM message_logs WHERE message_text = 'Tunakusikia' AND source = 'PERSON' AND conversation_id = $1", juma); n != 1 {
		t.Errorf("the answer is there %d times", n)
	}
	owner.get("/portal/inbox/"+juma.String()).want(t, 200, "Tunakusikia")

	for _, path := range []string{base + "/" + elsewhere.String(), base + "/" + elsewhere.String() + "/older", base + "/nothing", base + "/stream?chat=" + elsewhere.String(), "/admin/tenants/" + uuid.Nil.String() + "/chats"} {
		admin.get(path).want(t, http.StatusNotFound)
	}
	admin.post(base+"/"+elsewhere.String()+"/answer", url.Values{"text": {"x"}}).want(t, http.StatusNotFound)
}
