package whatsapp

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// storageError is a failure of the database. It counts as context.Canceled, on which whatsmeow neither acknowledges the
// message nor asks its sender for another copy: it will come again by itself.
type storageError struct{ err error }

func (e *storageError) Error() string   { return "store: " + e.err.Error() }
func (e *storageError) Unwrap() []error { return []error{e.err, context.Canceled} }

// unit is the work on Signal sessions under one hold of the gate; it travels in the context.
type unit struct {
	peers   map[string]*peer
	preKeys []uint32 // used up
	event   *bufferedEvent
	err     error // first failure of the database

	send      bool
	locked    bool
	encrypted bool                    // for somebody else than our own devices
	cancel    context.CancelCauseFunc // of a send
}

type peer struct {
	session, identity         []byte
	sessionDirty, identityNew bool
}

type bufferedEvent struct {
	hash      [32]byte
	plaintext []byte
	server    time.Time
}

type unitKey struct{}

func unitOf(ctx context.Context) *unit {
	u, _ := ctx.Value(unitKey{}).(*unit)
	return u
}

// failed notes a failure of the database; a send ends with it.
func (u *unit) failed(err error) error {
	if err == nil {
		return nil
	}
	if u.err == nil {
		u.err = err
	}
	if u.cancel != nil {
		u.cancel(err)
	}
	return &storageError{err}
}

func (u *unit) peer(address string) *peer {
	p := u.peers[address]
	if p == nil {
		p = &peer{}
		u.peers[address] = p
	}
	return p
}

// load reads sessions and identities the unit does not know yet.
func (s *tenantStore) load(ctx context.Context, u *unit, addresses []string) error {
	missing := make([]string, 0, len(addresses))
	for _, a := range addresses {
		if u.peers[a] != nil {
			continue
		}
		if p, ok := s.known.get(a); ok {
			u.peers[a] = &p
		} else {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := s.db.Query(ctx, selectPeers, s.jid, missing)
	if err != nil {
		return u.failed(err)
	}
	var address string
	var session, identity []byte
	_, err = pgx.ForEachRow(rows, []any{&address, &session, &identity}, func() error {
		u.peers[address] = &peer{session: session, identity: identity}
		session, identity = nil, nil
		return nil
	})
	return u.failed(err)
}

// flush writes the unit in one implicit transaction. Everything in it may be written twice, so a connection that
// breaks is no reason to give up.
func (s *tenantStore) flush(ctx context.Context, u *unit) error {
	if err := s.writeUnit(ctx, u); err != nil {
		for address := range u.peers {
			s.known.drop(address) // what is in the database now is not known
		}
		return err
	}
	for address, p := range u.peers {
		s.known.set(address, peer{session: p.session, identity: p.identity})
	}
	return nil
}

func (s *tenantStore) writeUnit(ctx context.Context, u *unit) error {
	return retry(ctx, func(ctx context.Context) error {
		var batch pgx.Batch
		for address, p := range u.peers {
			switch {
			case p.sessionDirty && p.session == nil:
				batch.Queue(deleteSession, s.jid, address)
			case p.sessionDirty:
				batch.Queue(upsertSession, s.jid, address, p.session)
			}
			switch {
			case p.identityNew && p.identity == nil:
				batch.Queue(deleteIdentity, s.jid, address)
			case p.identityNew:
				batch.Queue(upsertIdentity, s.jid, address, p.identity)
			}
		}
		for _, id := range u.preKeys {
			batch.Queue(deletePreKey, s.jid, int64(id))
		}
		if e := u.event; e != nil {
			batch.Queue(insertBuffered, s.jid, e.hash[:], e.plaintext, e.server.Unix(), time.Now().UnixMilli())
		}
		s.clearMu.Lock()
		done := s.clear
		s.clear = nil
		s.clearMu.Unlock()
		if len(done) > 0 {
			batch.Queue(clearBuffered, s.jid, done)
		}
		if batch.Len() == 0 {
			return nil
		}
		err := s.db.SendBatch(ctx, &batch).Close()
		if err != nil && len(done) > 0 {
			s.clearMu.Lock()
			s.clear = append(s.clear, done...)
			s.clearMu.Unlock()
		}
		return err
	})
}
