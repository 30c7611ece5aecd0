package routes

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"
)

// Whatever a program sends is either understood, as encoding/json would, or refused with 400 or 415.
func FuzzReadBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, newTenantBody, `{"name":"x","name":"y"}`, `{"n":null}`, `{"name":"\ud83d"}`, `{"hours":{"mon":[]},"replies":7}`, `[]`, `{"name":"` + "\xff" + `"}`,
		`{"replies":1e99}`, ` {"name":""} {}`, `{"name":"\ufffd` + "\uFFFD" + `"}`,
	} {
		f.Add([]byte(seed), "application/json")
	}
	app := fiber.New()
	f.Fuzz(func(t *testing.T, raw []byte, kind string) {
		c := app.AcquireCtx(&fasthttp.RequestCtx{})
		defer app.ReleaseCtx(c)
		c.Request().SetBody(raw)
		c.Request().Header.SetContentType(kind)
		var name string
		var language *string
		var replies nullable[int32]
		var hours nullable[json.RawMessage]
		err := readBody(c, body{"name": &name, "language": &language, "replies": &replies, "hours": &hours})
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) || (refused.Status != http.StatusBadRequest && refused.Status != http.StatusUnsupportedMediaType) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		var want struct {
			Name     string           `json:"name"`
			Language *string          `json:"language"`
			Replies  *int32           `json:"replies"`
			Hours    *json.RawMessage `json:"hours"`
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%q was understood, but is wrong: %v", raw, err)
		}
		if name != want.Name || (language == nil) != (want.Language == nil) || (language != nil && *language != *want.Language) {
			t.Errorf("%q: %q, %v", raw, name, language)
		}
		if (replies.Value == nil) != (want.Replies == nil) || (replies.Value != nil && *replies.Value != *want.Replies) || (hours.Value == nil) != (want.Hours == nil) {
			t.Errorf("%q: %v, %v", raw, replies, hours)
		}
		if !utf8.ValidString(name) {
			t.Errorf("%q: a name of broken characters", raw)
		}
	})
}

// A cursor is refused or names a moment that Postgres can store; its own spelling leads back to it.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(newest().String())
	f.Add(cursor{id: uuid.Max}.String())
	f.Add("LTEg")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		if c.at.Year() < 1970 || c.at.Year() > 9999 {
			t.Errorf("%q is %v", s, c.at)
		}
		again, err := parseCursor(c.String())
		if err != nil || !again.at.Equal(c.at) || again.id != c.id {
			t.Errorf("%q: %v, again %v, %v", s, c, again, err)
		}
	})
}
