package routes

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries/tables"
)

const (
	listRest  = 500 * time.Millisecond // between two rounds of changed rows, of lists that see everybody's
	listBurst = 40                     // changed rows of a round that are sent one by one; more are the list anew
)

// dataStream keeps the rows of a table's list up to date. A row that does not fit the filter any more is marked and stays where
// it is; new ones are put in where the newest stand first.
func (s *server) dataStream(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	ctx, v := c.UserContext(), visitorOf(c)
	prefs, err := s.preferences(ctx, v.ID)
	if err != nil {
		return err
	}
	ask := listAsk{query: strings.TrimSpace(c.Query("q")), sort: c.Query("sort"), columns: shownColumns(t, prefs)}
	order := t.Sort(ask.sort)
	if ok, err := order.Column.Sortable(ctx, s.Database.System); err != nil {
		return err
	} else if !ok {
		order = t.Sort("")
	}
	since, _ := strconv.ParseInt(c.Query("since"), 10, 64)
	live := listLive{s: s, table: t, ask: ask, order: order, since: since}
	return s.stream(c, feed{sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(v), present: live.present, changed: live.changed, rest: listRest})
}

// listLive is one open list.
type listLive struct {
	s     *server
	table *tables.Table
	ask   listAsk
	order tables.Sort
	since int64 // when the page was made, in µs; 0 once the stream has caught up
}

func (l *listLive) read(ctx context.Context, is []tables.Is) ([]tables.Row, error) {
	filter, err := l.table.Parse(l.ask.query, l.s.now()) // anew each time: @now goes on
	if err != nil {
		return nil, errStreamEnd
	}
	page, err := l.s.registry.List(ctx, l.s.Database.System, tables.ListQuery{
		Table: l.table, Filter: filter, Is: is, Sort: l.order, Columns: l.ask.columns, Limit: listSize,
	})
	return page.Rows, err
}

// present sends the first rows: all of them after a gap, at the start only what came since the page was made.
func (l *listLive) present(ctx context.Context, w *eventWriter) error {
	rows, err := l.read(ctx, nil)
	if err != nil {
		return err
	}
	since := l.since
	l.since = 0
	for _, row := range slices.Backward(rows) {
		if since == 0 || !row.Place.Time.IsZero() && row.Place.Time.UnixMicro() > since {
			if err := l.send(w, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *listLive) changed(ctx context.Context, w *eventWriter, events []Event) error {
	var keys []string
	for _, e := range events {
		id := e.ID.String()
		if l.table.Name == "tenants" {
			id = e.Tenant.String() // its settings announce themselves under their own id
		}
		if e.Kind == l.table.Live && !slices.Contains(keys, id) {
			keys = append(keys, id)
		}
	}
	switch {
	case len(keys) == 0:
		return nil
	case len(keys) > listBurst:
		return l.present(ctx, w)
	}
	rows, err := l.read(ctx, []tables.Is{{Column: l.table.Key[0], Values: keys}})
	if err != nil {
		return err
	}
	for _, row := range slices.Backward(rows) {
		if err := l.send(w, row); err != nil {
			return err
		}
		keys = slices.DeleteFunc(keys, func(k string) bool { return k == row.Key })
	}
	for _, key := range keys {
		if err := l.s.sendFragments(w, "event", fragment{"fragments/data_row_left", key}); err != nil {
			return err
		}
	}
	return nil
}

func (l *listLive) send(w *eventWriter, row tables.Row) error {
	return l.s.sendFragments(w, "event", fragment{"fragments/data_row", l.s.dataRow(l.table, l.ask, l.order, row)})
}
