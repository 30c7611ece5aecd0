package routes

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries/tables"
)

// recordKey is the key in a path, which has it escaped.
func recordKey(c *fiber.Ctx) string {
	key, err := url.PathUnescape(c.Params("key"))
	if err != nil {
		return ""
	}
	return key
}

func recordGone(t *tables.Table, err error) error {
	if errors.Is(err, tables.ErrGone) {
		return notFound("This " + t.Singular)
	}
	return err
}

// recordPage is one record: htmx puts it into the drawer, a browser alone gets the list with the drawer open.
func (s *server) recordPage(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if !wantsHTMX(c) {
		return c.Redirect(dataBase(t)+"?open="+queryEscape(recordKey(c)), http.StatusSeeOther)
	}
	d, err := s.recordDrawer(c.UserContext(), visitorOf(c), t, recordKey(c))
	if err != nil {
		return recordGone(t, err)
	}
	return s.render(c, http.StatusOK, "fragments/record", d)
}

// recordDrawer reads a record as the drawer shows it to somebody: who may not change it sees it without any editor.
func (s *server) recordDrawer(ctx context.Context, v *visitor, t *tables.Table, key string) (RecordDrawer, error) {
	rec, err := s.registry.Read(ctx, s.Database.System, t, key)
	if err != nil {
		return RecordDrawer{}, err
	}
	d := RecordDrawer{
		Table: t.Name, Singular: t.Singular, Title: rec.Title, Key: key, Base: dataBase(t), Version: rec.Version,
		JSONURL: recordPath(t, key) + "/json", HistoryURL: recordHistory(t, key),
	}
	may := v.may(rightFor(t))
	if t.Deletable && may {
		d.DeleteURL = recordPath(t, key) + "/delete"
	}
	if t.Page != "" {
		d.PageURL = recordURL(t, key)
	}
	if t.Creatable && t.NewPage == "" && may {
		d.DuplicateURL = dataBase(t) + "/new?from=" + queryEscape(key)
	}
	if t.Name == auditTable {
		return d, s.showChange(ctx, t, rec, &d)
	}
	for i, col := range t.Columns {
		if col.Editable(false) {
			if may {
				d.Fields = append(d.Fields, fieldView(col, rec.Values[i], rec.Titles[i]))
				continue
			}
			d.Notice = v.lacks(rightFor(t))
		}
		f := s.fact(col, rec.Values[i], rec.Titles[i])
		f.Cell = toTheSecond(t, f.Cell)
		d.Facts = append(d.Facts, f)
	}
	if len(d.Fields) > 0 {
		d.Action = recordPath(t, key)
	}
	return d, nil
}

func recordPath(t *tables.Table, key string) string {
	return dataBase(t) + "/record/" + url.PathEscape(key)
}

func (s *server) fact(c *tables.Column, v tables.Value, title string) FactView {
	f := FactView{Label: c.Label, Cell: s.cell(c, v, title)}
	if c.Kind == tables.JSON && !v.Null {
		f.Cell.Text = prettyJSON(v.Text)
	}
	f.Long = c.Kind == tables.JSON || c.Kind == tables.LongText
	return f
}

func fieldView(c *tables.Column, v tables.Value, title string) FieldView {
	f := FieldView{Name: c.Name, Label: c.Label, Kind: string(c.Kind), Value: v.Text, Optional: c.Nullable, RefTitle: title}
	switch c.Kind {
	case tables.Enum:
		for _, code := range c.Enum {
			f.Choices = append(f.Choices, Choice{Value: code, Label: enumWord(c, code)})
		}
	case tables.JSON:
		f.Value = prettyJSON(v.Text)
	case tables.Relation:
		f.RefTable = c.Ref.Name
	}
	return f
}

// tell answers htmx without a body: a toast and events for the page.
func (s *server) tell(c *fiber.Ctx, status int, kind, text string, events map[string]any) error {
	header, err := triggerHeader(Toast{Kind: kind, Text: text}, events)
	if err != nil {
		return err
	}
	c.Set("HX-Trigger", header)
	return c.SendStatus(status)
}

// dataRowOne is one row of a list, asked for after its record was changed.
func (s *server) dataRowOne(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	prefs, err := s.preferences(c.UserContext(), visitorOf(c).ID)
	if err != nil {
		return err
	}
	rec, err := s.registry.Read(c.UserContext(), s.Database.System, t, recordKey(c))
	if err != nil {
		return recordGone(t, err)
	}
	ask := listAsk{query: c.Query("q"), sort: c.Query("sort"), columns: shownColumns(t, prefs)}
	order := t.Sort(ask.sort)
	row := tables.Row{Key: rec.Key, Place: rec.Value(order.Column)}
	for _, col := range ask.columns {
		for i, other := range t.Columns {
			if other == col {
				row.Values, row.Titles = append(row.Values, rec.Values[i]), append(row.Titles, rec.Titles[i])
			}
		}
	}
	return s.render(c, http.StatusOK, "fragments/data_row", s.dataRow(t, ask, order, row))
}

// recordJSON is a record for the clipboard.
func (s *server) recordJSON(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	rec, err := s.registry.Read(c.UserContext(), s.Database.System, t, recordKey(c))
	if err != nil {
		return recordGone(t, err)
	}
	return c.JSON(jobs.RecordObject(t, rec))
}
