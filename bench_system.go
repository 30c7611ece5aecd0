package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"
)

// benchSystem is one of the two systems that are compared, with what was measured of it.
type benchSystem struct {
	name     string
	prefix   string // of its tenants' phone numbers
	text     string // what customers write; {token} lets each reply be told from the others
	database string // where it stores what it stores
	driver   benchDriver
	process  *benchProcess // nil: it does not run
	numbers  []string      // of the linked tenants

	points   []memoryPoint
	linked   int // tenants, in linkedIn
	linkedIn time.Duration
}

// benchDriver is what differs between the two.
type benchDriver interface {
	// start runs a fresh process; its linked tenants connect by themselves.
	start(ctx context.Context) (*benchProcess, error)
	// pair links new tenants with these numbers, several at a time, and returns when all are connected. Where it is not timed it
	// may take a shorter way.
	pair(ctx context.Context, p *benchProcess, numbers []string, timed bool) error
	// settled returns when the system itself says that n tenants are connected.
	settled(ctx context.Context, n int) error
	// finished reports whether the system's own records are complete about all messages since a time.
	finished(ctx context.Context, since time.Time) (bool, error)
	// verify compares the system's own records about these tenants since a time with the number of messages sent, and says what is wrong.
	verify(ctx context.Context, since time.Time, numbers []string, sent int) (string, error)
	// limit sets how many replies a minute a tenant may give, where the system knows limits; nil: as many as it likes.
	limit(ctx context.Context, number string, perMinute *int) error
	// verifyFlood says what is wrong with how a tenant with a limit was flooded.
	verifyFlood(ctx context.Context, since time.Time, flood simulator.LoadReport, number string) (string, error)
}

func (s *benchSystem) start(ctx context.Context) (err error) {
	s.process, err = s.driver.start(ctx)
	return err
}

func (s *benchSystem) stop() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.stop()
}

// next is the phone numbers of the next n tenants.
func (s *benchSystem) next(n int) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%s%06d", s.prefix, len(s.numbers)+i+1)
	}
	return numbers
}

// kill ends the process as the kernel does when memory runs out.
func (s *benchSystem) kill() {
	s.process.kill()
	s.process = nil
}
