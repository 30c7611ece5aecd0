package routes

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"flowhq/jobs"
	"flowhq/templates/words"
)

// Limits of a password, in characters.
const (
	minPassword = 10
	maxPassword = 200
)

// hashParams are OWASP's second choice for argon2id: 19 MiB and two passes, some 30 ms on one core.
var hashParams = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// passwords hashes and checks passwords, at most two at a time: a burst of sign-ins must not take the machine's memory.
type passwords struct {
	slots chan struct{}
	decoy string // checked where there is no such user, so that both answers take the same time
}

func newPasswords() (*passwords, error) {
	decoy, err := hashPassword("no user has this password")
	return &passwords{slots: make(chan struct{}, 2), decoy: decoy}, err
}

// check tells whether the password fits the hash; nil stands for a user without one, or for none.
func (p *passwords) check(ctx context.Context, password string, hash *string) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	if hash == nil || len(password) > 4*maxPassword {
		_, err := argon2id.ComparePasswordAndHash("", p.decoy)
		return false, err
	}
	return argon2id.ComparePasswordAndHash(password, *hash)
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	return hashPassword(password)
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &Error{Status: http.StatusServiceUnavailable, Message: "Too many people are signing in at once. Try again in a moment.", Err: ctx.Err()}
	}
}

func (p *passwords) leave() { <-p.slots }

func hashPassword(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, &hashParams)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// passwordProblem says in a sentence, in English or Swahili, what is wrong with a new password; "" where nothing is.
func passwordProblem(password, email, lang string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return words.T(lang, "password.not_text")
	case n < minPassword:
		return words.T(lang, "password.too_short")
	case n > maxPassword:
		return words.T(lang, "password.too_long")
	case strings.EqualFold(strings.TrimSpace(password), email):
		return words.T(lang, "password.is_email")
	}
	return ""
}

// invalid is the refusal for these fields; nil if there are none.
func invalid(fields FieldErrors) error {
	for field, problem := range fields {
		if problem == "" {
			delete(fields, field)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return &jobs.Error{Code: jobs.Invalid, Message: "Some fields need another look.", Fields: fields}
}
