package routes

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// tenantsStream keeps the rows of the list up to date. A page drops rows that it does not show.
func (s *server) tenantsStream(c *fiber.Ctx) error {
	v := visitorOf(c)
	var shown []FilterChip
	counts := func(ctx context.Context, w *eventWriter) error { // a page that shows a search has no place for them
		chips, err := s.tenantFilters(ctx, "", "")
		if err != nil || slices.Equal(chips, shown) {
			return err
		}
		shown = chips
		parts := make([]fragment, len(chips))
		for i, chip := range chips {
			parts[i] = fragment{"fragments/chip_count", chip}
		}
		return s.sendFragments(w, "tenant", parts...)
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(v),
		present: func(ctx context.Context, w *eventWriter) error {
			from := newest()
			rows, err := s.system.ListTenants(ctx, queries.ListTenantsParams{BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: 200})
			if err != nil {
				return err
			}
			for _, r := range slices.Backward(rows) {
				if err := s.sendFragments(w, "tenant", fragment{"fragments/tenant_row", s.tenantRow(queries.GetTenantRow(r))}); err != nil {
					return err
				}
			}
			return counts(ctx, w)
		},
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			changed := tenantsOf(events)
			for _, id := range changed {
				var row fragment
				t, err := s.system.GetTenant(ctx, id)
				switch {
				case errors.Is(err, pgx.ErrNoRows):
					row = fragment{"fragments/tenant_gone", id.String()}
				case err != nil:
					return err
				default:
					row = fragment{"fragments/tenant_row", s.tenantRow(t)}
				}
				if err := s.sendFragments(w, "tenant", row); err != nil {
					return err
				}
			}
			if len(changed) == 0 {
				return nil
			}
			return counts(ctx, w)
		},
	})
}

// tenantsOf are the tenants whose row in the list changed, each once.
func tenantsOf(events []Event) []uuid.UUID {
	var ids []uuid.UUID
	for _, e := range events {
		if (e.Kind == KindTenant || e.Kind == KindSession || e.Kind == KindWorker) && !slices.Contains(ids, e.Tenant) {
			ids = append(ids, e.Tenant)
		}
	}
	return ids
}

// tenantStream keeps the page of one tenant up to date.
func (s *server) tenantStream(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	v, id, canSend := visitorOf(c), t.Tenant.ID, sendForm(t).Enabled
	live := tenantLive{
		s: s, tenant: id, base: tenantBase(id), lang: "en", query: func(_ context.Context, fn func(*queries.Queries) error) error { return fn(s.system) },
		state: func(ctx context.Context, q *queries.Queries, t queries.GetTenantRow) ([]fragment, error) {
			panel, err := s.statePanel(ctx, q, t)
			parts := []fragment{{"fragments/state_panel", panel.For(v)}}
			if form := sendForm(t); form.Enabled != canSend { // only then: it may hold what somebody wrote
				canSend = form.Enabled
				parts = append(parts, fragment{"fragments/send_form", form.For(v)})
			}
			return parts, err
		},
		messages: true, events: true, panel: true, countsQueue: true, rows: pageSize, unlinked: !v.may(rightWorkers),
	}
	return s.stream(c, live.feed(v))
}

// tenantLive sends what changes about one tenant, for the admin's page and the owner's pages.
type tenantLive struct {
	s                                    *server
	tenant                               uuid.UUID
	base                                 string
	lang                                 string
	query                                func(context.Context, func(*queries.Queries) error) error                         // on the pool of whoever looks
	state                                func(context.Context, *queries.Queries, queries.GetTenantRow) ([]fragment, error) // the page's own summary
	panel, messages, events, countsQueue bool                                                                              // what the page shows; countsQueue: its summary counts messages
	handoffs                             bool                                                                              // counted in the page's navigation
	rows                                 int                                                                               // of a list at first
	unlinked                             bool                                                                              // whoever looks may not link a number
}

func (l tenantLive) feed(v *visitor) feed {
	f := feed{sub: l.s.Hub.Subscribe(l.tenant), allowed: l.s.alive(v), present: l.present, changed: l.changed}
	if l.panel && !l.unlinked { // a code is renewed while somebody looks who may use it
		f.watch = func(ctx context.Context) error {
			return l.query(ctx, func(q *queries.Queries) error { return q.WatchSession(ctx, l.tenant) })
		}
	}
	return f
}

