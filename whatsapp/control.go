package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Start looks after a tenant: connects it, or offers codes where it is not linked. It returns once that has begun. A tenant
// that rests because WhatsApp refused it, or because its codes ran out, is tried again.
func (p *Pool) Start(ctx context.Context, tenantID uuid.UUID) error {
	defer p.lock(tenantID)()
	if p.woken(tenantID) {
		return nil
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if err != nil {
		return fmt.Errorf("start tenant %s: %w", tenantID, err)
	}
	known := &given{tenant: t}
	if t.Jid != nil {
		if known.device, err = p.devices.read(ctx, *t.Jid); err != nil {
			return fmt.Errorf("start tenant %s: %w", tenantID, err)
		}
	}
	return p.start(known, 0)
}

// woken tells whether a tenant is looked after already, and tries again where it rests.
func (p *Pool) woken(tenantID uuid.UUID) bool {
	s := p.supervisor(tenantID)
	if s != nil {
		s.wake()
	}
	return s != nil
}

// start begins to look after a tenant, whose lock is held.
func (p *Pool) start(known *given, delay time.Duration) error {
	tenantID, shard := known.tenant.ID, known.tenant.Shard
	epoch, ok := p.leases.epoch(shard)
	if !ok {
		return ErrNotOwner
	}
	s := newSupervisor(p, tenantID, shard, epoch)
	s.given = known
	s.linking.Store(known.tenant.Jid == nil)
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return ErrNotOwner
	}
	p.tenants[tenantID] = s
	p.mu.Unlock()
	go func() {
		s.run(delay)
		p.remove(s)
	}()
	if now, ok := p.leases.epoch(shard); !ok || now != epoch { // lost meanwhile, and whoever closed the shard's tenants may have missed this one
		s.abort()
		p.remove(s)
		return ErrNotOwner
	}
	return nil
}

// Stop closes a tenant's connection and keeps its link.
func (p *Pool) Stop(ctx context.Context, tenantID uuid.UUID) error {
	defer p.lock(tenantID)()
	if _, err := p.halt(ctx, tenantID); err != nil {
		return err
	}
	return p.recordStopped(ctx, tenantID)
}

// halt ends a tenant's supervisor, where there is one.
func (p *Pool) halt(ctx context.Context, tenantID uuid.UUID) (*supervisor, error) {
	s := p.supervisor(tenantID)
	if s == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := s.stop(ctx)
	p.remove(s)
	return s, err
}

func (p *Pool) recordStopped(ctx context.Context, tenantID uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	t, err := p.q.GetSupervised(ctx, tenantID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	epoch, ok := p.leases.epoch(t.Shard)
	if !ok {
		return ErrNotOwner
	}
	s := newSupervisor(p, tenantID, t.Shard, epoch)
	defer s.cancel()
	st := stoppedStatus(t)
	st.restriction = storedRestriction(t)
	return s.write(ctx, st)
}

// Restart makes a tenant's connection anew.
func (p *Pool) Restart(ctx context.Context, tenantID uuid.UUID) error {
	unlock := p.lock(tenantID)
	_, err := p.halt(ctx, tenantID)
	unlock()
	if err != nil {
		return err
	}
	return p.Start(ctx, tenantID)
}

// PairCode returns a code to type into the phone with this number, and shows it in the session as well. It starts the
// tenant if need be. ErrAlreadyLinked and ErrNumberRefused are the caller's to explain.
func (p *Pool) PairCode(ctx context.Context, tenantID uuid.UUID, phone string) (string, error) {
	if err := p.Start(ctx, tenantID); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	s := p.supervisor(tenantID)
	if s == nil {
		return "", ErrNotOwner
	}
	request := &pairRequest{phone: phone, reply: make(chan pairReply, 1)}
	select {
	case s.pairs <- request:
	case <-s.done:
		return "", ErrNotOwner
	case <-ctx.Done():
		return "", fmt.Errorf("WhatsApp cannot be reached: %w", ctx.Err())
	}
	select {
	case r := <-request.reply:
		return r.code, r.err
	case <-s.done:
		return "", ErrNotOwner
	case <-ctx.Done():
		return "", fmt.Errorf("WhatsApp did not answer: %w", ctx.Err())
	}
}

// Send has a queued message sent soon: the tenant's sender works through everything that is queued, in order. Where the
// tenant is not connected the message stays queued, and connecting sends it. ErrNotOwner: another node is to do it.
func (p *Pool) Send(ctx context.Context, tenantID, _ uuid.UUID) error {
	if s := p.supervisor(tenantID); s != nil {
		s.wakeSender()
		return nil
	}
	t, err := p.q.GetSupervised(ctx, tenantID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	if _, ok := p.leases.epoch(t.Shard); !ok {
		return ErrNotOwner
	}
	return nil
}

// tenantLock is in the map for as long as somebody holds it or waits for it.
type tenantLock struct {
	sync.Mutex
	users int
}

// lock serialises what is done to a tenant from outside. It returns the unlocking.
func (p *Pool) lock(id uuid.UUID) func() {
	p.mu.Lock()
	l := p.locks[id]
	if l == nil {
		l = new(tenantLock)
		p.locks[id] = l
	}
	l.users++
	p.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(p.locks, id)
		}
	}
}
