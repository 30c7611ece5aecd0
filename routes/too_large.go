package routes

import (
	"io"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	swallowAtMost = 64 << 20 // bytes
	swallowFor    = 5 * time.Second
	swallowPause  = 250 * time.Millisecond // after which the sender has sent all, or is waiting for us
)

// swallowBody reads what is left of a body that is too large. The connection closes after the answer, and a client that is
// still sending by then sees a reset in place of the answer.
func swallowBody(c *fiber.Ctx) {
	left, until := swallowAtMost, time.Now().Add(swallowFor)
	conn, buffer := c.Context().Conn(), make([]byte, 32<<10)
	for left > 0 && time.Now().Before(until) {
		if conn.SetReadDeadline(time.Now().Add(swallowPause)) != nil {
			return
		}
		n, err := io.LimitReader(conn, int64(left)).Read(buffer)
		if left -= n; err != nil {
			return
		}
	}
}
