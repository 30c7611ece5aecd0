package routes

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries/tables"
)

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
		if _, message, ok := jobs.RecordRefusal(t, err); ok {
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
