package main

import (
	"context"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"
)

// measure takes every measurement. Only one system runs at a time, and they take turns at every step, so that what the
// machine does meanwhile falls on both.
func (b *bench) measure(ctx context.Context) error {
	if err := b.measureStart(ctx); err != nil {
		return err
	}
	for _, n := range b.plan.tenants {
		for _, s := range b.systems {
			if err := b.measureTenants(ctx, s, n); err != nil {
				return fmt.Errorf("%s with %d tenants: %w", s.name, n, err)
			}
		}
		if n != b.plan.loadTenants {
			continue
		}
		for _, load := range b.plan.loads {
			if err := b.measureReplies(ctx, load); err != nil {
				return fmt.Errorf("replies at %g/s: %w", load.rate, err)
			}
		}
		if err := b.measureBurst(ctx); err != nil {
			return fmt.Errorf("burst: %w", err)
		}
	}
	b.reportTenants()
	return nil
}

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

// measureTenants brings a system to n linked tenants, starts it anew, sends each tenant one message and measures it at rest.
func (b *bench) measureTenants(ctx context.Context, s *benchSystem, n int) error {
	b.note("%s: linking up to %d tenants", s.name, n)
	if err := s.start(ctx); err != nil {
		return err
	}
	numbers := s.next(n - len(s.numbers))
	began := time.Now()
	if err := s.driver.pair(ctx, s.process, numbers); err != nil {
		return err
	}
	if len(numbers) > 1 { // a single one says little about a rate
		s.pairedIn += time.Since(began)
		s.paired += len(numbers)
	}
	s.numbers = append(s.numbers, numbers...)
	if err := s.stop(); err != nil {
		return err
	}

	b.note("%s: memory with %d tenants", s.name, n)
	began = time.Now()
	if err := b.startConnected(ctx, s); err != nil {
		return err
	}
	point := tenantPoint{tenants: n, connected: time.Since(began)}
	if _, err := b.load(ctx, s, benchLoad{rate: 50, messages: n}, 1); err != nil {
		return err
	}
	if err := pause(ctx, b.plan.settle); err != nil {
		return err
	}
	var err error
	if point.rss, err = processRSS(s.process.pid()); err != nil {
		return err
	}
	if n == b.plan.tenants[len(b.plan.tenants)-1] {
		before, err := processCPU(s.process.pid())
		if err != nil {
			return err
		}
		if err := pause(ctx, b.plan.idle); err != nil {
			return err
		}
		after, err := processCPU(s.process.pid())
		if err != nil {
			return err
		}
		point.idle = 100 * (after - before).Seconds() / b.plan.idle.Seconds()
	}
	if err := s.process.collectGarbage(ctx); err != nil {
		return err
	}
	if point.live, err = processRSS(s.process.pid()); err != nil {
		return err
	}
	s.points = append(s.points, point)
	return s.stop()
}

// startConnected starts a system anew and waits until all its tenants are connected.
func (b *bench) startConnected(ctx context.Context, s *benchSystem) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, number := range s.numbers {
		if err := b.simulator.WaitConnected(limited, number); err != nil {
			return s.process.explain(err)
		}
	}
	return s.driver.settled(limited, len(s.numbers))
}

// measureReplies times replies at one rate: from the moment a customer's message was due until the customer's phone has
// decrypted the reply.
func (b *bench) measureReplies(ctx context.Context, load benchLoad) error {
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
		report, err := b.load(ctx, s, load, b.plan.contacts)
		if err != nil {
			return err
		}
		after, err := b.usage(ctx, s)
		if err != nil {
			return err
		}
		p50[i], p99[i], used[i] = report.P50, report.P99, after.since(before, report.Sent)
		if err := s.stop(); err != nil {
			return err
		}
	}
	at := fmt.Sprintf("at %g/s (%d messages)", load.rate, load.messages)
	b.add(benchRow{Name: "reply p50 " + at, Unit: "ms", Echo: &p50[0], FlowHQ: p50[1], Compare: compareDifference, Target: maxLatencyGap})
	b.add(benchRow{Name: "reply p99 " + at, Unit: "ms", Echo: &p99[0], FlowHQ: p99[1], Compare: compareDifference})
	if load == b.plan.loads[len(b.plan.loads)-1] {
		at = fmt.Sprintf("per reply at %g/s", load.rate)
		e, f := used[0], used[1]
		b.add(benchRow{Name: "CPU " + at, Unit: "ms", Echo: &e.process, FlowHQ: f.process, Compare: compareRatio})
		b.add(benchRow{Name: "Postgres' CPU " + at, Unit: "ms", Echo: &e.postgres, FlowHQ: f.postgres, Compare: compareRatio})
		b.add(benchRow{Name: "writing transactions " + at, Unit: "", Echo: &e.transactions, FlowHQ: f.transactions, Compare: compareDifference})
		b.add(benchRow{Name: "write-ahead log " + at, Unit: "kB", Echo: &e.wal, FlowHQ: f.wal, Compare: compareRatio})
	}
	return nil
}

