package simulator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"
	"go.mau.fi/whatsmeow/util/keys"
	waLog "go.mau.fi/whatsmeow/util/log"

	"flowhq/whatsapp/simulator"
)

func fault(t *testing.T, s *simulator.Server, f simulator.Fault) {
	t.Helper()
	if err := s.Fault(f); err != nil {
		t.Fatal(err)
	}
}

// Each fault as whatsmeow reports it; afterwards a client either is back or stays away.
func TestFaultsAsTheClientSeesThem(t *testing.T) {
	s := start(t)
	store := storage(t)
	for i, try := range []struct {
		fault simulator.Fault
		see   func(c *client)
		back  bool
		login bool // the client has to ask for it
	}{
		{fault: simulator.Fault{Kind: simulator.FaultDrop}, see: func(c *client) { wait[*events.Disconnected](c, nil) }, back: true},
		{fault: simulator.Fault{Kind: simulator.FaultRestart}, see: func(c *client) { wait[*events.Disconnected](c, nil) }, back: true},
		{fault: simulator.Fault{Kind: simulator.FaultReplace}, see: func(c *client) { wait[*events.StreamReplaced](c, nil) }, login: true},
		{fault: simulator.Fault{Kind: "replaced"}, see: func(c *client) { wait[*events.StreamReplaced](c, nil) }, login: true},
		{fault: simulator.Fault{Kind: simulator.FaultLogout}, see: func(c *client) {
			if e := wait[*events.LoggedOut](c, nil); e.OnConnect {
				t.Errorf("%+v", e)
			}
		}},
		{fault: simulator.Fault{Kind: simulator.FaultBan, Code: 103, Duration: time.Hour}, see: func(c *client) {
			if e := wait[*events.TemporaryBan](c, nil); e.Code != 103 || e.Expire < 3590*time.Second || e.Expire > time.Hour {
				t.Errorf("%+v", e)
			}
		}, login: true},
		{fault: simulator.Fault{Kind: simulator.FaultLocked}, see: func(c *client) {
			if e := wait[*events.LoggedOut](c, nil); e.Reason != events.ConnectFailureMainDeviceGone || !e.OnConnect {
				t.Errorf("%+v", e)
			}
		}},
		{fault: simulator.Fault{Kind: simulator.FaultBanned}, see: func(c *client) {
			if e := wait[*events.LoggedOut](c, nil); e.Reason != events.ConnectFailureUnknownLogout {
				t.Errorf("%+v", e)
			}
		}},
		{fault: simulator.Fault{Kind: simulator.FaultOutdated}, see: func(c *client) { wait[*events.ClientOutdated](c, nil) }, login: true},
		{fault: simulator.Fault{Kind: simulator.FaultFailure, Code: 409}, see: func(c *client) {
			if e := wait[*events.ConnectFailure](c, nil); e.Reason != events.ConnectFailureBadUserAgent {
				t.Errorf("%+v", e)
			}
		}, login: true},
		{fault: simulator.Fault{Kind: simulator.FaultStreamError, Code: 516}, see: func(c *client) {
			if e := wait[*events.StreamError](c, nil); e.Code != "516" {
				t.Errorf("%+v", e)
			}
		}, back: true},
	} {
		t.Run(try.fault.Kind, func(t *testing.T) {
			number := fmt.Sprintf("25570000010%d", i)
			c := pair(t, s, store, number)
			bystander := pair(t, s, store, fmt.Sprintf("25570000020%d", i))
			c.forget()
			bystander.forget()
			try.fault.Phone = number
			fault(t, s, try.fault)
			try.see(c)
			fault(t, s, simulator.Fault{Kind: simulator.FaultClear, Phone: number})
			if try.login {
				c.Disconnect()
				c.forget()
				if err := c.Connect(); err != nil {
					t.Fatal(err)
				}
			}
			if try.back || try.login {
				wait[*events.Connected](c, nil)
				echo(t, s, c, simulator.SendRequest{From: customer, To: number, Text: "back"})
			}
			bystander.mu.Lock()
			for _, e := range bystander.seen {
				switch e.(type) {
				case *events.Disconnected, *events.Connected, *events.LoggedOut, *events.StreamReplaced:
					t.Errorf("another business was hit as well: %T", e)
				}
			}
			bystander.mu.Unlock()
			bystander.Disconnect()
			c.Disconnect()
		})
	}
}

