package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"flowhq/whatsapp/simulator"
)

func TestAddressing(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	byPhone := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "from my number", Name: "Asha"})
	m := wait(c, func(m *events.Message) bool { return m.Info.ID == byPhone })
	if m.Info.Sender.Server != types.DefaultUserServer || m.Info.SenderAlt.Server != types.HiddenUserServer || m.Info.PushName != "Asha" {
		t.Fatalf("by phone: %+v", m.Info)
	}
	lid := m.Info.SenderAlt.User
	byLID := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "from my lid", LID: true})
	m = wait(c, func(m *events.Message) bool { return m.Info.ID == byLID })
	if m.Info.Sender.Server != types.HiddenUserServer || m.Info.Sender.User != lid || m.Info.SenderAlt.User != customer || m.Info.AddressingMode != types.AddressingModeLID {
		t.Fatalf("by LID: %+v", m.Info)
	}
	// A number nobody wrote from can be written to all the same: its LID comes from usync.
	if _, err := c.SendMessage(deadline(t), jid("255799000009"), text("first contact")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitInbox(deadline(t), "255799000009", 1); err != nil {
		t.Fatal(err)
	}
	found, err := c.IsOnWhatsApp(deadline(t), []string{"+" + customer})
	if err != nil || len(found) != 1 || !found[0].IsIn || found[0].JID.User != lid || found[0].PhoneNumber.User != customer {
		t.Fatalf("IsOnWhatsApp: %+v, %v", found, err)
	}
}

// 200 messages each way over ten customers, half of them by LID, with answers from inside the handler.
func TestNothingLostNothingDoubled(t *testing.T) {
	s := start(t)
	c := newClientEcho(t, s)
	report, err := s.Load(deadline(t), simulator.LoadRequest{Contacts: 10, Rate: 200, Count: 200, Text: "echo {token}", LID: true, Wait: 20})
	if err != nil {
		t.Fatal(err)
	}
	if report.Sent != 200 || report.Answered != 200 || report.Missing+report.Doubled+report.OutOfOrder+report.SendErrors != 0 {
		t.Fatalf("%+v", report)
	}
	if got := s.Stats(); got.DroppedDuplicateKeys+got.Undecryptable+got.RetriesIn+got.MissingCopies+got.Resends != 0 || got.Shown != 200 {
		t.Fatalf("%+v", got)
	}
	if n := len(c.messages()); n < 200 {
		t.Fatalf("the client saw %d messages", n)
	}
}

// In a closed loop each customer waits for its answer before it writes again.
func TestClosedLoop(t *testing.T) {
	s := start(t)
	c := newClientEcho(t, s)
	report, err := s.Load(deadline(t), simulator.LoadRequest{Contacts: 5, Seconds: 1, Text: "echo {token}", LID: true, Wait: 20})
	if err != nil {
		t.Fatal(err)
	}
	if report.Sent <= 5 || report.Answered != report.Sent || report.Missing+report.Doubled+report.OutOfOrder+report.SendErrors != 0 {
		t.Fatalf("answered at once: %+v", report)
	}
	c.mu.Lock()
	c.onMessage = func(*events.Message) bool { return true }
	c.mu.Unlock()
	report, err = s.Load(deadline(t), simulator.LoadRequest{Contacts: 5, Seconds: 1, Text: "echo {token}", Wait: 0.1})
	if err != nil || report.Sent != 5 || report.Missing != 5 {
		t.Fatalf("never answered: %+v, %v", report, err)
	}
	if _, err := s.StartLoad(simulator.LoadRequest{Seconds: 1, Count: 1}); err == nil {
		t.Fatal("a closed loop with a count was accepted")
	}
}

// newClientEcho pairs a client that answers each text with the same text from inside its event handler.
func newClientEcho(t testing.TB, s *simulator.Server) *client {
	c := pair(t, s, storage(t), salon)
	c.mu.Lock()
	c.onMessage = func(m *events.Message) bool {
		if textOf(m) == "" || m.Info.IsFromMe {
			return true
		}
		_, err := c.SendMessage(t.Context(), m.Info.Chat, text(textOf(m)), whatsmeow.SendRequestExtra{Timeout: 10 * time.Second})
		return err == nil
	}
	c.mu.Unlock()
	return c
}

