package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"flowhq/whatsapp/simulator"
)

// settled waits until the tenants' sessions are CONNECTED in Flow HQ's own words.
func (d *flowDriver) settled(ctx context.Context, n int) error {
	for {
		connected := 0
		err := eachPage(ctx, d, "/tenants", url.Values{}, func(tenant struct {
			Session struct {
				State string `json:"state"`
			} `json:"whatsapp_session"`
		}) {
			if tenant.Session.State == "CONNECTED" {
				connected++
			}
		})
		if err != nil || connected >= n {
			return err
		}
		if err := pause(ctx, benchPoll); err != nil {
			return fmt.Errorf("%d of %d tenants are connected in the words of Flow HQ: %w", connected, n, err)
		}
	}
}

// eachPage calls do with every item of a list of the JSON API.
func eachPage[T any](ctx context.Context, d *flowDriver, path string, query url.Values, do func(T)) error {
	query.Set("limit", "200")
	for {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next_cursor"`
		}
		if err := d.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			do(item)
		}
		if page.Next == nil {
			return nil
		}
		query.Set("cursor", *page.Next)
	}
}

// finished: every reply is READ, as the simulated phones say at once. It asks the database, since the API would page through it all.
func (d *flowDriver) finished(ctx context.Context, since time.Time) (done bool, err error) {
	err = d.bench.db.System.QueryRow(ctx,
		`SELECT NOT EXISTS (SELECT FROM message_logs WHERE direction = 'OUT' AND status <> 'READ' AND created_at >= $1)`, since).Scan(&done)
	return done, err
}

// logged is what the message log holds: messages in, replies, and messages that have a reply.
type logged struct{ in, out, answered int }

func (d *flowDriver) logged(ctx context.Context, since time.Time, numbers []string) (logged, error) {
	var l logged
	answered := map[string]bool{}
	for _, number := range numbers {
		query := url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}}
		err := eachPage(ctx, d, "/tenants/"+d.ids[number]+"/messages", query, func(m struct {
			Direction string  `json:"direction"`
			InReplyTo *string `json:"in_reply_to"`
		}) {
			if m.Direction == "IN" {
				l.in++
				return
			}
			l.out++
			if m.InReplyTo != nil {
				answered[*m.InReplyTo] = true
			}
		})
		if err != nil {
			return l, err
		}
	}
	l.answered = len(answered)
	return l, nil
}

func (l logged) String() string {
	return fmt.Sprintf("the message log holds %d messages in, %d replies to %d of them", l.in, l.out, l.answered)
}

// verify reads the message log: as many messages in as were sent, and for each exactly one reply.
func (d *flowDriver) verify(ctx context.Context, since time.Time, numbers []string, sent int) (string, error) {
	l, err := d.logged(ctx, since, numbers)
	if err != nil || l == (logged{sent, sent, sent}) {
		return "", err
	}
	return l.String(), nil
}

func (d *flowDriver) limit(ctx context.Context, number string, perMinute *int) error {
	var tenant struct{}
	return d.call(ctx, http.MethodPatch, "/tenants/"+d.ids[number], map[string]any{"replies_per_minute": perMinute}, &tenant)
}

// verifyFlood: everything was logged and decided, and nothing answered twice; how much was answered is the limit's affair.
func (d *flowDriver) verifyFlood(ctx context.Context, since time.Time, flood simulator.LoadReport, number string) (string, error) {
	l, err := d.logged(ctx, since, []string{number})
	if err != nil || l.in == flood.Sent && l.out == l.answered && flood.Answered == l.out && flood.Doubled == 0 {
		return "", err
	}
	return fmt.Sprintf("%d messages were sent and %d replies came; %s", flood.Sent, flood.Answered, l), nil
}
