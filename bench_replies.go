package main

import (
	"context"
	"fmt"
)

// measureReplies times replies at fixed rates: from the moment a customer's message was due until the customer's phone has
// decrypted the reply.
func (b *bench) measureReplies(ctx context.Context) error {
	for at, load := range b.plan.loads {
		var p50, p99 [2]float64
		var used [2]benchUsage
		for i, s := range b.systems {
			b.note("%s: %d messages at %g/s", s.name, load.messages, load.rate)
			if err := b.warm(ctx, s); err != nil {
				return err
			}
			before, err := b.usage(ctx, s)
			if err != nil {
				return err
			}
			var sent sentLoad
			err = b.profiled(ctx, s, "replies", func() (err error) {
				sent, err = b.send(ctx, s, s.openLoop(load, b.plan.contacts))
				return err
			})
			if err != nil {
				return err
			}
			after, err := b.usage(ctx, s)
			if err != nil {
				return err
			}
			p50[i], p99[i], used[i] = sent.P50, sent.P99, after.since(before, sent.Sent)
			if err := b.check(ctx, sent); err != nil {
				return err
			}
			if err := s.stop(); err != nil {
				return err
			}
		}
		name := fmt.Sprintf("at %g/s (%d messages)", load.rate, load.messages)
		b.addPair("reply p50 "+name, "ms", p50, compareDifference, atMost(maxLatencyGap))
		b.addPair("reply p99 "+name, "ms", p99, compareDifference, noTarget)
		if at == len(b.plan.loads)-1 {
			b.addUsage(fmt.Sprintf("per reply at %g/s", load.rate), used)
		}
	}
	return nil
}
