package routes

import (
	"net/url"
	"testing"

	"flowhq/queries"
	"flowhq/templates/words"
)

func TestRefusalsInSwahili(t *testing.T) {
	for in, want := range map[string]string{
		"Saluni is running already. Restart it if something seems stuck.": "Saluni tayari inaendeshwa.",
		"Too many tries. Wait 5 seconds, then try again.":                 "Umejaribu mara nyingi mno. Subiri kidogo, kisha ujaribu tena.",
		"Not found":                 "Haijapatikana",
		"A sentence without a pair": "A sentence without a pair",
	} {
		if got := words.Refusal("sw", in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if got := words.Refusal("en", in); got != in {
			t.Errorf("in English %q became %q", in, got)
		}
	}

	s := newSite(t, nil)
	tenant := s.tenant("Saluni", 1)
	s.exec("UPDATE tenant_configs SET language = 'SW' WHERE tenant_id = $1", tenant)
	s.person(tenant, "zawadi@example.org", queries.UserRoleOWNER)
	owner := s.signedIn("zawadi@example.org")
	owner.get("/portal/nothing-here").want(t, 404, "Haijapatikana", "Hakuna ukurasa kwenye anwani hii.")
	owner.post("/portal/pair-code", url.Values{"phone": {"abc"}}, "HX-Request", "true").want(t, 422, "Namba ya simu haina herufi")
	owner.post("/portal/worker/start", nil, "HX-Request", "true").want(t, 200)
	owner.post("/portal/worker/start", nil, "HX-Request", "true").want(t, 409, "Saluni tayari inaendeshwa.")
}
