package main

import (
	"context"
	"fmt"
	"time"
)

// benchSystem is one of the two systems that are compared, with what was measured of it.
type benchSystem struct {
	name    string
	prefix  string // of its tenants' phone numbers
	text    string // what customers write; {token} lets each reply be told from the others
	driver  benchDriver
	process *benchProcess // nil: it does not run
	numbers []string      // of the linked tenants

	points   []tenantPoint
	paired   int
	pairedIn time.Duration
}

// benchDriver is what differs between the two.
type benchDriver interface {
	// start runs a fresh process; its linked tenants connect by themselves.
	start(ctx context.Context) (*benchProcess, error)
	// pair links new tenants with these numbers, several at a time, and returns when all are connected.
	pair(ctx context.Context, p *benchProcess, numbers []string) error
	// settled returns when the system itself says that n tenants are connected.
	settled(ctx context.Context, n int) error
	// verify compares the system's own records since a time with the number of messages sent, and says what is wrong.
	verify(ctx context.Context, since time.Time, sent int) (string, error)
}

// tenantPoint is what was measured at a number of connected tenants.
type tenantPoint struct {
	tenants   int
	rss, live int64 // bytes: resident as it is, and after a forced garbage collection
	connected time.Duration
	idle      float64 // percent of a core
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

// pairingRate is tenants a second, 0 where no two were linked together.
func (s *benchSystem) pairingRate() float64 {
	if s.pairedIn == 0 {
		return 0
	}
	return float64(s.paired) / s.pairedIn.Seconds()
}
