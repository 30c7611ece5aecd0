package jobs

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"flowhq/queries"

	"github.com/nyaruka/phonenumbers"
)

// Limits of what people type, in characters.
const (
	MaxName = 120
	MaxText = 4096
)

// defaultRegion is whose national form of a phone number is understood without a country code.
const defaultRegion = "TZ"

// NormalizePhone turns what a person types ("0712 345 678", "+255 712 345 678", "255712345678") into E.164, "+255712345678".
func NormalizePhone(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return "", errors.New("this is too long for a phone number")
	}
	for _, r := range s {
		if unicode.IsLetter(r) {
			return "", errors.New("a phone number has no letters; write it like +255712345678")
		}
	}
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + rest
	}
	number, err := phonenumbers.Parse(s, defaultRegion)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", errors.New("this is not a phone number; write it like +255712345678")
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// form collects what is wrong with several fields, so that a person sees all of it at once.
type form struct{ fields map[string]string }

func (f *form) fail(field, format string, args ...any) {
	if f.fields == nil {
		f.fields = map[string]string{}
	}
	if _, known := f.fields[field]; !known {
		f.fields[field] = fmt.Sprintf(format, args...)
	}
}

// text checks one line or more of text; it returns it trimmed.
func (f *form) text(field, value string, most int, lines bool) string {
	if problem := CheckText(value, most, lines); problem != "" {
		f.fail(field, "%s", problem)
	}
	return strings.TrimSpace(value)
}

func (f *form) phone(field, value string) string {
	if strings.TrimSpace(value) == "" {
		f.fail(field, "Please fill this in.")
		return ""
	}
	number, err := NormalizePhone(value)
	if err != nil {
		sentence := err.Error()
		f.fail(field, "%s.", strings.ToUpper(sentence[:1])+sentence[1:])
	}
	return number
}

func (f *form) template(field, value string) queries.TemplateType {
	template := queries.TemplateType(value)
	if !template.Valid() {
		f.fail(field, "Choose BOOKING, ECOMMERCE or SUPPORT.")
	}
	return template
}

func (f *form) language(field, value string) queries.Language {
	language := queries.Language(value)
	if !language.Valid() {
		f.fail(field, "Choose SW (Swahili) or EN (English).")
	}
	return language
}

func (f *form) err() error {
	if f.fields == nil {
		return nil
	}
	return &Error{Code: Invalid, Message: "Some fields need another look.", Fields: f.fields}
}

// CheckText says in a sentence what is wrong with a text, or "" where nothing is: it must not be empty, not longer than most
// characters, and hold only what can be stored and shown; line breaks only where lines is true.
func CheckText(value string, most int, lines bool) string {
	switch {
	case !utf8.ValidString(value):
		return "This text is not valid UTF-8."
	case strings.TrimSpace(value) == "":
		return "Please fill this in."
	case utf8.RuneCountInString(value) > most:
		return fmt.Sprintf("This is too long: %d characters, at most %d.", utf8.RuneCountInString(value), most)
	}
	for _, r := range value {
		if lines && (r == '\n' || r == '\r' || r == '\t') {
			continue
		}
		if unicode.IsControl(r) {
			return "This text holds a control character that cannot be stored."
		}
	}
	return ""
}
