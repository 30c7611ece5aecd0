package main

import (
	"context"
	"time"
)

// measureStart times exec to ready, with a private Postgres of its own: the first start creates it.
func (b *bench) measureStart(ctx context.Context) error {
	var warm []float64
	for i := range b.plan.starts + 1 {
		b.note("Flow HQ: start %d of %d", i+1, b.plan.starts+1)
		began := time.Now()
		p, err := startBenchProcess(ctx, b.dir, "start", nil, "serve", "--listen", loopbackAddress, "--data", b.startFolder())
		if err != nil {
			return err
		}
		url, err := readServeAddress(ctx, p)
		if err == nil {
			err = b.waitReady(ctx, p, url)
		}
		took := time.Since(began).Seconds()
		if stopped := p.stop(); err == nil {
			err = stopped
		}
		if err != nil {
			return err
		}
		if i == 0 {
			b.add(benchRow{Name: "first start, creating Postgres", Unit: "s", FlowHQ: took})
		} else {
			warm = append(warm, took)
		}
	}
	b.add(benchRow{Name: "start on a warm data folder, median", Unit: "s", FlowHQ: median(warm), Compare: compareNone, Target: maxStart})
	return nil
}

// measureConnect times exec until WhatsApp has seen every tenant log in.
func (b *bench) measureConnect(ctx context.Context) error {
	var took [2][]float64
	for range b.plan.restarts {
		for i, s := range b.systems {
			b.note("%s: start with %d tenants", s.name, len(s.numbers))
			began := time.Now()
			if err := s.start(ctx); err != nil {
				return err
			}
			if err := b.waitConnected(ctx, s); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(began).Seconds())
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	b.addPair("start until "+b.manyTenants()+" are connected, median", "s", medians(took), compareRatio, noTarget)
	return nil
}
