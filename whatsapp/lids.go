package whatsapp

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// lidMap is whatsmeow's store of which LID belongs to which phone number, for all tenants of this node. Unlike
// whatsmeow's own it is bounded and holds no lock while it asks the database.
type lidMap struct {
	db    *pgxpool.Pool
	toLID *cache[string, string]
	toPN  *cache[string, string]
}

var _ store.LIDStore = (*lidMap)(nil)

const lidCacheSize = 20_000 // pairs per generation, about 2 MB

func newLIDMap(db *pgxpool.Pool) *lidMap {
	return &lidMap{db: db, toLID: newCache[string, string](lidCacheSize), toPN: newCache[string, string](lidCacheSize)}
}

const (
	deleteOtherLID = `DELETE FROM whatsmeow_lid_map WHERE pn = $2 AND lid <> $1`
	putLID         = `INSERT INTO whatsmeow_lid_map (lid, pn) VALUES ($1, $2)
		ON CONFLICT (lid) DO UPDATE SET pn = excluded.pn WHERE whatsmeow_lid_map.pn <> excluded.pn`
	pnOfLID = `SELECT pn FROM whatsmeow_lid_map WHERE lid = $1`
	lidOfPN = `SELECT lid FROM whatsmeow_lid_map WHERE pn = $1`
	lidsOf  = `SELECT lid, pn FROM whatsmeow_lid_map WHERE pn = ANY($1)`
)

func (m *lidMap) PutLIDMapping(ctx context.Context, lid, pn types.JID) error {
	if lid.Server != types.HiddenUserServer || pn.Server != types.DefaultUserServer {
		return fmt.Errorf("not a pair of LID and phone number: %s, %s", lid, pn)
	}
	return m.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: lid, PN: pn}})
}

func (m *lidMap) PutManyLIDMappings(ctx context.Context, pairs []store.LIDMapping) error {
	var fresh []store.LIDMapping
	for _, p := range pairs {
		if p.LID.Server != types.HiddenUserServer || p.PN.Server != types.DefaultUserServer {
			continue
		}
		if known, ok := m.toPN.get(p.LID.User); ok && known == p.PN.User {
			continue
		}
		fresh = append(fresh, p)
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := retry(ctx, func(ctx context.Context) error {
		var batch pgx.Batch
		for _, p := range fresh {
			batch.Queue(deleteOtherLID, p.LID.User, p.PN.User)
			batch.Queue(putLID, p.LID.User, p.PN.User)
		}
		return m.db.SendBatch(ctx, &batch).Close()
	}); err != nil {
		return err
	}
	for _, p := range fresh {
		m.remember(p.LID.User, p.PN.User)
	}
	return nil
}

func (m *lidMap) remember(lid, pn string) {
	if before, ok := m.toLID.get(pn); ok && before != lid {
		m.toPN.drop(before)
	}
	m.toLID.set(pn, lid)
	m.toPN.set(lid, pn)
}

func (m *lidMap) GetPNForLID(ctx context.Context, lid types.JID) (types.JID, error) {
	if lid.Server != types.HiddenUserServer {
		return types.JID{}, fmt.Errorf("not a LID: %s", lid)
	}
	pn, err := m.lookUp(ctx, m.toPN, pnOfLID, lid.User)
	if err != nil || pn == "" {
		return types.JID{}, err
	}
	return types.JID{User: pn, Device: lid.Device, Server: types.DefaultUserServer}, nil
}

func (m *lidMap) GetLIDForPN(ctx context.Context, pn types.JID) (types.JID, error) {
	if pn.Server != types.DefaultUserServer {
		return types.JID{}, fmt.Errorf("not a phone number: %s", pn)
	}
	lid, err := m.lookUp(ctx, m.toLID, lidOfPN, pn.User)
	if err != nil || lid == "" {
		return types.JID{}, err
	}
	return types.JID{User: lid, Device: pn.Device, Server: types.HiddenUserServer}, nil
}

// lookUp does not remember that there is no mapping: another node may learn it any moment.
func (m *lidMap) lookUp(ctx context.Context, c *cache[string, string], query, user string) (string, error) {
	if found, ok := c.get(user); ok {
		return found, nil
	}
	// whatsmeow takes a failure for "there is none", and would look for the session in the wrong place.
	var found string
	err := retry(ctx, func(ctx context.Context) error {
		err := m.db.QueryRow(ctx, query, user).Scan(&found)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && found != "" {
		c.set(user, found)
	}
	return found, err
}

func (m *lidMap) GetManyLIDsForPNs(ctx context.Context, pns []types.JID) (map[types.JID]types.JID, error) {
	result := make(map[types.JID]types.JID, len(pns))
	missing := make(map[string][]types.JID)
	var users []string
	for _, pn := range pns {
		if pn.Server != types.DefaultUserServer {
			continue
		}
		if lid, ok := m.toLID.get(pn.User); ok {
			result[pn] = types.JID{User: lid, Device: pn.Device, Server: types.HiddenUserServer}
		} else {
			missing[pn.User] = append(missing[pn.User], pn)
			users = append(users, pn.User)
		}
	}
	if len(users) == 0 {
		return result, nil
	}
	rows, err := m.db.Query(ctx, lidsOf, users)
	if err != nil {
		return nil, err
	}
	var lid, user string
	_, err = pgx.ForEachRow(rows, []any{&lid, &user}, func() error {
		m.remember(lid, user)
		for _, pn := range missing[user] {
			result[pn] = types.JID{User: lid, Device: pn.Device, Server: types.HiddenUserServer}
		}
		return nil
	})
	return result, err
}
