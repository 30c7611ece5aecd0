// Package simulator is the server side of WhatsApp on loopback: unmodified multi-device clients pair with it by QR or
// by code, log in, upload prekeys, send and receive, with real Noise and real Signal encryption. It also plays the
// phones: those of the businesses that link a device, and those of their customers. The demo, the tests and the
// benchmarks run on it; it never listens on anything but loopback.
package simulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/libsignal/logger"
)

// Options configure a Server. The zero value listens on a free loopback port without a control listener.
type Options struct {
	// Listen is the loopback address clients connect to; empty means 127.0.0.1:0.
	Listen string
	// Control is the loopback address of the control API; empty means none.
	Control string
	// RootSeed (32 bytes) fixes the root key and the identity of every phone. Empty: from StateFile, else random.
	RootSeed []byte
	// StateFile keeps linked devices, phones and undelivered messages over a restart; empty means memory only.
	StateFile string
	// ReadDelay is how long a customer takes to read a message; negative means never (no read receipts).
	ReadDelay time.Duration
	// Log receives what goes wrong; nil discards it.
	Log *slog.Logger
}

// Server is a running simulator.
type Server struct {
	opts     Options
	log      *slog.Logger
	seed     []byte
	identity *serverIdentity
	started  time.Time

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	listener net.Listener
	control  net.Listener
	servers  []*http.Server

	phones *phonebook
	faults *faultBook
	events *eventHub
	stats  counters
	loads  loadBook

	connected signal // a device was introduced to its phone

	mu      sync.Mutex
	conns   map[*conn]struct{}
	refs    map[string]*conn // QR references of unpaired connections
	linking map[string]*linkAttempt
	closed  bool

	closing  sync.Once
	closeErr error

	shownSeq atomic.Int64 // numbers the messages that phones show
	dirty    atomic.Bool  // something worth saving changed
}

// quietSignal silences libsignal's global logger, which prints to standard output by default. It is set at most once
// and only when the program has not set its own: libsignal reads it without a lock.
var quietSignal sync.Once

type discardLogger struct{}

func (discardLogger) Debug(_, _ string)   {}
func (discardLogger) Info(_, _ string)    {}
func (discardLogger) Warning(_, _ string) {}
func (discardLogger) Error(_, _ string)   {}
func (discardLogger) Configure(string)    {}

// Start runs a simulator until ctx ends or Close is called. It refuses addresses that are not loopback and fails when
// a port is taken or the state file cannot be read.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	quietSignal.Do(func() {
		if logger.Logger == nil {
			var quiet logger.Loggable = discardLogger{}
			logger.Setup(&quiet)
		}
	})
	s := &Server{
		opts: o, log: o.Log, seed: o.RootSeed, started: time.Now(),
		conns: map[*conn]struct{}{}, refs: map[string]*conn{}, linking: map[string]*linkAttempt{},
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.events = newEventHub()
	s.faults = newFaultBook()
	s.stats.histogram.init()
	saved, err := loadState(o.StateFile)
	if err != nil {
		return nil, err
	}
	if len(s.seed) == 0 && saved != nil {
		s.seed = saved.Seed
	}
	if len(s.seed) == 0 {
		s.seed = make([]byte, 32)
		_, _ = rand.Read(s.seed)
	} else if len(s.seed) != 32 {
		return nil, fmt.Errorf("simulator: RootSeed has %d bytes, 32 are needed", len(s.seed))
	}
	if s.identity, err = newServerIdentity(s.seed, time.Now()); err != nil {
		return nil, fmt.Errorf("simulator: make certificates: %w", err)
	}
	s.phones = newPhonebook(s.seed)
	if saved != nil {
		s.restore(saved)
	} else if o.StateFile != "" { // keeps the seed from the first moment, and shows now that the file can be written
		s.touch()
		if err := s.save(); err != nil {
			return nil, err
		}
	}
	if err := s.listen(); err != nil {
		s.cancel()
		return nil, err
	}
	s.work.Go(s.sweep)
	s.work.Go(s.saveLoop)
	context.AfterFunc(ctx, func() {
		if err := s.Close(); err != nil {
			s.log.Error("simulator state not saved", "error", err)
		}
	})
	return s, nil
}

func (s *Server) listen() error {
	var err error
	if s.listener, err = listenLoopback(s.ctx, s.opts.Listen); err != nil {
		return err
	}
	chat := http.NewServeMux()
	chat.HandleFunc("/ws/chat", s.acceptChat)
	s.serve(s.listener, chat)
	if s.opts.Control != "" {
		if s.control, err = listenLoopback(s.ctx, s.opts.Control); err != nil {
			_ = s.listener.Close()
			return err
		}
		s.serve(s.control, s.controlHandler())
	}
	return nil
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return s.ctx }}
	s.servers = append(s.servers, srv)
	s.work.Go(func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("simulator listener ended", "address", l.Addr().String(), "error", err)
		}
	})
}

// listenLoopback listens on address if, and only if, its host is a loopback address.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("simulator: address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("simulator: address %q is not a loopback address; use 127.0.0.1", address)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("simulator: listen on %s: %w", address, err)
	}
	return l, nil
}

// URL is the websocket address for clients.
func (s *Server) URL() string { return "ws://" + s.listener.Addr().String() + "/ws/chat" }

// ControlURL is the address of the control API, or empty without one.
func (s *Server) ControlURL() string {
	if s.control == nil {
		return ""
	}
	return "http://" + s.control.Addr().String()
}

// RootKey is the public key (32 bytes) that the server's certificate chain ends in.
func (s *Server) RootKey() []byte { return s.identity.root.Pub[:] }

// Close drops every connection, saves the state and returns when all work has ended. It also happens by itself when
// the context given to Start ends; every call returns the same result.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Server) close() error {
	s.mu.Lock()
	s.closed = true
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	s.cancel()
	for _, srv := range s.servers {
		_ = srv.Close()
	}
	for _, c := range open {
		c.drop()
	}
	s.work.Wait()
	return s.save()
}

// idleLimit is how long a connection may be silent; clients ping every 20 to 30 seconds.
const idleLimit = 3 * time.Minute

// pairingLimit is how long an unpaired connection lives: the six QR codes (60 s and five times 20 s) and some grace.
const pairingLimit = 185 * time.Second

// sweep closes connections that went silent or were never paired.
func (s *Server) sweep() {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-tick.C:
			s.mu.Lock()
			var stale []*conn
			for c := range s.conns {
				if now.Sub(time.Unix(0, c.lastRead.Load())) > idleLimit || c.device.Load() == nil && now.Sub(c.opened) > pairingLimit {
					stale = append(stale, c)
				}
			}
			s.mu.Unlock()
			for _, c := range stale {
				c.drop()
			}
		}
	}
}
