package routes

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// healthz tells that the process answers.
func (s *server) healthz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(fiber.Map{"status": "ok"})
}

const readyTimeout = 3 * time.Second

// readyz tells whether this process can do its work: database, migrations and, for a worker, its shards.
func (s *server) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), readyTimeout)
	defer cancel()
	c.Set(fiber.HeaderCacheControl, "no-store")
	err := s.Database.Ping(ctx)
	if err == nil {
		var pending bool
		if pending, err = s.Database.MigrationsPending(ctx); err == nil && pending {
			err = errors.New("migrations are pending")
		}
	}
	if err == nil && s.Ready != nil {
		err = s.Ready(ctx)
	}
	if err != nil {
		s.Log.Warn("not ready", "err", err)
		return c.Status(http.StatusServiceUnavailable).JSON(fiber.Map{"status": "not ready"})
	}
	return c.JSON(fiber.Map{"status": "ok"})
}

// metrics answers Prometheus on this machine or, elsewhere, with the token.
func (s *server) metrics(c *fiber.Ctx) error {
	if s.Metrics == nil {
		return fiber.ErrNotFound
	}
	token, given := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	known := s.MetricsToken != "" && given && subtle.ConstantTimeCompare(hashToken(token), hashToken(s.MetricsToken)) == 1
	if !known && !fromLoopback(c) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return refuse(http.StatusUnauthorized, "Metrics are for this machine, or for a bearer token (METRICS_TOKEN).")
	}
	return adaptor.HTTPHandler(s.Metrics)(c)
}

// assets serves the embedded files; their path names their content, so browsers keep them.
func (s *server) assets(c *fiber.Ctx) error {
	if err := adaptor.HTTPHandler(s.files)(c); err != nil {
		return err
	}
	if c.Response().StatusCode() == http.StatusNotFound {
		return fiber.ErrNotFound
	}
	return nil
}

// jobsDashboard is River's own interface. It checks nothing by itself: the guards of its route do. Its scripts and styles
// have their content's hash in their names.
func (s *server) jobsDashboard(c *fiber.Ctx) error {
	if s.Jobs == nil {
		return fiber.ErrNotFound
	}
	if err := guardJobs(c); err != nil {
		return err
	}
	if err := adaptor.HTTPHandler(s.Jobs)(c); err != nil {
		return err
	}
	if !reads(c) && c.Response().StatusCode() < http.StatusBadRequest {
		return s.noteJobs(c)
	}
	if strings.HasPrefix(c.Path(), JobsPrefix+"/assets/") && c.Response().StatusCode() == http.StatusOK {
		c.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable")
	}
	return nil
}
