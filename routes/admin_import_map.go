package routes

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

const importFirst = 3 // values of each column that are shown

// importCheck takes what the columns mean and has every row tried.
func (s *server) importCheck(c *fiber.Ctx) error {
	i, t, err := s.importToChange(c)
	if err != nil {
		return err
	}
	m := jobs.ImportMapping{Mode: jobs.ImportMode(c.FormValue("mode")), Key: c.FormValue("key"), Defaults: map[string]string{}, Columns: make([]string, len(i.Header))}
	for n := range i.Header {
		m.Columns[n] = c.FormValue(jobs.ImportFailedColumn(n))
	}
	for _, col := range jobs.ImportColumns(s.registry, t) {
		if v := strings.TrimSpace(c.FormValue(jobs.ImportFailedDefault(col.Name))); v != "" {
			m.Defaults[col.Name] = v
		}
	}
	err = s.Commands.CheckImport(c.UserContext(), s.registry, i.ID, m, visitorOf(c).actor())
	if refusal, ok := formRefusal(err); ok {
		form, err := s.mappingForm(c.UserContext(), i, t, m)
		if err != nil {
			return err
		}
		if form.Error = refusal.Message; len(refusal.Fields) > 0 {
			form.refuse(refusal.Fields)
		}
		if wantsHTMX(c) {
			return s.render(c, http.StatusUnprocessableEntity, "fragments/import_mapping", form)
		}
		return s.showImport(c, http.StatusUnprocessableEntity, i, &form)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, importURL(i.ID))
}

func (f *ImportMappingForm) refuse(fields FieldErrors) {
	f.Errors = fields
	for i := range f.Columns {
		f.Columns[i].Error = fields[f.Columns[i].Field]
	}
	for i := range f.Defaults {
		f.Defaults[i].Error = fields[f.Defaults[i].Field]
	}
}

// mappingForm is the form with a mapping in it.
func (s *server) mappingForm(ctx context.Context, i queries.Import, t *tables.Table, m jobs.ImportMapping) (ImportMappingForm, error) {
	f := ImportMappingForm{Action: importURL(i.ID) + "/mapping", Singular: t.Singular, Many: lowerPlural(t), Mode: string(m.Mode), Key: m.Key}
	if i.State == queries.ImportStateCHECKED {
		f.CancelURL = importURL(i.ID)
	}
	first, err := s.system.ListImportRows(ctx, queries.ListImportRowsParams{ImportID: i.ID, PageSize: importFirst})
	if err != nil {
		return f, err
	}
	for n, name := range i.Header {
		col := ImportColumnView{Field: jobs.ImportFailedColumn(n), Name: name, Target: m.Columns[n]}
		for _, row := range first {
			if text := strings.TrimSpace(row.Cells[n]); text != "" {
				col.First = append(col.First, shorten(text, 60))
			}
		}
		f.Columns = append(f.Columns, col)
	}
	create, change := jobs.Importable(t)
	for _, col := range jobs.ImportColumns(s.registry, t) {
		target := Choice{Value: col.Name, Label: col.Label}
		f.Targets = append(f.Targets, target)
		if change && jobs.ImportKey(col) && col.Of() == t {
			f.Keys = append(f.Keys, target)
		}
		if create && (col.Of() != t || col.Editable(true)) {
			d := importDefault(t, col, m.Defaults[col.Name])
			d.Mapped = slices.Contains(m.Columns, col.Name)
			f.Defaults = append(f.Defaults, d)
		}
	}
	if create {
		f.Modes = append(f.Modes, Choice{Value: string(jobs.ImportCreate), Label: "Make a new " + t.Singular + " of every row"})
	}
	if change {
		f.Modes = append(f.Modes, Choice{Value: string(jobs.ImportUpdate), Label: "Change those that are there; refuse rows that find none"})
	}
	if create && change {
		f.Modes = append(f.Modes, Choice{Value: string(jobs.ImportBoth), Label: "Change those that are there, and make new ones of the other rows"})
	}
	return f, nil
}

func importDefault(t *tables.Table, col *tables.Column, value string) ImportDefault {
	d := ImportDefault{Field: jobs.ImportFailedDefault(col.Name), Column: col.Name, Label: col.Label, Value: value, Required: jobs.ImportRequired(t, col)}
	switch col.Kind {
	case tables.Enum:
		for _, code := range col.Enum {
			d.Choices = append(d.Choices, Choice{Value: code, Label: enumWord(col, code)})
		}
	case tables.Bool:
		d.Choices = []Choice{{Value: "true", Label: "Yes"}, {Value: "false", Label: "No"}}
	case tables.Relation:
		d.Hint = "A " + col.Ref.Singular + ": name or id"
	}
	return d
}

func shorten(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// mappingOf is what somebody said the columns mean, or what they may mean.
func (s *server) mappingOf(i queries.Import, t *tables.Table) (m jobs.ImportMapping, err error) {
	if i.Mapping == nil {
		return jobs.Guess(s.registry, t, i.Header), nil
	}
	return m, json.Unmarshal(i.Mapping, &m)
}
