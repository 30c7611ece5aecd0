package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

const (
	listSize    = 50              // rows of a list at first and with each "Load more"
	listTimeout = 8 * time.Second // a filter that takes longer is refused with advice
)

func queryEscape(s string) string { return url.QueryEscape(s) }

// tableOf is the table the path names.
func (s *server) tableOf(c *fiber.Ctx) (*tables.Table, error) {
	if t := s.registry.Table(c.Params("table")); t != nil {
		return t, nil
	}
	return nil, notFound("This table")
}

// dataPage is a table's list; htmx asks for the list or, with a cursor, for more of its rows.
func (s *server) dataPage(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	v := visitorOf(c)
	prefs, err := s.preferences(c.UserContext(), v.ID)
	if err != nil {
		return err
	}
	ask := listAsk{query: strings.TrimSpace(c.Query("q")), sort: c.Query("sort"), cursor: c.Query("cursor"), columns: shownColumns(t, prefs)}
	list, err := s.dataList(c.UserContext(), t, ask)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if list.Error != nil {
		status = http.StatusUnprocessableEntity
	}
	if wantsHTMX(c) && ask.cursor != "" {
		return s.render(c, status, "fragments/data_rows", list)
	}
	list.Pinned = slices.Contains(prefs.pins(), t.Name)
	create, change := jobs.Importable(t)
	list.Import = (create || change) && v.may(rightFor(t))
	if list.Views, err = s.savedViews(c.UserContext(), v, t, &list); err != nil {
		return err
	}
	if wantsHTMX(c) {
		return s.render(c, status, "fragments/data_list", list)
	}
	page := DataPage{Page: s.page(c, t.Plural, ""), List: list}
	page.List.Bulk = bulkOffers(v, t)
	if page.Runs, err = s.runsAtWork(c.UserContext(), v, t); err != nil {
		return err
	}
	page.Nav, page.Side = t.Name, s.sidebar(prefs, t.Name)
	if list.Error == nil && t.Live != "" {
		page.StreamURL = dataBase(t) + "/stream?" + url.Values{"q": {ask.query}, "sort": {list.Sort}, "since": {strconv.FormatInt(time.Now().UnixMicro(), 10)}}.Encode()
	}
	if t.Chart != "" {
		if page.Chart, err = s.listChart(c.UserContext(), t, ask); err != nil {
			return err
		}
		page.Charts = true
	}
	if t.Creatable && v.may(rightFor(t)) {
		page.NewURL, page.NewIn = dataBase(t)+"/new", "drawer"
		if t.NewPage != "" {
			page.NewURL, page.NewIn = t.NewPage, "page"
		}
	}
	if key := c.Query("open"); key != "" {
		drawer, err := s.recordDrawer(c.UserContext(), v, t, key)
		if errors.Is(err, tables.ErrGone) {
			page.Flash = append(page.Flash, Toast{Kind: "warn", Text: "This " + t.Singular + " does not exist any more."})
		} else if err != nil {
			return err
		} else {
			page.Record = &drawer
		}
	}
	return s.render(c, status, "admin/data", page)
}

// listAsk is what an address asks of a list.
type listAsk struct {
	query, sort, cursor string
	columns             []*tables.Column
}

// address is the list's own, with other values in place of some.
func (a listAsk) address(t *tables.Table, change ...string) string {
	v := url.Values{}
	for _, pair := range [][2]string{{"q", a.query}, {"sort", a.sort}} {
		if pair[1] != "" {
			v.Set(pair[0], pair[1])
		}
	}
	for i := 0; i+1 < len(change); i += 2 {
		if v.Set(change[i], change[i+1]); change[i+1] == "" {
			v.Del(change[i])
		}
	}
	if len(v) == 0 {
		return dataBase(t)
	}
	return dataBase(t) + "?" + v.Encode()
}

// shownColumns are those an admin chose, or those the description does not hide.
func shownColumns(t *tables.Table, p preferences) []*tables.Column {
	chosen, known := p.list("columns." + t.Name)
	var shown []*tables.Column
	for _, c := range t.Columns {
		if known && slices.Contains(chosen, c.Name) || !known && !c.Hidden && c.Name != "id" {
			shown = append(shown, c)
		}
	}
	if len(shown) == 0 {
		return t.Columns[:1]
	}
	return shown
}

