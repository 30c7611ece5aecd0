package routes

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"
)

const exportRows = 1000 // that are read at once: a download, however slow, holds no connection and no snapshot

// dataExport sends the records of a list, all that its filter lets through or those chosen, as a file. However many they are, only a
// page of them is in memory.
func (s *server) dataExport(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	pick, err := s.chosen(c, t)
	if err != nil {
		return err
	}
	order := t.Sort(c.FormValue("sort"))
	if ok, err := order.Column.Sortable(c.UserContext(), s.Database.System); err != nil {
		return err
	} else if !ok {
		order = t.Sort("")
	}
	format := c.FormValue("format")
	sink, kind := csvExport, "text/csv; charset=utf-8"
	switch format {
	case "", "csv":
		format = "csv"
	case "json":
		sink, kind = jsonExport, "application/json; charset=utf-8"
	default:
		return refuse(http.StatusUnprocessableEntity, "Records can be had as csv or as json.")
	}
	query := tables.ListQuery{Table: t, Filter: pick.filter, Keys: pick.keys, Sort: order, Columns: t.Columns, Limit: exportRows, Whole: true}
	name := t.Name + "-" + s.now().Format("2006-01-02") + "." + format
	return s.sendFile(c, name, kind, s.Log.With("request", requestID(c), "table", t.Name), func(w io.Writer) error {
		return sink(w, t, func(row func(tables.Row) error) error { return s.eachRow(query, row) })
	}, nil)
}

// eachRow reads a list from its start to its end.
func (s *server) eachRow(query tables.ListQuery, row func(tables.Row) error) error {
	for {
		reading, cancel := context.WithTimeout(s.Context, requestTimeout)
		page, err := s.registry.List(reading, s.Database.System, query)
		cancel()
		if err != nil {
			return err
		}
		for _, r := range page.Rows {
			if err := row(r); err != nil {
				return err
			}
		}
		if query.After = page.Next; page.Next == "" {
			return nil
		}
	}
}

type rows func(row func(tables.Row) error) error

func csvExport(w io.Writer, t *tables.Table, all rows) error {
	out := spreadsheet.NewWriter(w)
	line := make([]spreadsheet.Cell, len(t.Columns))
	for i, c := range t.Columns {
		line[i] = spreadsheet.Text(c.Name)
	}
	if err := out.Write(line...); err != nil {
		return err
	}
	err := all(func(row tables.Row) error {
		for i, c := range t.Columns {
			line[i] = csvCell(c, row.Values[i])
		}
		return out.Write(line...)
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

func csvCell(c *tables.Column, v tables.Value) spreadsheet.Cell {
	switch {
	case v.Null:
		return spreadsheet.Text("")
	case c.Kind == tables.Time:
		return spreadsheet.Number(v.Time.UTC().Format(time.DateTime))
	case c.Kind == tables.Int, c.Kind == tables.Bool, c.Kind == tables.Enum:
		return spreadsheet.Number(v.Text)
	}
	return spreadsheet.Text(v.Text)
}

// jsonExport writes an array with a record in each line.
func jsonExport(w io.Writer, t *tables.Table, all rows) error {
	before := "[\n"
	err := all(func(row tables.Row) error {
		raw, err := json.Marshal(jobs.RecordObject(t, tables.Record{Values: row.Values}))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		before = ",\n"
		_, err = w.Write(raw)
		return err
	})
	if err != nil {
		return err
	}
	end := "\n]\n"
	if before == "[\n" {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return err
}
