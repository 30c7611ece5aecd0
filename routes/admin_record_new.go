package routes

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries/tables"
)

// recordNew is the drawer for a new record, filled as another one where it is a duplicate.
func (s *server) recordNew(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if !t.Creatable || t.NewPage != "" {
		return notFound("A form for this")
	}
	d := RecordDrawer{Table: t.Name, Singular: t.Singular, Base: dataBase(t), Action: dataBase(t)}
	from := tables.Record{}
	if key := c.Query("from"); key != "" {
		if from, err = s.registry.Read(c.UserContext(), s.Database.System, t, key); err != nil {
			return recordGone(t, err)
		}
	}
	for i, col := range t.Columns {
		if !col.Editable(true) {
			continue
		}
		v, title := from.Value(col), ""
		if from.Key != "" {
			title = from.Titles[i]
		}
		d.Fields = append(d.Fields, fieldView(col, v, title))
	}
	return s.render(c, http.StatusOK, "fragments/record", d)
}

// recordCreate makes a record; what is wrong with it is said in the form, with all that was typed still there.
func (s *server) recordCreate(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if !t.Creatable || t.NewPage != "" {
		return notFound("A form for this")
	}
	form := readRecordForm(c, t, true)
	d := RecordDrawer{Table: t.Name, Singular: t.Singular, Base: dataBase(t), Action: dataBase(t)}
	var key string
	if len(form.errors) == 0 {
		key, err = s.insert(c, t, &d, form.values)
		if done, refused := s.refused(t, &d, &form, err); refused != nil {
			return refused
		} else if done && d.Invite != nil { // shown once: the drawer stays open
			c.Set("HX-Trigger", `{"list-again": true}`)
			return s.render(c, http.StatusOK, "fragments/record", d)
		} else if done {
			return s.recordMade(c, t, key)
		}
	}
	for _, col := range t.Columns {
		if col.Editable(true) {
			d.Fields = append(d.Fields, s.typedField(c.UserContext(), col, tables.Value{Null: true}, form))
		}
	}
	return s.render(c, http.StatusUnprocessableEntity, "fragments/record", d)
}

// refused puts what the database or a command says against a form's values into the form. done: it says nothing.
func (s *server) refused(t *tables.Table, d *RecordDrawer, form *recordForm, err error) (done bool, other error) {
	if err == nil {
		return true, nil
	}
	if refusal, ok := formRefusal(err); ok {
		form.errors = refusal.Fields
		if len(refusal.Fields) == 0 {
			d.Error = refusal.Message
		}
		return false, nil
	}
	fields, message, ok := jobs.RecordRefusal(t, err)
	if !ok {
		return false, err
	}
	form.errors, d.Error = fields, message
	return false, nil
}

// typedField is an editor with what a person typed in it, where they sent the field.
func (s *server) typedField(ctx context.Context, c *tables.Column, v tables.Value, form recordForm) FieldView {
	if text, sent := form.typed[c.Name]; sent {
		v = tables.Value{Text: text}
	}
	f := fieldView(c, v, "")
	if c.Kind == tables.JSON {
		f.Value = v.Text // as typed, mistakes and all
	}
	if c.Kind == tables.Relation && form.values[c.Name] != nil {
		titles, err := s.registry.Titles(ctx, s.Database.System, c.Ref, []string{*form.values[c.Name]})
		if err != nil {
			s.Log.Warn("what a record is called could not be read", "table", c.Ref.Name, "err", err)
		}
		f.RefTitle = titles[*form.values[c.Name]]
	}
	f.Error = form.errors[c.Name]
	return f
}

// recordMade closes the drawer and shows the new record in its list.
func (s *server) recordMade(c *fiber.Ctx, t *tables.Table, key string) error {
	text := plainName(t.Singular) + " created."
	if !wantsHTMX(c) {
		if err := s.toast(c, "ok", text); err != nil {
			return err
		}
		return c.Redirect(recordURL(t, key), http.StatusSeeOther)
	}
	return s.tell(c, http.StatusNoContent, "ok", text, map[string]any{"record-made": key})
}
