package simulator_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"flowhq/whatsapp/simulator"
)

func TestPairByQR(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	device := s.Devices()[0]
	if c.Store.ID.User != salon || c.Store.LID.User != device.LID || c.Store.ID.Device == 0 {
		t.Fatalf("paired as %s, %s", c.Store.ID, c.Store.LID)
	}
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "menu"})

	wait(c, func(e *events.AppStateSyncComplete) bool { return e.Name == "critical_block" })
	if err := c.SendPresence(t.Context(), types.PresenceAvailable); err != nil {
		t.Fatalf("no push name after pairing: %v", err)
	}
	wait[*events.HistorySync](c, nil)
}

// echo sends one message in, answers it, and waits for the answer on the customer's phone and its read receipt.
func echo(t *testing.T, s *simulator.Server, c *client, r simulator.SendRequest) {
	t.Helper()
	before := len(s.Inbox(r.From, 0))
	id := send(t, s, r)
	m := wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	if textOf(m) != r.Text {
		t.Fatalf("got %q instead of %q", textOf(m), r.Text)
	}
	sent, err := c.SendMessage(deadline(t), m.Info.Chat, text("re: "+r.Text))
	if err != nil {
		t.Fatal(err)
	}
	inbox, err := s.WaitInbox(deadline(t), r.From, before+1)
	if err != nil {
		t.Fatal(err)
	}
	if got := inbox[len(inbox)-1]; got.Text != "re: "+r.Text || got.From != r.To || got.ID != sent.ID {
		t.Fatalf("the phone shows %+v", got)
	}
	for _, kind := range []types.ReceiptType{types.ReceiptTypeDelivered, types.ReceiptTypeRead} {
		wait(c, func(e *events.Receipt) bool { return e.Type == kind && e.MessageIDs[0] == sent.ID })
	}
}

func TestReconnectWithoutScan(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "one"})
	c.Disconnect()
	again := newClient(t, s, c.Store, waLog.Noop)
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](again, nil)
	echo(t, s, again, simulator.SendRequest{From: customer, To: salon, Text: "two"})
	if got := s.Stats(); got.Pairings != 1 || got.Logins != 3 && got.Logins != 2 {
		t.Fatalf("pairings %d, logins %d", got.Pairings, got.Logins)
	}
}

func TestStateFileOutlivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	keep := func(o *simulator.Options) { o.StateFile = file }
	s := start(t, keep)
	c := pair(t, s, storage(t), salon)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "before"})
	c.Disconnect()
	missed := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "while away"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = start(t, keep, func(o *simulator.Options) { o.RootSeed = nil })
	again := newClient(t, s, c.Store, waLog.Noop)
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](again, nil)
	wait(again, func(m *events.Message) bool { return m.Info.ID == missed && textOf(m) == "while away" })
	echo(t, s, again, simulator.SendRequest{From: customer, To: salon, Text: "after"})
	if got := s.Stats(); got.Undecryptable != 0 || got.RetriesIn != 0 || len(s.Inbox(customer, 0)) != 2 {
		t.Fatalf("sessions were lost: %+v", got)
	}
}

func TestScanRefuses(t *testing.T) {
	s := start(t)
	c := newClient(t, s, storage(t).NewDevice(), waLog.Noop)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	code := wait[*events.QR](c, nil).Codes[0]
	fields := strings.Split(code, ",")
	swap := func(i int, with string) string {
		other := append([]string(nil), fields...)
		other[i] = with
		return strings.Join(other, ",")
	}
	for name, try := range map[string]struct{ code, phone, want string }{
		"not a code":     {"hello", salon, "not a linking QR"},
		"bad key":        {swap(1, "AAAA"), salon, "not a key"},
		"another key":    {swap(1, fields[2]), salon, "not those the client registered"},
		"bad phone":      {code, "0712", "not an international phone number"},
		"code of nobody": {swap(0, "https://wa.me/settings/linked_devices#2@none"), salon, "not valid"},
	} {
		if _, err := s.Scan(t.Context(), try.code, try.phone); err == nil || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Scan(t.Context(), code, "+"+salon); err != nil {
		t.Fatalf("the good code after the bad ones: %v", err)
	}
	if _, err := s.Scan(t.Context(), code, salon); err == nil {
		t.Fatal("a code was good twice")
	}
}

func TestPairByCode(t *testing.T) {
	s := start(t)
	store := storage(t)
	c := newClient(t, s, store.NewDevice(), waLog.Noop)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.QR](c, nil)
	if _, err := s.LinkCode(t.Context(), salon, "ABCD-1234"); !errors.Is(err, simulator.ErrNoLinkRequest) {
		t.Fatalf("code for nobody: %v", err)
	}
	if _, err := c.PairPhone(deadline(t), salon, true, whatsmeow.PairClientChrome, "Flow HQ"); err == nil {
		t.Fatal("a display name that is not Browser (OS) was accepted")
	}
	code, err := c.PairPhone(deadline(t), salon, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LinkCode(t.Context(), salon, "no code"); err == nil {
		t.Fatal("a malformed code was accepted")
	}
	device, err := s.LinkCode(deadline(t), salon, code)
	if err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](c, nil)
	if device.JID != c.Store.ID.String() || device.Platform != "Chrome (Linux)" {
		t.Fatalf("linked as %+v, client is %s", device, c.Store.ID)
	}
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "menu"})
}

func TestWrongPairCode(t *testing.T) {
	s := start(t)
	c := newClient(t, s, storage(t).NewDevice(), waLog.Noop)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.QR](c, nil)
	code, err := c.PairPhone(deadline(t), salon, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Map(func(r rune) rune {
		if r == '1' {
			return '2'
		}
		return '1'
	}, strings.ReplaceAll(code, "-", ""))
	if _, err := s.LinkCode(deadline(t), salon, wrong); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Fatalf("wrong code: %v", err)
	}
	if len(s.Devices()) != 0 {
		t.Fatal("a wrong code linked a device")
	}
}

// Two devices of one account, and two businesses that write to each other.
func TestLinkedDevicesHearEachOther(t *testing.T) {
	s := start(t)
	store := storage(t)
	one, two, other := pair(t, s, store, salon), pair(t, s, store, salon), pair(t, s, store, shop)
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "menu"})
	for _, c := range []*client{one, two} {
		wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	}
	sent, err := one.SendMessage(deadline(t), jid(customer), text("answer"))
	if err != nil {
		t.Fatal(err)
	}
	copied := wait(two, func(m *events.Message) bool { return m.Info.ID == sent.ID })
	if !copied.Info.IsFromMe || textOf(copied) != "answer" {
		t.Fatalf("the other device got %+v %q", copied.Info, textOf(copied))
	}
	sent, err = one.SendMessage(deadline(t), jid(shop), text("hello shop"))
	if err != nil {
		t.Fatal(err)
	}
	got := wait(other, func(m *events.Message) bool { return m.Info.ID == sent.ID })
	if textOf(got) != "hello shop" || got.Info.IsFromMe || got.Info.SenderAlt.User != salon {
		t.Fatalf("the other business got %+v %q", got.Info, textOf(got))
	}
}
