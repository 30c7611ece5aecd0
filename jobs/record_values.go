package jobs

import (
	"encoding/json"
	"errors"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"flowhq/queries/tables"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

const maxLines = 100_000 // characters of a long text or of JSON

// FillIn is said of what must not be empty.
const FillIn = "Please fill this in."

// StoredValue turns what was typed into what the column holds, or says what is wrong with it.
func StoredValue(c *tables.Column, text string) (stored, problem string) {
	trimmed := strings.TrimSpace(text)
	switch c.Kind {
	case tables.LongText:
		return text, CheckText(text, maxLines, true)
	case tables.Phone:
		number, err := NormalizePhone(text)
		if err != nil {
			sentence := err.Error()
			return "", strings.ToUpper(sentence[:1]) + sentence[1:] + "."
		}
		return number, ""
	case tables.Int:
		bits := map[string]int{"smallint": 16, "integer": 32}[c.Type]
		if bits == 0 {
			bits = 64
		}
		n, err := strconv.ParseInt(trimmed, 10, bits)
		if err != nil {
			return "", "This must be a whole number."
		}
		return strconv.FormatInt(n, 10), ""
	case tables.Bool:
		return strconv.FormatBool(trimmed == "true" || trimmed == "on"), ""
	case tables.Enum:
		for _, v := range c.Enum {
			if v == trimmed {
				return v, ""
			}
		}
		return "", "Choose one of the values offered."
	case tables.Time:
		return storedTime(trimmed)
	case tables.JSON:
		return text, jsonProblem(text)
	case tables.UUID, tables.Relation:
		if c.Type == "uuid" {
			if id, err := uuid.Parse(trimmed); err == nil {
				return id.String(), ""
			}
			return "", "Choose a record from the list."
		}
	}
	return trimmed, CheckText(trimmed, 1000, false)
}

// storedTime reads a time as the editor sends it: with its zone, or, without a script, in UTC.
func storedTime(text string) (stored, problem string) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.Year() < 1 || at.Year() > 9999 {
				break
			}
			return at.UTC().Format(time.RFC3339Nano), ""
		}
	}
	return "", "This is no time. Write it like 2026-11-25 14:30."
}

// jsonProblem says where JSON is broken, empty where it is not.
func jsonProblem(text string) string {
	if len(text) > maxLines {
		return "This is too long."
	}
	var v any
	decoder := json.NewDecoder(strings.NewReader(text))
	err := decoder.Decode(&v)
	if err == nil {
		if _, extra := decoder.Token(); extra == nil {
			return "After the end of the JSON there is more text."
		}
		if strings.Contains(text, `\u0000`) {
			return "The character \\u0000 cannot be stored."
		}
		return ""
	}
	at := int64(len(text))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = min(syntax.Offset, at)
	}
	return "This is not valid JSON: look at line " + strconv.Itoa(1+strings.Count(text[:at], "\n")) + "."
}

// CleanEmail gives an address in the form in which it is stored, and what is wrong with it.
func CleanEmail(s string) (email, problem string) {
	email = strings.ToLower(strings.TrimSpace(s))
	if p := CheckText(email, 254, false); p != "" {
		return email, p
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || strings.ContainsAny(email, `"<> `) || !strings.Contains(email[strings.LastIndex(email, "@"):], ".") {
		return email, "This is not an e-mail address; write it like name@example.org."
	}
	return email, ""
}

// Codes of what the database refuses by itself; see migration 00033.
const (
	LastAdminStays = "FHQ03"
	AdminRoleStays = "FHQ04"
)

// checkWords are for checks of several columns.
var checkWords = map[string]string{
	"users_admin_role":          "Admins have a role in the admin, owners and staff have none.",
	"admin_roles_admin_may_all": "The role admin may do everything. Make another role for people who may do less.",
	"admin_roles_name_check":    "Name the role in small letters, digits and hyphens.",
}

var detailColumns = regexp.MustCompile(`^Key \(([^)]*)\)`)

// RecordRefusal words what the database refuses about a record's values, by field where it says which.
func RecordRefusal(t *tables.Table, err error) (fields map[string]string, message string, ok bool) {
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		return nil, "", false
	}
	sentence := ""
	switch pg.Code {
	case LastAdminStays:
		return nil, "This is the last admin who can sign in. Make somebody else an admin first: without one nobody could.", true
	case AdminRoleStays:
		return nil, "The role admin stays: it is the one that may do everything.", true
	case pgerrcode.UniqueViolation:
		sentence = "Another " + t.Singular + " has this already."
	case pgerrcode.ForeignKeyViolation:
		sentence = "This record does not exist any more. Choose another one."
		if strings.Contains(pg.Detail, "still referenced") {
			return nil, "Other records need this one, so it cannot be deleted: " + pg.Detail, true
		}
	case pgerrcode.NotNullViolation:
		return map[string]string{pg.ColumnName: FillIn}, "", true
	case pgerrcode.CheckViolation:
		if sentence := checkWords[pg.ConstraintName]; sentence != "" {
			return nil, sentence, true
		}
		for _, c := range t.Columns { // Postgres names a column's own check after it
			if pg.ConstraintName == t.Name+"_"+c.Name+"_check" {
				return map[string]string{c.Name: "This value is not allowed here."}, "", true
			}
		}
		return nil, "These values do not go together (" + pg.ConstraintName + ").", true
	case pgerrcode.NumericValueOutOfRange, pgerrcode.InvalidTextRepresentation, pgerrcode.InvalidDatetimeFormat, pgerrcode.DatetimeFieldOverflow, pgerrcode.UntranslatableCharacter:
		return nil, "The database cannot store one of these values: " + pg.Message + ".", true
	default:
		return nil, "", false
	}
	fields = map[string]string{}
	if m := detailColumns.FindStringSubmatch(pg.Detail); m != nil {
		for _, name := range strings.Split(m[1], ", ") {
			if t.Column(name) != nil {
				fields[name] = sentence
			}
		}
	}
	if len(fields) == 0 {
		return nil, sentence, true
	}
	return fields, "", true
}

// PersonRefusal words what the unique indexes refuse.
func PersonRefusal(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != pgerrcode.UniqueViolation {
		return err
	}
	if pg.ConstraintName == "users_one_owner" {
		return &Error{Code: Conflict, Message: "This business has an owner already. Add staff instead, or remove the owner first.", Err: err}
	}
	const sentence = "Somebody signs in with this address already; use another one."
	return &Error{Code: Conflict, Message: sentence, Fields: map[string]string{"email": sentence}, Err: err}
}
