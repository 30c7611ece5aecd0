package logbook

import (
	"context"
	"strconv"
	"time"
)

// Request is one answered request.
type Request struct {
	At        time.Time // when it began
	Took      time.Duration
	Method    string
	Path      string // as the route table has it; empty: no route
	Detail    string // the path as it was asked for, without secrets
	Status    int
	Bytes     int    // of the answer's body; negative: a stream
	Who       string // e-mail or API key's label
	IP        string
	RequestID string
}

// Values of the columns level and kind.
const (
	levelInfo, levelWarn, levelError = "INFO", "WARN", "ERROR"
	kindRequest, kindEvent           = "REQUEST", "EVENT"
)

// Request notes a request. What failed is an error, what was refused a warning.
func (b *Book) Request(r Request) {
	if b == nil {
		return
	}
	took := r.Took.Milliseconds()
	path := r.Path
	if path == "" {
		path = "(no route)"
	}
	e := entry{
		CreatedAt: r.At, Kind: kindRequest, Level: levelInfo, Message: r.Method + " " + path + " " + strconv.Itoa(r.Status), Method: r.Method, Path: path,
		Status: r.Status, TookMs: &took, Who: clean(r.Who), IP: r.IP, RequestID: r.RequestID,
	}
	switch {
	case r.Status >= 500:
		e.Level = levelError
	case r.Status >= 400:
		e.Level = levelWarn
	}
	if r.Bytes >= 0 {
		e.Bytes = &r.Bytes
	}
	if r.Detail != "" && r.Detail != r.Path {
		e.Attributes = map[string]any{"path": text(r.Detail)}
	}
	b.add(e)
}

type notedKey struct{}

// Noted marks the context of a log line whose request is noted already: it is no event besides.
func Noted(ctx context.Context) context.Context { return context.WithValue(ctx, notedKey{}, true) }
