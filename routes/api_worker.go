package routes

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
)

// apiWorker answers POST /tenants/{id}/worker/…: the job that will do it. A command refuses where the state forbids it.
func (s *server) apiWorker(command func(context.Context, uuid.UUID, jobs.Actor) (int64, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := apiTenant(c)
		if err != nil {
			return err
		}
		job, err := command(c.UserContext(), id, programOf(c).actor())
		if err != nil {
			return err
		}
		return c.Status(http.StatusAccepted).JSON(struct {
			JobID int64 `json:"job_id"`
		}{job})
	}
}
