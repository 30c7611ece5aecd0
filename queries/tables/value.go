package tables

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Value is one value of a record as text; of a time also as such.
type Value struct {
	Null bool
	Text string
	Time time.Time
}

func valueOf(c *Column, raw any) Value {
	text := textOf(raw)
	if text == nil {
		return Value{Null: true}
	}
	v := Value{Text: *text}
	if at, ok := raw.(time.Time); ok && c.Kind == Time {
		v.Time = at
	}
	return v
}

// textOf is a value as Postgres reads it back, nil for NULL.
func textOf(raw any) *string {
	var s string
	switch v := raw.(type) {
	case nil:
		return nil
	case string:
		s = v
	case [16]byte:
		s = uuid.UUID(v).String()
	case time.Time:
		s = v.UTC().Format("2006-01-02T15:04:05.999999Z")
	case []byte:
		s = `\x` + hex.EncodeToString(v)
	default:
		s = fmt.Sprint(v)
	}
	return &s
}

// readable tells whether a text is a value of the column's type, so that Postgres need not refuse it.
func (c *Column) readable(text string) bool {
	switch c.Type {
	case "uuid":
		return uuidText.MatchString(text)
	case "smallint", "integer", "bigint":
		bits := map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[c.Type]
		_, err := strconv.ParseInt(text, 10, bits)
		return err == nil
	case "boolean":
		return text == "true" || text == "false"
	}
	switch c.Kind {
	case Time:
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case Enum:
		return contains(c.Enum, text)
	}
	return !strings.ContainsRune(text, 0)
}

// joinKey names a record in an address: the parts of its key, each escaped, with commas between them.
func joinKey(parts []any) string {
	var texts []string
	for _, p := range parts {
		if t := textOf(p); t != nil {
			texts = append(texts, url.QueryEscape(*t))
		}
	}
	return strings.Join(texts, ",")
}

// splitKey reads what joinKey wrote; false where it names no record of the table.
func (t *Table) splitKey(key string) ([]any, bool) {
	parts := strings.Split(key, ",")
	if len(parts) != len(t.Key) || len(key) > 2000 {
		return nil, false
	}
	values := make([]any, len(parts))
	for i, p := range parts {
		text, err := url.QueryUnescape(p)
		if err != nil || !t.Key[i].readable(text) {
			return nil, false
		}
		values[i] = text
	}
	return values, true
}
