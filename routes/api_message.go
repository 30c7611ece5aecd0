package routes

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
)

// apiMessageList answers GET /tenants/{id}/messages.
func (s *server) apiMessageList(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	limit, from, err := readPage(c)
	if err != nil {
		return err
	}
	params := queries.ListMessagesParams{TenantID: id, BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(limit + 1)}
	if err := readMessageFilters(c, &params); err != nil {
		return err
	}
	if _, err := s.apiTenantRow(c.UserContext(), id); err != nil {
		return err
	}
	rows, err := s.system.ListMessages(c.UserContext(), params)
	if err != nil {
		return err
	}
	return c.JSON(paged(limit, rows,
		func(r queries.ListMessagesRow) messageJSON {
			return toMessageJSON(r.MessageLog, r.ContactName, r.ContactPhone)
		},
		func(r queries.ListMessagesRow) cursor { return cursor{r.MessageLog.CreatedAt, r.MessageLog.ID} }))
}

func readMessageFilters(c *fiber.Ctx, params *queries.ListMessagesParams) error {
	if given := c.Query("contact"); given != "" {
		number, err := jobs.NormalizePhone(given)
		if err != nil {
			// In a query a "+" that was not escaped arrives as a space; NormalizePhone has trimmed it.
			return wrongQuery(http.StatusUnprocessableEntity, "contact", "Write a phone number like +255712345678.")
		}
		params.Contact = &number
	}
	if given := c.Query("direction"); given != "" {
		direction := queries.MessageDirection(given)
		if !direction.Valid() {
			return wrongQuery(http.StatusUnprocessableEntity, "direction", "Choose IN or OUT.")
		}
		params.Direction = &direction
	}
	if given := c.Query("since"); given != "" {
		// The same as for contact: "2026-01-01T00:00:00+03:00" may arrive with a space for the "+".
		since, err := time.Parse(time.RFC3339, strings.Replace(given, " ", "+", 1))
		if err != nil || since.Year() < 1 || since.Year() > 9999 {
			return wrongQuery(http.StatusUnprocessableEntity, "since", "Write a time like 2026-01-31T18:30:00Z (RFC 3339).")
		}
		params.Since = &since
	}
	search := c.Query("q")
	switch {
	case !utf8.ValidString(search):
		return wrongQuery(http.StatusBadRequest, "q", "This is not valid UTF-8.")
	case strings.ContainsRune(search, 0):
		return wrongQuery(http.StatusUnprocessableEntity, "q", "No message holds the character U+0000.")
	case utf8.RuneCountInString(search) > jobs.MaxText:
		return wrongQuery(http.StatusUnprocessableEntity, "q", "This is longer than any message can be.")
	}
	params.Search = likePattern.Replace(search)
	return nil
}

// likePattern takes the special meaning from what LIKE understands.
var likePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// apiMessageSend answers POST /tenants/{id}/messages.
func (s *server) apiMessageSend(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	p := programOf(c)
	m := jobs.OutgoingMessage{TenantID: id, Source: "API", IdempotencyKey: c.Get("Idempotency-Key"), Actor: p.actor()}
	if err := readBody(c, body{"to": &m.To, "text": &m.Text}); err != nil {
		return err
	}
	queued, err := s.Commands.QueueMessage(c.UserContext(), m)
	if err != nil {
		return err
	}
	// A repeated request gets the first one's answer, however far the message has come by then.
	return c.Status(http.StatusAccepted).JSON(struct {
		ID     uuid.UUID             `json:"id"`
		Status queries.MessageStatus `json:"status"`
	}{queued.ID, queries.MessageStatusQUEUED})
}
