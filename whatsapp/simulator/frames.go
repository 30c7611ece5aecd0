package simulator

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"go.mau.fi/whatsmeow/proto/waWa6"
)

// handshake reads the prologue and does the Noise exchange; it returns what the client says about itself.
func (c *conn) handshake(ctx context.Context) (*waWa6.ClientPayload, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	prologue, err := c.readPrologue(ctx)
	if err != nil {
		return nil, err
	}
	noise, err := newNoiseState(prologue)
	if err != nil {
		return nil, err
	}
	hello, err := c.nextFrame(ctx)
	if err != nil {
		return nil, err
	}
	reply, ephemeral, err := noise.answerHello(hello, c.s.identity)
	if err != nil {
		return nil, err
	}
	if err := c.ws.Write(ctx, websocket.MessageBinary, append(frameLength(len(reply)), reply...)); err != nil {
		return nil, err
	}
	last, err := c.nextFrame(ctx)
	if err != nil {
		return nil, err
	}
	static, payload, err := noise.finish(last, ephemeral)
	if err != nil {
		return nil, err
	}
	c.static = static
	read, write, err := noise.split()
	c.mu.Lock()
	c.read, c.write = read, write
	c.mu.Unlock()
	return payload, err
}

func frameLength(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }

// readPrologue takes the WA header, and the routing info that may stand before it, from the first message.
func (c *conn) readPrologue(ctx context.Context) ([]byte, error) {
	if err := c.fill(ctx, 4); err != nil {
		return nil, err
	}
	if c.inbuf[0] == 'E' && c.inbuf[1] == 'D' {
		if err := c.fill(ctx, 7); err != nil {
			return nil, err
		}
		skip := 7 + (int(c.inbuf[4])<<16 | int(c.inbuf[5])<<8 | int(c.inbuf[6]))
		if err := c.fill(ctx, skip+4); err != nil {
			return nil, err
		}
		c.inbuf = c.inbuf[skip:]
	}
	if c.inbuf[0] != 'W' || c.inbuf[1] != 'A' {
		return nil, errors.New("no WA header")
	}
	prologue := append([]byte(nil), c.inbuf[:4]...)
	c.inbuf = c.inbuf[4:]
	return prologue, nil
}

// fill reads websocket messages until at least n bytes are buffered.
func (c *conn) fill(ctx context.Context, n int) error {
	for len(c.inbuf) < n {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			return err
		}
		c.lastRead.Store(time.Now().UnixNano())
		if len(c.inbuf) == 0 {
			c.inbuf = data
		} else {
			c.inbuf = append(append(make([]byte, 0, len(c.inbuf)+len(data)), c.inbuf...), data...)
		}
	}
	return nil
}

// nextFrame returns the next frame's body. It is never reused: slices of decoded nodes point into it.
func (c *conn) nextFrame(ctx context.Context) ([]byte, error) {
	if err := c.fill(ctx, 3); err != nil {
		return nil, err
	}
	n := int(c.inbuf[0])<<16 | int(c.inbuf[1])<<8 | int(c.inbuf[2])
	if err := c.fill(ctx, 3+n); err != nil {
		return nil, err
	}
	frame := c.inbuf[3 : 3+n : 3+n]
	c.inbuf = c.inbuf[3+n:]
	return frame, nil
}
