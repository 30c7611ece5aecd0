package routes

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

const (
	defaultPageSize = 50
	maxPageSize     = 200
)

// What a cursor belongs to: one list's cursor means nothing in another.
const (
	tenantCursor  = 't'
	messageCursor = 'm'
)

// listPage is one list of the JSON API.
type listPage[T any] struct {
	Items      []T     `json:"items"` // never null
	NextCursor *string `json:"next_cursor"`
}

// position is a place in a list sorted by creation, newest first: what comes before created and id is still to be shown.
type position struct {
	created time.Time
	id      uuid.UUID
}

// top is before every row.
var top = position{created: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), id: uuid.Max}

// readPage reads ?limit= and ?cursor=.
func readPage(c *fiber.Ctx, kind byte) (limit int, from position, err error) {
	limit, from = defaultPageSize, top
	if given := c.Query("limit"); given != "" {
		limit, err = strconv.Atoi(given)
		if err != nil || limit < 1 || limit > maxPageSize {
			return 0, top, wrongQuery(http.StatusBadRequest, "limit", "Choose a whole number from 1 to 200.")
		}
	}
	if given := c.Query("cursor"); given != "" {
		var ok bool
		if from, ok = parseCursor(kind, given); !ok {
			return 0, top, wrongQuery(http.StatusBadRequest, "cursor", "This cursor is broken. Take next_cursor from the page before as it is.")
		}
	}
	return limit, from, nil
}

func wrongQuery(status int, name, sentence string) error {
	return &Error{Status: status, Message: "The parameter " + name + " cannot be used. " + sentence, Fields: FieldErrors{name: sentence}}
}

// paged cuts rows, of which one more than limit was asked for, into a page; at tells a row's position.
func paged[R, T any](kind byte, limit int, rows []R, show func(R) T, at func(R) position) listPage[T] {
	page := listPage[T]{Items: make([]T, 0, min(limit, len(rows)))}
	for i, row := range rows {
		if i == limit {
			next := formatCursor(kind, at(rows[limit-1]))
			page.NextCursor = &next
			break
		}
		page.Items = append(page.Items, show(row))
	}
	return page
}

const cursorSize = 1 + 8 + 16

// formatCursor packs a position: kind, microseconds (what Postgres keeps) and id.
func formatCursor(kind byte, p position) string {
	raw := make([]byte, 0, cursorSize)
	raw = append(raw, kind)
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.created.UnixMicro()))
	raw = append(raw, p.id[:]...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseCursor(kind byte, s string) (position, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != cursorSize || raw[0] != kind {
		return top, false
	}
	p := position{created: time.UnixMicro(int64(binary.BigEndian.Uint64(raw[1:9]))).UTC(), id: uuid.UUID(raw[9:])}
	return p, p.created.Year() >= 1970 && !p.created.After(top.created)
}
