package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
)

// tenantStore is one linked device's store. What happens with every message is done here, on pgx: each decryption or
// encryption is a unit that reads a peer's session and identity in one query and writes everything back in one batch, which
// is one round trip and one commit. The rest is whatsmeow's own store, on the same pool. What nothing here ever reads (the
// business's address book, push names, message secrets) is not stored.
type tenantStore struct {
	*sqlstore.SQLStore
	node   *devices
	db     *pgxpool.Pool
	jid    string
	tenant uuid.UUID
	gate   *signalGate
	ownPN  string                                               // user parts of the own addresses: copies to own devices go there
	ownLID string                                               //
	text   func(ctx context.Context, id string) (string, error) // of a message sent earlier
	fail   func(error)                                          // the store failed; what came in was not acknowledged and has to come again

	// known holds peers as they are in the database. Nobody else writes them: the tenant runs on one node, and here
	// every write goes through the gate.
	known *cache[string, peer]

	keyIDs   sync.Mutex               // choosing prekey ids
	migrated *cache[string, struct{}] // phone numbers whose sessions were looked for under the LID
	tokens   *cache[types.JID, *store.PrivacyToken]
	salt     cachedSalt
	counted  atomic.Pointer[int] // uploaded prekeys, as read with the device

	fence    fence    // the shard that has to be held for a write; zero: none
	step     openStep // of the message that is being taken in
	finished finished
	recent   *cache[[32]byte, struct{}] // ciphertexts that were decrypted, and are done with
	rows     bufferedRows
}

type cachedSalt struct {
	sync.Mutex
	known bool
	value []byte
}

var _ store.AllSessionSpecificStores = (*tenantStore)(nil)

