package whatsapp

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/util/keys"
)

// preKeyBlock is how many prekeys share a row. Using one up rewrites its row, about a kilobyte.
const preKeyBlock = 28

const (
	// The next free id, and the blocks that WhatsApp does not have yet: at least one row.
	unuploadedPreKeys = `SELECT n.next_id, b.first_id, b.keys
		FROM (SELECT coalesce(max(first_id + cardinality(keys)), 1) AS next_id FROM prekey_blocks WHERE jid = $1) n
		LEFT JOIN prekey_blocks b ON b.jid = $1 AND NOT b.uploaded
		ORDER BY b.first_id`
	insertPreKeys = `INSERT INTO prekey_blocks (jid, first_id, keys, uploaded)
		SELECT $1, f.id, ($3::bytea[])[f.id - $2 + 1 : f.id - $2 + $4], $5
		FROM generate_series($2::integer, $2 + cardinality($3::bytea[]) - 1, $4::integer) AS f (id)`
	deleteUsedPreKeys = `DELETE FROM prekey_blocks WHERE jid = $1 AND cardinality(array_remove(keys, NULL)) = 0`
	// A crash of Postgres may cost the mark: the same keys would be uploaded again, which changes nothing.
	markPreKeys = `UPDATE prekey_blocks SET uploaded = true
		WHERE jid = $1 AND first_id <= $2 AND NOT uploaded AND set_config('synchronous_commit', 'off', true) <> ''`
	countPreKeys = `SELECT coalesce(sum(cardinality(array_remove(keys, NULL))), 0) FROM prekey_blocks WHERE jid = $1 AND uploaded`
	ofPreKey     = ` WHERE jid = $1 AND first_id = (SELECT max(first_id) FROM prekey_blocks WHERE jid = $1 AND first_id <= $2)
		AND $2 < first_id + cardinality(keys)`
	selectPreKey = `SELECT keys[$2 - first_id + 1] FROM prekey_blocks` + ofPreKey
	deletePreKey = `UPDATE prekey_blocks SET keys[$2 - first_id + 1] = NULL` + ofPreKey
)

// GetOrGenPreKeys returns count one-time prekeys that WhatsApp does not have yet, making the missing ones. whatsmeow's own
// store inserts each by itself, which is 812 commits at the first login; here it is one statement and 29 rows.
func (s *tenantStore) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	s.keyIDs.Lock()
	defer s.keyIDs.Unlock()
	next, waiting, err := s.findPreKeys(ctx)
	if err != nil {
		return nil, err
	}
	var all []*keys.PreKey
	for _, w := range waiting {
		if len(all) == int(count) {
			return all, nil
		}
		key, err := preKey(w.id, w.private)
		if err != nil {
			return nil, err
		}
		all = append(all, key)
	}
	if missing := int(count) - len(all); missing > 0 {
		fresh, err := s.makePreKeys(ctx, next, missing, false)
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
	next, _, err := s.findPreKeys(ctx)
	if err != nil {
		return nil, err
	}
	fresh, err := s.makePreKeys(ctx, next, 1, true)
	if err != nil {
		return nil, err
	}
	return fresh[0], nil
}

type storedPreKey struct {
	id      uint32
	private []byte
}

// findPreKeys returns the next free id and the keys that WhatsApp does not have.
func (s *tenantStore) findPreKeys(ctx context.Context) (next uint32, waiting []storedPreKey, err error) {
	rows, err := s.db.Query(ctx, unuploadedPreKeys, s.jid)
	if err != nil {
		return 0, nil, fmt.Errorf("find prekeys: %w", err)
	}
	var first *uint32
	var block [][]byte
	if _, err = pgx.ForEachRow(rows, []any{&next, &first, &block}, func() error {
		for i, private := range block {
			if private != nil {
				waiting = append(waiting, storedPreKey{*first + uint32(i), private})
			}
		}
		return nil
	}); err != nil {
		return 0, nil, fmt.Errorf("find prekeys: %w", err)
	}
	return next, waiting, nil
}

// makePreKeys stores n new prekeys, the first of which has the id next, and clears away the blocks that are used up.
func (s *tenantStore) makePreKeys(ctx context.Context, next uint32, n int, uploaded bool) ([]*keys.PreKey, error) {
	fresh := newPreKeys(next, n)
	privates := make([][]byte, n)
	for i, key := range fresh {
		privates[i] = key.Priv[:]
	}
	var batch pgx.Batch
	if next > 1 {
		batch.Queue(deleteUsedPreKeys, s.jid)
	}
	batch.Queue(insertPreKeys, s.jid, int64(next), privates, preKeyBlock, uploaded)
	if err := s.db.SendBatch(ctx, &batch).Close(); err != nil {
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

// MarkPreKeysAsUploaded notes that WhatsApp has the keys up to this one. The rest of its block counts as uploaded too: WhatsApp
// never hands those keys out.
func (s *tenantStore) MarkPreKeysAsUploaded(ctx context.Context, upTo uint32) error {
	_, err := s.db.Exec(ctx, markPreKeys, s.jid, int64(upTo))
	return err
}

// UploadedPreKeyCount is how many of the keys that WhatsApp was given are left. whatsmeow asks with every connection whether they run
// out; the first answer was read with the device.
func (s *tenantStore) UploadedPreKeyCount(ctx context.Context) (count int, err error) {
	if counted := s.counted.Swap(nil); counted != nil {
		return *counted, nil
	}
	err = s.db.QueryRow(ctx, countPreKeys, s.jid).Scan(&count)
	return count, err
}

// GetPreKey returns nil for a prekey that was used up.
func (s *tenantStore) GetPreKey(ctx context.Context, id uint32) (*keys.PreKey, error) {
	var private []byte
	err := s.db.QueryRow(ctx, selectPreKey, s.jid, int64(id)).Scan(&private)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && private == nil {
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
