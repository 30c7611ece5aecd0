package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// measureRecovery kills each system without warning, has every tenant get a message, and starts the system again at once. Both
// times count from the kill: until all tenants are connected again, and until the last of the messages is answered.
func (b *bench) measureRecovery(ctx context.Context) error {
	var connected, answered [2][]float64
	for round := range b.plan.restarts {
		for i, s := range b.systems {
			b.note("%s: killed with %d tenants, round %d of %d", s.name, len(s.numbers), round+1, b.plan.restarts)
			if err := b.startConnected(ctx, s); err != nil {
				return err
			}
			if _, err := b.load(ctx, s, s.openLoop(benchLoad{benchWarmRate, len(s.numbers)}, 1)); err != nil {
				return err
			}
			killed := time.Now()
			s.kill()
			for b.simulator.Stats().DevicesActive > 0 { // what is sent now waits at WhatsApp
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			var sent sentLoad
			group, within := errgroup.WithContext(ctx)
			group.Go(func() (err error) {
				sent, err = b.send(within, s, s.openLoop(benchLoad{100_000, len(s.numbers)}, 1))
				return err
			})
			group.Go(func() error {
				if err := s.start(within); err != nil {
					return err
				}
				err := b.waitConnected(within, s)
				connected[i] = append(connected[i], time.Since(killed).Seconds())
				return err
			})
			if err := group.Wait(); err != nil {
				return err
			}
			answered[i] = append(answered[i], sent.StartedAt.Sub(killed).Seconds()+sent.Seconds)
			if err := b.check(ctx, sent); err != nil {
				return err
			}
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	b.addPair("kill -9 until "+b.manyTenants()+" are connected again, median", "s", medians(connected), compareRatio, noTarget)
	b.addPair("kill -9 until the messages sent meanwhile are answered, median", "s", medians(answered), compareRatio, noTarget)
	return nil
}