// measureBurst sends many messages at once and counts replies a second until the last.
func (b *bench) measureBurst(ctx context.Context) error {
	var rate [2]float64
	for i, s := range b.systems {
		b.note("%s: %d messages at once", s.name, b.plan.burst)
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		report, err := b.load(ctx, s, benchLoad{rate: 100_000, messages: b.plan.burst}, b.plan.contacts)
		if err != nil {
			return err
		}
		rate[i] = report.Rate
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.add(benchRow{Name: fmt.Sprintf("replies to %d messages at once", b.plan.burst), Unit: "per s", Echo: &rate[0], FlowHQ: rate[1], Compare: compareRatio})
	return nil
}

// warm starts a system anew and has one message of every chat answered, so that the Signal sessions exist.
func (b *bench) warm(ctx context.Context, s *benchSystem) error {
	if err := b.startConnected(ctx, s); err != nil {
		return err
	}
	_, err := b.load(ctx, s, benchLoad{rate: benchWarmRate, messages: len(s.numbers) * b.plan.contacts}, b.plan.contacts)
	return err
}

// load does one run and checks it: every message answered once, in order, with nothing dropped on the way.
func (b *bench) load(ctx context.Context, s *benchSystem, l benchLoad, contacts int) (simulator.LoadReport, error) {
	before := b.simulator.Stats()
	began := time.Now()
	report, err := b.simulator.Load(ctx, simulator.LoadRequest{
		Phones: s.numbers, Contacts: contacts, Rate: l.rate, Count: l.messages, Text: s.text, LID: true, Wait: 20,
	})
	if err != nil {
		return report, err
	}
	if report.SendErrors > 0 {
		return report, fmt.Errorf("the simulator could not send: %s", report.FirstError)
	}
	if err := pause(ctx, benchSilence); err != nil { // an answer too many may still come
		return report, err
	}
	if late, ok := b.simulator.LoadReport(report.ID); ok {
		report = late
	}
	after := b.simulator.Stats()
	complain := func(count int64, what string) {
		if count != 0 {
			b.wrong = append(b.wrong, fmt.Sprintf("%s, %d messages at %g/s: %d %s", s.name, l.messages, l.rate, count, what))
		}
	}
	complain(int64(report.Missing), "not answered")
	complain(int64(report.Doubled), "answered more than once")
	complain(int64(report.OutOfOrder), "answered out of order")
	complain(after.DroppedDuplicateKeys-before.DroppedDuplicateKeys, "replies dropped by the phone: their key was used before")
	complain(after.Undecryptable-before.Undecryptable, "replies the phone could not decrypt")
	complain(after.Resends-before.Resends, "replies sent again")
	problem, err := s.driver.verify(ctx, began, report.Sent)
	if problem != "" {
		b.wrong = append(b.wrong, fmt.Sprintf("%s, %d messages at %g/s: %s", s.name, l.messages, l.rate, problem))
	}
	return report, err
}

// reportTenants turns the measured points into rows.
func (b *bench) reportTenants() {
	echo, flow := b.systems[0], b.systems[1]
	for _, kind := range []struct {
		name   string
		value  func(tenantPoint) float64
		target float64
	}{
		{"memory (RSS)", func(p tenantPoint) float64 { return float64(p.rss) / (1 << 20) }, 0},
		{"memory after a garbage collection", func(p tenantPoint) float64 { return float64(p.live) / (1 << 20) }, maxSlopeRatio},
	} {
		for i, p := range flow.points {
			other := kind.value(echo.points[i])
			b.add(benchRow{Name: fmt.Sprintf("%s, tenants: %d", kind.name, p.tenants), Unit: "MB", Echo: &other, FlowHQ: kind.value(p), Compare: compareRatio})
		}
		slope := func(s *benchSystem) float64 {
			var x, y []float64
			for _, p := range s.points {
				x, y = append(x, float64(p.tenants)), append(y, kind.value(p)*1024)
			}
			return leastSquares(x, y)
		}
		other := slope(echo)
		b.add(benchRow{Name: kind.name + ", per tenant", Unit: "kB", Echo: &other, FlowHQ: slope(flow), Compare: compareRatio, Target: kind.target})
	}
	last := len(flow.points) - 1
	e, f := echo.points[last], flow.points[last]
	connected := e.connected.Seconds()
	b.add(benchRow{Name: fmt.Sprintf("start until %d tenants are connected", f.tenants), Unit: "s", Echo: &connected, FlowHQ: f.connected.Seconds(), Compare: compareRatio})
	b.add(benchRow{Name: fmt.Sprintf("idle CPU with %d tenants", f.tenants), Unit: "% of a core", Echo: &e.idle, FlowHQ: f.idle, Compare: compareDifference})
	rate := echo.pairingRate()
	b.add(benchRow{Name: fmt.Sprintf("linking by QR, %d tenants", f.tenants-1), Unit: "per s", Echo: &rate, FlowHQ: flow.pairingRate(), Compare: compareRatio})
}
