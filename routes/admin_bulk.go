package routes

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

const (
	bulkCounting = 3 * time.Second // for what a question says; beyond it the numbers are estimates
	typedCount   = 100             // a deletion of so many records asks for their number
)

// choice is what a bulk form means: records by their keys, or, where keys is nil, all that the filter lets through.
type choice struct {
	query  string
	filter tables.Filter
	keys   []string
}

// chosen reads which records a form or an address means. An address alone means all that its filter lets through.
func (s *server) chosen(c *fiber.Ctx, t *tables.Table) (choice, error) {
	p := choice{query: strings.TrimSpace(c.FormValue("q"))}
	if c.Method() == fiber.MethodPost && c.FormValue("all") == "" {
		p.query, p.keys = "", strings.Fields(c.FormValue("keys"))
		if len(p.keys) == 0 {
			return p, refuse(http.StatusUnprocessableEntity, "Nothing is selected.")
		}
		if len(p.keys) > jobs.MaxBulkKeys {
			return p, refuse(http.StatusUnprocessableEntity, "These are too many to name one by one. Use a filter and select all that match.")
		}
	}
	var err error
	if p.filter, err = t.Parse(p.query, s.now()); err != nil {
		return p, refuse(http.StatusUnprocessableEntity, "This filter does not work. "+err.Error())
	}
	return p, nil
}

// count tells how many records it is.
func (p choice) count(ctx context.Context, s *server, t *tables.Table) (tables.Count, error) {
	if p.keys != nil {
		return tables.Count{Rows: int64(len(p.keys))}, nil
	}
	return t.Count(ctx, s.Database.System, p.filter, bulkCounting)
}

// bulkOffers are what can be done to many records of a table.
func bulkOffers(v *visitor, t *tables.Table) BulkOffers {
	change := v.may(rightFor(t))
	return BulkOffers{
		Edit: change && slices.ContainsFunc(t.Columns, (*tables.Column).Shared), Delete: change && t.Deletable, Workers: t.Workers && v.may(rightWorkers),
	}
}

// bulkRight is what it takes to do something to many records.
func bulkRight(t *tables.Table, action queries.BulkAction) role {
	if action == queries.BulkActionEDIT || action == queries.BulkActionDELETE {
		return rightFor(t)
	}
	return rightWorkers
}

// bulkAsk asks back before many records are changed: what will happen, to how many, what goes with them.
func (s *server) bulkAsk(c *fiber.Ctx) error {
	q, _, err := s.bulkQuestion(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "fragments/bulk_question", q)
}

// bulkRunCreate orders the run that the question was about.
func (s *server) bulkRunCreate(c *fiber.Ctx) error {
	q, ask, err := s.bulkQuestion(c)
	if err != nil {
		return err
	}
	again := func(problem string) error {
		q.Error = problem
		return s.render(c, http.StatusUnprocessableEntity, "fragments/bulk_question", q)
	}
	if shown, _ := strconv.ParseInt(c.FormValue("count"), 10, 64); ask.Total > 2*shown+10 {
		return again("Meanwhile there are more than this page said. Look at the number again.")
	}
	if q.Type && digits(c.FormValue("typed")) != strconv.FormatInt(ask.Total, 10) {
		return again("Type the number exactly as it is shown.")
	}
	if ask.Action == queries.BulkActionEDIT {
		col := ask.Table.Column(q.Column)
		if col == nil || !col.Shared() {
			return again("Choose what to change.")
		}
		form := readRecordForm(c, ask.Table, false)
		if problem := form.errors[col.Name]; problem != "" {
			field := s.typedField(c.UserContext(), col, tables.Value{Null: true}, form)
			q.Field = &field
			return again("")
		}
		value, sent := form.values[col.Name]
		if !sent {
			return again("Choose what to change.")
		}
		ask.Changes = map[string]*string{col.Name: value}
	}
	if err := s.Commands.Bulk(c.UserContext(), ask, visitorOf(c).actor()); err != nil {
		if refusal, ok := formRefusal(err); ok {
			return again(refusal.Message)
		}
		return err
	}
	return s.redirect(c, bulkURL(ask.RunID))
}

func bulkURL(id uuid.UUID) string { return "/admin/bulk/" + id.String() }

