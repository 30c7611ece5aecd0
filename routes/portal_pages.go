package routes

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
	"flowhq/templates/words"
)

// latestMessages is how many an owner's first page shows.
const latestMessages = 5

// inTenant gives queries that see one tenant's rows and no others: the Portal pool with row-level security.
func (s *server) inTenant(ctx context.Context, tenant uuid.UUID, fn func(*queries.Queries) error) error {
	return s.Database.InTenant(ctx, tenant, func(tx pgx.Tx) error { return fn(queries.New(tx)) })
}

// portalHome is the state of the business, the link and the latest messages.
func (s *server) portalHome(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	page := PortalHomePage{Page: s.page(c, words.T(v.Lang, "nav.home"), "home"), Business: v.Business}
	page.StreamURL = "/portal/stream?page=home"
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		t, err := q.GetTenant(ctx, v.Tenant)
		if err != nil {
			return err
		}
		if page.State, err = s.portalState(ctx, q, t, v.Lang); err != nil {
			return err
		}
		if page.State.Replies, err = s.replyTime(ctx, q, v.Tenant, v.Lang); err != nil {
			return err
		}
		if page.Link, err = s.linkPanel(t, portalBase, v.Lang); err != nil {
			return err
		}
		if page.Result, err = testResult(ctx, q, t, v.Lang); err != nil {
			return err
		}
		page.Test.Lang = v.Lang
		if page.Test.Phone, err = q.GetOwnNumber(ctx, queries.GetOwnNumberParams{TenantID: v.Tenant, UserID: v.ID}); err != nil {
			return err
		}
		page.Latest, err = listMessages(ctx, q, v.Tenant, newest(), latestMessages, v.Lang, "")
		return err
	})
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "portal/home", page)
}

// portalState words the state and counts the day.
func (s *server) portalState(ctx context.Context, q *queries.Queries, t queries.GetTenantRow, lang string) (PortalState, error) {
	p := PortalState{
		Lang: lang, State: sessionState(t.WhatsappSession, lang), Phone: linkedPhone(t),
	}
	if t.WhatsappSession.State != queries.SessionStateCONNECTED && t.WhatsappSession.ConnectedAt != nil { // else the panel below says it
		p.Since = t.WhatsappSession.ReasonSince
	}
	p.Headline, p.Detail = portalWords(t, lang, s.Location)
	today, err := q.CountToday(ctx, queries.CountTodayParams{TenantID: t.Tenant.ID, Since: s.today()})
	if err != nil {
		return p, err
	}
	waiting, err := q.CountQueued(ctx, t.Tenant.ID)
	p.Received, p.Answered, p.Waiting = int(today.Received), int(today.Answered), int(waiting)
	return p, err
}

// repliesPause is how often a page looks again at the time that replies take: that reads every answer of the day.
const repliesPause = 3 * time.Second

// homeFragments gives what is live on the first page, for one stream.
func (s *server) homeFragments(v *visitor) func(context.Context, *queries.Queries, queries.GetTenantRow) ([]fragment, error) {
	var replies string
	var looked time.Time
	return func(ctx context.Context, q *queries.Queries, t queries.GetTenantRow) ([]fragment, error) {
		state, err := s.portalState(ctx, q, t, v.Lang)
		if err != nil {
			return nil, err
		}
		if replies == "" || time.Since(looked) > repliesPause {
			looked = time.Now()
			if replies, err = s.replyTime(ctx, q, v.Tenant, v.Lang); err != nil {
				return nil, err
			}
		}
		state.Replies = replies
		result, err := testResult(ctx, q, t, v.Lang)
		return []fragment{{"fragments/portal_state", state}, {"fragments/test_result", result}}, err
	}
}

// replyTime words how long customers waited for the bot's answers today.
func (s *server) replyTime(ctx context.Context, q *queries.Queries, tenant uuid.UUID, lang string) (string, error) {
	seconds, err := q.MedianReplyTime(ctx, queries.MedianReplyTimeParams{TenantID: tenant, Since: s.today()})
	if err != nil || seconds < 0 {
		return "", err
	}
	return waitWords(lang, time.Duration(seconds*float64(time.Second))), nil
}

