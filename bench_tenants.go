package main

import (
	"context"
	"fmt"
	"time"
)

// memoryPoint is what a system occupied with a number of connected tenants, in MB.
type memoryPoint struct {
	tenants   int
	rss, live float64 // resident as it is, and after a forced garbage collection
}

// link brings a system to n linked tenants. It is timed as long as there are no more than manyTenants.
func (b *bench) link(ctx context.Context, s *benchSystem, n int) error {
	numbers := s.next(n - len(s.numbers))
	if len(numbers) == 0 {
		return nil
	}
	b.note("%s: linking up to %d tenants", s.name, n)
	if err := b.startConnected(ctx, s); err != nil {
		return err
	}
	timed := n <= b.plan.manyTenants
	began := time.Now()
	if err := b.profiled(ctx, s, "linking", func() error { return s.driver.pair(ctx, s.process, numbers, timed) }); err != nil {
		return err
	}
	if timed && len(numbers) > 5 { // few say little about a rate
		s.linkedIn += time.Since(began)
		s.linked += len(numbers)
	}
	s.numbers = append(s.numbers, numbers...)
	return s.stop()
}

func (b *bench) reportLinking() {
	echo, flow := b.systems[0], b.systems[1]
	if flow.linked == 0 {
		return
	}
	rate := func(s *benchSystem) float64 { return float64(s.linked) / s.linkedIn.Seconds() }
	b.addPair(fmt.Sprintf("linking by QR, %d tenants", flow.linked), "per s", [2]float64{rate(echo), rate(flow)}, compareRatio, atLeast(minLinkingRatio))
}

// manyTenants names the number of tenants of the steps that have many.
func (b *bench) manyTenants() string { return fmt.Sprintf("%d tenants", b.plan.manyTenants) }

// rested starts a system anew, sends each tenant one message, and lets it rest. The run is yet to be checked: asking the
// system for its records takes memory and CPU.
func (b *bench) rested(ctx context.Context, s *benchSystem) (sentLoad, error) {
	if err := b.startConnected(ctx, s); err != nil {
		return sentLoad{}, err
	}
	sent, err := b.send(ctx, s, s.openLoop(benchLoad{benchWarmRate, len(s.numbers)}, 1))
	if err == nil {
		err = pause(ctx, b.plan.settle)
	}
	return sent, err
}

// measureMemory reads the memory of both systems with all their tenants connected.
func (b *bench) measureMemory(ctx context.Context) error {
	for _, s := range b.systems {
		b.note("%s: memory with %d tenants", s.name, len(s.numbers))
		sent, err := b.rested(ctx, s)
		if err != nil {
			return err
		}
		point := memoryPoint{tenants: len(s.numbers)}
		if point.rss, err = processMB(s.process.pid()); err != nil {
			return err
		}
		if err := s.process.collectGarbage(ctx); err != nil {
			return err
		}
		if point.live, err = processMB(s.process.pid()); err != nil {
			return err
		}
		s.points = append(s.points, point)
		if err := b.profileHeap(ctx, s, fmt.Sprintf("memory-%d", point.tenants)); err != nil {
			return err
		}
		if err := b.check(ctx, sent); err != nil {
			return err
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	return nil
}

// reportMemory turns the measured points into rows.
func (b *bench) reportMemory() {
	echo, flow := b.systems[0], b.systems[1]
	if len(flow.points) == 0 {
		return
	}
	for _, kind := range []struct {
		name   string
		value  func(memoryPoint) float64
		target target
	}{
		{"memory (RSS)", func(p memoryPoint) float64 { return p.rss }, noTarget},
		{"memory after a garbage collection", func(p memoryPoint) float64 { return p.live }, atMost(maxSlopeRatio)},
	} {
		for i, p := range flow.points {
			b.addPair(fmt.Sprintf("%s, tenants: %d", kind.name, p.tenants), "MB", [2]float64{kind.value(echo.points[i]), kind.value(p)}, compareRatio, noTarget)
		}
		if len(flow.points) < 2 {
			continue // no line goes through one point only
		}
		slope := func(s *benchSystem) float64 {
			var x, y []float64
			for _, p := range s.points {
				x, y = append(x, float64(p.tenants)), append(y, kind.value(p)*1024)
			}
			return leastSquares(x, y)
		}
		b.addPair(kind.name+", per tenant", "kB", [2]float64{slope(echo), slope(flow)}, compareRatio, kind.target)
	}
}

// measureIdle reads how much CPU a system takes while all tenants are connected and nobody writes, and Postgres for it.
func (b *bench) measureIdle(ctx context.Context) error {
	var process, postgres [2]float64
	for i, s := range b.systems {
		b.note("%s: idle with %d tenants", s.name, len(s.numbers))
		sent, err := b.rested(ctx, s)
		if err != nil {
			return err
		}
		err = b.profiled(ctx, s, "idle", func() error {
			before, err := b.usage(ctx, s)
			if err != nil {
				return err
			}
			if err := pause(ctx, b.plan.idle); err != nil {
				return err
			}
			after, err := b.usage(ctx, s)
			used := after.since(before, 1)
			process[i] = 100 * used.process / milliseconds(b.plan.idle)
			postgres[i] = 100 * used.postgres / milliseconds(b.plan.idle)
			return err
		})
		if err != nil {
			return err
		}
		if err := b.check(ctx, sent); err != nil {
			return err
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.addPair("idle CPU with "+b.manyTenants(), "% of a core", process, compareNone, atMost(maxIdle))
	b.addPair("Postgres' idle CPU with "+b.manyTenants(), "% of a core", postgres, compareNone, noTarget)
	return nil
}
