package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"

	"golang.org/x/sync/errgroup"
)

const (
	floodTimes    = 50 // the flooded tenant gets so many times what it may answer
	floodContacts = 50 // customers who flood it
	floodLead     = time.Second
)

// measureFairness floods one tenant at many times its limit and times the replies of the others, with and without that. The
// echo loop knows no limit: it answers the flood.
func (b *bench) measureFairness(ctx context.Context) error {
	var calm, flooded [2]sentLoad
	for i, s := range b.systems {
		b.note("%s: %d tenants at %g/s, then one more at %g/s", s.name, len(s.numbers)-1, b.plan.trickle.rate, b.plan.floodRate)
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		victim, others := s.numbers[0], s.openLoop(b.plan.trickle, b.plan.contacts)
		others.Phones = s.numbers[1:]
		perMinute := int(b.plan.floodRate * 60 / floodTimes)
		if err := s.driver.limit(ctx, victim, &perMinute); err != nil {
			return err
		}
		var err error
		if calm[i], err = b.load(ctx, s, others); err != nil {
			return err
		}
		if flooded[i], err = b.underFlood(ctx, s, victim, others); err != nil {
			return err
		}
		if err := s.driver.limit(ctx, victim, nil); err != nil {
			return err
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	name := fmt.Sprintf("of %d tenants beside a flooded one", b.plan.loadTenants-1)
	b.addPair("reply p50 "+name, "ms", [2]float64{flooded[0].P50, flooded[1].P50}, compareDifference, noTarget)
	b.addPair("reply p99 "+name, "ms", [2]float64{flooded[0].P99, flooded[1].P99}, compareDifference, noTarget)
	b.addPair("what the flood adds to that p50", "ms", [2]float64{flooded[0].P50 - calm[0].P50, flooded[1].P50 - calm[1].P50}, compareDifference, noTarget)
	b.addPair("what the flood adds to that p99", "ms", [2]float64{flooded[0].P99 - calm[0].P99, flooded[1].P99 - calm[1].P99}, compareDifference, noTarget)
	return nil
}

// underFlood sends to the others while the victim is flooded, and checks that nothing sent to either was lost.
func (b *bench) underFlood(ctx context.Context, s *benchSystem, victim string, others simulator.LoadRequest) (sent sentLoad, err error) {
	lasts := floodLead.Seconds() + float64(others.Count)/others.Rate
	var flood sentLoad
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		flood, err = b.send(within, s, simulator.LoadRequest{
			Phones: []string{victim}, Contacts: floodContacts, Rate: b.plan.floodRate, Count: int(lasts * b.plan.floodRate), Text: s.text, LID: true, Wait: 0.1,
		})
		return err
	})
	group.Go(func() (err error) {
		if err := pause(within, floodLead); err != nil {
			return err
		}
		return b.profiled(within, s, "fairness", func() (err error) {
			sent, err = b.send(within, s, others)
			return err
		})
	})
	if err := group.Wait(); err != nil {
		return sent, err
	}
	if _, err := b.workLeft(ctx, flood, time.Now()); err != nil { // replies of the flooded one that come late belong to this run
		return sent, err
	}
	if err := b.check(ctx, sent); err != nil {
		return sent, err
	}
	report, _ := b.simulator.LoadReport(flood.ID)
	problem, err := s.driver.verifyFlood(ctx, flood.began, report, victim)
	if problem != "" {
		b.wrong = append(b.wrong, s.name+", the flooded tenant: "+problem)
	}
	return sent, err
}