func TestRedeliveryUntilConfirmed(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "hello"})
	c.mu.Lock()
	c.onMessage = func(*events.Message) bool { return false }
	c.mu.Unlock()
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "not yet"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	c.Disconnect()
	var away []string
	for i := range 5 {
		away = append(away, send(t, s, simulator.SendRequest{From: customer, To: salon, Text: fmt.Sprint("away ", i)}))
	}
	if queued := s.Devices()[0].Queued; queued != 6 {
		t.Fatalf("%d stanzas are queued, 6 are not confirmed", queued)
	}
	again := newClient(t, s, c.Store, waLog.Noop)
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	preview := wait[*events.OfflineSyncPreview](again, nil)
	done := wait[*events.OfflineSyncCompleted](again, nil)
	if preview.Total != 6 || preview.Messages != 6 || done.Count != 6 {
		t.Fatalf("preview %+v, completed %+v", preview, done)
	}
	var order []string
	for _, want := range append([]string{id}, away...) {
		wait(again, func(m *events.Message) bool { return m.Info.ID == want })
	}
	for _, m := range again.messages() {
		order = append(order, m.Info.ID)
	}
	if want := append([]string{id}, away...); fmt.Sprint(order) != fmt.Sprint(want) {
		t.Fatalf("order %v, sent %v", order, want)
	}
	if got := s.Stats().Redeliveries; got == 0 {
		t.Fatal("no redelivery was counted")
	}
}

func TestSameIDIsShownOnce(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	for range 3 {
		if _, err := c.SendMessage(deadline(t), jid(customer), text("once"), whatsmeow.SendRequestExtra{ID: "3EB0AAAAAAAAAAAAAAAAAA"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.SendMessage(deadline(t), jid(customer), text("twice")); err != nil {
		t.Fatal(err)
	}
	inbox, err := s.WaitInbox(deadline(t), customer, 2)
	if err != nil || len(inbox) != 2 || inbox[0].Resends != 2 || s.Stats().Resends != 2 {
		t.Fatalf("%+v, %v", inbox, err)
	}
}

// A client that uses a message key twice has its message dropped by the phone, though sending succeeded; that is counted.
func TestKeysUsedTwiceAreCounted(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "hello"})
	address := inboxLID(t, c).SignalAddress().String()
	old, err := c.Store.Sessions.GetSession(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(deadline(t), jid(customer), text("arrives")); err != nil {
		t.Fatal(err)
	}
	if err := c.Store.Sessions.PutSession(t.Context(), address, old); err != nil {
		t.Fatal(err)
	}
	lost, err := c.SendMessage(deadline(t), jid(customer), text("lost"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(deadline(t), jid(customer), text("arrives too")); err != nil {
		t.Fatal(err)
	}
	inbox, err := s.WaitInbox(deadline(t), customer, 3)
	if err != nil || inbox[1].Text != "arrives" || inbox[2].Text != "arrives too" {
		t.Fatalf("%+v, %v", inbox, err)
	}
	got := s.Stats()
	if got.DroppedDuplicateKeys != 1 || got.Resends != 0 || len(got.Incidents) != 1 || got.Incidents[0].ID != lost.ID {
		t.Fatalf("%+v", got)
	}
}

func TestPreKeysRunOut(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	if got := s.Devices()[0].PreKeys; got < 800 {
		t.Fatalf("%d prekeys after pairing", got)
	}
	s.DropPreKeys(salon, 0)
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "without a one-time key"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == id && textOf(m) == "without a one-time key" })
	if got := s.Stats().PreKeysExhausted; got != 1 {
		t.Fatalf("%d bundles without a one-time prekey were counted", got)
	}
	// The client hears that they are low and uploads more.
	limit := deadline(t)
	for s.Devices()[0].PreKeys == 0 {
		if limit.Err() != nil {
			t.Fatal("no prekeys were uploaded")
		}
		time.Sleep(5 * time.Millisecond)
	}
	id = send(t, s, simulator.SendRequest{From: "255711000002", To: salon, Text: "with one"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == id && textOf(m) == "with one" })
}

// A client that lost its session asks again and gets the message; a phone that lost its own does the same.
func TestUndecryptableIsAskedForAgain(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "hello"})

	s.ForgetSessions(customer)
	sent, err := c.SendMessage(deadline(t), jid(customer), text("can you read this"))
	if err != nil {
		t.Fatal(err)
	}
	inbox, err := s.WaitInbox(deadline(t), customer, 2)
	if err != nil || inbox[1].ID != sent.ID || inbox[1].Text != "can you read this" {
		t.Fatalf("%+v, %v", inbox, err)
	}
	if got := s.Stats(); got.Undecryptable != 1 {
		t.Fatalf("%+v", got)
	}

	lid := inboxLID(t, c)
	if err := c.Store.Sessions.DeleteSession(t.Context(), lid.SignalAddress().String()); err != nil {
		t.Fatal(err)
	}
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "and you"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == id && textOf(m) == "and you" })
	if got := s.Stats(); got.RetriesIn == 0 {
		t.Fatalf("%+v", got)
	}
	wait(c, func(e *events.UndecryptableMessage) bool { return e.Info.ID == id })
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "good again"})
	if left := s.Devices()[0].Queued; left > 3 {
		t.Fatalf("%d stanzas stay queued", left)
	}
}

