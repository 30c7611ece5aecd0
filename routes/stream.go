package routes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	heartbeat     = 15 * time.Second // a closed browser shows only when a write fails
	accessRecheck = 10 * time.Second
	watchRenewal  = 10 * time.Second
	streamQuery   = 10 * time.Second // for the queries behind one round of events
)

// errStreamEnd ends a stream without complaint: the person may not see it any more.
var errStreamEnd = errors.New("stream ends")

// feed is what one stream shows. Its functions run outside the request: they must not touch a *fiber.Ctx.
type feed struct {
	sub     *Subscription
	present func(ctx context.Context, w *eventWriter) error             // the whole state, at the start and after a gap
	changed func(ctx context.Context, w *eventWriter, es []Event) error // what happened since
	allowed func(ctx context.Context) (bool, error)                     // asked each minute
	watch   func(ctx context.Context) error                             // nil, or: a page that needs codes is open; every 10 s
	ended   func()                                                      // nil, or called when the stream is over
	rest    time.Duration                                               // between two rounds of events; what happens meanwhile comes together
	alarm   *time.Timer                                                 // nil, or: goes off when what the page shows changes by itself
	rang    func(ctx context.Context, w *eventWriter) error             // with alarm: what that changes
}

func (f feed) end() {
	f.sub.Close()
	if f.ended != nil {
		f.ended()
	}
}

// stream answers with server-sent events until the browser leaves, access ends or the process stops.
func (s *server) stream(c *fiber.Ctx, f feed) error {
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	if c.Method() == fiber.MethodHead {
		f.end()
		return nil
	}
	log := s.Log.With("request", requestID(c), "stream", c.Path())
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer f.end()
		defer func() { // nobody above this function catches a panic
			if r := recover(); r != nil {
				log.Error("panic in a stream", "panic", r, "stack", string(debug.Stack()))
			}
		}()
		if err := s.follow(f, &eventWriter{w: w}); err != nil && !errors.Is(err, errStreamEnd) {
			log.LogAttrs(s.Context, slog.LevelDebug, "stream ended", slog.Any("err", err))
		}
	})
	return nil
}

func (s *server) follow(f feed, w *eventWriter) error {
	beat, recheck, watch := time.NewTicker(heartbeat), time.NewTicker(accessRecheck), time.NewTicker(watchRenewal)
	defer beat.Stop()
	defer recheck.Stop()
	defer watch.Stop()
	var alarm <-chan time.Time
	if f.alarm != nil {
		alarm = f.alarm.C
		defer f.alarm.Stop()
	}
	w.comment("open") // the headers go out with the first bytes: a stream with nothing to say must not look stuck
	if err := w.flush(); err != nil {
		return err
	}
	if f.watch != nil {
		if err := s.round(f.watch); err != nil {
			return err
		}
	}
	if err := s.round(func(ctx context.Context) error { return f.present(ctx, w) }); err != nil {
		return err
	}
	wake, rested := f.sub.Wake(), (<-chan time.Time)(nil)
	for {
		if err := w.flush(); err != nil {
			return err
		}
		var err error
		select {
		case <-s.Context.Done():
			return errStreamEnd
		case <-beat.C:
			w.comment("beat")
		case <-recheck.C:
			err = s.round(func(ctx context.Context) error {
				ok, err := f.allowed(ctx)
				if err == nil && !ok {
					err = errStreamEnd
				}
				return err
			})
		case <-watch.C:
			if f.watch != nil {
				err = s.round(f.watch)
			}
		case <-alarm:
			err = s.round(func(ctx context.Context) error { return f.rang(ctx, w) })
		case <-rested:
			wake, rested = f.sub.Wake(), nil
		case <-wake:
			if f.rest > 0 {
				wake, rested = nil, time.After(f.rest)
			}
			events := f.sub.Take()
			err = s.round(func(ctx context.Context) error {
				if len(events) > 0 && events[0].Kind == KindResync {
					return f.present(ctx, w)
				}
				return f.changed(ctx, w, events)
			})
		}
		if err != nil {
			return err
		}
	}
}

// round gives one step of a stream its time limit. A stream that fails ends; the browser comes back and gets the whole state.
func (s *server) round(step func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.Context, streamQuery)
	defer cancel()
	return step(ctx)
}

// eventWriter writes the text/event-stream format.
type eventWriter struct{ w *bufio.Writer }

// send writes one event; errors show at the next flush.
func (e *eventWriter) send(event string, data []byte) {
	e.w.WriteString("event: " + event + "\n")
	for line := range bytes.Lines(data) {
		e.w.WriteString("data: ")
		e.w.Write(bytes.TrimRight(line, "\r\n"))
		e.w.WriteByte('\n')
	}
	e.w.WriteByte('\n')
}

func (e *eventWriter) comment(text string) { e.w.WriteString(": " + text + "\n\n") }

func (e *eventWriter) flush() error { return e.w.Flush() }
