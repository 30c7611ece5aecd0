package whatsapp

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

const (
	selectDevices = `SELECT d.jid, coalesce(d.lid, ''), d.registration_id, d.noise_key, d.identity_key,
		d.signed_pre_key, d.signed_pre_key_id, d.signed_pre_key_sig,
		d.adv_key, d.adv_details, d.adv_account_sig, d.adv_account_sig_key, d.adv_device_sig,
		d.platform, d.business_name, d.push_name, d.lid_migration_ts, d.companion_meta_nonce,
		(SELECT coalesce(sum(cardinality(array_remove(b.keys, NULL))), 0)
			FROM (SELECT keys FROM prekey_blocks WHERE jid = d.jid AND uploaded ORDER BY first_id DESC LIMIT 2) b)
		FROM whatsmeow_device d WHERE d.jid = ANY($1)`
	pruneEverybodys  = `DELETE FROM whatsmeow_privacy_tokens WHERE timestamp < $1`
	pruneTokensPause = 20 * time.Hour // whatsmeow asks for it once a day
)

// deviceRow is a linked device as it is stored. Its keys are worked out when it is opened, which takes some time.
type deviceRow struct {
	jid, lid                           string
	registration, signedID             int64
	noise, identity, signed, signature []byte
	secret                             []byte
	details, accountSig, accountKey    []byte
	deviceSig                          []byte
	platform, business, push, nonce    string
	lidMigration                       int64
	preKeys                            int // one-time prekeys with WhatsApp in the two youngest blocks: whatsmeow uploads more when fewer than five are left
}

// readAll reads many devices in one query, by their jid.
func (d *devices) readAll(ctx context.Context, jids []string) (map[string]*deviceRow, error) {
	all := make(map[string]*deviceRow, len(jids))
	if len(jids) == 0 {
		return all, nil
	}
	rows, err := d.db.Query(ctx, selectDevices, jids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r deviceRow
		if err := rows.Scan(&r.jid, &r.lid, &r.registration, &r.noise, &r.identity, &r.signed, &r.signedID, &r.signature,
			&r.secret, &r.details, &r.accountSig, &r.accountKey, &r.deviceSig,
			&r.platform, &r.business, &r.push, &r.lidMigration, &r.nonce, &r.preKeys); err != nil {
			return nil, err
		}
		all[r.jid] = &r
	}
	return all, rows.Err()
}

// read reads one device; nil: there is none.
func (d *devices) read(ctx context.Context, jid string) (*deviceRow, error) {
	all, err := d.readAll(ctx, []string{jid})
	return all[jid], err
}

// device works out a stored device's keys. It has no stores yet.
func (r *deviceRow) device() (*store.Device, error) {
	if len(r.noise) != 32 || len(r.identity) != 32 || len(r.signed) != 32 || len(r.signature) != 64 {
		return nil, fmt.Errorf("stored device %s has keys of wrong length", r.jid)
	}
	jid, err := types.ParseJID(r.jid)
	if err != nil {
		return nil, fmt.Errorf("stored jid %q: %w", r.jid, err)
	}
	device := &store.Device{
		ID: &jid, RegistrationID: uint32(r.registration), AdvSecretKey: r.secret,
		NoiseKey: keys.NewKeyPairFromPrivateKey([32]byte(r.noise)), IdentityKey: keys.NewKeyPairFromPrivateKey([32]byte(r.identity)),
		SignedPreKey: &keys.PreKey{KeyPair: *keys.NewKeyPairFromPrivateKey([32]byte(r.signed)), KeyID: uint32(r.signedID), Signature: (*[64]byte)(r.signature)},
		Account:      &waAdv.ADVSignedDeviceIdentity{Details: r.details, AccountSignature: r.accountSig, AccountSignatureKey: r.accountKey, DeviceSignature: r.deviceSig},
		Platform:     r.platform, BusinessName: r.business, PushName: r.push, LIDMigrationTimestamp: r.lidMigration, CompanionMetaNonce: r.nonce,
	}
	if r.lid != "" {
		if device.LID, err = types.ParseJID(r.lid); err != nil {
			return nil, fmt.Errorf("stored lid %q: %w", r.lid, err)
		}
	}
	return device, nil
}

// DeleteExpiredPrivacyTokens is asked for by each tenant once a day. The first one's turn does it for all.
func (s *tenantStore) DeleteExpiredPrivacyTokens(ctx context.Context, cutoff time.Time) (int64, error) {
	last, now := s.node.pruned.Load(), time.Now().Unix()
	if now-last < int64(pruneTokensPause.Seconds()) || !s.node.pruned.CompareAndSwap(last, now) {
		return 0, nil
	}
	tag, err := s.db.Exec(ctx, pruneEverybodys, cutoff.Unix())
	if err != nil {
		s.node.pruned.Store(last)
	}
	return tag.RowsAffected(), err
}
