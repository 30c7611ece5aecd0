package routes

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries/tables"
)

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
