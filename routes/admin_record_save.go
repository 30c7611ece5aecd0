package routes

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries/tables"
)

// recordSave changes a record.
func (s *server) recordSave(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	ctx, key := c.UserContext(), recordKey(c)
	before, err := s.registry.Read(ctx, s.Database.System, t, key)
	if err != nil {
		return recordGone(t, err)
	}
	d, err := s.recordDrawer(ctx, visitorOf(c), t, key)
	if err != nil {
		return recordGone(t, err)
	}
	if d.Action == "" {
		return refuse(http.StatusMethodNotAllowed, t.Plural+" cannot be changed by hand.")
	}
	form := readRecordForm(c, t, false)
	if len(form.errors) == 0 && len(form.values) > 0 {
		err := s.update(c, t, before, c.FormValue("version"), form.values)
		if errors.Is(err, tables.ErrChanged) {
			return s.recordConflict(c, t, before, d, form)
		}
		if errors.Is(err, tables.ErrGone) {
			return recordGone(t, err)
		}
		if done, other := s.refused(t, &d, &form, err); other != nil {
			return other
		} else if done {
			return s.recordSaved(c, t, key)
		}
	}
	s.typedFields(ctx, t, &d, before, form)
	return s.render(c, http.StatusUnprocessableEntity, "fragments/record", d)
}

func (s *server) typedFields(ctx context.Context, t *tables.Table, d *RecordDrawer, before tables.Record, form recordForm) {
	d.Fields = nil
	for _, col := range t.Columns {
		if col.Editable(false) {
			d.Fields = append(d.Fields, s.typedField(ctx, col, before.Value(col), form))
		}
	}
}

// recordConflict says what somebody else changed meanwhile. Saving once more puts one's own values over theirs.
func (s *server) recordConflict(c *fiber.Ctx, t *tables.Table, now tables.Record, d RecordDrawer, form recordForm) error {
	for i, col := range t.Columns {
		mine, sent := form.values[col.Name]
		theirs := now.Values[i]
		if sent && (mine == nil) != theirs.Null || mine != nil && *mine != theirs.Text && !(col.Kind == tables.Time && sameTime(*mine, theirs.Time)) {
			d.Changed = append(d.Changed, s.fact(col, theirs, now.Titles[i]))
		}
	}
	s.typedFields(c.UserContext(), t, &d, now, form)
	return s.render(c, http.StatusUnprocessableEntity, "fragments/record", d)
}

func sameTime(text string, at time.Time) bool {
	t, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && t.Equal(at)
}

// recordSaved shows the record as it is now, and its row in the list anew.
func (s *server) recordSaved(c *fiber.Ctx, t *tables.Table, key string) error {
	if !wantsHTMX(c) {
		if err := s.toast(c, "ok", "Saved."); err != nil {
			return err
		}
		return c.Redirect(dataBase(t)+"?open="+queryEscape(key), http.StatusSeeOther)
	}
	d, err := s.recordDrawer(c.UserContext(), visitorOf(c), t, key)
	if err != nil {
		return recordGone(t, err)
	}
	d.Saved = true
	header, err := triggerHeader(Toast{Kind: "ok", Text: "Saved."}, map[string]any{"record-saved": key})
	if err != nil {
		return err
	}
	c.Set("HX-Trigger", header)
	return s.render(c, http.StatusOK, "fragments/record", d)
}