// First messages to customers who never wrote are refused, answers are not; the device hears until when, and when it is over before that.
func TestTimelock(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	trySend := func(to string) error {
		_, err := c.SendMessage(deadline(t), jid(to), text("hello"))
		return err
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultTimelock, Phone: salon, Duration: time.Hour})
	if e := wait[*events.NotifyAccountReachoutTimelock](c, nil); !e.IsActive || time.Until(e.TimeEnforcementEnds.Time) < 59*time.Minute ||
		time.Until(e.TimeEnforcementEnds.Time) > time.Hour {
		t.Fatalf("%+v", e)
	}
	if err := trySend(customer); !errors.Is(err, whatsmeow.ErrServerReturnedError) || !strings.Contains(err.Error(), "463") {
		t.Fatalf("a first message: %v", err)
	}
	send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "hi"})
	wait[*events.Message](c, nil)
	if err := trySend(customer); err != nil {
		t.Fatalf("an answer: %v", err)
	}
	if got := s.Stats(); got.Timelocked != 1 || len(s.Inbox(customer, 0)) != 1 {
		t.Fatalf("%+v", got)
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultClear, Phone: salon})
	wait(c, func(e *events.NotifyAccountReachoutTimelock) bool { return !e.IsActive })
	if err := trySend("255711000099"); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	c.forget()
	fault(t, s, simulator.Fault{Kind: simulator.FaultTimelock, Phone: salon, Silent: true})
	if err := trySend("255711000098"); err == nil {
		t.Fatal("a silent timelock lets first messages through")
	}
	for _, e := range c.seen {
		if _, told := e.(*events.NotifyAccountReachoutTimelock); told {
			t.Fatal("a silent timelock was told")
		}
	}
}

// A device that was unlinked while it was away hears so when it comes back.
func TestLoginAfterLogout(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	c.Disconnect()
	fault(t, s, simulator.Fault{Kind: simulator.FaultLogout, Phone: salon})
	again := newClient(t, s, c.Store, waLog.Noop)
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	if e := wait[*events.LoggedOut](again, nil); !e.OnConnect || e.Reason != events.ConnectFailureLoggedOut {
		t.Fatalf("%+v", e)
	}
	if _, err := s.Send(t.Context(), simulator.SendRequest{From: customer, To: salon, Text: "?"}); !errors.Is(err, simulator.ErrNoDevice) {
		t.Fatalf("sent to an unlinked business: %v", err)
	}
}

func TestSecondConnectionReplacesTheFirst(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	// What a new device hears from its phone is behind it: a query of it that goes unanswered would hold up the last node.
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "first"})
	second := newClient(t, s, c.Store, waLog.Noop)
	if err := second.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](second, nil)
	wait[*events.StreamReplaced](c, nil)
	echo(t, s, second, simulator.SendRequest{From: customer, To: salon, Text: "mine"})
	if got := s.Stats(); got.LoginsTwice != 1 || got.HandshakesMost != 1 {
		t.Fatalf("%d logins beside another connection, %d handshakes at once", got.LoginsTwice, got.HandshakesMost)
	}
}

// A device that was linked without a pairing logs in and answers as any other.
func TestAdoptedDevice(t *testing.T) {
	s := start(t)
	device := storage(t).NewDevice()
	oneTime := keys.NewPreKey(1)
	if err := s.Adopt(salon, device, []*keys.PreKey{oneTime}); err != nil {
		t.Fatal(err)
	}
	if err := device.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s, device, waLog.Noop)
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](c, nil)
	echo(t, s, c, simulator.SendRequest{From: customer, To: salon, Text: "hello"})
	if got := s.Stats(); got.Pairings != 0 || got.Undecryptable != 0 || got.MissingCopies != 0 {
		t.Fatalf("%+v", got)
	}
	if err := s.Adopt(salon, device, nil); err == nil {
		t.Fatal("a linked device was linked once more")
	}
}

func TestRefuse(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	c.Disconnect()
	fault(t, s, simulator.Fault{Kind: simulator.FaultRefuse, Duration: time.Minute})
	if err := c.Connect(); err == nil {
		t.Fatal("connected although connections are refused")
	}
	if got := s.Stats(); got.Refused == 0 {
		t.Fatalf("%+v", got)
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultClear})
	c.forget()
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](c, nil)
}

