package routes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// apiEvents answers GET /tenants/{id}/events: the session, worker and QR as they are, then what changes.
func (s *server) apiEvents(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	if _, err := s.apiTenantRow(c.UserContext(), id); err != nil {
		return err
	}
	f := &programFeed{s: s, tenant: id, last: map[string][]byte{}, since: time.Now().Add(-clockSkew)}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(id), present: f.present, changed: f.changed,
		allowed: s.keyStillReaches(programOf(c), id), watch: s.watchForProgram(id),
	})
}

// programFeed writes one tenant's events as JSON. One goroutine uses it.
type programFeed struct {
	s      *server
	tenant uuid.UUID
	last   map[string][]byte // what was sent last, by event: a state is sent when it differs
	since  time.Time         // messages from then on were sent, or will be announced
}

// clockSkew is how far our clock may be ahead of the database's.
const clockSkew = 5 * time.Second

// afterGap is how many messages are sent again after a gap in the announcements, in which some may have been missed.
const afterGap = 200

func (f *programFeed) present(ctx context.Context, w *eventWriter) error {
	first := len(f.last) == 0
	if err := f.state(ctx, w, "session", "worker", "qr"); err != nil || first {
		return err
	}
	rows, err := f.s.system.ListMessages(ctx, queries.ListMessagesParams{
		TenantID: f.tenant, BeforeCreatedAt: newest().at, BeforeID: newest().id, Since: &f.since, PageSize: afterGap,
	})
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(rows) {
		if err := f.message(w, toMessageJSON(r.MessageLog, r.ContactName, r.ContactPhone)); err != nil {
			return err
		}
	}
	return nil
}

func (f *programFeed) changed(ctx context.Context, w *eventWriter, events []Event) error {
	var states []string
	var messages []uuid.UUID
	for _, e := range events {
		switch e.Kind {
		case KindSession:
			states = append(states, "session", "qr")
		case KindWorker:
			states = append(states, "worker")
		case KindMessage:
			messages = append(messages, e.ID)
		}
	}
	if len(states) > 0 {
		if err := f.state(ctx, w, states...); err != nil {
			return err
		}
	}
	if len(messages) == 0 {
		return nil
	}
	rows, err := f.s.system.MessagesByID(ctx, queries.MessagesByIDParams{TenantID: f.tenant, Ids: messages})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := f.message(w, toMessageJSON(r.MessageLog, r.ContactName, r.ContactPhone)); err != nil {
			return err
		}
	}
	return nil
}

// state sends those of session, worker and qr that differ from what was sent last.
func (f *programFeed) state(ctx context.Context, w *eventWriter, names ...string) error {
	row, err := f.s.system.GetTenant(ctx, f.tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return errStreamEnd
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		var view any
		switch name {
		case "session":
			view = toSessionJSON(row.WhatsappSession)
		case "worker":
			view = toWorkerJSON(row.WorkerProcess)
		case "qr":
			if view, err = toQRJSON(row.WhatsappSession); err != nil {
				return err
			}
		}
		raw, err := json.Marshal(view)
		if err != nil {
			return err
		}
		if !bytes.Equal(raw, f.last[name]) {
			w.send(name, raw)
			f.last[name] = raw
		}
	}
	return nil
}

func (f *programFeed) message(w *eventWriter, m messageJSON) error {
	raw, err := json.Marshal(m)
	if err == nil {
		w.send("message", raw)
	}
	return err
}
