package logbook

import (
	"context"
	"log/slog"
	"slices"
)

// Handler notes every line from "info" on and passes it to next, which has its own level.
func (b *Book) Handler(next slog.Handler) slog.Handler {
	if b == nil {
		return next
	}
	return handler{book: b, next: next}
}

type handler struct {
	book   *Book
	next   slog.Handler
	groups []string
	bound  []boundAttrs
}

// boundAttrs are attributes a logger always has, with the groups they were given in.
type boundAttrs struct {
	groups []string
	attrs  []slog.Attr
}

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.next, h.bound = h.next.WithAttrs(attrs), append(slices.Clip(h.bound), boundAttrs{h.groups, attrs})
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	h.next, h.groups = h.next.WithGroup(name), append(slices.Clip(h.groups), name)
	return h
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo && ctx.Value(notedKey{}) == nil {
		h.book.add(h.entry(r))
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h handler) entry(r slog.Record) entry {
	e := entry{CreatedAt: r.Time, Kind: kindEvent, Level: levelInfo, Message: text(r.Message), Attributes: map[string]any{}}
	switch {
	case r.Level >= slog.LevelError:
		e.Level = levelError
	case r.Level >= slog.LevelWarn:
		e.Level = levelWarn
	}
	for _, b := range h.bound {
		put(within(e.Attributes, b.groups), b.attrs...)
	}
	last := within(e.Attributes, h.groups)
	r.Attrs(func(a slog.Attr) bool {
		put(last, a)
		return true
	})
	if id, ok := e.Attributes["request"].(string); ok {
		e.RequestID = id
		delete(e.Attributes, "request")
	}
	return bounded(e)
}

// within gives the object of nested groups.
func within(attributes map[string]any, groups []string) map[string]any {
	for _, g := range groups {
		inner, ok := attributes[g].(map[string]any)
		if !ok {
			inner = map[string]any{}
			attributes[g] = inner
		}
		attributes = inner
	}
	return attributes
}