func TestAckFaults(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	trySend := func(id string) (time.Duration, error) {
		began := time.Now()
		_, err := c.SendMessage(deadline(t), jid(customer), text(id), whatsmeow.SendRequestExtra{ID: id, Timeout: time.Second})
		return time.Since(began), err
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultWithholdAcks, Phone: salon, Count: 1})
	if _, err := trySend("3EB0000000000000000001"); !errors.Is(err, whatsmeow.ErrMessageTimedOut) {
		t.Fatalf("withheld ack: %v", err)
	}
	if _, err := s.WaitInbox(deadline(t), customer, 1); err != nil {
		t.Fatal(err) // unacknowledged, and delivered all the same
	}
	if _, err := trySend("3EB0000000000000000001"); err != nil {
		t.Fatalf("the second try: %v", err)
	}
	if inbox := s.Inbox(customer, 0); len(inbox) != 1 || inbox[0].Resends != 1 {
		t.Fatalf("%+v", inbox)
	}

	fault(t, s, simulator.Fault{Kind: simulator.FaultDelayAcks, Phone: salon, Delay: 300 * time.Millisecond})
	if took, err := trySend("3EB0000000000000000002"); err != nil || took < 300*time.Millisecond {
		t.Fatalf("delayed ack after %s: %v", took, err)
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultClear, Phone: salon})

	fault(t, s, simulator.Fault{Kind: simulator.FaultSendError, Phone: salon, Contact: customer, Count: 1})
	if _, err := trySend("3EB0000000000000000003"); !errors.Is(err, whatsmeow.ErrServerReturnedError) || !strings.Contains(err.Error(), "463") {
		t.Fatalf("send error: %v", err)
	}
	if took, err := trySend("3EB0000000000000000004"); err != nil || took > time.Second {
		t.Fatalf("after the faults: %v", err)
	}
	inbox, err := s.WaitInbox(deadline(t), customer, 3)
	if err != nil || len(inbox) != 3 {
		t.Fatalf("%+v, %v", inbox, err)
	}
}

// The same connection loss between message and ack makes whatsmeow send the same bytes again.
func TestSameBytesAfterConnectionLoss(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	// The first message to a customer also sends a privacy token, whose wait for the connection races with the message's own.
	if _, err := c.SendMessage(deadline(t), jid(customer), text("first")); err != nil {
		t.Fatal(err)
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultWithholdAcks, Phone: salon, Count: 1})
	done := make(chan error, 1)
	go func() {
		_, err := c.SendMessage(deadline(t), jid(customer), text("hold on"))
		done <- err
	}()
	if _, err := s.WaitInbox(deadline(t), customer, 2); err != nil {
		t.Fatal(err)
	}
	fault(t, s, simulator.Fault{Kind: simulator.FaultDrop, Phone: salon})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for limit := deadline(t); s.Stats().Resends == 0 && limit.Err() == nil; { // the ack goes out before the phone looks
		time.Sleep(time.Millisecond)
	}
	if got := s.Stats(); got.Resends != 1 || got.DroppedDuplicateKeys != 0 || got.Shown != 2 {
		t.Fatalf("%+v", got)
	}
}

func TestDuplicateDelivery(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	fault(t, s, simulator.Fault{Kind: simulator.FaultDuplicate, Phone: salon, Count: 1})
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "three times"})
	last := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "once"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == last })
	times := 0
	for _, m := range c.messages() {
		if m.Info.ID == id {
			times++
		}
	}
	// The same ciphertext is swallowed by whatsmeow, the new one reaches the application.
	if times != 2 || s.Stats().Duplicates != 2 {
		t.Fatalf("seen %d times, %d duplicates sent", times, s.Stats().Duplicates)
	}
	if len(s.Faults()) != 0 {
		t.Fatalf("the fault goes on: %+v", s.Faults())
	}
}

func TestSlow(t *testing.T) {
	s := start(t)
	c := pair(t, s, storage(t), salon)
	fault(t, s, simulator.Fault{Kind: simulator.FaultSlow, Phone: salon, Delay: 300 * time.Millisecond})
	began := time.Now()
	id := send(t, s, simulator.SendRequest{From: customer, To: salon, Text: "slowly"})
	wait(c, func(m *events.Message) bool { return m.Info.ID == id })
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Fatalf("delivered after %s", took)
	}
}
