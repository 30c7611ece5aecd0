package routes

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// pageSize is how many rows a list shows at first and adds with each "Show older".
const pageSize = 30

// cursor is a place in a list that is newest first: the list goes on with what is older.
type cursor struct {
	at time.Time
	id uuid.UUID
}

// newest is before the first row of any list.
func newest() cursor {
	return cursor{at: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), id: uuid.Max}
}

// String is the cursor as it goes into a URL. Postgres keeps microseconds, and so does the cursor.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.at.UnixMicro(), 10) + " " + c.id.String()))
}

// parseCursor reads what String wrote; "" is the newest.
func parseCursor(s string) (cursor, error) {
	if s == "" {
		return newest(), nil
	}
	bad := refuse(http.StatusUnprocessableEntity, "This place in the list is not known. Open the list from its start.")
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return cursor{}, bad
	}
	micros, id, _ := strings.Cut(string(raw), " ")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || at < 0 || at > newest().at.UnixMicro() {
		return cursor{}, bad
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return cursor{}, bad
	}
	return cursor{at: time.UnixMicro(at), id: parsed}, nil
}
