package simulator

import (
	"context"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	waBinary "go.mau.fi/whatsmeow/binary"
)

const (
	maxFrame     = 1 << 24
	maxBacklog   = 32 << 20 // bytes waiting for a client that does not read; beyond that it is cut off
	writeTimeout = 30 * time.Second
	// linger is the time between a last node and the close: whatsmeow loses what it has not handled by then.
	linger = 1500 * time.Millisecond
	// restartLinger is shorter, because a client waits for the close to come back.
	restartLinger = 300 * time.Millisecond
)

// conn is one websocket connection: unpaired, or logged in as a device.
type conn struct {
	s        *Server
	ws       *websocket.Conn
	opened   time.Time
	lastRead atomic.Int64
	device   atomic.Pointer[device]
	ending   atomic.Bool // a last node was sent: nothing more is read
	settled  func()      // the handshake is over, one way or the other
	closing  sync.Once

	static  [32]byte // the client's Noise key
	reg     *registration
	pairing atomic.Pointer[pairing]

	mu      sync.Mutex
	write   cipher.AEAD
	sealed  uint32
	backlog []byte
	wake    chan struct{}
	done    chan struct{}

	read     cipher.AEAD
	unsealed uint32
	inbuf    []byte
}

func (s *Server) acceptChat(w http.ResponseWriter, r *http.Request) {
	s.stats.histogram.connect(time.Now())
	if s.faults.refusesAll() {
		s.stats.refused.Add(1)
		http.Error(w, "the simulator refuses connections", http.StatusServiceUnavailable)
		return
	}
	if s.ctx.Err() != nil { // an accepted connection that is closed at once would cost whatsmeow 20 s
		http.Error(w, "the simulator is closing", http.StatusServiceUnavailable)
		return
	}
	settled := s.stats.histogram.handshake(time.Now())
	// Origin is web.whatsapp.com, so the check is off; compression is declined, it costs much memory.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		settled()
		return
	}
	ws.SetReadLimit(maxFrame + 16)
	c := &conn{s: s, ws: ws, opened: time.Now(), settled: settled, wake: make(chan struct{}, 1), done: make(chan struct{})}
	c.lastRead.Store(c.opened.UnixNano())
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		settled()
		_ = ws.CloseNow()
		return
	}
	s.conns[c] = struct{}{}
	s.stats.connections.Add(1)
	s.stats.connectionsTotal.Add(1)
	// The request's goroutine is not needed any more: the handler returns and frees its buffers.
	s.work.Go(func() {
		defer func() {
			if broken := recover(); broken != nil { // one client's nonsense must not end everybody's server
				s.log.Error("simulator connection failed", "panic", broken, "stack", string(debug.Stack()))
			}
			c.drop()
			s.forget(c)
		}()
		if err := c.run(s.ctx); !c.ending.Load() && s.ctx.Err() == nil {
			s.log.Debug("simulator connection ended", "error", err)
		}
	})
	s.mu.Unlock()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.reg != nil {
		for _, ref := range c.reg.refs {
			delete(s.refs, ref)
		}
		if c.reg.phone != "" && s.linking[c.reg.phone] != nil && s.linking[c.reg.phone].conn == c {
			delete(s.linking, c.reg.phone)
		}
	}
	s.mu.Unlock()
	s.stats.connections.Add(-1)
	if d := c.device.Load(); d != nil {
		d.detach(c)
	}
}

// run does the handshake and then handles frames until the connection ends; it says why it ended.
func (c *conn) run(ctx context.Context) error {
	payload, err := c.handshake(ctx)
	if err != nil {
		return err
	}
	c.s.work.Go(c.writeLoop)
	if payload.GetDevicePairingData() != nil {
		err = c.register(payload.GetDevicePairingData())
	} else {
		err = c.login(payload)
	}
	c.settled()
	if err != nil {
		return err
	}
	for {
		frame, err := c.nextFrame(ctx)
		if err != nil {
			return err
		}
		plain, err := c.read.Open(frame[:0], noiseNonce(c.unsealed), frame, nil)
		if err != nil {
			return fmt.Errorf("frame %d does not decrypt: %w", c.unsealed, err)
		}
		c.unsealed++
		if c.ending.Load() {
			continue
		}
		if len(plain) == 0 {
			return errors.New("empty frame")
		}
		raw, err := waBinary.Unpack(plain)
		if err != nil {
			return err
		}
		node, err := waBinary.Unmarshal(raw)
		if err != nil {
			return fmt.Errorf("broken node: %w", err)
		}
		c.s.handle(c, node)
	}
}

// send queues a node. Nodes leave in the order of the calls; errors show as the end of the connection.
func (c *conn) send(n waBinary.Node) {
	raw, err := waBinary.Marshal(n)
	if err != nil {
		c.s.log.Error("simulator node does not encode", "tag", n.Tag, "error", err)
		return
	}
	c.mu.Lock()
	if c.write == nil { // a fault struck during the handshake
		c.mu.Unlock()
		c.drop()
		return
	}
	if len(c.backlog) > maxBacklog {
		c.mu.Unlock()
		c.s.log.Warn("simulator client does not read, connection cut")
		c.drop()
		return
	}
	var nonce [12]byte
	binary.BigEndian.PutUint32(nonce[8:], c.sealed)
	c.sealed++
	length := len(raw) + c.write.Overhead()
	c.backlog = append(c.backlog, byte(length>>16), byte(length>>8), byte(length))
	c.backlog = c.write.Seal(c.backlog, nonce[:], raw, nil)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// writeLoop writes what is queued; several frames go out in one websocket message, none is split.
func (c *conn) writeLoop() {
	var spare []byte
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		if d := c.device.Load(); d != nil {
			if delay := c.s.faults.slowness(d.owner.number); delay > 0 {
				select {
				case <-time.After(delay):
				case <-c.done:
					return
				}
			}
		}
		c.mu.Lock()
		batch := c.backlog
		c.backlog = spare[:0]
		c.mu.Unlock()
		if len(batch) > 0 {
			ctx, cancel := context.WithTimeout(c.s.ctx, writeTimeout)
			err := c.ws.Write(ctx, websocket.MessageBinary, batch)
			cancel()
			if err != nil {
				c.drop()
				return
			}
		}
		spare = batch
		if cap(spare) > 16<<10 { // an idle connection keeps no big buffer
			spare = nil
		}
	}
}

// drop closes the socket at once.
func (c *conn) drop() {
	c.closing.Do(func() {
		close(c.done)
		c.settled()
		_ = c.ws.CloseNow()
	})
}

// open tells whether the connection is in use: neither closed nor about to be.
func (c *conn) open() bool {
	select {
	case <-c.done:
		return false
	default:
		return !c.ending.Load()
	}
}

// end sends a last node, takes the connection out of service and closes it a moment later.
func (c *conn) end(n waBinary.Node) { c.endAfter(n, linger) }

func (c *conn) endAfter(n waBinary.Node, wait time.Duration) {
	if c.ending.Swap(true) {
		return
	}
	if d := c.device.Load(); d != nil {
		d.detach(c)
	}
	c.send(n)
	time.AfterFunc(wait, c.drop)
}
