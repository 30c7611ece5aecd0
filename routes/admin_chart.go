package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"flowhq/queries/tables"
)

// listChart is the chart over a list: its frame, which comes with the page. What it draws is asked for apart, so that the list never
// waits for it.
func (s *server) listChart(ctx context.Context, t *tables.Table, ask listAsk) (*ListChart, error) {
	chart := &ListChart{URL: strings.Replace(ask.address(t, "sort", ""), dataBase(t), dataBase(t)+"/chart", 1)}
	by := t.Column(t.Chart)
	for _, v := range by.Enum {
		chart.Values = append(chart.Values, Choice{Value: v, Label: enumWord(by, v)})
	}
	lost, err := s.system.CountDroppedLogs(ctx, time.Now().Add(-24*time.Hour))
	if lost += s.Logbook.Unsaid(); lost > 0 {
		chart.Lost = fmt.Sprintf("%s of the last 24 hours were not kept: too many came at once, or the database was away.", countOf(lost, "entry", "entries"))
	}
	return chart, err
}

// toTheSecond shows times exactly in a table with a chart: there one looks for what happened at the same moment.
func toTheSecond(t *tables.Table, cell CellView) CellView {
	if t.Chart != "" && cell.Kind == "time" {
		cell.Kind = "moment"
	}
	return cell
}

func countOf(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// dataChart is what the chart over a list draws.
func (s *server) dataChart(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if t.Chart == "" {
		return notFound("A chart of this")
	}
	filter, err := t.Parse(strings.TrimSpace(c.Query("q")), s.now())
	if err != nil { // the list says what is wrong with it
		return s.render(c, http.StatusOK, "fragments/list_series", ListSeries{})
	}
	h, err := t.Histogram(c.UserContext(), s.Database.System, filter, s.now())
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == pgerrcode.QueryCanceled {
		return s.render(c, http.StatusOK, "fragments/list_series", ListSeries{Words: "There are too many entries to count at once. Narrow the time."})
	}
	if err != nil {
		return err
	}
	series, err := listSeries(t, h)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/list_series", series)
}

func listSeries(t *tables.Table, h tables.Histogram) (ListSeries, error) {
	data, sums := map[string]any{"step": int(h.Step / time.Second)}, make([]int64, len(h.Values))
	at := make([]int64, len(h.Counts))
	per := make([][]int64, len(h.Values))
	for i, counts := range h.Counts {
		at[i] = h.From.Add(time.Duration(i) * h.Step).Unix()
		for v, n := range counts {
			per[v] = append(per[v], n)
			sums[v] += n
		}
	}
	data["t"] = at
	var words []string
	for v, name := range h.Values {
		data[name] = per[v]
		words = append(words, strings.ToLower(enumWord(t.Column(t.Chart), name))+": "+grouped(sums[v]))
	}
	raw, err := json.Marshal(data)
	return ListSeries{Series: string(raw), Words: "Entries in this span, " + strings.Join(words, ", ") + "."}, err
}
