package simulator_test

import (
	"testing"

	"go.mau.fi/whatsmeow/types/events"

	"flowhq/whatsapp/simulator"
)

func TestPairByQR(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	if c.Store.ID.User != salon || c.Store.LID.User != s.Devices()[0].LID {
		t.Fatalf("paired as %s, %s", c.Store.ID, c.Store.LID)
	}
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "menu"})
	m := wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	if textOf(m) != "menu" || m.Info.Sender.User != customer {
		t.Fatalf("got %q from %s", textOf(m), m.Info.Sender)
	}
	if _, err := c.SendMessage(deadline(t), m.Info.Chat, text("hello")); err != nil {
		t.Fatal(err)
	}
	got, err := s.WaitInbox(deadline(t), customer, 1)
	if err != nil || got[0].Text != "hello" || got[0].From != salon {
		t.Fatalf("inbox %+v, %v", got, err)
	}
	wait(c, func(r *events.Receipt) bool { return r.Type == "read" })
}