const (
	selectPeers = `SELECT a.address, s.session, i.identity FROM unnest($2::text[]) AS a (address)
		LEFT JOIN whatsmeow_sessions s ON s.our_jid = $1 AND s.their_id = a.address
		LEFT JOIN whatsmeow_identity_keys i ON i.our_jid = $1 AND i.their_id = a.address`
	upsertSession = `INSERT INTO whatsmeow_sessions (our_jid, their_id, session) VALUES ($1, $2, $3)
		ON CONFLICT (our_jid, their_id) DO UPDATE SET session = excluded.session`
	upsertIdentity = `INSERT INTO whatsmeow_identity_keys (our_jid, their_id, identity) VALUES ($1, $2, $3)
		ON CONFLICT (our_jid, their_id) DO UPDATE SET identity = excluded.identity`
	deleteSession    = `DELETE FROM whatsmeow_sessions WHERE our_jid = $1 AND their_id = $2`
	deleteIdentity   = `DELETE FROM whatsmeow_identity_keys WHERE our_jid = $1 AND their_id = $2`
	deleteSessions   = `DELETE FROM whatsmeow_sessions WHERE our_jid = $1 AND their_id LIKE $2 || ':%'`
	deleteIdentities = `DELETE FROM whatsmeow_identity_keys WHERE our_jid = $1 AND their_id LIKE $2 || ':%'`
	insertBuffered   = `INSERT INTO whatsmeow_event_buffer (our_jid, ciphertext_hash, plaintext, server_timestamp, insert_timestamp)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	clearBuffered  = `UPDATE whatsmeow_event_buffer SET plaintext = NULL WHERE our_jid = $1 AND ciphertext_hash = ANY($2)`
	selectBuffered = `SELECT plaintext, server_timestamp, insert_timestamp FROM whatsmeow_event_buffer
		WHERE our_jid = $1 AND ciphertext_hash = $2`
	selectUnfinished = `SELECT ciphertext_hash FROM whatsmeow_event_buffer WHERE our_jid = $1 AND plaintext IS NOT NULL`
	// whatsmeow files sessions under "user:device".
	peersUnderPN = `SELECT EXISTS (SELECT FROM whatsmeow_sessions WHERE our_jid = $1 AND their_id LIKE $2 || ':%')
		OR EXISTS (SELECT FROM whatsmeow_identity_keys WHERE our_jid = $1 AND their_id LIKE $2 || ':%')`
	moveSessions = `INSERT INTO whatsmeow_sessions (our_jid, their_id, session)
		SELECT our_jid, $3 || substr(their_id, length($2) + 1), session FROM whatsmeow_sessions WHERE our_jid = $1 AND their_id LIKE $2 || ':%'
		ON CONFLICT (our_jid, their_id) DO UPDATE SET session = excluded.session`
	moveIdentities = `INSERT INTO whatsmeow_identity_keys (our_jid, their_id, identity)
		SELECT our_jid, $3 || substr(their_id, length($2) + 1), identity FROM whatsmeow_identity_keys WHERE our_jid = $1 AND their_id LIKE $2 || ':%'
		ON CONFLICT (our_jid, their_id) DO UPDATE SET identity = excluded.identity`
)

// withSend prepares a context for one SendMessage. The returned function gives the gate back if the send left it taken;
// call it when SendMessage has returned.
func (s *tenantStore) withSend(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	u := &unit{peers: make(map[string]*peer, 2), send: true, cancel: cancel}
	parent := context.WithoutCancel(ctx)
	return context.WithValue(ctx, unitKey{}, u), func() {
		if errors.Is(context.Cause(ctx), errNotEncrypted) {
			s.forgetBroken(parent, u)
		}
		s.release(u)
		cancel(nil)
	}
}

// forgetBroken deletes the sessions with a customer that nothing could be encrypted in, so that the next try builds new ones.
func (s *tenantStore) forgetBroken(ctx context.Context, u *unit) {
	broken := &unit{peers: make(map[string]*peer)}
	for address, p := range u.peers {
		if p.session != nil && !s.own(address) {
			broken.peers[address] = &peer{sessionDirty: true, identityNew: true}
		}
	}
	if len(broken.peers) == 0 {
		return
	}
	if !u.locked {
		if err := s.gate.lock(ctx); err != nil {
			return
		}
		u.locked = true
	}
	_ = s.flush(ctx, broken) // if this fails the next try comes here again
}

func (s *tenantStore) release(u *unit) {
	if u.locked {
		u.locked = false
		s.gate.unlock()
	}
}

// GetManySessions begins the part of a send that nothing may come between; PutManySessions ends it.
func (s *tenantStore) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	u := unitOf(ctx)
	if u == nil || !u.send {
		return nil, errors.New("whatsapp: a send without its unit")
	}
	if !u.locked {
		if err := s.gate.lock(ctx); err != nil {
			return nil, err
		}
		u.locked = true
	}
	if err := s.load(ctx, u, addresses); err != nil {
		return nil, err
	}
	sessions := make(map[string][]byte, len(addresses))
	for _, a := range addresses {
		sessions[a] = u.peers[a].session
	}
	return sessions, nil
}

// PutManySessions stores what a send has done to its sessions. A send that could not encrypt for the customer ends here:
// whatsmeow would deliver it to nobody and report success.
func (s *tenantStore) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	u := unitOf(ctx)
	if u == nil || !u.locked {
		return errStaleSession
	}
	defer s.release(u)
	for address, session := range sessions {
		p := u.peer(address)
		p.session, p.sessionDirty = session, true
		u.encrypted = u.encrypted || !s.own(address)
	}
	if !u.encrypted {
		u.cancel(errNotEncrypted)
		return errNotEncrypted
	}
	return u.failed(s.flush(ctx, u))
}

// errNotEncrypted means that there was no session with the customer's phone and none could be made.
var errNotEncrypted = errors.New("no encryption session with the customer's phone")

func (s *tenantStore) own(address string) bool {
	user, _, _ := strings.Cut(address, ":")
	user, _, _ = strings.Cut(user, "_")
	return user == s.ownPN || user == s.ownLID
}

// GetSession reads a session inside a unit, or begins a bare hold.
func (s *tenantStore) GetSession(ctx context.Context, address string) ([]byte, error) {
	if u := unitOf(ctx); u != nil {
		if err := s.load(ctx, u, []string{address}); err != nil {
			return nil, err
		}
		return u.peers[address].session, nil
	}
	if err := s.gate.holdBare(ctx, address); err != nil {
		return nil, err
	}
	session, err := s.SQLStore.GetSession(ctx, address)
	return session, s.unanswered(err)
}

// unanswered is a failure outside of any unit, where a phone asks for a message again: whatsmeow must not acknowledge that it
// did, so that it asks once more on the next connection.
func (s *tenantStore) unanswered(err error) error {
	if err == nil {
		return nil
	}
	s.fail(err)
	return &storageError{err}
}

// PutSession writes a session inside a unit, or ends a bare hold.
func (s *tenantStore) PutSession(ctx context.Context, address string, session []byte) error {
	if u := unitOf(ctx); u != nil {
		p := u.peer(address)
		p.session, p.sessionDirty = withoutTrials(p.session, session), true
		return nil
	}
	if !s.gate.takeBare(address) {
		return s.unanswered(errStaleSession)
	}
	defer s.gate.unlock()
	s.known.drop(address)
	return s.unanswered(s.one(ctx, upsertSession, s.jid, address, session))
}

// one runs a single statement outside of any unit, if the shard is held.
func (s *tenantStore) one(ctx context.Context, sql string, args ...any) error {
	var batch pgx.Batch
	batch.Queue(sql, args...)
	return s.fenced(ctx, s.db, &batch)
}

func (s *tenantStore) HasSession(ctx context.Context, address string) (bool, error) {
	u := unitOf(ctx)
	if u == nil {
		has, err := s.SQLStore.HasSession(ctx, address)
		return has, s.unanswered(err)
	}
	if err := s.load(ctx, u, []string{address}); err != nil {
		return false, err
	}
	return u.peers[address].session != nil, nil
}

func (s *tenantStore) DeleteSession(ctx context.Context, address string) error {
	if u := unitOf(ctx); u != nil {
		p := u.peer(address)
		p.session, p.sessionDirty = nil, true
		return nil
	}
	return s.alone(ctx, func(b *pgx.Batch) { b.Queue(deleteSession, s.jid, address) })
}

func (s *tenantStore) DeleteAllSessions(ctx context.Context, user string) error {
	return s.alone(ctx, func(b *pgx.Batch) { b.Queue(deleteSessions, s.jid, user) })
}

func (s *tenantStore) DeleteAllIdentities(ctx context.Context, user string) error {
	return s.alone(ctx, func(b *pgx.Batch) { b.Queue(deleteIdentities, s.jid, user) })
}

// alone makes a change outside of any unit under the gate, and forgets what was known before.
func (s *tenantStore) alone(ctx context.Context, change func(*pgx.Batch)) error {
	if err := s.gate.lock(ctx); err != nil {
		return err
	}
	defer s.gate.unlock()
	defer s.known.clear()
	return retry(ctx, func(ctx context.Context) error {
		var batch pgx.Batch
		change(&batch)
		return s.fenced(ctx, s.db, &batch)
	})
}

func (s *tenantStore) IsTrustedIdentity(ctx context.Context, address string, key [32]byte) (bool, error) {
	u := unitOf(ctx)
	if u == nil {
		trusted, err := s.SQLStore.IsTrustedIdentity(ctx, address, key)
		return trusted, s.unanswered(err)
	}
	if err := s.load(ctx, u, []string{address}); err != nil {
		return false, err
	}
	known := u.peers[address].identity
	return known == nil || string(known) == string(key[:]), nil
}

// PutIdentity is called with every message; only a new identity is written.
func (s *tenantStore) PutIdentity(ctx context.Context, address string, key [32]byte) error {
	u := unitOf(ctx)
	if u == nil { // inside a bare hold, or before the first message
		s.known.drop(address)
		defer s.known.drop(address)
		return s.unanswered(s.one(ctx, upsertIdentity, s.jid, address, key[:]))
	}
	if p := u.peer(address); string(p.identity) != string(key[:]) {
		p.identity, p.identityNew = append([]byte(nil), key[:]...), true
	}
	return nil
}

func (s *tenantStore) DeleteIdentity(ctx context.Context, address string) error {
	if u := unitOf(ctx); u != nil {
		p := u.peer(address)
		p.identity, p.identityNew = nil, true
		return nil
	}
	s.known.drop(address)
	defer s.known.drop(address)
	return s.one(ctx, deleteIdentity, s.jid, address)
}

// MigratePNToLID moves what is filed under a phone number to its LID, once. whatsmeow goes on where this fails, would not find the
// session and have the customer's phone send again what it acknowledges; so the message at hand is refused. Sender keys, which
// only groups have, stay where they are.
func (s *tenantStore) MigratePNToLID(ctx context.Context, pn, lid types.JID) error {
	user := pn.SignalAddressUser()
	if _, done := s.migrated.get(user); done {
		return nil
	}
	var exists bool
	err := retry(ctx, func(ctx context.Context) error {
		return s.db.QueryRow(ctx, peersUnderPN, s.jid, user).Scan(&exists)
	})
	if err == nil && exists {
		err = s.alone(ctx, func(b *pgx.Batch) {
			b.Queue(moveSessions, s.jid, user, lid.SignalAddressUser())
			b.Queue(deleteSessions, s.jid, user)
			b.Queue(moveIdentities, s.jid, user, lid.SignalAddressUser())
			b.Queue(deleteIdentities, s.jid, user)
		})
	}
	if err != nil {
		err = fmt.Errorf("move sessions of %s to the LID: %w", user, err)
		if u := unitOf(ctx); u != nil {
			return u.failed(err)
		}
		return s.refuse(err)
	}
	s.migrated.set(user, struct{}{})
	return nil
}
