package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"

	"golang.org/x/sync/errgroup"
)

// fullLoad is what was measured while every customer had one unanswered message at any time.
type fullLoad struct {
	rate   float64 // replies a second, in the middle
	used   benchUsage
	behind float64 // s of work left after the last reply
	burst  float64 // replies a second to many messages at once, afterwards
}

// measureThroughput finds how many replies a second each system sustains, and times replies at shares of what the slower
// one does. The systems take turns several times; medians count.
func (b *bench) measureThroughput(ctx context.Context) error {
	var rates, behind, burst [2][]float64
	var used [2]benchUsage
	for round := range b.plan.rounds {
		for i, s := range b.systems {
			b.note("%s: full load, round %d of %d", s.name, round+1, b.plan.rounds)
			full, err := b.fullLoad(ctx, s)
			if err != nil {
				return err
			}
			rates[i], behind[i], burst[i] = append(rates[i], full.rate), append(behind[i], full.behind), append(burst[i], full.burst)
			used[i] = full.used
		}
	}
	rate := medians(rates)
	b.addPair(fmt.Sprintf("full load, %d customers of %d tenants: replies", b.plan.contacts*b.plan.loadTenants, b.plan.loadTenants), "per s", rate, compareRatio, atLeast(minRateRatio))
	b.addPair("work left after full load", "s", medians(behind), compareDifference, noTarget)
	b.addUsage("per reply at full load", used)
	b.addPair(fmt.Sprintf("replies to %d messages at once", b.plan.burst), "per s", medians(burst), compareRatio, noTarget)
	return b.measureShares(ctx, min(rate[0], rate[1]))
}

// fullLoad is a closed loop: what is unanswered is bounded, so the rate in the middle is one at which nothing piles up.
func (b *bench) fullLoad(ctx context.Context, s *benchSystem) (full fullLoad, err error) {
	if err := b.warm(ctx, s); err != nil {
		return full, err
	}
	var sent sentLoad
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		sent, err = b.send(within, s, simulator.LoadRequest{
			Phones: s.numbers, Contacts: b.plan.contacts, Text: s.text, LID: true, Wait: benchWait, Seconds: (b.plan.fullRamp + b.plan.fullTime).Seconds(),
		})
		return err
	})
	group.Go(func() error {
		return b.profiled(within, s, "full-load", func() (err error) {
			full.rate, full.used, err = b.middle(within, s)
			return err
		})
	})
	if err := group.Wait(); err != nil {
		return full, err
	}
	last := sent.StartedAt.Add(time.Duration(sent.Seconds * float64(time.Second)))
	if full.behind, err = b.workLeft(ctx, sent, last); err != nil {
		return full, err
	}
	if err := b.check(ctx, sent); err != nil {
		return full, err
	}
	if sent, err = b.load(ctx, s, s.openLoop(benchLoad{100_000, b.plan.burst}, b.plan.contacts)); err != nil {
		return full, err
	}
	full.burst = sent.Rate
	return full, s.stop()
}

// middle counts replies between the ramp and the end of the sending.
func (b *bench) middle(ctx context.Context, s *benchSystem) (rate float64, used benchUsage, err error) {
	if err := pause(ctx, b.plan.fullRamp); err != nil {
		return 0, used, err
	}
	before, err := b.usage(ctx, s)
	if err != nil {
		return 0, used, err
	}
	shown, from := b.simulator.Stats().Shown, time.Now()
	if err := pause(ctx, b.plan.fullTime); err != nil {
		return 0, used, err
	}
	replies, took := b.simulator.Stats().Shown-shown, time.Since(from)
	after, err := b.usage(ctx, s)
	return float64(replies) / took.Seconds(), after.since(before, int(replies)), err
}

// workLeft is how long after the last reply a system was still busy with what it had put off: until it has confirmed every
// stanza to WhatsApp, and its own records say of every reply that it was read. At most a minute.
func (b *bench) workLeft(ctx context.Context, sent sentLoad, last time.Time) (float64, error) {
	for time.Since(last) < benchTimeout {
		finished, err := sent.system.driver.finished(ctx, sent.began)
		if err != nil {
			return 0, err
		}
		if finished && b.simulator.Stats().Queued == 0 {
			break
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return time.Since(last).Seconds(), nil
}

// measureShares times replies at shares of a rate, open loop; the shares follow one another in one process.
func (b *bench) measureShares(ctx context.Context, full float64) error {
	p50, p99 := make([][2][]float64, len(b.plan.shares)), make([][2][]float64, len(b.plan.shares))
	for round := range b.plan.rounds {
		for i, s := range b.systems {
			if err := b.warm(ctx, s); err != nil {
				return err
			}
			for at, share := range b.plan.shares {
				rate := share * full
				b.note("%s: %.0f messages a second, round %d of %d", s.name, rate, round+1, b.plan.rounds)
				sent, err := b.load(ctx, s, s.openLoop(benchLoad{rate, max(1, int(rate*b.plan.shareTime.Seconds()))}, b.plan.contacts))
				if err != nil {
					return err
				}
				p50[at][i], p99[at][i] = append(p50[at][i], sent.P50), append(p99[at][i], sent.P99)
			}
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	for at, share := range b.plan.shares {
		most50, most99 := noTarget, noTarget
		if share == 0.5 {
			most50, most99 = atMost(maxHalfGap50), atMost(maxHalfGap99)
		}
		name := fmt.Sprintf("at %.0f %% of the slower one's full load", 100*share)
		b.addPair("reply p50 "+name, "ms", medians(p50[at]), compareDifference, most50)
		b.addPair("reply p99 "+name, "ms", medians(p99[at]), compareDifference, most99)
	}
	return nil
}
