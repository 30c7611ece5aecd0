package routes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// body names the fields that a request's JSON object may have, and where their values go: to a *string, a **string (nil
// where the field is missing), a *nullable[int32] or a *nullable[json.RawMessage].
type body map[string]any

// nullable is a field that may be missing, null, or hold a value.
type nullable[T any] struct {
	Given bool
	Value *T // nil: null
}

// readBody reads the request's JSON object. It is stricter than encoding/json, which ignores unknown fields, overlooks case,
// takes the last of two equal names and replaces broken characters: each of these is a mistake that the program should hear of.
func readBody(c *fiber.Ctx, into body) error {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	charset := params["charset"]
	if err != nil || kind != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return refuse(http.StatusUnsupportedMediaType, "Send the body as application/json in UTF-8 and say so in the header Content-Type.")
	}
	if e := c.Get(fiber.HeaderContentEncoding); e != "" && !strings.EqualFold(e, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "Send the body without a content encoding.")
	}
	raw := c.BodyRaw()
	if !utf8.Valid(raw) {
		return refuse(http.StatusBadRequest, "The body is not valid UTF-8.")
	}
	return decodeObject(raw, into)
}

func decodeObject(raw []byte, into body) error {
	if !json.Valid(raw) {
		return refuse(http.StatusBadRequest, "The body is not valid JSON.")
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return refuse(http.StatusBadRequest, "The body must be a JSON object.")
	}
	wrong, given := FieldErrors{}, map[string]bool{}
	for in.More() {
		token, err := in.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return err
		}
		place, known := into[name]
		switch {
		case !known:
			wrong[name] = "This field is not known here. Known: " + strings.Join(fieldNames(into), ", ") + "."
		case given[name]:
			wrong[name] = "This field is given twice."
		default:
			if problem := decodeField(value, place); problem != "" {
				wrong[name] = problem
			}
		}
		given[name] = true
	}
	if _, err := in.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(wrong) > 0 {
		return &Error{Status: http.StatusBadRequest, Message: describe(wrong), Fields: wrong}
	}
	return nil
}

// decodeField says in a sentence what is wrong with a value's type, or "".
func decodeField(raw json.RawMessage, place any) string {
	isNull := string(raw) == "null"
	switch to := place.(type) {
	case *string:
		if isNull || json.Unmarshal(raw, to) != nil {
			return "This must be a string."
		}
		if halfCharacter(raw, *to) {
			return "This holds half of a surrogate pair, which is no character."
		}
	case **string:
		*to = new(string)
		return decodeField(raw, *to)
	case *nullable[int32]:
		to.Given = true
		if json.Unmarshal(raw, &to.Value) != nil {
			return "This must be a whole number, or null."
		}
	case *nullable[json.RawMessage]:
		to.Given = true
		if !isNull {
			to.Value = &raw
		}
	}
	return ""
}

// halfCharacter tells whether decoding put U+FFFD in place of a lone surrogate such as \ud83d.
func halfCharacter(raw []byte, decoded string) bool {
	const replacement = "\uFFFD"
	written := bytes.Count(raw, []byte(replacement)) + bytes.Count(bytes.ToLower(raw), []byte(`\ufffd`))
	return strings.Count(decoded, replacement) > written
}

func fieldNames(b body) []string {
	names := make([]string, 0, len(b))
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describe puts the first field's problem into a sentence, for programs that show only the detail.
func describe(wrong FieldErrors) string {
	names := make([]string, 0, len(wrong))
	for name := range wrong {
		names = append(names, name)
	}
	slices.Sort(names)
	return "The body has a wrong field, " + quoted(names[0]) + ": " + wrong[names[0]]
}

// quoted shows a name from outside, shortened if need be.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 60 {
		name = string(runes[:60]) + "…"
	}
	return `"` + name + `"`
}
