package routes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
)

const simulatorTimeout = 15 * time.Second

// chatLine is a message as the simulator's GET /chat tells it.
type chatLine struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
	FromContact bool      `json:"from_contact"`
	Status      string    `json:"status"` // sent, delivered or read; the customer's own only
}

// shown is the text, or what the message is where it has none.
func (l chatLine) shown() string {
	if l.Text == "" && l.Kind != "" && l.Kind != "text" {
		return "[" + l.Kind + "]"
	}
	return l.Text
}

// simulatorEvent is what the simulator's event stream tells.
type simulatorEvent struct {
	Type     string `json:"type"`
	Business string `json:"business"`
	Contact  string `json:"contact"`
	State    string `json:"state"`
}

// simulator calls the control API; in and out may be nil. What it refuses is a *jobs.Error with its own sentence.
func (s *server) simulator(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, simulatorTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.SimulatorURL+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return &jobs.Error{Code: jobs.Unavailable, Message: "The simulated WhatsApp does not answer. Is it running?", Err: err}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("simulator %s: %w", path, err)
	}
	if res.StatusCode >= 300 {
		var refusal struct{ Error string }
		if json.Unmarshal(raw, &refusal) != nil || refusal.Error == "" {
			return fmt.Errorf("simulator %s: status %d", path, res.StatusCode)
		}
		return &jobs.Error{Code: jobs.Conflict, Message: strings.ToUpper(refusal.Error[:1]) + refusal.Error[1:] + "."}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// Kinds of events on a virtual phone's own little hub.
const (
	kindBubble = "bubble"
	kindTyping = "typing"
	kindPaused = "paused"
)

// phoneStream shows ticks, answers and typing as they happen on the simulated WhatsApp, and which businesses are connected.
func (s *server) phoneStream(c *fiber.Ctx) error {
	chosen, all, err := s.choose(c.UserContext(), c.Query("business"), c.Query("customer"))
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return notFound("This business")
	}
	ctx, stop := context.WithCancel(s.Context)
	local := NewHub(s.Database.System.Config().ConnConfig, s.Log) // never run: others publish into it
	sub := local.Subscribe(uuid.Nil)
	go s.readSimulator(ctx, chosen, local)
	go s.forwardSessions(ctx, local)
	online := map[uuid.UUID]bool{} // as it was sent
	businesses := func(ctx context.Context, w *eventWriter) error {
		_, all, err := s.choose(ctx, "", "")
		if err != nil {
			return err
		}
		for _, t := range all {
			contact := phoneBusiness(t)
			if was, known := online[t.Tenant.ID]; known && was == contact.Online {
				continue
			}
			online[t.Tenant.ID] = contact.Online
			if err := s.sendFragments(w, "session", fragment{"fragments/phone_online", contact}); err != nil {
				return err
			}
		}
		return nil
	}
	shown := map[string]string{} // status of each bubble that was sent
	bubbles := func(ctx context.Context, w *eventWriter) error {
		chat, err := s.chat(ctx, chosen)
		if err != nil {
			return err
		}
		answered := false
		for _, b := range chat {
			status, known := shown[b.ID]
			if known && status == b.Status {
				continue
			}
			answered = answered || !known && !b.Mine
			shown[b.ID] = b.Status
			if err := s.sendFragments(w, "bubble", fragment{"fragments/phone_bubble", b}); err != nil {
				return err
			}
		}
		if !answered {
			return nil
		}
		return s.sendFragments(w, "typing", fragment{"fragments/phone_typing", PhoneTyping{}}) // a message ends the typing, as on a real phone
	}
	return s.stream(c, feed{
		sub: sub, ended: stop,
		present: func(ctx context.Context, w *eventWriter) error {
			if err := businesses(ctx, w); err != nil {
				return err
			}
			return bubbles(ctx, w)
		},
		allowed: func(context.Context) (bool, error) { return true, nil },
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			var chat, sessions bool
			for _, e := range events {
				switch e.Kind {
				case KindSession:
					sessions = true
				case kindBubble:
					chat = true
				case kindTyping, kindPaused:
					chat = true
					typing := PhoneTyping{Name: chosen.business.TenantConfig.BusinessName, Typing: e.Kind == kindTyping}
					if err := s.sendFragments(w, "typing", fragment{"fragments/phone_typing", typing}); err != nil {
						return err
					}
				}
			}
			if sessions {
				if err := businesses(ctx, w); err != nil {
					return err
				}
			}
			if !chat {
				return nil
			}
			return bubbles(ctx, w)
		},
	})
}

// forwardSessions passes what changes about any business's connection on to a local hub, until ctx ends.
func (s *server) forwardSessions(ctx context.Context, hub *Hub) {
	sub := s.Hub.Subscribe(uuid.Nil)
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.Wake():
		}
		for _, e := range sub.Take() {
			if e.Kind == KindSession || e.Kind == KindResync {
				hub.publish(Event{Kind: KindSession})
			}
		}
	}
}

// readSimulator turns the simulator's events of one chat into events of a local hub, until ctx ends. A stream that breaks
// is opened again, and what was missed is shown again.
func (s *server) readSimulator(ctx context.Context, p phoneChoice, hub *Hub) {
	for ctx.Err() == nil {
		if err := s.readSimulatorOnce(ctx, p, hub); err != nil && ctx.Err() == nil {
			s.Log.Debug("simulator events interrupted", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
			hub.publish(Event{Kind: KindResync})
		}
	}
}

func (s *server) readSimulatorOnce(ctx context.Context, p phoneChoice, hub *Hub) error {
	r, err := http.NewRequestWithContext(ctx, "GET", s.SimulatorURL+"/events?"+url.Values{"contact": {p.customer.Phone}}.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	business := strings.TrimPrefix(linkedPhone(p.business), "+")
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		var e simulatorEvent
		if !found || json.Unmarshal([]byte(data), &e) != nil || strings.TrimPrefix(e.Business, "+") != business {
			continue
		}
		live := Event{Kind: kindBubble, Tenant: p.business.Tenant.ID}
		if e.Type == "typing" {
			live.Kind = kindPaused
			if e.State == "composing" {
				live.Kind = kindTyping
			}
		}
		hub.publish(live)
	}
	return lines.Err()
}
