package jobs

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Code says what kind of refusal an Error is; the web maps it to a status.
type Code string

// The codes of an Error.
const (
	Invalid     Code = "invalid"     // what was asked makes no sense; Fields may say where
	NotFound    Code = "not_found"   // no such thing, or not the asker's
	Conflict    Code = "conflict"    // it makes sense, but not in the present state
	Unavailable Code = "unavailable" // try again later
)

// Error is a refusal that a person can read. Anything that is not an Error is a fault of ours or of the machine.
type Error struct {
	Code    Code
	Message string            // one sentence: what happened and what to do
	Fields  map[string]string // per form field, named as in the JSON API
	Err     error             // what caused it, for the log
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func conflict(format string, args ...any) error {
	return &Error{Code: Conflict, Message: fmt.Sprintf(format, args...)}
}

func errNotApproved(name string) error {
	return conflict("%s is not approved yet. Approve its set-up request first.", name)
}

// errNoTenant also stands for another tenant's id: from outside the two are the same.
func errNoTenant(cause error) error {
	return &Error{Code: NotFound, Message: "There is no such tenant.", Err: cause}
}

// tenantOr turns "no rows" into the sentence for a missing tenant.
func tenantOr(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errNoTenant(err)
	}
	return err
}

// phoneTaken turns the unique index's refusal of a second tenant with the same number into a field error.
func phoneTaken(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "tenants_phone_number_key" {
		const sentence = "Another tenant already has this phone number."
		return &Error{Code: Conflict, Message: sentence, Fields: map[string]string{"phone_number": sentence}, Err: err}
	}
	return err
}
