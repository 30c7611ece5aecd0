package routes

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

const bulkRest = 250 * time.Millisecond // between two steps of a progress bar

var bulkStates = map[queries.BulkState]State{
	queries.BulkStateWAITING: {"WAITING", "Waiting", ToneWaiting}, queries.BulkStateRUNNING: {"RUNNING", "At work", ToneWaiting},
	queries.BulkStateDONE: {"DONE", "Done", ToneOK}, queries.BulkStateCANCELLED: {"CANCELLED", "Cancelled", ToneIdle}, queries.BulkStateFAILED: {"FAILED", "Broke off", ToneFailed},
}

// bulkRun is the run that the path names.
func (s *server) bulkRun(ctx context.Context, text string) (queries.BulkRun, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return queries.BulkRun{}, notFound("This run")
	}
	run, err := s.system.GetBulkRun(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return run, notFound("This run")
	}
	return run, err
}

// bulkRunPage shows how far a run is, and what came of it.
func (s *server) bulkRunPage(c *fiber.Ctx) error {
	run, err := s.bulkRun(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	page := BulkRunPage{Page: s.page(c, "Bulk run", "bulk_runs")}
	if page.Run, err = s.bulkRunView(visitorOf(c), run); err != nil {
		return err
	}
	page.Title = page.Run.Heading
	if page.Run.AtWork {
		page.StreamURL = bulkURL(run.ID) + "/stream"
	}
	return s.render(c, http.StatusOK, "admin/bulk_run", page)
}

// bulkRunStream moves the progress bar until the run is over.
func (s *server) bulkRunStream(c *fiber.Ctx) error {
	run, err := s.bulkRun(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	reader := visitorOf(c)
	present := func(ctx context.Context, w *eventWriter) error {
		now, err := s.bulkRun(ctx, run.ID.String())
		if err != nil {
			return errStreamEnd
		}
		view, err := s.bulkRunView(reader, now)
		if err != nil {
			return err
		}
		return s.sendFragments(w, "event", fragment{"fragments/bulk_run", view})
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(reader), present: present, rest: bulkRest,
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			if slices.ContainsFunc(events, func(e Event) bool { return e.Kind == "row:bulk_runs" && e.ID == run.ID }) {
				return present(ctx, w)
			}
			return nil
		},
	})
}

// bulkRunCancel ends a run. What it did stays done.
func (s *server) bulkRunCancel(c *fiber.Ctx) error {
	run, err := s.bulkRun(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	if t := s.registry.Table(run.TableName); t != nil {
		if missing := visitorOf(c).lacks(bulkRight(t, run.Action)); missing != "" {
			return refuse(http.StatusForbidden, missing+" Ask an admin to do it, or for another role.")
		}
	}
	if err := s.Commands.CancelBulk(c.UserContext(), run.ID, visitorOf(c).actor()); err != nil {
		return err
	}
	if run, err = s.bulkRun(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	view, err := s.bulkRunView(visitorOf(c), run)
	if err != nil {
		return err
	}
	return s.done(c, bulkURL(run.ID), "fragments/bulk_run", view, "Cancelled. What was done stays done.")
}

func (s *server) bulkRunView(reader *visitor, run queries.BulkRun) (BulkRunView, error) {
	v := BulkRunView{
		ID: run.ID.String(), URL: bulkURL(run.ID), State: bulkStates[run.State], AtWork: run.FinishedAt == nil, By: run.AskedBy, Asked: run.CreatedAt, Filter: run.Filter,
		Heading: bulkVerbs[run.Action] + " " + run.TableName,
	}
	if run.FinishedAt != nil {
		v.Finished = *run.FinishedAt
	}
	if run.Error != nil {
		v.Error = *run.Error
	}
	t := s.registry.Table(run.TableName)
	if t != nil {
		v.Cancel = v.AtWork && reader.may(bulkRight(t, run.Action))
		words := countWords(run.Total, t)
		if run.Action != queries.BulkActionEDIT && run.Action != queries.BulkActionDELETE && t.Name == "tenants" {
			words = "the workers of " + words
		}
		v.Heading, v.List, v.ListURL = bulkVerbs[run.Action]+" "+words, lowerPlural(t), dataBase(t)
		if run.Filter != "" {
			v.ListURL += "?" + url.Values{"q": {run.Filter}}.Encode()
		}
	}
	v.progress(run)
	var changes map[string]*string
	if err := json.Unmarshal(run.Changes, &changes); err != nil {
		return v, err
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		v.Changes = append(v.Changes, changeFact(t, name, changes[name]))
	}
	var failures []jobs.BulkFailure
	if err := json.Unmarshal(run.Failures, &failures); err != nil {
		return v, err
	}
	for _, f := range failures {
		view := BulkFailureView{Title: f.Title, Reason: f.Reason}
		if view.Title == "" {
			view.Title = f.Key
		}
		if t != nil {
			view.URL = recordURL(t, f.Key)
		}
		v.Failures = append(v.Failures, view)
	}
	if more := run.Failed - int64(len(failures)); more > 0 {
		v.More = grouped(more)
	}
	return v, nil
}

// progress words the numbers. Records that go with deleted ones count for the bar: they are most of the work.
func (v *BulkRunView) progress(run queries.BulkRun) {
	records, below := run.Done+run.Failed+run.Gone, max(run.BelowTotal, run.BelowDone)
	if total := max(run.Total, records) + below; total > 0 {
		v.Percent = int(100 * (records + run.BelowDone) / total)
	}
	if run.State == queries.BulkStateDONE {
		v.Percent = 100
	}
	v.Progress = grouped(records) + " of " + grouped(max(run.Total, records))
	for _, f := range []struct {
		label string
		n     int64
		shown bool
	}{
		{map[bool]string{true: "Deleted", false: "Done"}[run.Action == queries.BulkActionDELETE], run.Done, true},
		{"Refused", run.Failed, true},
		{"Gone before", run.Gone, run.Gone > 0},
	} {
		if f.shown {
			v.Facts = append(v.Facts, BulkFact{f.label, grouped(f.n)})
		}
	}
	if below > 0 {
		text := grouped(run.BelowDone)
		if v.AtWork {
			text += " of " + grouped(below)
		}
		v.Facts = append(v.Facts, BulkFact{"Removed with them", text})
	}
}

func changeFact(t *tables.Table, name string, value *string) BulkFact {
	f := BulkFact{Label: name, Text: "no value"}
	if value != nil {
		f.Text = *value
	}
	if t == nil || t.Column(name) == nil {
		return f
	}
	col := t.Column(name)
	if f.Label = col.Label; value != nil && col.Kind == tables.Enum {
		f.Text = enumWord(col, *value)
	}
	return f
}

// runsAtWork are the runs and imports that change a table now, for a note over its list.
func (s *server) runsAtWork(ctx context.Context, reader *visitor, t *tables.Table) ([]BulkRunView, error) {
	runs, err := s.system.ListBulkRunsAtWork(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	var views []BulkRunView
	for _, run := range runs {
		v, err := s.bulkRunView(reader, run)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	imports, err := s.system.ListImportsAtWork(ctx, t.Name)
	for _, i := range imports {
		views = append(views, BulkRunView{URL: importURL(i.ID), Heading: "Import of " + i.FileName, Progress: importProgress(i)})
	}
	return views, err
}