// dataList reads one page of a list. A filter that is wrong is no error: the list says what is wrong with it.
func (s *server) dataList(ctx context.Context, t *tables.Table, ask listAsk) (DataList, error) {
	l := DataList{
		Table: t.Name, Singular: t.Singular, Plural: t.Plural, Many: lowerPlural(t), Icon: t.Icon, Base: dataBase(t), Query: ask.query, Example: t.Example(), Search: len(t.Search) > 0,
		SelfURL: ask.address(t), CountURL: strings.Replace(ask.address(t, "sort", ""), dataBase(t), dataBase(t)+"/count", 1),
	}
	order := t.Sort(ask.sort)
	if ok, err := order.Column.Sortable(ctx, s.Database.System); err != nil {
		return l, err
	} else if !ok {
		order = t.Sort("")
	}
	l.Sort = order.String()
	l.Hints = s.hints[t.Name]
	if err := s.heads(ctx, t, ask, order, &l); err != nil {
		return l, err
	}
	filter, err := t.Parse(ask.query, s.now())
	if problem, ok := errors.AsType[*tables.FilterError](err); ok {
		l.Error, l.CountURL = filterProblem(ask.query, problem), ""
		return l, nil
	}
	reading, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	page, err := s.registry.List(reading, s.Database.System, tables.ListQuery{Table: t, Filter: filter, Sort: order, Columns: ask.columns, After: ask.cursor, Limit: listSize})
	switch {
	case errors.Is(err, tables.ErrCursor):
		return l, refuse(http.StatusUnprocessableEntity, "This place in the list is not known. Open the list from its start.")
	case err != nil && reading.Err() != nil && ctx.Err() == nil:
		l.Error = &FilterProblem{Bad: ask.query, Message: "This would take too long: no index answers it. Add a tenant, or a time such as created_at > @now-7d."}
		return l, nil
	case err != nil:
		return l, err
	}
	for _, row := range page.Rows {
		l.Rows = append(l.Rows, s.dataRow(t, ask, order, row))
	}
	if page.Next != "" {
		l.MoreURL = ask.address(t, "cursor", page.Next)
	}
	return l, nil
}

// now is the clock of filters, in the zone whose days people mean.
func (s *server) now() time.Time { return time.Now().In(s.Location) }

func filterProblem(text string, e *tables.FilterError) *FilterProblem {
	at, end := min(e.At, len(text)), min(e.End, len(text))
	return &FilterProblem{Before: text[:at], Bad: text[at:end], After: text[end:], Message: e.Message}
}

// heads describes the columns shown and those one could show.
func (s *server) heads(ctx context.Context, t *tables.Table, ask listAsk, order tables.Sort, l *DataList) error {
	for _, c := range t.Columns {
		l.All = append(l.All, ColumnChoice{Name: c.Name, Label: c.Label, Shown: slices.Contains(ask.columns, c)})
	}
	for _, c := range ask.columns {
		h := ColumnHead{Name: c.Name, Label: c.Label, Kind: string(c.Kind)}
		ok, err := c.Sortable(ctx, s.Database.System)
		if err != nil {
			return err
		}
		if ok {
			next := tables.Sort{Column: c, Desc: c.Kind == tables.Time || c.Kind == tables.Int}
			if order.Column == c {
				next.Desc = !order.Desc
				h.Order = map[bool]string{true: "descending", false: "ascending"}[order.Desc]
			}
			h.Next, h.SortURL = next.String(), ask.address(t, "sort", next.String())
		}
		l.Columns = append(l.Columns, h)
	}
	return nil
}

func (s *server) dataRow(t *tables.Table, ask listAsk, order tables.Sort, row tables.Row) DataRow {
	d := DataRow{Key: row.Key, URL: dataBase(t) + "/record/" + url.PathEscape(row.Key), Push: ask.address(t, "open", row.Key)}
	if t.Page != "" {
		d.URL, d.Push = strings.Replace(t.Page, "%s", row.Key, 1), ""
	}
	for i, c := range ask.columns {
		d.Cells = append(d.Cells, toTheSecond(t, s.cell(c, row.Values[i], row.Titles[i])))
	}
	if order.Desc && order.Column.Kind == tables.Time {
		d.T = row.Place.Time.UnixMicro()
	}
	d.Title, d.Pick = "Open this "+t.Singular, "Select this "+t.Singular
	return d
}

// hint is one column as the suggestions know it.
type hint struct {
	Name   string   `json:"n"`
	Kind   string   `json:"k"`
	Ops    []string `json:"o"`
	Values []string `json:"v,omitempty"`
	Words  []string `json:"w,omitempty"` // how people read the values
}

// filterHints is what the bar suggests for each table, as JSON: its columns and, one step away, those of the tables it leads to.
func filterHints(r *tables.Registry) (map[string]string, error) {
	all := map[string]string{}
	for _, t := range r.Tables() {
		var hints []hint
		add := func(prefix string, of *tables.Table) {
			for _, c := range of.Columns {
				h := hint{Name: prefix + c.Name, Kind: string(c.Kind), Ops: c.Operators(), Values: c.Enum}
				for _, v := range c.Enum {
					h.Words = append(h.Words, enumWord(c, v))
				}
				if c.Kind == tables.Bool {
					h.Values = []string{"true", "false"}
				}
				hints = append(hints, h)
			}
		}
		add("", t)
		for _, name := range slices.Sorted(maps.Keys(t.Relations)) {
			add(name+".", t.Relations[name].To)
		}
		raw, err := json.Marshal(hints)
		if err != nil {
			return nil, err
		}
		all[t.Name] = string(raw)
	}
	return all, nil
}

