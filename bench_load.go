package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"
)

const (
	benchWarmRate = 100                    // messages a second before a measured run
	benchSilence  = 300 * time.Millisecond // in which an answer too many may still come
	benchWait     = 20                     // seconds for the last answers
)

// sentLoad is a run that was measured and is yet to be checked.
type sentLoad struct {
	simulator.LoadReport
	system  *benchSystem
	what    string // in a complaint
	numbers []string
	before  simulator.Stats
	began   time.Time
}

// openLoop asks for messages on schedule, to all linked tenants.
func (s *benchSystem) openLoop(l benchLoad, contacts int) simulator.LoadRequest {
	return simulator.LoadRequest{Phones: s.numbers, Contacts: contacts, Rate: l.rate, Count: l.messages, Text: s.text, LID: true, Wait: benchWait}
}

// send does one run of load.
func (b *bench) send(ctx context.Context, s *benchSystem, r simulator.LoadRequest) (sentLoad, error) {
	sent := sentLoad{system: s, numbers: r.Phones, before: b.simulator.Stats(), began: time.Now()}
	sent.what = fmt.Sprintf("%s, %d messages at %g/s", s.name, r.Count, r.Rate)
	if r.Seconds > 0 {
		sent.what = s.name + " at full load"
	}
	var err error
	if sent.LoadReport, err = b.simulator.Load(ctx, r); err != nil {
		return sent, err
	}
	if sent.SendErrors > 0 {
		return sent, fmt.Errorf("the simulator could not send: %s", sent.FirstError)
	}
	return sent, nil
}

// check notes what is wrong with a run: every message has to be answered once, in order, with nothing dropped on the way.
func (b *bench) check(ctx context.Context, l sentLoad) error {
	if err := pause(ctx, benchSilence); err != nil {
		return err
	}
	if late, ok := b.simulator.LoadReport(l.ID); ok {
		l.LoadReport = late
	}
	after := b.simulator.Stats()
	b.complain(l, int64(l.Missing), "not answered")
	b.complain(l, int64(l.Doubled), "answered more than once")
	b.complain(l, int64(l.OutOfOrder), "answered out of order")
	b.complain(l, after.DroppedDuplicateKeys-l.before.DroppedDuplicateKeys, "replies dropped by the phone: their key was used before")
	b.complain(l, after.Undecryptable-l.before.Undecryptable, "replies the phone could not decrypt")
	b.complain(l, after.Resends-l.before.Resends, "replies sent again")
	problem, err := l.system.driver.verify(ctx, l.began, l.numbers, l.Sent)
	if problem != "" {
		b.wrong = append(b.wrong, l.what+": "+problem)
	}
	return err
}

func (b *bench) complain(l sentLoad, count int64, what string) {
	if count != 0 {
		b.wrong = append(b.wrong, fmt.Sprintf("%s: %d %s", l.what, count, what))
	}
}

// load does one run of load and checks it.
func (b *bench) load(ctx context.Context, s *benchSystem, r simulator.LoadRequest) (sentLoad, error) {
	sent, err := b.send(ctx, s, r)
	if err == nil {
		err = b.check(ctx, sent)
	}
	return sent, err
}

// warm starts a system anew and has one message of every chat answered, so that the Signal sessions exist.
func (b *bench) warm(ctx context.Context, s *benchSystem) error {
	if err := b.startConnected(ctx, s); err != nil {
		return err
	}
	_, err := b.load(ctx, s, s.openLoop(benchLoad{benchWarmRate, len(s.numbers) * b.plan.contacts}, b.plan.contacts))
	return err
}

// startConnected starts a system anew and waits until all its tenants are connected.
func (b *bench) startConnected(ctx context.Context, s *benchSystem) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := b.waitConnected(ctx, s); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	return s.driver.settled(limited, len(s.numbers))
}

// waitConnected waits until WhatsApp has seen all tenants log in.
func (b *bench) waitConnected(ctx context.Context, s *benchSystem) error {
	limited, cancel := context.WithTimeout(ctx, 2*benchTimeout)
	defer cancel()
	for _, number := range s.numbers {
		if err := b.simulator.WaitConnected(limited, number); err != nil {
			return s.process.explain(err)
		}
	}
	return nil
}
