package whatsapp

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// What belongs to EventBuffer, apart from DoDecryptionTxn: plaintexts that were decrypted but perhaps not yet logged, and
// sent messages that a phone may ask for again.

// bufferedRows are the plaintexts of this device that are in the database and not done with.
type bufferedRows struct {
	mu     sync.Mutex
	hashes map[[32]byte]struct{} // nil: not read yet
}

func (r *bufferedRows) add(hash [32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hashes != nil {
		r.hashes[hash] = struct{}{}
	}
}

func (r *bufferedRows) remove(hash [32]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.hashes[hash]
	delete(r.hashes, hash)
	return ok
}

// has reads the hashes when it is called for the first time: there are few, since customers' messages leave none.
func (r *bufferedRows) has(ctx context.Context, s *tenantStore, hash [32]byte) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hashes == nil {
		var found [][]byte
		if err := retry(ctx, func(ctx context.Context) error {
			rows, err := s.db.Query(ctx, selectUnfinished, s.jid)
			if err != nil {
				return err
			}
			found, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
			return err
		}); err != nil {
			return false, err
		}
		r.hashes = make(map[[32]byte]struct{}, len(found))
		for _, h := range found {
			if len(h) == len(hash) {
				r.hashes[[32]byte(h)] = struct{}{}
			}
		}
	}
	_, ok := r.hashes[hash]
	return ok, nil
}

// GetBufferedEvent finds the plaintext of a message that was decrypted before. One without a plaintext is done with.
func (s *tenantStore) GetBufferedEvent(ctx context.Context, hash [32]byte) (*store.BufferedEvent, error) {
	if _, ok := s.recent.get(hash); ok {
		return &store.BufferedEvent{}, nil
	}
	there, err := s.rows.has(ctx, s, hash)
	if err == nil && !there {
		return nil, nil
	}
	var found *store.BufferedEvent
	if err == nil {
		err = retry(ctx, func(ctx context.Context) error {
			var b store.BufferedEvent
			var server, inserted int64
			err := s.db.QueryRow(ctx, selectBuffered, s.jid, hash[:]).Scan(&b.Plaintext, &server, &inserted)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			} else if err != nil {
				return err
			}
			b.ServerTime, b.InsertTime = time.Unix(server, 0), time.UnixMilli(inserted)
			found = &b
			return nil
		})
	}
	if err != nil {
		return nil, s.refuse(err)
	}
	return found, nil
}

// PutBufferedEvent is called inside DoDecryptionTxn and written with it.
func (s *tenantStore) PutBufferedEvent(ctx context.Context, hash [32]byte, plaintext []byte, server time.Time) error {
	u := unitOf(ctx)
	if u == nil {
		return errStaleSession
	}
	u.event = &bufferedEvent{hash: hash, plaintext: plaintext, server: server}
	return nil
}

// ClearBufferedEventPlaintext is housekeeping: it waits for the next write. Should it get lost, the message is found to be
// logged already.
func (s *tenantStore) ClearBufferedEventPlaintext(ctx context.Context, hash [32]byte) error {
	s.recent.set(hash, struct{}{})
	if s.rows.remove(hash) && s.finished.add(hash) {
		return s.flush(ctx, &unit{})
	}
	return nil
}

// AddOutgoingEvent has nothing to do: what we send is in message_logs.
func (s *tenantStore) AddOutgoingEvent(context.Context, types.JID, types.MessageID, string, []byte) error {
	return nil
}

// DeleteOldOutgoingEvents has nothing to do either.
func (s *tenantStore) DeleteOldOutgoingEvents(context.Context) error { return nil }

// GetOutgoingEvent makes a sent message again from its log, for a phone that could not decrypt it.
func (s *tenantStore) GetOutgoingEvent(ctx context.Context, _, _ types.JID, id types.MessageID) (string, []byte, error) {
	text, err := s.text(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil, err
	} else if err != nil {
		return "", nil, s.unanswered(err)
	}
	b, err := proto.Marshal(textMessage(text))
	return "wa", b, err
}

// textMessage is the form in which every text goes out.
func textMessage(text string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(text)} }

// The following are asked or told with every message, and never used.

func (s *tenantStore) PutPushName(context.Context, types.JID, string) (bool, string, error) {
	return false, "", nil
}

func (s *tenantStore) PutBusinessName(context.Context, types.JID, string) (bool, string, error) {
	return false, "", nil
}

func (s *tenantStore) PutContactName(context.Context, types.JID, string, string) error { return nil }

func (s *tenantStore) PutAllContactNames(context.Context, []store.ContactEntry) error { return nil }

func (s *tenantStore) PutManyRedactedPhones(context.Context, []store.RedactedPhoneEntry) error {
	return nil
}

func (s *tenantStore) PutMessageSecret(context.Context, types.JID, types.JID, types.MessageID, []byte) error {
	return nil
}

func (s *tenantStore) PutMessageSecrets(context.Context, []store.MessageSecretInsert) error {
	return nil
}

// Privacy tokens and the salt for them are asked for with every send, and change hardly ever.

func (s *tenantStore) GetPrivacyToken(ctx context.Context, user types.JID) (*store.PrivacyToken, error) {
	// This is asked right before a message leaves, also when whatsmeow could not encrypt it for anybody: then the sessions
	// were read and never written.
	if u := unitOf(ctx); u != nil && u.send && u.locked {
		u.cancel(errNotEncrypted)
		return nil, errNotEncrypted
	}
	key := user.ToNonAD()
	if token, ok := s.tokens.get(key); ok {
		return token, nil
	}
	token, err := s.SQLStore.GetPrivacyToken(ctx, user)
	if err == nil {
		s.tokens.set(key, token)
	}
	return token, err
}

func (s *tenantStore) PutPrivacyTokens(ctx context.Context, tokens ...store.PrivacyToken) error {
	err := s.SQLStore.PutPrivacyTokens(ctx, tokens...)
	for _, t := range tokens {
		s.tokens.drop(t.User.ToNonAD())
	}
	return err
}

func (s *tenantStore) GetNCTSalt(ctx context.Context) ([]byte, error) {
	s.salt.Lock()
	defer s.salt.Unlock()
	if s.salt.known {
		return s.salt.value, nil
	}
	value, err := s.SQLStore.GetNCTSalt(ctx)
	if err == nil {
		s.salt.known, s.salt.value = true, value
	}
	return value, err
}

func (s *tenantStore) PutNCTSalt(ctx context.Context, salt []byte) error {
	s.salt.Lock()
	defer s.salt.Unlock()
	s.salt.known = false
	return s.SQLStore.PutNCTSalt(ctx, salt)
}

func (s *tenantStore) DeleteNCTSalt(ctx context.Context) error {
	s.salt.Lock()
	defer s.salt.Unlock()
	s.salt.known = false
	return s.SQLStore.DeleteNCTSalt(ctx)
}
