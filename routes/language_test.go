package routes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowhq/queries"
)

// stranger is a browser that has chosen nothing.
func (s *site) stranger() *browser {
	b := s.browser()
	b.Jar = nil
	return b
}

func TestSwahiliFirstEnglishOneTapAway(t *testing.T) {
	s := newSite(t, nil)
	b := s.stranger()
	english := []string{"Accept-Language", "en-US,en;q=0.9"}
	got := b.get("/login", english...)
	got.want(t, 200, `<html lang="sw">`, "Umesahau nenosiri?", "choose English above")
	if b.get("/login", "Accept-Language", "sw-TZ,sw;q=0.9,en;q=0.8"); strings.Contains(b.get("/login").body, "choose English") {
		t.Error("English is pressed on a browser that did not ask for it")
	}
	got = b.post("/language", url.Values{"language": {"en"}, "back": {"/login?next=/portal/events"}})
	got.want(t, 303)
	if to := got.header.Get("Location"); to != "/login?next=/portal/events" {
		t.Errorf("back to %q", to)
	}
	chosen := strings.Split(got.header.Get("Set-Cookie"), ";")[0]
	b.get("/login", "Cookie", chosen).want(t, 200, `<html lang="en">`, "Forgotten your password?", "Kiswahili")
	b.get("/no-such-page", "Cookie", chosen).want(t, 404, "There is no page at this address.")
	b.get("/no-such-page").want(t, 404, "Hakuna ukurasa kwenye anwani hii.")
	if to := b.post("/language", url.Values{"language": {"en"}, "back": {"https://elsewhere.example/"}}).header.Get("Location"); to != "/" {
		t.Errorf("a foreign address leads to %q", to)
	}
}

// A person's choice is theirs on every device; without one their pages are as their business's bot speaks.
func TestLanguageIsKeptWithTheAccount(t *testing.T) {
	s := newSite(t, nil)
	tenant := s.tenant("Saluni", 1)
	s.exec("UPDATE tenant_configs SET language = 'SW' WHERE tenant_id = $1", tenant)
	s.person(tenant, "zawadi@example.org", queries.UserRoleOWNER)
	s.person(tenant, "staff@example.org", queries.UserRoleSTAFF)
	owner := s.signedIn("zawadi@example.org")
	owner.get("/portal").want(t, 200, `<html lang="sw">`)
	owner.post("/language", url.Values{"language": {"en"}, "back": {"/portal"}}).want(t, http.StatusSeeOther)
	owner.get("/portal").want(t, 200, `<html lang="en">`, "Link your number to begin")
	s.signedIn("zawadi@example.org").get("/portal").want(t, 200, `<html lang="en">`)
	s.signedIn("staff@example.org").get("/portal").want(t, 200, `<html lang="sw">`)
}