// dataCount counts a list's rows, in a request of its own so that the list never waits for it.
func (s *server) dataCount(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(c.Query("q"))
	filter, err := t.Parse(text, s.now())
	if err != nil {
		return s.render(c, http.StatusOK, "fragments/data_count", CountView{})
	}
	var budget time.Duration
	if c.Query("exact") != "" {
		budget = tables.ExactBudget
	}
	n, err := t.Count(c.UserContext(), s.Database.System, filter, budget)
	if err != nil {
		return err
	}
	view := CountView{Text: countWords(n.Rows, t)}
	if n.About {
		view.Text = "about " + countWords(roughly(n.Rows), t)
		if budget == 0 {
			view.ExactURL = dataBase(t) + "/count?" + url.Values{"q": {text}, "exact": {"1"}}.Encode()
		}
	}
	return s.render(c, http.StatusOK, "fragments/data_count", view)
}

func countWords(n int64, t *tables.Table) string {
	if n == 1 {
		return "1 " + t.Singular
	}
	return grouped(n) + " " + lowerPlural(t)
}

// roughly keeps two digits of an estimate: more would claim to know.
func roughly(n int64) int64 {
	step := int64(1)
	for n/step >= 100 {
		step *= 10
	}
	return (n + step/2) / step * step
}

// grouped writes a number with a thin gap between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), "\u202f")
}

// columnsChange remembers which columns an admin wants to see.
func (s *server) columnsChange(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	var names []string
	for _, raw := range c.Context().PostArgs().PeekMulti("column") {
		if col := t.Column(string(raw)); col != nil && !slices.Contains(names, col.Name) {
			names = append(names, col.Name)
		}
	}
	if len(names) == 0 {
		return refuse(http.StatusUnprocessableEntity, "Choose at least one column.")
	}
	if err := s.setPreference(c.UserContext(), visitorOf(c).ID, "columns."+t.Name, names); err != nil {
		return err
	}
	return s.backToList(c, t)
}

// backToList shows the list that the form's "back" names, which must be one of this table.
func (s *server) backToList(c *fiber.Ctx, t *tables.Table) error {
	target := dataBase(t)
	if back, err := url.Parse(c.FormValue("back")); err == nil && back.Path == target {
		target += "?" + back.Query().Encode()
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// savedViews are the admin's own of this table; the one whose address this is, is marked.
func (s *server) savedViews(ctx context.Context, v *visitor, t *tables.Table, l *DataList) ([]SavedView, error) {
	rows, err := s.system.ListSavedViews(ctx, queries.ListSavedViewsParams{UserID: v.ID, TableName: t.Name})
	if err != nil {
		return nil, err
	}
	var views []SavedView
	for _, r := range rows {
		view := SavedView{ID: r.ID.String(), Name: r.Name, URL: dataBase(t) + "?" + r.Query}
		if view.URL == l.SelfURL {
			view.Current, l.ViewName = true, r.Name
		}
		views = append(views, view)
	}
	return views, nil
}

// viewSave keeps a list under a name.
func (s *server) viewSave(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(c.FormValue("name"))
	if name == "" || len(name) > 80 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return refuse(http.StatusUnprocessableEntity, "Give the view a name of at most 80 characters.")
	}
	ask := listAsk{query: strings.TrimSpace(c.FormValue("q")), sort: c.FormValue("sort")}
	if _, err := t.Parse(ask.query, s.now()); err != nil {
		return refuse(http.StatusUnprocessableEntity, "This filter does not work, so it was not saved. "+err.Error())
	}
	_, query, _ := strings.Cut(ask.address(t), "?")
	err = s.system.SaveView(c.UserContext(), queries.SaveViewParams{ID: newID(), UserID: visitorOf(c).ID, TableName: t.Name, Name: name, Query: query})
	if err != nil {
		return err
	}
	if err := s.toast(c, "ok", fmt.Sprintf("The view “%s” is saved.", name)); err != nil {
		return err
	}
	return s.redirect(c, ask.address(t))
}

// viewDelete forgets a view.
func (s *server) viewDelete(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return notFound("This view")
	}
	name, err := s.system.DeleteSavedView(c.UserContext(), queries.DeleteSavedViewParams{UserID: visitorOf(c).ID, ID: id})
	if err != nil {
		return err
	}
	return s.redirect(c, "/admin/data/"+name)
}
