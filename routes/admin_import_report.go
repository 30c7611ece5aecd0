package routes

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"
)

// importOutcomes are what rows come to: the word while it is tried, the word once it is done, and how it looks.
var importOutcomes = map[queries.ImportOutcome]struct{ will, is, tone string }{
	queries.ImportOutcomeCREATED: {"Will be new", "New", ToneOK}, queries.ImportOutcomeCHANGED: {"Will change", "Changed", ToneWaiting},
	queries.ImportOutcomeUNCHANGED: {"Stays the same", "Unchanged", ToneIdle}, queries.ImportOutcomeREFUSED: {"Refused", "Refused", ToneFailed},
}

func importOutcome(i queries.Import, o queries.ImportOutcome) State {
	words := importOutcomes[o]
	if i.StartedAt != nil {
		return State{string(o), words.is, words.tone}
	}
	return State{string(o), words.will, words.tone}
}

func importChips(i queries.Import, show string) []FilterChip {
	chips := []FilterChip{{Label: "All", Count: int(i.Place), Active: show == ""}}
	for _, o := range queries.AllImportOutcomeValues() {
		state := importOutcome(i, o)
		count := map[queries.ImportOutcome]int32{
			queries.ImportOutcomeCREATED: i.Created, queries.ImportOutcomeCHANGED: i.Changed, queries.ImportOutcomeUNCHANGED: i.Unchanged, queries.ImportOutcomeREFUSED: i.Refused,
		}[o]
		chips = append(chips, FilterChip{Label: state.Word, Status: state.Code, Count: int(count), Tone: state.Tone, Active: show == state.Code})
	}
	return chips
}

// importMore is more of the report's rows.
func (s *server) importMore(c *fiber.Ctx) error {
	i, t, err := s.importOf(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	after, err := strconv.ParseInt(c.Query("after", "0"), 10, 32)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "This place in the list is not known. Open the list from its start.")
	}
	rows, err := s.importRows(c.UserContext(), i, t, c.Query("show"), int32(after))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/import_rows", rows)
}

// importRows reads a page of the report.
func (s *server) importRows(ctx context.Context, i queries.Import, t *tables.Table, show string, after int32) (ImportRows, error) {
	l := ImportRows{URL: importURL(i.ID), Show: show, Chips: importChips(i, show)}
	p := queries.ListImportOutcomesParams{ImportID: i.ID, After: after, Place: i.Place, PageSize: pageSize + 1}
	if show != "" {
		o := queries.ImportOutcome(show)
		if !o.Valid() {
			return l, refuse(http.StatusUnprocessableEntity, "There is no such outcome to filter by.")
		}
		p.Outcome = &o
	}
	rows, err := s.system.ListImportOutcomes(ctx, p)
	if err != nil {
		return l, err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		l.MoreURL = l.URL + "/rows?" + url.Values{"after": {strconv.Itoa(int(rows[pageSize-1].Number))}, "show": {show}}.Encode()
	}
	for _, row := range rows {
		view, err := s.importRow(i, t, row)
		if err != nil {
			return l, err
		}
		l.Rows = append(l.Rows, view)
	}
	return l, nil
}

func (s *server) importRow(i queries.Import, t *tables.Table, row queries.ImportRow) (ImportRowView, error) {
	v := ImportRowView{Line: row.Line, State: importOutcome(i, *row.Outcome), Words: rowWords(row.Cells)}
	if row.RecordKey != nil && (i.StartedAt != nil || *row.Outcome != queries.ImportOutcomeCREATED) {
		v.URL = recordURL(t, *row.RecordKey)
	}
	label := func(name string) string {
		for _, c := range jobs.ImportColumns(s.registry, t) {
			if c.Name == name {
				return c.Label
			}
		}
		return plainName(name)
	}
	var changes []jobs.ImportChange
	var reasons map[string]string
	if row.Changes != nil {
		if err := json.Unmarshal(row.Changes, &changes); err != nil {
			return v, err
		}
	}
	if row.Reasons != nil {
		if err := json.Unmarshal(row.Reasons, &reasons); err != nil {
			return v, err
		}
	}
	for _, c := range changes {
		v.Changes = append(v.Changes, ImportChangeView{label(c.Column), shorten(c.From, 120), shorten(c.To, 120)})
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		f := BulkFact{Text: reasons[name]}
		if name != "" {
			f.Label = label(name)
		}
		v.Reasons = append(v.Reasons, f)
	}
	return v, nil
}

// rowWords are the first things a row says, so that somebody finds it again.
func rowWords(cells []string) (words []string) {
	for _, c := range cells {
		if c = shorten(c, 40); c != "" && len(words) < 3 {
			words = append(words, c)
		}
	}
	return words
}

// refusedColumn names what our file of refused rows adds to them. It is no column of any table, so it is left out when they come again.
const refusedColumn = "Why refused"

// importRefused is a file of the refused rows as they came, with why, to be corrected and imported again.
func (s *server) importRefused(c *fiber.Ctx) error {
	i, _, err := s.importOf(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(i.FileName, filepath.Ext(i.FileName))
	name = strings.Map(func(r rune) rune {
		if r < 128 && (r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '-'
	}, name)
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`-refused.csv"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if c.Method() == fiber.MethodHead {
		return nil
	}
	log := s.Log.With("request", requestID(c))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		if err := s.writeRefused(w, i); err != nil {
			log.Warn("an export broke off", "err", err)
		}
	})
	return nil
}

func (s *server) writeRefused(w *bufio.Writer, i queries.Import) error {
	out := spreadsheet.NewWriter(w)
	if err := out.Names(append(slices.Clone(i.Header), refusedColumn)...); err != nil {
		return err
	}
	refused := queries.ImportOutcomeREFUSED
	p := queries.ListImportOutcomesParams{ImportID: i.ID, Place: i.Place, Outcome: &refused, PageSize: exportRows}
	for {
		reading, cancel := context.WithTimeout(s.Context, requestTimeout)
		rows, err := s.system.ListImportOutcomes(reading, p)
		cancel()
		if err != nil {
			return err
		}
		for _, row := range rows {
			var reasons map[string]string
			if err := json.Unmarshal(row.Reasons, &reasons); err != nil {
				return err
			}
			var why []string
			for _, name := range slices.Sorted(maps.Keys(reasons)) {
				if name == "" {
					why = append(why, reasons[name])
				} else {
					why = append(why, name+": "+reasons[name])
				}
			}
			if err := out.Names(append(row.Cells, strings.Join(why, " "))...); err != nil {
				return err
			}
			p.After = row.Number
		}
		if len(rows) < exportRows {
			return out.Flush()
		}
	}
}
