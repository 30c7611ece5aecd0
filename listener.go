package main

import (
	"net"
	"sync"
	"sync/atomic"
)

// listener remembers its open connections. Fiber's shutdown waits for connections that were opened and never used, such as the
// spare ones of browsers; these are closed at once, and what is left when its time is over as well.
type listener struct {
	net.Listener
	mu   sync.Mutex
	open map[*conn]struct{}
}

type conn struct {
	net.Conn
	listener *listener
	used     atomic.Bool
}

func listen(address string) (*listener, error) {
	l, err := net.Listen("tcp", address)
	return &listener{Listener: l, open: map[*conn]struct{}{}}, err
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, listener: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	return c, nil
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.used.Store(true)
	}
	return n, err
}

func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// hangUp closes the connections that were never used, or all of them.
func (l *listener) hangUp(all bool) (closed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		if all || !c.used.Load() {
			c.Conn.Close()
			closed++
		}
	}
	return closed
}
