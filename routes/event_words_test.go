package routes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flowhq/queries"
	"flowhq/templates/words"
)

// Whatever kind of event the other rooms write has words here: their sources name the kinds.
func TestEveryEventHasWords(t *testing.T) {
	kinds := map[string]bool{}
	kind := regexp.MustCompile(`"((?:TENANT|WORKER|SESSION|CLIENT|PAIRING|NUMBER|MESSAGE|LOGOUT|PAIR|PERSON|INVITE|SETUP)_[A-Z_]+)"`)
	for _, files := range []string{"../jobs/*.go", "../whatsapp/*.go", "*.go"} {
		files, err := filepath.Glob(files)
		must(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			must(t, err)
			for _, m := range kind.FindAllStringSubmatch(string(source), -1) {
				kinds[m[1]] = true
			}
		}
	}
	if len(kinds) < 15 {
		t.Fatalf("only %d kinds found", len(kinds))
	}
	for k := range kinds {
		look, ok := eventLooks[k]
		if !ok || look.icon == "" || !words.Has("event."+k) {
			t.Errorf("%s has no look in event_words.go, or no words in templates/words/locales", k)
		}
	}
}

func TestEventView(t *testing.T) {
	e := queries.PortalEventLog{EventType: "TENANT_CHANGED", PayloadJson: []byte(`{"by": "Ada", "fields": ["language", "hours"]}`)}
	if v := eventView(e, "sw"); v.Text != "Mipangilio imebadilishwa" || v.Detail != "lugha, saa za kazi" || v.Actor != "Ada" {
		t.Errorf("%+v", v)
	}
	e = queries.PortalEventLog{EventType: "SOMETHING_NEW", PayloadJson: []byte(`not JSON`)}
	if v := eventView(e, "en"); v.Text != "Something new" || v.Icon == "" {
		t.Errorf("%+v", v)
	}
	e = queries.PortalEventLog{EventType: "SESSION_DISCONNECTED", PayloadJson: []byte(`{"detail": "websocket: close 1006"}`)}
	if v := eventView(e, "en"); v.Detail != "" {
		t.Errorf("a raw error is shown: %q", v.Detail)
	}
}
