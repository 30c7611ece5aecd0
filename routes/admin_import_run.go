package routes

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
	"flowhq/queries/tables"
)

var importStates = map[queries.ImportState]State{
	queries.ImportStateMAPPING: {"MAPPING", "Not tried yet", ToneIdle}, queries.ImportStateCHECKING: {"CHECKING", "Trying", ToneWaiting},
	queries.ImportStateCHECKED: {"CHECKED", "Tried, nothing imported yet", ToneIdle}, queries.ImportStateRUNNING: {"RUNNING", "At work", ToneWaiting},
	queries.ImportStateDONE: {"DONE", "Imported", ToneOK}, queries.ImportStateCANCELLED: {"CANCELLED", "Cancelled", ToneIdle}, queries.ImportStateFAILED: {"FAILED", "Broke off", ToneFailed},
}

func (s *server) importOf(ctx context.Context, text string) (queries.Import, *tables.Table, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return queries.Import{}, nil, notFound("This import")
	}
	i, err := s.system.GetImport(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return i, nil, notFound("This import")
	}
	t := s.registry.Table(i.TableName)
	if err == nil && t == nil {
		return i, nil, notFound("The table of this import")
	}
	return i, t, err
}

// importToChange is the import that the path names, for those who may do something with it.
func (s *server) importToChange(c *fiber.Ctx) (queries.Import, *tables.Table, error) {
	i, t, err := s.importOf(c.UserContext(), c.Params("id"))
	if err != nil {
		return i, t, err
	}
	if missing := visitorOf(c).lacks(rightFor(t)); missing != "" {
		return i, t, refuse(http.StatusForbidden, missing+" Ask an admin to do it, or for another role.")
	}
	return i, t, nil
}

// importPage asks what the columns mean, or shows what came of the rows.
func (s *server) importPage(c *fiber.Ctx) error {
	i, t, err := s.importOf(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	var form *ImportMappingForm
	asked := i.State == queries.ImportStateMAPPING || c.Query("map") != "" && i.State != queries.ImportStateCHECKING
	if asked && i.StartedAt == nil && visitorOf(c).may(rightFor(t)) {
		m, err := s.mappingOf(i, t)
		if err != nil {
			return err
		}
		f, err := s.mappingForm(c.UserContext(), i, t, m)
		if err != nil {
			return err
		}
		form = &f
	}
	return s.showImport(c, http.StatusOK, i, form)
}

func (s *server) showImport(c *fiber.Ctx, status int, i queries.Import, form *ImportMappingForm) error {
	t := s.registry.Table(i.TableName)
	page := ImportPage{Page: s.page(c, "Import of "+lowerPlural(t), "imports"), Mapping: form}
	var err error
	if page.Import, err = s.importView(c.UserContext(), visitorOf(c), i, t, c.Query("show")); err != nil {
		return err
	}
	if page.Import.AtWork {
		page.StreamURL = importURL(i.ID) + "/stream"
	}
	return s.render(c, status, "admin/import", page)
}

// importStream moves the progress bar, and shows the report at the end.
func (s *server) importStream(c *fiber.Ctx) error {
	i, t, err := s.importOf(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	reader := visitorOf(c)
	present := func(ctx context.Context, w *eventWriter) error {
		now, err := s.system.GetImport(ctx, i.ID)
		if err != nil {
			return errStreamEnd
		}
		view, err := s.importView(ctx, reader, now, t, "")
		if err != nil {
			return err
		}
		return s.sendFragments(w, "event", fragment{"fragments/import", view})
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(reader), present: present, rest: bulkRest,
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			if slices.ContainsFunc(events, func(e Event) bool { return e.Kind == "row:imports" && e.ID == i.ID }) {
				return present(ctx, w)
			}
			return nil
		},
	})
}

// importStart imports what was tried.
func (s *server) importStart(c *fiber.Ctx) error {
	i, _, err := s.importToChange(c)
	if err != nil {
		return err
	}
	attempt, err := strconv.ParseInt(c.FormValue("attempt"), 10, 32)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "Look at the report first, and start the import from there.")
	}
	if err := s.Commands.StartImport(c.UserContext(), i.ID, int32(attempt), visitorOf(c).actor()); err != nil {
		return err
	}
	return s.redirect(c, importURL(i.ID))
}

// importCancel ends what is at work. What an import did stays done.
func (s *server) importCancel(c *fiber.Ctx) error {
	i, _, err := s.importToChange(c)
	if err != nil {
		return err
	}
	if err := s.Commands.CancelImport(c.UserContext(), i.ID, visitorOf(c).actor()); err != nil {
		return err
	}
	return s.redirect(c, importURL(i.ID))
}

func (s *server) importView(ctx context.Context, reader *visitor, i queries.Import, t *tables.Table, show string) (ImportView, error) {
	v := ImportView{
		ID: i.ID.String(), URL: importURL(i.ID), State: importStates[i.State], File: i.FileName, By: i.AskedBy, Asked: i.CreatedAt, Attempt: i.Attempt,
		Trying: i.StartedAt == nil, AtWork: i.State == queries.ImportStateCHECKING || i.State == queries.ImportStateRUNNING, Ready: i.State == queries.ImportStateCHECKED,
		May: reader.may(rightFor(t)), Notice: reader.lacks(rightFor(t)), List: lowerPlural(t), ListURL: listURL(t),
		Progress: importProgress(i), Percent: 100 * int(i.Place) / max(1, int(i.Total)),
		Invited: t.Name == "users" && i.StartedAt != nil && i.Created > 0,
	}
	v.Done = !v.Trying && !v.AtWork
	if i.FinishedAt != nil {
		v.Finished = *i.FinishedAt
	}
	if i.Error != nil {
		v.Error = *i.Error
	}
	if i.Refused > 0 {
		v.Refused = grouped(int64(i.Refused))
	}
	n := int64(i.Created + i.Changed)
	v.Nothing, v.Will = n == 0, "Import "+grouped(n)+" rows"
	if n == 1 {
		v.Will = "Import 1 row"
	}
	var err error
	if i.State != queries.ImportStateMAPPING && !v.AtWork {
		v.Rows, err = s.importRows(ctx, i, t, show, 0)
	} else {
		v.Rows = ImportRows{URL: v.URL, Chips: importChips(i, "")}
	}
	return v, err
}

// importProgress is "340 of 1 204 rows".
func importProgress(i queries.Import) string {
	if i.Place == i.Total || i.State == queries.ImportStateMAPPING {
		return grouped(int64(i.Total)) + " rows"
	}
	return grouped(int64(i.Place)) + " of " + grouped(int64(i.Total)) + " rows"
}
