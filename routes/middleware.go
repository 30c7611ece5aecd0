package routes

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries/logbook"
)

const requestIDKey = "request_id"

// requestID is the number a person can quote; the log has it beside the cause.
func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// observe numbers each request, renders what failed and writes one log line.
func (s *server) observe(c *fiber.Ctx) error {
	began := time.Now()
	var raw [6]byte
	rand.Read(raw[:])
	id := hex.EncodeToString(raw[:])
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	if err := c.Next(); err != nil {
		if err := s.fail(c, err); err != nil {
			return err
		}
	}
	level := slog.LevelInfo
	if p := c.Path(); p == "/healthz" || p == "/readyz" || p == "/metrics" || strings.HasPrefix(p, "/assets/") {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("request", id), slog.String("method", c.Method()), slog.String("path", loggedPath(c.Path())),
		slog.Int("status", c.Response().StatusCode()), slog.Duration("took", time.Since(began)), slog.String("ip", s.clientIP(c)),
	}
	if v := visitorOf(c); v != nil {
		attrs = append(attrs, slog.String("user_id", v.ID.String()))
	}
	if level == slog.LevelInfo && !dashboardPoll(c) {
		s.note(c, id, began)
	}
	s.Log.LogAttrs(logbook.Noted(c.UserContext()), level, "request", attrs...)
	return nil
}

// dashboardPoll tells the requests by which the jobs' dashboard keeps itself up to date, several every two seconds, and its files.
func dashboardPoll(c *fiber.Ctx) bool {
	return c.Method() == http.MethodGet && (strings.HasPrefix(c.Path(), JobsPrefix+"/api/") || strings.HasPrefix(c.Path(), JobsPrefix+"/assets/"))
}

// note puts a request into the log that the admin shows.
func (s *server) note(c *fiber.Ctx, id string, began time.Time) {
	r := logbook.Request{
		At: began, Took: time.Since(began), Method: c.Method(), Status: c.Response().StatusCode(), Bytes: -1, IP: s.clientIP(c), RequestID: id,
	}
	if route := c.Route(); s.paths[route.Path] && (route.Path != "/" || c.Path() == "/") { // "/" also stands for no route at all
		r.Path = route.Path
	}
	if !strings.Contains(r.Path, ":token") {
		r.Detail = loggedPath(c.Path())
	}
	if !c.Response().IsBodyStream() {
		r.Bytes = len(c.Response().Body())
	}
	if v := visitorOf(c); v != nil {
		r.Who = v.Email
	} else if p := programOf(c); p.Label != "" {
		r.Who = "API key " + p.Label
	}
	s.Logbook.Request(r)
}

// loggedPath keeps the secret of a single-use link out of the log.
func loggedPath(path string) string {
	for _, prefix := range []string{"/setup/", "/invite/", "/verify/", "/reset/", "/email/"} {
		if strings.HasPrefix(path, prefix) {
			return prefix + "…"
		}
	}
	return path
}

// Content-Security-Policies: ours, and the one for River's dashboard, whose interface writes inline styles.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	jobsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// protect sets the headers that tell browsers what not to do.
func (s *server) protect(c *fiber.Ctx) error {
	policy := pagePolicy
	if c.Path() == JobsPrefix || strings.HasPrefix(c.Path(), JobsPrefix+"/") {
		policy = jobsPolicy
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), microphone=(), geolocation=()")
	if s.SecureCookies {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	return c.Next()
}

// recoverPanic turns a panic into an ordinary failure, with its stack in the log.
func (s *server) recoverPanic(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("panic", "request", requestID(c), "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return c.Next()
}

// clientIP is the address the request came from: the nearest one in X-Forwarded-For that is not a trusted proxy's, where
// the connection is from a trusted proxy; otherwise the connection's.
func (s *server) clientIP(c *fiber.Ctx) string {
	addr, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return c.Context().RemoteIP().String()
	}
	addr = addr.Unmap()
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr.String()
}

func (s *server) trusted(addr netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// sameOrigin refuses posts that another site's page made a browser send; see http.CrossOriginProtection.
func (s *server) sameOrigin(c *fiber.Ctx) error {
	r := &http.Request{Method: c.Method(), Host: string(c.Context().Host()), Header: http.Header{}}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		if v := c.Get(name); v != "" {
			r.Header.Set(name, v)
		}
	}
	if err := s.crossOrigin.Check(r); err != nil {
		return &Error{Status: http.StatusForbidden, Err: err,
			Message: "This form was posted from another origin, so nothing was done. Open the page here and try again."}
	}
	return c.Next()
}

// publicURL is the address people reach us at, without a slash at its end.
func (s *server) publicURL(c *fiber.Ctx) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	return "http://" + string(c.Context().Host())
}

// fromLoopback tells whether the request was made on this machine, by nobody's word but the connection's.
func fromLoopback(c *fiber.Ctx) bool {
	ip := c.Context().RemoteIP()
	return net.IP(ip).IsLoopback() && c.Get(fiber.HeaderXForwardedFor) == ""
}