// digits are those of a text, without the gaps that people and we put between them.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

var bulkVerbs = map[queries.BulkAction]string{
	queries.BulkActionEDIT: "Edit", queries.BulkActionDELETE: "Delete", queries.BulkActionSTART: "Start", queries.BulkActionSTOP: "Stop", queries.BulkActionRESTART: "Restart",
}

// bulkQuestion reads what a form asks for and words the question.
func (s *server) bulkQuestion(c *fiber.Ctx) (q BulkQuestion, ask jobs.BulkAsk, err error) {
	t, err := s.tableOf(c)
	if err != nil {
		return q, ask, err
	}
	v, action := visitorOf(c), queries.BulkAction(c.FormValue("action"))
	if missing := v.lacks(bulkRight(t, action)); missing != "" {
		return q, ask, refuse(http.StatusForbidden, missing+" Ask an admin to do it, or for another role.")
	}
	offers := bulkOffers(v, t)
	allowed := map[queries.BulkAction]bool{
		queries.BulkActionEDIT: offers.Edit, queries.BulkActionDELETE: offers.Delete,
		queries.BulkActionSTART: offers.Workers, queries.BulkActionSTOP: offers.Workers, queries.BulkActionRESTART: offers.Workers,
	}
	if !allowed[action] {
		return q, ask, refuse(http.StatusMethodNotAllowed, t.Plural+" cannot be changed like this.")
	}
	pick, err := s.chosen(c, t)
	if err != nil {
		return q, ask, err
	}
	ctx := c.UserContext()
	n, err := pick.count(ctx, s, t)
	if err != nil {
		return q, ask, err
	}
	if n.About {
		n.Rows = roughly(n.Rows)
	}
	id, err := uuid.Parse(c.FormValue("run"))
	if err != nil {
		id = newID()
	}
	ask = jobs.BulkAsk{RunID: id, Table: t, Action: action, Filter: pick.query, Zone: s.Location, Keys: pick.keys, Total: n.Rows}
	q = BulkQuestion{
		Base: dataBase(t), Action: string(action), RunID: id.String(), Query: pick.query, Keys: strings.Join(pick.keys, " "), All: pick.keys == nil,
		Verb: bulkVerbs[action], Count: n.Rows, Danger: action == queries.BulkActionDELETE, Whole: pick.keys == nil && pick.filter.Empty(),
	}
	words := countWords(n.Rows, t)
	if n.About {
		words = "about " + words
	}
	switch action {
	case queries.BulkActionEDIT:
		q.Heading = "Edit a field of " + words
		return q, ask, s.editChoices(t, c.FormValue("column"), &q)
	case queries.BulkActionDELETE:
		q.Heading = "Delete " + words + "?"
		q.Type = n.Rows >= typedCount || t.Name == "tenants" && n.Rows > 1
		q.Number = grouped(n.Rows)
		return q, ask, s.bulkGoes(ctx, t, pick, &q)
	}
	if t.Name == "tenants" {
		words = "the workers of " + words
	}
	q.Heading = q.Verb + " " + words + "?"
	return q, ask, nil
}

// editChoices offers the columns that can be set for many, and the editor of the chosen one.
func (s *server) editChoices(t *tables.Table, column string, q *BulkQuestion) error {
	for _, col := range t.Columns {
		if !col.Shared() {
			continue
		}
		q.Columns = append(q.Columns, Choice{Value: col.Name, Label: col.Label})
		if col.Name == column {
			field := fieldView(col, tables.Value{Null: true}, "")
			field.Label = "New value"
			q.Column, q.Field = col.Name, &field
		}
	}
	return nil
}

// bulkGoes says what a deletion takes along.
func (s *server) bulkGoes(ctx context.Context, t *tables.Table, pick choice, q *BulkQuestion) error {
	counting, cancel := context.WithTimeout(ctx, bulkCounting)
	defer cancel()
	dependents, err := t.DependentsOf(counting, s.Database.System, pick.filter, pick.keys)
	if err != nil && (counting.Err() == nil || errors.Is(ctx.Err(), context.Canceled)) {
		return err
	}
	q.Unknown = err != nil
	q.Goes, q.Stays = dependentWords(dependents)
	return nil
}
