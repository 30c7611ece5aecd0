package routes

import (
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultPageSize = 50
	maxPageSize     = 200
)

// listPage is one page of a list in the JSON API.
type listPage[T any] struct {
	Items      []T     `json:"items"` // never null
	NextCursor *string `json:"next_cursor"`
}

// readPage reads ?limit= and ?cursor=.
func readPage(c *fiber.Ctx) (limit int, from cursor, err error) {
	limit = defaultPageSize
	if given := c.Query("limit"); given != "" {
		limit, err = strconv.Atoi(given)
		if err != nil || limit < 1 || limit > maxPageSize {
			return 0, cursor{}, wrongQuery(http.StatusBadRequest, "limit", "Choose a whole number from 1 to 200.")
		}
	}
	from, err = parseCursor(c.Query("cursor"))
	if err != nil {
		return 0, cursor{}, wrongQuery(http.StatusBadRequest, "cursor", "This cursor is broken. Take next_cursor of the page before as it is.")
	}
	return limit, from, nil
}

func wrongQuery(status int, name, sentence string) error {
	return &Error{Status: status, Message: "The parameter " + name + " cannot be used. " + sentence, Fields: FieldErrors{name: sentence}}
}

// paged cuts rows, of which one more than limit was asked for, into a page; at tells a row's place in the list.
func paged[R, T any](limit int, rows []R, show func(R) T, at func(R) cursor) listPage[T] {
	page := listPage[T]{Items: make([]T, 0, min(limit, len(rows)))}
	for i, row := range rows {
		if i == limit {
			next := at(rows[limit-1]).String()
			page.NextCursor = &next
			break
		}
		page.Items = append(page.Items, show(row))
	}
	return page
}
