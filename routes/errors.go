package routes

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"flowhq/jobs"
	"flowhq/templates/words"
)

// Error is a refusal decided in this package; commands refuse with *jobs.Error. Both reach the person through fail.
type Error struct {
	Status  int
	Message string // one or two sentences for the person
	Fields  FieldErrors
	RetryIn time.Duration // when another try makes sense; 0: unsaid
	Err     error         // the cause: logged, never shown
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(status int, message string) error { return &Error{Status: status, Message: message} }

// notFound answers for what does not exist and for what belongs to somebody else: one cannot tell which.
func notFound(what string) error {
	return refuse(http.StatusNotFound, what+" does not exist, or not any more.")
}

// problem is any error as people and programs are told it (RFC 9457).
type problem struct {
	Type      string      `json:"type"`
	Title     string      `json:"title"`
	Status    int         `json:"status"`
	Detail    string      `json:"detail"`
	Errors    FieldErrors `json:"errors,omitempty"`
	RequestID string      `json:"request_id,omitempty"` // only where the cause stays hidden
	retryIn   time.Duration
}

// problemOf is the one mapping from errors to statuses and words.
func problemOf(err error, requestID string) problem {
	p := problem{Type: "about:blank", Status: http.StatusInternalServerError}
	var own *Error
	var command *jobs.Error
	var routing *fiber.Error
	switch {
	case errors.As(err, &own):
		p.Status, p.Detail, p.Errors, p.retryIn = own.Status, own.Message, own.Fields, own.RetryIn
	case errors.As(err, &command):
		p.Status, p.Detail, p.Errors = statusOf(command.Code), command.Message, command.Fields
	case errors.As(err, &routing) && routing.Code < 500:
		p.Status, p.Detail = routing.Code, routingDetail(routing)
	case errors.Is(err, pgx.ErrNoRows):
		p.Status, p.Detail = http.StatusNotFound, "This does not exist, or not any more."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p.Status, p.Detail = http.StatusServiceUnavailable, "This took too long. Nothing is lost; try again in a moment."
	case databaseAway(err):
		p.Status, p.Detail = http.StatusServiceUnavailable, "The database cannot be reached at the moment. Nothing is lost; try again soon."
	default:
		p.Detail = "Something went wrong on the server. Quote the number " + requestID + " when you ask about it."
	}
	if p.Status >= 500 {
		p.RequestID = requestID
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// databaseAway tells a database that is gone, starting or stopping from one that refuses a statement.
func databaseAway(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgerrcode.IsConnectionException(pg.Code) || pgerrcode.IsOperatorIntervention(pg.Code)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

func statusOf(code jobs.Code) int {
	switch code {
	case jobs.Invalid:
		return http.StatusUnprocessableEntity
	case jobs.NotFound:
		return http.StatusNotFound
	case jobs.Conflict:
		return http.StatusConflict
	case jobs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// routingDetail words what Fiber itself refuses; its own messages are for programmers.
func routingDetail(e *fiber.Error) string {
	switch e.Code {
	case http.StatusNotFound:
		return "There is no page at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not answer to that kind of request."
	case http.StatusRequestEntityTooLarge:
		return "This is too large: at most 1 MB can be sent."
	case http.StatusRequestHeaderFieldsTooLarge:
		return "The request's headers are too large. Clearing this site's cookies may help."
	}
	return "The server did not understand this request."
}

// fail answers with an error: problem+json for programs, a toast for htmx, a page for everybody else. It is Fiber's error
// handler too, for what fails before any route is found.
func (s *server) fail(c *fiber.Ctx, err error) error {
	id := requestID(c)
	p := problemOf(err, id)
	if most := uploadLimit(c.Method(), c.Path()); most > 0 && p.Status == http.StatusRequestEntityTooLarge {
		p.Detail = "This file is too large: at most " + strconv.Itoa((most-uploadSlack)>>20) + " MB can be sent."
	}
	if !wantsJSON(c) || visitorOf(c) != nil {
		p.Detail = words.Refusal(langOf(c), p.Detail)
	}
	if p.Status >= 500 {
		s.Log.LogAttrs(c.UserContext(), slog.LevelError, "request failed", slog.String("request", id),
			slog.String("method", c.Method()), slog.String("path", c.Path()), slog.Any("err", err))
	}
	if p.retryIn > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int(p.retryIn.Seconds()+0.999))))
	}
	if p.Status == http.StatusRequestEntityTooLarge {
		swallowBody(c)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	switch {
	case wantsHTMX(c):
		c.Set("HX-Trigger", ToastHeader(Toast{Kind: "error", Text: p.Detail}))
		c.Set("HX-Reswap", "none")
		return sendProblem(c, p)
	case wantsJSON(c):
		return sendProblem(c, p)
	}
	return s.errorPage(c, p)
}

func sendProblem(c *fiber.Ctx, p problem) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(p.Status).Send(raw)
}

func wantsHTMX(c *fiber.Ctx) bool { return c.Get("HX-Request") == "true" }

// wantsJSON tells programs from browsers: by where they call, or by what they accept.
func wantsJSON(c *fiber.Ctx) bool {
	accept := c.Get(fiber.HeaderAccept)
	return strings.HasPrefix(c.Path(), "/api/") || isPortalKeyPath(c.Path()) || strings.Contains(c.Path(), JobsPrefix+"/api/") ||
		(strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")) ||
		strings.Contains(accept, "text/event-stream")
}

// errorPage shows the error as a page. Should even that fail, plain text still says what happened.
func (s *server) errorPage(c *fiber.Ctx, p problem) error {
	page := ErrorPage{
		Page: s.page(c, "", ""), Status: p.Status, Detail: p.Detail,
		RequestID: p.RequestID, RetryIn: int(p.retryIn.Seconds() + 0.999), HomeURL: "/",
	}
	page.Heading = words.Refusal(page.Lang, headingOf(p.Status))
	page.Title = page.Heading
	if err := s.render(c, p.Status, "error", page); err != nil {
		s.Log.Error("error page", "request", requestID(c), "err", err)
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
		return c.Status(p.Status).SendString(page.Heading + "\n" + p.Detail + "\n")
	}
	return nil
}

func headingOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "Sign in first"
	case http.StatusForbidden:
		return "This is not open to you"
	case http.StatusNotFound:
		return "Not found"
	case http.StatusMethodNotAllowed:
		return "Not possible here"
	case http.StatusConflict:
		return "Not possible right now"
	case http.StatusGone:
		return "This link does not work any more"
	case http.StatusRequestEntityTooLarge:
		return "Too large"
	case http.StatusUnprocessableEntity:
		return "Please check what you entered"
	case http.StatusTooManyRequests:
		return "Please wait a moment"
	case http.StatusServiceUnavailable:
		return "Not available right now"
	}
	if status < 500 {
		return "This did not work"
	}
	return "Something went wrong"
}
