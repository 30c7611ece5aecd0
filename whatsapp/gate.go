package whatsapp

import (
	"context"
	"errors"
	"sync"
	"time"
)

// bareLimit is how long an encryption outside our own sends (a phone asks for a message again, a note to the own phone) may
// take between reading a session and writing it back. In between are two small queries.
const bareLimit = 3 * time.Second

// orphanLimit is how often whoever waits for the gate looks whether it is kept closed by a message that nobody delivers.
const orphanLimit = 100 * time.Millisecond

// errStaleSession means that a session was read so long ago that writing it back could undo someone else's step.
var errStaleSession = errors.New("the Signal session may have changed meanwhile")

// signalGate is one tenant's lock on its Signal sessions. A ratchet step reads a session, moves it on and writes it back;
// two steps that overlap use a message key twice, and the customer's phone drops the second message without a word.
// whatsmeow locks sends against sends, but not against decrypting (tulir/whatsmeow issue 1095), so every path takes this
// gate at its first read and leaves it with its write:
//
//   - decrypting holds it for the whole of DoDecryptionTxn, and for a customer's message until that is logged (step.go),
//   - our sends from GetManySessions to PutManySessions, never while waiting for WhatsApp's answer to the message; for the first
//     message to a phone the phone's keys are fetched in between, so that the tenant's other messages wait for that one query,
//   - whatsmeow's other encryptions, whose context tells nothing, from GetSession to PutSession (a bare hold). They have no
//     end of their own when they fail, so a bare hold ends by itself after bareLimit; a write after that is refused.
type signalGate struct {
	token chan struct{}
	nudge func() // called now and then while somebody waits

	mu   sync.Mutex
	bare *bareHold
}

type bareHold struct {
	address string
	timer   *time.Timer
}

func newSignalGate(nudge func()) *signalGate {
	return &signalGate{token: make(chan struct{}, 1), nudge: nudge}
}

func (g *signalGate) lock(ctx context.Context) error {
	select {
	case g.token <- struct{}{}:
		return nil
	default:
	}
	ticker := time.NewTicker(orphanLimit)
	defer ticker.Stop()
	for {
		select {
		case g.token <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			g.nudge()
		}
	}
}

func (g *signalGate) unlock() { <-g.token }

// holdBare takes the gate until PutSession of the same address, or for bareLimit.
func (g *signalGate) holdBare(ctx context.Context, address string) error {
	if err := g.lock(ctx); err != nil {
		return err
	}
	hold := &bareHold{address: address}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bare = hold
	hold.timer = time.AfterFunc(bareLimit, func() {
		if g.take(func(h *bareHold) bool { return h == hold }) {
			g.unlock()
		}
	})
	return nil
}

// takeBare ends the bare hold of an address without leaving the gate: the caller writes, then unlocks. False: there is none.
func (g *signalGate) takeBare(address string) bool {
	return g.take(func(h *bareHold) bool { return h.address == address })
}

func (g *signalGate) take(is func(*bareHold) bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bare == nil || !is(g.bare) {
		return false
	}
	g.bare.timer.Stop()
	g.bare = nil
	return true
}