func inboxLID(t *testing.T, c *client) types.JID {
	t.Helper()
	lid, err := c.Store.LIDs.GetLIDForPN(t.Context(), jid(customer))
	if err != nil || lid.IsEmpty() {
		t.Fatalf("no LID: %v", err)
	}
	return lid
}

func TestKinds(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	target := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "target"})
	checks := map[string]func(m *events.Message) bool{
		"text":     func(m *events.Message) bool { return textOf(m) == "words" },
		"image":    func(m *events.Message) bool { return m.Message.GetImageMessage().GetCaption() == "words" },
		"voice":    func(m *events.Message) bool { return m.Message.GetAudioMessage().GetPTT() },
		"video":    func(m *events.Message) bool { return m.Message.GetVideoMessage() != nil },
		"document": func(m *events.Message) bool { return m.Message.GetDocumentMessage() != nil },
		"sticker":  func(m *events.Message) bool { return m.Message.GetStickerMessage() != nil },
		"location": func(m *events.Message) bool { return m.Message.GetLocationMessage().GetDegreesLatitude() != 0 },
		"contact":  func(m *events.Message) bool { return m.Message.GetContactMessage() != nil },
		"group":    func(m *events.Message) bool { return m.Info.IsGroup && m.Info.Chat.Server == types.GroupServer },
		"status":   func(m *events.Message) bool { return m.Info.Chat == types.StatusBroadcastJID },
		"newsletter": func(m *events.Message) bool {
			return m.Info.Chat.Server == types.NewsletterServer && textOf(m) == "words"
		},
		"reaction": func(m *events.Message) bool { return m.Message.GetReactionMessage().GetKey().GetID() == target },
		"edit":     func(m *events.Message) bool { return m.IsEdit },
		"revoke":   func(m *events.Message) bool { return m.Message.GetProtocolMessage().GetKey().GetID() == target },
		"protocol": func(m *events.Message) bool { return m.Message.GetProtocolMessage() != nil },
		"own":      func(m *events.Message) bool { return m.Info.IsFromMe && m.Info.Chat.User == customer },
	}
	for _, kind := range simulator.Kinds() {
		check := checks[kind]
		if check == nil {
			t.Errorf("no check for %s", kind)
			continue
		}
		id := send(t, s, simulator.SendRequest{From: customer, To: salon, Kind: kind, Text: "words", Target: target})
		m := wait(c, func(m *events.Message) bool { return m.Info.ID == id })
		if !check(m) {
			t.Errorf("%s came as %+v", kind, m.Message)
		}
	}
	if _, err := s.Send(t.Context(), simulator.SendRequest{From: customer, To: salon, Kind: "smoke signal"}); err == nil {
		t.Error("an unknown kind was sent")
	}
	limit := deadline(t)
	for s.Devices()[0].Queued > 0 {
		if limit.Err() != nil {
			t.Fatalf("%d stanzas were never confirmed", s.Devices()[0].Queued)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestTicksAndTyping(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	seen, stop := s.Subscribe()
	defer stop()
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "hi"})
	m := wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	if err := c.SendChatPresence(t.Context(), m.Info.Chat, types.ChatPresenceComposing, ""); err != nil {
		t.Fatal(err)
	}
	next := func(kind, state string) {
		t.Helper()
		for limit := deadline(t); ; {
			select {
			case e := <-seen:
				if e.Contact == customer && e.Business == salon && e.Type == kind && e.State == state {
					return
				}
			case <-limit.Done():
				t.Fatalf("no event %s %s", kind, state)
			}
		}
	}
	next("receipt", "delivered")
	if err := c.MarkRead(t.Context(), []string{id}, time.Now(), m.Info.Chat, m.Info.Sender); err != nil {
		t.Fatal(err)
	}
	next("receipt", "read")
	if err := c.SendChatPresence(t.Context(), m.Info.Chat, types.ChatPresencePaused, ""); err != nil {
		t.Fatal(err)
	}
	next("typing", "paused")
	if chat := s.Chat(customer, salon); len(chat) != 1 || chat[0].Status != "read" || !chat[0].FromContact {
		t.Fatalf("%+v", chat)
	}
}