// present sends everything the page shows, oldest rows first: new ones go on top.
func (l tenantLive) present(ctx context.Context, w *eventWriter) error {
	return l.query(ctx, func(q *queries.Queries) error {
		if err := l.sendState(ctx, q, w, true); err != nil {
			return err
		}
		if l.handoffs {
			if _, err := l.s.sendHandoffs(ctx, q, w, l.tenant, l.lang); err != nil {
				return err
			}
		}
		if l.messages {
			list, err := listMessages(ctx, q, l.tenant, newest(), l.rows, l.lang, "")
			if err != nil {
				return err
			}
			for _, m := range slices.Backward(list.Rows) {
				if err := l.s.sendFragments(w, "message", fragment{"fragments/message", m}); err != nil {
					return err
				}
			}
		}
		if !l.events {
			return nil
		}
		list, err := listEvents(ctx, q, l.tenant, newest(), l.rows, l.lang, "")
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(list.Rows) {
			if err := l.s.sendFragments(w, "event", fragment{"fragments/event", e}); err != nil {
				return err
			}
		}
		return nil
	})
}

// changed sends what these events are about, each kind with one query.
func (l tenantLive) changed(ctx context.Context, w *eventWriter, events []Event) error {
	var messages, happened []uuid.UUID
	var state, panel, handoffs bool
	for _, e := range events {
		switch e.Kind {
		case KindMessage:
			messages = append(messages, e.ID)
			state, handoffs = state || l.countsQueue, l.handoffs
		case KindEvent:
			happened = append(happened, e.ID)
		case KindChat:
			handoffs = l.handoffs
		default:
			state, panel = true, true
		}
	}
	return l.query(ctx, func(q *queries.Queries) error {
		if handoffs {
			if _, err := l.s.sendHandoffs(ctx, q, w, l.tenant, l.lang); err != nil {
				return err
			}
		}
		if l.messages && len(messages) > 0 {
			rows, err := q.MessagesByID(ctx, queries.MessagesByIDParams{TenantID: l.tenant, Ids: messages})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := l.s.sendFragments(w, "message", fragment{"fragments/message", messageView(queries.ListMessagesRow(r), l.lang)}); err != nil {
					return err
				}
			}
		}
		if l.events && len(happened) > 0 {
			rows, err := q.EventsByID(ctx, queries.EventsByIDParams{TenantID: l.tenant, Ids: happened})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := l.s.sendFragments(w, "event", fragment{"fragments/event", eventView(r, l.lang)}); err != nil {
					return err
				}
			}
		}
		if !state {
			return nil
		}
		return l.sendState(ctx, q, w, panel)
	})
}

// sendState sends the summary and, where asked for, the link panel. A tenant that is gone ends the stream.
func (l tenantLive) sendState(ctx context.Context, q *queries.Queries, w *eventWriter, panel bool) error {
	if l.state == nil && !l.panel {
		return nil
	}
	t, err := q.GetTenant(ctx, l.tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return errStreamEnd
	}
	if err != nil {
		return err
	}
	var parts []fragment
	if l.state != nil {
		if parts, err = l.state(ctx, q, t); err != nil {
			return err
		}
	}
	if l.panel && panel {
		link, err := l.s.linkPanel(t, l.base, l.lang)
		if err != nil {
			return err
		}
		if l.unlinked {
			link = link.withoutLinking()
		}
		parts = append(parts, fragment{"fragments/link_panel", link})
		if link.Pair.Code != "" { // else it stays as it is: somebody may be typing there
			parts = append(parts, fragment{"fragments/pair_form", link.Pair})
		}
	}
	return l.s.sendFragments(w, "session", parts...)
}

// fragment is a template with its data.
type fragment struct {
	name string
	data any
}

// sendFragments sends one event whose data are these fragments.
func (s *server) sendFragments(w *eventWriter, event string, parts ...fragment) error {
	var b bytes.Buffer
	for _, p := range parts {
		if err := s.Views.Render(&b, p.name, p.data); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	if b.Len() > 0 {
		w.send(event, b.Bytes())
	}
	return nil
}
