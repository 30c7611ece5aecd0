package whatsapp

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mau.fi/whatsmeow/types"
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
	handled   bool // the message is logged or ignored: its plaintext is of no use any more
	written   bool // with the message
	locked    bool
	encrypted bool                    // for somebody else than our own devices
	cancel    context.CancelCauseFunc // of a send
}

// peer is what is stored of one device of a contact.
type peer struct {
	session, identity         []byte
	ahead                     ahead // how far the session in the database is ahead of this one
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

// aheadBy is how far ahead the unit's sessions are stored.
func (u *unit) aheadBy() int {
	if u.send {
		return aheadSending
	}
	return aheadReceiving
}

// stored notes that the unit was written with the message it belongs to.
func (u *unit) stored() {
	if u != nil {
		u.written = true
	}
}

// from reports whether the unit decrypted something of this sender.
func (u *unit) from(source types.MessageSource) bool {
	for _, jid := range []types.JID{source.Sender, source.SenderAlt} {
		if u.peers[jid.SignalAddress().String()] != nil {
			return true
		}
	}
	return false
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

// single tells whether a step is nothing but a new state of one session.
func (u *unit) single() bool {
	if u == nil {
		return true
	}
	dirty := 0
	for _, p := range u.peers {
		if p.identityNew || p.sessionDirty && p.session == nil {
			return false
		}
		if p.sessionDirty {
			dirty++
		}
	}
	return dirty <= 1 && len(u.preKeys) == 0
}

// only is the address and the session, as it is to be stored, of a single step; no session: there is nothing to store.
func (u *unit) only() (address string, session []byte) {
	for address, p := range u.peers {
		if p.sessionDirty {
			session, p.ahead = runAhead(p.session, aheadReceiving)
			return address, session
		}
	}
	return "", nil
}

// fence fails in every transaction that must not be: the node does not hold the shard any more, and whoever does may have
// moved the sessions on. A step that is written late would be a key that is used twice.
type fence struct {
	shard int16
	node  uuid.UUID
	epoch int64
}

// holdsShard divides by zero where the shard is not held, which fails the whole transaction it is in.
const holdsShard = "SELECT 1 / count(*) FROM shards WHERE id = $1 AND node_id = $2 AND epoch = $3 AND lease_until > clock_timestamp()"

// batcher is a pool or a transaction on it.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// write stores what a unit changed, in the transaction of db or in one of its own.
func (s *tenantStore) write(ctx context.Context, db batcher, u *unit) error {
	var batch pgx.Batch
	moved := make(map[*peer]ahead, len(u.peers)) // what a failed try wrote must not count for the next one
	for address, p := range u.peers {
		switch {
		case p.sessionDirty && p.session == nil:
			moved[p] = ahead{}
			batch.Queue(deleteSession, s.jid, address)
		case p.sessionDirty && u.send && p.ahead.covers(p.session):
		case p.sessionDirty:
			session, a := runAhead(p.session, u.aheadBy())
			moved[p] = a
			batch.Queue(upsertSession, s.jid, address, session)
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
	if e := u.event; e != nil && !u.handled {
		batch.Queue(insertBuffered, s.jid, e.hash[:], e.plaintext, e.server.Unix(), time.Now().UnixMilli())
	}
	done := s.finished.take()
	if len(done) > 0 {
		batch.Queue(clearBuffered, s.jid, done)
	}
	if batch.Len() == 0 {
		return nil
	}
	err := s.fenced(ctx, db, &batch)
	if err != nil {
		s.finished.giveBack(done)
		return err
	}
	for p, a := range moved {
		p.ahead = a
	}
	return nil
}

// fenced runs statements in the transaction of db or in one of its own, if the shard is held. That is asked last: a statement
// may have waited for somebody else's.
func (s *tenantStore) fenced(ctx context.Context, db batcher, batch *pgx.Batch) error {
	if s.fence != (fence{}) {
		batch.Queue(holdsShard, s.fence.shard, s.fence.node, s.fence.epoch)
	}
	err := db.SendBatch(ctx, batch).Close()
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == pgerrcode.DivisionByZero {
		return ErrNotOwner
	}
	return err
}

// flush writes a unit by itself. Everything in it may be written twice, so a connection that breaks is no reason to give up.
func (s *tenantStore) flush(ctx context.Context, u *unit) error {
	err := retry(ctx, func(ctx context.Context) error { return s.write(ctx, s.db, u) })
	if err != nil {
		s.forget(u) // what is in the database now is not known
		return err
	}
	s.remember(u)
	return nil
}

// remember keeps the peers as they are after a unit was written.
func (s *tenantStore) remember(u *unit) {
	for address, p := range u.peers {
		s.known.set(address, peer{session: p.session, identity: p.identity, ahead: p.ahead})
	}
}

// forget has the peers of a unit read again from the database.
func (s *tenantStore) forget(u *unit) {
	for address := range u.peers {
		s.known.drop(address)
	}
}