// waitWords words a time that somebody waited.
func waitWords(lang string, d time.Duration) string {
	switch {
	case d < time.Second:
		return words.T(lang, "today.at_once")
	case d < time.Minute:
		return words.T(lang, "wait.seconds", "count", int(d.Seconds()+.5))
	}
	return words.T(lang, "wait.minutes", "count", int(d.Minutes()+.5))
}

// portalMessages is the list; htmx asks for more of its rows.
func (s *server) portalMessages(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	var list MessageList
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		list, err = listMessages(ctx, q, v.Tenant, from, pageSize, v.Lang, "/portal/messages")
		return err
	})
	if err != nil {
		return err
	}
	if wantsHTMX(c) {
		return s.render(c, http.StatusOK, "fragments/message_rows", list)
	}
	page := PortalMessagesPage{Page: s.page(c, words.T(v.Lang, "nav.messages"), "messages"), Messages: list}
	page.StreamURL = "/portal/stream?page=messages"
	return s.render(c, http.StatusOK, "portal/messages", page)
}

func (s *server) portalEvents(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	var list EventList
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		list, err = listEvents(ctx, q, v.Tenant, from, pageSize, v.Lang, "/portal/events")
		return err
	})
	if err != nil {
		return err
	}
	if wantsHTMX(c) {
		return s.render(c, http.StatusOK, "fragments/event_rows", list)
	}
	page := PortalEventsPage{Page: s.page(c, words.T(v.Lang, "nav.events"), "events"), Events: list}
	page.StreamURL = "/portal/stream?page=events"
	return s.render(c, http.StatusOK, "portal/events", page)
}

// portalStream keeps an owner's page up to date; ?page= says which, so that it gets nothing it would drop.
func (s *server) portalStream(c *fiber.Ctx) error {
	v := visitorOf(c)
	live := tenantLive{
		s: s, tenant: v.Tenant, base: portalBase, lang: v.Lang, handoffs: true,
		query: func(ctx context.Context, fn func(*queries.Queries) error) error { return s.inTenant(ctx, v.Tenant, fn) },
	}
	switch c.Query("page", "home") {
	case "home":
		live.panel, live.messages, live.countsQueue, live.rows = true, true, true, latestMessages
		live.state = s.homeFragments(v)
	case "messages":
		live.messages, live.rows = true, pageSize
	case "events":
		live.events, live.rows = true, pageSize
	case "other": // nothing of its own that changes
	default:
		return refuse(http.StatusUnprocessableEntity, "There is no such page to keep up to date.")
	}
	return s.stream(c, live.feed(v))
}

// portalTenant reads the visitor's own tenant, through the tenant door.
func (s *server) portalTenant(ctx context.Context, v *visitor) (t queries.GetTenantRow, err error) {
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		t, err = q.GetTenant(ctx, v.Tenant)
		return err
	})
	return t, err
}

// portalStart has the business's own number connected, or a code shown.
func (s *server) portalStart(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	t, err := s.portalTenant(ctx, v)
	if err != nil {
		return err
	}
	if _, err := s.startCommand(t)(ctx, v.Tenant, v.actor()); err != nil {
		return err
	}
	if t, err = s.portalTenant(ctx, v); err != nil {
		return err
	}
	panel, err := s.linkPanel(t, portalBase, v.Lang)
	if err != nil {
		return err
	}
	return s.done(c, "/portal", "fragments/link_panel", panel, "") // the panel shows how it goes
}

// portalPairCode asks for a code to link by phone number.
func (s *server) portalPairCode(c *fiber.Ctx) error {
	t, err := s.portalTenant(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	return s.pairCode(c, t, portalBase, "/portal")
}

// portalNothing says that there is no such page, as a route of its own: only a route knows the visitor's language.
func (s *server) portalNothing(*fiber.Ctx) error { return fiber.ErrNotFound }
