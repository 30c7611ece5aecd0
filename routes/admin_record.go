package routes

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

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
	fields, message, ok := recordRefusal(t, err)
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

// tell answers htmx without a body: a toast and events for the page.
func (s *server) tell(c *fiber.Ctx, status int, kind, text string, events map[string]any) error {
	header, err := triggerHeader(Toast{Kind: kind, Text: text}, events)
	if err != nil {
		return err
	}
	c.Set("HX-Trigger", header)
	return c.SendStatus(status)
}

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
	return c.JSON(recordObject(t, rec))
}

// recordObject is a record as programs have it: numbers, booleans and JSON as such, everything else as text.
func recordObject(t *tables.Table, rec tables.Record) map[string]any {
	object := map[string]any{}
	for i, col := range t.Columns {
		v := rec.Values[i]
		switch {
		case v.Null:
			object[col.Name] = nil
		case col.Kind == tables.Int, col.Kind == tables.JSON, col.Kind == tables.Bool:
			object[col.Name] = json.RawMessage(v.Text)
		default:
			object[col.Name] = v.Text
		}
	}
	return object
}

// recordDeleteAsk says what goes with a record before it is deleted.
func (s *server) recordDeleteAsk(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if !t.Deletable {
		return refuse(http.StatusMethodNotAllowed, t.Plural+" cannot be deleted by hand.")
	}
	rec, err := s.registry.Read(c.UserContext(), s.Database.System, t, recordKey(c))
	if err != nil {
		return recordGone(t, err)
	}
	q := DeleteQuestion{Singular: t.Singular, Title: rec.Title, Action: recordPath(t, rec.Key) + "/delete"}
	counting, cancel := context.WithTimeout(c.UserContext(), 3*time.Second)
	defer cancel()
	dependents, err := t.Dependents(counting, s.Database.System, rec.Key)
	if err != nil && counting.Err() == nil {
		return recordGone(t, err)
	}
	q.Unknown = err != nil
	q.Goes, q.Stays = dependentWords(dependents)
	return s.render(c, http.StatusOK, "fragments/record_delete", q)
}

// dependentWords says what goes with deleted records and what stays without them.
func dependentWords(dependents []tables.Dependent) (goes, stays []string) {
	for _, d := range dependents {
		words := countWords(d.Rows, d.Table)
		if d.More {
			words = "more than " + words
		}
		if d.Cleared {
			stays = append(stays, words)
		} else {
			goes = append(goes, words)
		}
	}
	return goes, stays
}

// recordDelete removes a record with what belongs to it.
func (s *server) recordDelete(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	if !t.Deletable {
		return refuse(http.StatusMethodNotAllowed, t.Plural+" cannot be deleted by hand.")
	}
	key := recordKey(c)
	run, err := s.remove(c, t, key)
	if err != nil {
		if _, message, ok := recordRefusal(t, err); ok {
			return refuse(http.StatusConflict, message)
		}
		return recordGone(t, err)
	}
	if run != uuid.Nil {
		return s.redirect(c, bulkURL(run))
	}
	text := plainName(t.Singular) + " deleted."
	if !wantsHTMX(c) {
		if err := s.toast(c, "ok", text); err != nil {
			return err
		}
		return c.Redirect(dataBase(t), http.StatusSeeOther)
	}
	return s.tell(c, http.StatusNoContent, "ok", text, map[string]any{"record-gone": key})
}

// pick searches the records a relation can point at.
func (s *server) pick(c *fiber.Ctx) error {
	t, err := s.tableOf(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	list := PickList{Query: c.Query("pick")}
	text := list.Query
	if len(t.Search) == 0 || tables.IsExpression(text) {
		text = ""
	}
	filter, err := t.Parse(text, s.now())
	if err != nil {
		return s.render(c, http.StatusOK, "fragments/pick_list", list)
	}
	const most = 12
	page, err := s.registry.List(ctx, s.Database.System, tables.ListQuery{Table: t, Filter: filter, Sort: t.Sort(""), Limit: most})
	if err != nil {
		return err
	}
	var keys []string
	for _, row := range page.Rows {
		keys = append(keys, row.Key)
	}
	titles, err := s.registry.Titles(ctx, s.Database.System, t, keys)
	if err != nil {
		return err
	}
	for _, k := range keys {
		list.Options = append(list.Options, Choice{Value: k, Label: titles[k]})
	}
	list.More = page.Next != ""
	return s.render(c, http.StatusOK, "fragments/pick_list", list)
}

// lowerPlural is the table's name inside a sentence; abbreviations keep their capitals.
func lowerPlural(t *tables.Table) string {
	if len(t.Plural) > 1 && t.Plural[1] >= 'A' && t.Plural[1] <= 'Z' {
		return t.Plural
	}
	return strings.ToLower(t.Plural[:1]) + t.Plural[1:]
}
