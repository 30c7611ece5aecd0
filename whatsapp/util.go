package whatsapp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mau.fi/whatsmeow"
)

const (
	queryTimeout = 10 * time.Second // of one statement or small transaction
	maxTextRunes = 4096
	maxNameRunes = 200
)

// sleep waits, and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// aside runs fn on a goroutine of its own and waits for it. Dialling and encrypting need deep stacks; a goroutine that lives
// as long as its tenant would keep them.
func aside[T any](fn func() T) T {
	type outcome struct {
		value T
		fault any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.fault = recover()
			done <- o
		}()
		o.value = fn()
	}()
	o := <-done
	if o.fault != nil {
		panic(o.fault)
	}
	return o.value
}

// passing reports whether a failure of the database may be over with the next try. What the data themselves forbid
// (classes 22 and 23) stays forbidden, except where another transaction made or removed the same row a moment ago.
func passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pg.Code == pgerrcode.UniqueViolation || pg.Code == pgerrcode.ForeignKeyViolation {
			return true
		}
		return !strings.HasPrefix(pg.Code, "22") && !strings.HasPrefix(pg.Code, "23") && !strings.HasPrefix(pg.Code, "42")
	}
	return true
}

// retry runs an idempotent piece of work until it succeeds, three times at most, while the failure looks like a passing one.
func retry(ctx context.Context, fn func(context.Context) error) error {
	var err error
	for _, wait := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 0} {
		attempt, cancel := context.WithTimeout(ctx, queryTimeout)
		err = fn(attempt)
		cancel()
		if err == nil || wait == 0 || !passing(err) || !sleep(ctx, wait) {
			break
		}
	}
	return err
}

// backoff counts failed tries of one thing and says how long to wait before the next: exponential with full jitter.
type backoff struct {
	base, limit time.Duration
	failures    int
}

func (b *backoff) next() time.Duration {
	ceiling := b.limit
	if b.failures < 20 {
		ceiling = min(b.limit, b.base<<b.failures)
	}
	b.failures++
	return mathrand.N(ceiling) + time.Millisecond
}

func (b *backoff) reset() { b.failures = 0 }

// storable makes any text fit for a column: valid UTF-8, no NUL, at most limit runes, with a mark where it was cut.
func storable(s string, limit int) string {
	if most := (limit + 1) * utf8.UTFMax; len(s) > most {
		s = s[:most]
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// newMessageID chooses the WhatsApp id of a message before it is sent, in the form WhatsApp Web uses.
func newMessageID() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails
	return "3EB0" + strings.ToUpper(hex.EncodeToString(b[:]))
}

// newID makes a primary key.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func ptrOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// hangUp disconnects a client. Disconnect alone races, inside whatsmeow, with a server that closes the connection at the same
// moment (it takes away a callback that the reading side is about to call); ResetConnection closes the socket without that,
// and connects nothing again because automatic reconnects are off.
func hangUp(cli *whatsmeow.Client) {
	cli.ResetConnection()
	cli.Disconnect()
}

// storableTime is a time that WhatsApp tells, or now where it cannot be one: a column does not hold every number of seconds.
func storableTime(t time.Time) time.Time {
	if now := time.Now(); t.Unix() <= 0 || t.After(now.AddDate(1, 0, 0)) {
		return now
	}
	return t
}
