package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/encoding/protowire"
)

// A customer's message and the step of the Signal session that decrypted it are stored in one transaction, after the bot has
// decided: then there is no moment at which a crash could lose the message, and none of the writes between which there would
// be one. whatsmeow decrypts first (DoDecryptionTxn) and then delivers the message on the same goroutine, so the step stays
// open in between, and the gate closed.
//
// What is not a customer's message (keys from the own phone, edits, notes of the protocol) is stored at once, with its
// plaintext, as whatsmeow means it.

// openStep is the unit of a message that is decrypted and neither stored nor delivered yet.
type openStep struct {
	mu         sync.Mutex
	unit       *unit
	connection int  // the present one; what an earlier one left behind comes again
	halt       bool // a message was refused: those behind it wait for the next connection, so that order is kept
}

// errHalted means that an earlier message has to come again first.
var errHalted = errors.New("an earlier message has to be delivered again first")

type connectionKey struct{}

// DoDecryptionTxn runs one decryption under the gate.
func (s *tenantStore) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	if err := s.gate.lock(ctx); err != nil {
		return err
	}
	open := false // the gate stays closed until finish
	defer func() {
		if !open {
			s.gate.unlock()
		}
	}()
	if s.halted(ctx) {
		return &storageError{errHalted}
	}
	u := &unit{peers: make(map[string]*peer, 1)}
	err := guarded(func() error { return fn(context.WithValue(ctx, unitKey{}, u)) })
	fault(faultDecrypted)
	if u.err == nil && err == nil {
		if u.event != nil && len(u.peers) > 0 && customers(u.event.plaintext) {
			s.step.mu.Lock()
			s.step.unit = u
			s.step.mu.Unlock()
			open = true
			return nil
		}
		u.err = s.flush(ctx, u)
		if u.err == nil && u.event != nil {
			s.rows.add(u.event.hash)
		}
	}
	if u.err != nil {
		return s.refuse(u.err)
	}
	return err
}

// guarded turns a panic into an error. The Signal library panics on some ciphertexts that only a broken or hostile phone makes
// (a body that is no whole number of blocks); whatsmeow would swallow it.
func guarded(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decrypting panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return fn()
}

// Fields of waE2E.Message that whatsmeow works on itself before, or instead of, delivering the message.
const (
	fieldSenderKeys     = 2
	fieldProtocol       = 12
	fieldFastSenderKeys = 15
	fieldDeviceSent     = 31
)

// customers reports whether a padded plaintext is a message that whatsmeow only delivers.
func customers(padded []byte) bool {
	if len(padded) == 0 {
		return false
	}
	padding := int(padded[len(padded)-1])
	if padding == 0 || padding > len(padded) {
		return false
	}
	rest := padded[:len(padded)-padding]
	for len(rest) > 0 {
		field, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return false
		}
		switch field {
		case fieldSenderKeys, fieldProtocol, fieldFastSenderKeys, fieldDeviceSent:
			return false
		}
		m := protowire.ConsumeFieldValue(field, kind, rest[n:])
		if m < 0 {
			return false
		}
		rest = rest[n+m:]
	}
	return true
}

// takeStep is the open step of a message that is being delivered; nil: it has none.
func (s *tenantStore) takeStep(evt *events.Message) *unit {
	s.step.mu.Lock()
	defer s.step.mu.Unlock()
	u := s.step.unit
	if u == nil || evt.UnavailableRequestID != "" || evt.SourceWebMsg != nil || !u.from(evt.Info.MessageSource) {
		return nil
	}
	s.step.unit = nil
	return u
}

// finish ends a step. One that is not stored yet is stored where the message is done with; where it is not, the step has
// never happened, and what comes behind it waits for the next connection. False: the message must not be acknowledged.
func (s *tenantStore) finish(ctx context.Context, u *unit, done bool) bool {
	if u == nil {
		return true
	}
	defer s.gate.unlock()
	switch {
	case u.written:
		s.remember(u)
	case done:
		u.handled = true
		if err := s.flush(ctx, u); err != nil {
			_ = s.refuse(err)
			return false
		}
	default:
		s.forget(u)
		_ = s.refuse(errHalted)
		return false
	}
	s.recent.set(u.event.hash, struct{}{})
	return true
}

// refuse is the answer to a message that cannot be stored: it and those behind it come again on the next connection.
func (s *tenantStore) refuse(err error) error {
	s.step.mu.Lock()
	s.step.halt = true
	s.step.mu.Unlock()
	s.fail(err)
	return &storageError{err}
}

// resume lets messages in again, on a new connection. Those of earlier ones, which whatsmeow may still be working through, are
// not let in with them: the first of them was not stored. The returned context is that of the connection.
func (s *tenantStore) resume(ctx context.Context) context.Context {
	s.step.mu.Lock()
	defer s.step.mu.Unlock()
	s.step.halt = false
	s.step.connection++
	return context.WithValue(ctx, connectionKey{}, s.step.connection)
}

// halted reports whether a message must not be let in now.
func (s *tenantStore) halted(ctx context.Context) bool {
	connection, _ := ctx.Value(connectionKey{}).(int) // 0: linked a moment ago
	s.step.mu.Lock()
	defer s.step.mu.Unlock()
	return s.step.halt || connection != s.step.connection
}

// storeOrphan stores a step whose message was not delivered, whatever the reason, with its plaintext: it must not keep the gate
// closed.
func (s *tenantStore) storeOrphan() {
	s.step.mu.Lock()
	u := s.step.unit
	s.step.unit = nil
	s.step.mu.Unlock()
	if u == nil {
		return
	}
	defer s.gate.unlock()
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	if err := s.flush(ctx, u); err != nil {
		_ = s.refuse(err)
		return
	}
	s.rows.add(u.event.hash)
}
