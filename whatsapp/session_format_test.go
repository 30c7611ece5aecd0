package whatsapp

import (
	"bytes"
	"testing"

	"go.mau.fi/libsignal/serialize"
)

// A session that was in use, with messages missing on the way, is the same after it was stored; and one stored as JSON, as
// whatsmeow does it, is read.
func TestSessionFormat(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	for i := range 3 {
		r.say(customer, salon, "menu")
		r.inbox(customer, i+1)
	}
	store := n.supervisor(id).device.store
	seen := 0
	for address := range store.known.new {
		p, _ := store.known.get(address)
		s, err := sessions.Deserialize(p.session)
		if err != nil {
			t.Fatal(err)
		}
		var whatsmeows serialize.JSONSessionSerializer
		asJSON := whatsmeows.Serialize(s)
		again, err := sessions.Deserialize(asJSON)
		if err != nil {
			t.Fatal(err)
		}
		if raw := sessions.Serialize(again); !bytes.Equal(raw, p.session) || raw[0] == '{' {
			t.Errorf("%s: stored as %x, was %x", address, raw, p.session)
		}
		if !bytes.Equal(whatsmeows.Serialize(again), asJSON) {
			t.Errorf("%s: not the same session", address)
		}
		seen++
	}
	if seen == 0 {
		t.Fatal("no session was looked at")
	}
	if _, err := sessions.Deserialize([]byte{0xff}); err == nil {
		t.Error("what is no session was read")
	}
	if _, err := sessions.Deserialize(nil); err == nil {
		t.Error("nothing was read as a session")
	}
}
