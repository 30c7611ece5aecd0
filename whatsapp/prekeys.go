package whatsapp

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/util/keys"
)

const (
	unuploadedPreKeys = `SELECT key_id, key FROM whatsmeow_pre_keys WHERE jid = $1 AND NOT uploaded ORDER BY key_id LIMIT $2`
	lastPreKeyID      = `SELECT coalesce(max(key_id), 0) FROM whatsmeow_pre_keys WHERE jid = $1`
	insertPreKeys     = `INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded)
		SELECT $1, unnest($2::integer[]), unnest($3::bytea[]), $4`
	selectPreKey = `SELECT key FROM whatsmeow_pre_keys WHERE jid = $1 AND key_id = $2`
)

// GetOrGenPreKeys returns count one-time prekeys that WhatsApp does not have yet, making the missing ones. whatsmeow's own
// store inserts each by itself, which is 812 commits at the first login; here it is one statement.
func (s *tenantStore) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	s.keyIDs.Lock()
	defer s.keyIDs.Unlock()
	rows, err := s.db.Query(ctx, unuploadedPreKeys, s.jid, int64(count))
	if err != nil {
		return nil, fmt.Errorf("find prekeys: %w", err)
	}
	var all []*keys.PreKey
	var id int64
	var private []byte
	if _, err := pgx.ForEachRow(rows, []any{&id, &private}, func() error {
		key, err := preKey(uint32(id), private)
		all = append(all, key)
		return err
	}); err != nil {
		return nil, fmt.Errorf("find prekeys: %w", err)
	}
	if missing := int(count) - len(all); missing > 0 {
		fresh, err := s.makePreKeys(ctx, missing, false)
		if err != nil {
			return nil, err
		}
		all = append(all, fresh...)
	}
	return all, nil
}

// GenOnePreKey makes one prekey that is handed out directly.
func (s *tenantStore) GenOnePreKey(ctx context.Context) (*keys.PreKey, error) {
	s.keyIDs.Lock()
	defer s.keyIDs.Unlock()
	fresh, err := s.makePreKeys(ctx, 1, true)
	if err != nil {
		return nil, err
	}
	return fresh[0], nil
}

func (s *tenantStore) makePreKeys(ctx context.Context, n int, uploaded bool) ([]*keys.PreKey, error) {
	var last int32
	if err := s.db.QueryRow(ctx, lastPreKeyID, s.jid).Scan(&last); err != nil {
		return nil, fmt.Errorf("find the last prekey's id: %w", err)
	}
	fresh := newPreKeys(uint32(last)+1, n)
	ids, privates := make([]int32, n), make([][]byte, n)
	for i, key := range fresh {
		ids[i], privates[i] = int32(key.KeyID), key.Priv[:]
	}
	if _, err := s.db.Exec(ctx, insertPreKeys, s.jid, ids, privates, uploaded); err != nil {
		return nil, fmt.Errorf("store %d prekeys: %w", n, err)
	}
	return fresh, nil
}

func preKey(id uint32, private []byte) (*keys.PreKey, error) {
	if len(private) != 32 {
		return nil, fmt.Errorf("prekey %d has %d bytes", id, len(private))
	}
	return &keys.PreKey{KeyPair: *keys.NewKeyPairFromPrivateKey([32]byte(private)), KeyID: id}, nil
}

// GetPreKey returns nil for a prekey that was used up.
func (s *tenantStore) GetPreKey(ctx context.Context, id uint32) (*keys.PreKey, error) {
	var private []byte
	err := s.db.QueryRow(ctx, selectPreKey, s.jid, int64(id)).Scan(&private)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		if u := unitOf(ctx); u != nil {
			return nil, u.failed(err)
		}
		return nil, err
	}
	return preKey(id, private)
}

// RemovePreKey takes part in the decryption that used the prekey up.
func (s *tenantStore) RemovePreKey(ctx context.Context, id uint32) error {
	if u := unitOf(ctx); u != nil {
		u.preKeys = append(u.preKeys, id)
		return nil
	}
	_, err := s.db.Exec(ctx, deletePreKey, s.jid, int64(id))
	return err
}
