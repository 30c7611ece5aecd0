package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"flowhq/whatsapp/simulator"

	"golang.org/x/sync/errgroup"
)

// flowDriver runs Flow HQ as a process and drives it through its JSON API, as any program outside would.
type flowDriver struct {
	bench *bench
	env   []string
	key   string
	url   string
	ids   map[string]string // of the tenants, by phone number
}

const (
	benchPairing     = 32                     // tenants that are linked at the same time
	benchPoll        = 100 * time.Millisecond // asking more often would load what is measured
	benchTimeout     = time.Minute            // for a tenant to be linked, or for a start
	benchPairTimeout = 5 * time.Minute        // for all tenants that are linked in one go
)

func (d *flowDriver) createKey(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	p, err := startBenchProcess(ctx, d.bench.dir, "apikey", d.env, "apikey", "create", "--label", "bench")
	if err != nil {
		return err
	}
	d.key, err = p.line(ctx, "")
	if stopped := p.stop(); err == nil {
		err = stopped
	}
	return err
}

func (d *flowDriver) start(ctx context.Context) (*benchProcess, error) {
	p, err := startBenchProcess(ctx, d.bench.dir, "flowhq", d.env, "serve", "--listen", loopbackAddress)
	if err != nil {
		return nil, err
	}
	if d.url, err = readServeAddress(ctx, p); err == nil {
		err = d.bench.waitReady(ctx, p, d.url)
	}
	if err != nil {
		_ = p.stop() // why it did not start is told already
		return nil, err
	}
	return p, nil
}

// readServeAddress reads where a server listens from the first line it prints.
func readServeAddress(ctx context.Context, p *benchProcess) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	line, err := p.line(ctx, "Flow HQ ")
	if err != nil {
		return "", err
	}
	_, address, ok := strings.Cut(line, " is at ")
	if !ok {
		return "", fmt.Errorf("%s does not say where it listens: %q", p.name, line)
	}
	return address, nil
}

// waitReady asks /readyz every 2 ms until it answers 200.
func (b *bench) waitReady(ctx context.Context, p *benchProcess, address string) error {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	last := "nothing"
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := b.http.Do(request); err == nil {
			body, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			last = answer.Status + " " + string(body)
		}
		select {
		case <-p.done:
			return p.explain(fmt.Errorf("%s ended before it was ready", p.name))
		case <-ctx.Done():
			return p.explain(fmt.Errorf("%s is not ready (%w); /readyz last said %s", p.name, ctx.Err(), last))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// call does one request of the JSON API and reads its answer into out.
func (d *flowDriver) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, d.url+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+d.key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := d.bench.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 8<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.500s", method, path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

func (d *flowDriver) pair(ctx context.Context, p *benchProcess, numbers []string, _ bool) error {
	ctx, cancel := context.WithTimeout(ctx, benchPairTimeout)
	defer cancel()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(benchPairing)
	ids := make([]string, len(numbers))
	for i, number := range numbers {
		group.Go(func() (err error) {
			ids[i], err = d.pairOne(within, number)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return p.explain(err)
	}
	for i, number := range numbers {
		d.ids[number] = ids[i]
	}
	return d.settled(ctx, len(d.ids))
}

// pairOne creates a tenant, starts its worker, and scans the QR.
func (d *flowDriver) pairOne(ctx context.Context, number string) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	var tenant struct {
		ID string `json:"id"`
	}
	err = d.call(ctx, http.MethodPost, "/tenants", map[string]string{
		"name": "Bench " + number, "phone_number": "+" + number, "business_name": "Bench " + number, "template_type": "BOOKING", "language": "EN",
	}, &tenant)
	if err != nil {
		return "", err
	}
	var job struct{}
	if err := d.call(ctx, http.MethodPost, "/tenants/"+tenant.ID+"/worker/start", nil, &job); err != nil {
		return "", err
	}
	for {
		var qr struct {
			State string  `json:"state"`
			Code  *string `json:"code"`
		}
		if err := d.call(ctx, http.MethodGet, "/tenants/"+tenant.ID+"/qr", nil, &qr); err != nil {
			return "", err
		}
		if qr.Code != nil {
			_, err := d.bench.simulator.Scan(ctx, *qr.Code, number)
			if err == nil {
				return tenant.ID, d.bench.simulator.WaitConnected(ctx, number)
			}
			if !errors.Is(err, simulator.ErrCodeExpired) { // else there is a newer one
				return "", err
			}
		}
		if err := pause(ctx, benchPoll); err != nil {
			return "", fmt.Errorf("no QR to scan for tenant %s (session %s): %w", tenant.ID, qr.State, err)
		}
	}
}
