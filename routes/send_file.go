package routes

import (
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
)

// patience is how long a download waits for a browser that takes nothing before it is given up.
const patience = time.Minute

var errNobodyReads = errors.New("nobody took what was sent")

// sendFile answers with a download that write makes piece by piece; what a browser has not taken yet is all that is in memory. One that
// fails half-way breaks off, so that half a file is not taken for a whole one. done is called at its end; nil: nothing is.
func (s *server) sendFile(c *fiber.Ctx, name, kind string, log *slog.Logger, write func(io.Writer) error, done func()) error {
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if c.Method() == fiber.MethodHead {
		if done != nil {
			done()
		}
		return nil
	}
	reader, writer := io.Pipe()
	go func() {
		if done != nil {
			defer done()
		}
		idle := time.AfterFunc(patience, func() { writer.CloseWithError(errNobodyReads); reader.CloseWithError(errNobodyReads) })
		defer idle.Stop()
		err := write(taken{writer, idle})
		if err != nil && !errors.Is(err, io.ErrClosedPipe) {
			log.Warn("a download broke off", "file", name, "err", err)
		}
		_ = writer.CloseWithError(err)
	}()
	c.Context().SetBodyStream(reader, -1)
	return nil
}

// taken is a pipe that notes when something was taken from it.
type taken struct {
	to   *io.PipeWriter
	idle *time.Timer
}

func (t taken) Write(b []byte) (int, error) {
	n, err := t.to.Write(b)
	t.idle.Reset(patience)
	return n, err
}
