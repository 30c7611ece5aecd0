package routes

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries/tables"
)

const fillIn = jobs.FillIn

// recordForm is what a person sent for a record: as typed, and as it can be stored.
type recordForm struct {
	typed  map[string]string
	values map[string]*string // nil: no value
	errors FieldErrors
}

// readRecordForm reads and checks the editable fields of a form.
func readRecordForm(c *fiber.Ctx, t *tables.Table, creating bool) recordForm {
	f := recordForm{typed: map[string]string{}, values: map[string]*string{}, errors: FieldErrors{}}
	for _, col := range t.Columns {
		if !col.Editable(creating) || !c.Context().PostArgs().Has(col.Name) {
			continue
		}
		text := c.FormValue(col.Name)
		if col.Kind == tables.Bool { // a box that is not ticked sends only the hidden field before it
			all := c.Context().PostArgs().PeekMulti(col.Name)
			text = string(all[len(all)-1])
		}
		f.typed[col.Name] = text
		if strings.TrimSpace(text) == "" {
			switch {
			case creating && col.Default:
			case col.Nullable:
				f.values[col.Name] = nil
			default:
				f.errors[col.Name] = fillIn
			}
			continue
		}
		stored, problem := jobs.StoredValue(col, text)
		if problem != "" {
			f.errors[col.Name] = problem
			continue
		}
		f.values[col.Name] = &stored
	}
	if creating {
		for _, col := range t.Columns {
			if _, sent := f.typed[col.Name]; col.Editable(true) && col.Required() && !sent {
				f.errors[col.Name] = fillIn
			}
		}
	}
	return f
}

// prettyJSON puts each member on a line of its own.
func prettyJSON(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}
