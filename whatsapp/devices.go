package whatsapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"

	"flowhq/queries"
)

// devices is the store of all linked devices, on the pool that everything else uses too. No statement of it waits for a
// second connection while it holds one, so the pool's size is never a deadlock.
type devices struct {
	db   *pgxpool.Pool
	q    *queries.Queries
	sql  *sql.DB // the same connections, for whatsmeow's own queries
	own  *sqlstore.Container
	lids *lidMap
	log  waLogger

	pruned atomic.Int64 // when expired privacy tokens were deleted, in Unix seconds
}

func newDevices(db *pgxpool.Pool, log waLogger) *devices {
	sqlDB := stdlib.OpenDBFromPool(db)
	return &devices{db: db, q: queries.New(db), sql: sqlDB, own: sqlstore.NewWithDB(sqlDB, "postgres", log), lids: newLIDMap(db), log: log}
}

// tenantDevices keeps one device of one tenant; it is the container that whatsmeow saves to.
type tenantDevices struct {
	*devices
	tenant uuid.UUID
	fence  fence       // the shard that has to be held for writing sessions
	fail   func(error) // the store failed
	store  *tenantStore

	mu   sync.Mutex // storing against forgetting: whatsmeow saves from several goroutines
	gone bool
}

var _ store.DeviceContainer = (*tenantDevices)(nil)

// open gives a stored device its keys and its stores.
func (d *tenantDevices) open(r *deviceRow) (*store.Device, error) {
	device, err := r.device()
	if err != nil {
		return nil, err
	}
	device.Log = d.log
	d.attach(device)
	d.store.counted.Store(&r.preKeys)
	return device, nil
}

// blank is a device that is to be linked; nothing is stored until it is.
func (d *tenantDevices) blank() *store.Device {
	device := d.own.NewDevice()
	device.Container = d
	return device
}

// attach gives a device, whose jid is known, its stores.
func (d *tenantDevices) attach(device *store.Device) {
	s := &tenantStore{
		SQLStore: sqlstore.NewSQLStore(d.own, *device.ID), node: d.devices, db: d.db, jid: device.ID.String(), tenant: d.tenant,
		ownPN: device.ID.User, ownLID: device.LID.User, fail: d.fail, fence: d.fence,
		text: func(ctx context.Context, id string) (string, error) {
			return d.q.OutgoingText(ctx, queries.OutgoingTextParams{TenantID: d.tenant, WaMessageID: id})
		},
		known: newCache[string, peer](16), recent: newCache[[32]byte, struct{}](32), migrated: newCache[string, struct{}](1024), tokens: newCache[types.JID, *store.PrivacyToken](1024),
	}
	s.gate = newSignalGate(s.storeOrphan)
	d.store = s
	device.SetAllStores(s)
	device.LIDs = d.lids
	device.Container = d
	device.Initialized = true
}

const upsertDevice = `INSERT INTO whatsmeow_device (jid, lid, registration_id, noise_key, identity_key,
		signed_pre_key, signed_pre_key_id, signed_pre_key_sig, adv_key, adv_details, adv_account_sig, adv_account_sig_key, adv_device_sig,
		platform, business_name, push_name, lid_migration_ts, companion_meta_nonce)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
	ON CONFLICT (jid) DO UPDATE SET lid = excluded.lid, platform = excluded.platform, business_name = excluded.business_name,
		push_name = excluded.push_name, lid_migration_ts = excluded.lid_migration_ts, companion_meta_nonce = excluded.companion_meta_nonce`

// PutDevice stores the device and, in the same transaction, that it is the tenant's: from the moment the phone is told that
// linking worked, no crash loses the link.
func (d *tenantDevices) PutDevice(ctx context.Context, device *store.Device) error {
	if device.ID == nil {
		return sqlstore.ErrDeviceIDMustBeSet
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return store.ErrDeviceDeleted
	}
	err := pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, upsertDevice, device.ID.String(), device.LID.String(), int64(device.RegistrationID),
			device.NoiseKey.Priv[:], device.IdentityKey.Priv[:],
			device.SignedPreKey.Priv[:], int64(device.SignedPreKey.KeyID), device.SignedPreKey.Signature[:],
			device.AdvSecretKey, device.Account.Details, device.Account.AccountSignature, device.Account.AccountSignatureKey,
			device.Account.DeviceSignature, device.Platform, device.BusinessName, device.PushName,
			device.LIDMigrationTimestamp, device.CompanionMetaNonce); err != nil {
			return fmt.Errorf("store device: %w", err)
		}
		lid := device.LID.User
		n, err := d.q.WithTx(tx).LinkDevice(ctx, queries.LinkDeviceParams{
			TenantID: d.tenant, Jid: new(device.ID.String()), Lid: &lid, PushName: storable(device.PushName, maxNameRunes),
		})
		if err == nil && n == 0 {
			err = fmt.Errorf("tenant %s is gone", d.tenant)
		}
		return err
	})
	if err == nil && !device.Initialized {
		d.attach(device)
	}
	return err
}

// errForgottenLater keeps whatsmeow from emptying a device that its other goroutines still read.
var errForgottenLater = errors.New("the supervisor forgets the device when nobody uses it any more")

// DeleteDevice refuses: whatsmeow calls it when the device was removed, and the supervisor hears of that as well.
func (d *tenantDevices) DeleteDevice(context.Context, *store.Device) error { return errForgottenLater }

const (
	deleteDevice = `DELETE FROM whatsmeow_device WHERE jid = $1
		AND NOT EXISTS (SELECT FROM whatsapp_sessions s WHERE s.jid = $1 AND s.tenant_id <> $2)`
	// The one table without a foreign key on the device.
	deletePrivacyTokens = `DELETE FROM whatsmeow_privacy_tokens p WHERE our_jid = $1
		AND NOT EXISTS (SELECT FROM whatsapp_sessions s WHERE s.jid = $1 AND s.tenant_id <> $2)`
)

// forget deletes the device and all its keys.
func (d *tenantDevices) forget(ctx context.Context, jid string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = true
	return pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, deleteDevice, jid, d.tenant); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deletePrivacyTokens, jid, d.tenant); err != nil {
			return err
		}
		return d.q.WithTx(tx).UnlinkDevice(ctx, queries.UnlinkDeviceParams{TenantID: d.tenant, Jid: &jid})
	})
}
