package simulator

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/appstate"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// maxPatches bounds a collection; bots change little.
const maxPatches = 2000

// appState is what an account's devices share: settings in collections of encrypted patches.
type appState struct {
	KeyID, Key []byte
	Patches    map[string][][]byte
}

// appStateStore is what whatsmeow's encoder needs: the one key, and no earlier values.
type appStateStore struct {
	store.NoopStore
	keyID, key []byte
}

func (a *appStateStore) GetAppStateSyncKey(_ context.Context, id []byte) (*store.AppStateSyncKey, error) {
	if !bytes.Equal(id, a.keyID) {
		return nil, errors.New("unknown app state key")
	}
	return &store.AppStateSyncKey{Data: a.key}, nil
}

func (a *appStateStore) GetAppStateMutationMAC(context.Context, string, []byte) ([]byte, error) {
	return nil, nil
}

// appLocked returns the account's app state and makes it on first use: the push name, without which a client cannot
// announce itself. The phone is locked.
func (p *phone) appLocked(ctx context.Context) (*appState, error) {
	if p.app != nil {
		return p.app, nil
	}
	key := derive(p.identity.Priv[:], "app state", p.number)
	a := &appState{KeyID: []byte{0, 0, 0, 0, 0, 1}, Key: key[:], Patches: map[string][][]byte{}}
	values := &appStateStore{keyID: a.KeyID, key: a.Key}
	encoder := appstate.NewProcessor(&store.Device{AppStateKeys: values, AppState: values}, waLog.Noop)
	raw, err := encoder.EncodePatch(ctx, a.KeyID, appstate.HashState{}, appstate.BuildSettingPushName(p.name))
	if err != nil {
		return nil, fmt.Errorf("encode the push name: %w", err)
	}
	if err := a.add(string(appstate.WAPatchCriticalBlock), raw); err != nil {
		return nil, err
	}
	p.app = a
	return a, nil
}

// add appends a patch and stamps its version into it.
func (a *appState) add(collection string, raw []byte) error {
	var patch waServerSync.SyncdPatch
	if err := proto.Unmarshal(raw, &patch); err != nil {
		return err
	}
	patch.Version = &waServerSync.SyncdVersion{Version: proto.Uint64(uint64(len(a.Patches[collection]) + 1))}
	stamped, err := proto.Marshal(&patch)
	if err != nil {
		return err
	}
	a.Patches[collection] = append(a.Patches[collection], stamped)
	return nil
}

// appStateQuery answers the patches after a version, or appends one.
func (s *Server) appStateQuery(c *conn, d *device, n *waBinary.Node) {
	request := n.GetChildByTag("sync")
	d.owner.mu.Lock()
	state, err := d.owner.appLocked(s.ctx)
	if err != nil {
		d.owner.mu.Unlock()
		c.replyError(n, 500, "internal-server-error")
		return
	}
	var answers []waBinary.Node
	var changed []string
	for _, collection := range request.GetChildren() {
		name, _ := collection.Attrs["name"].(string)
		text, _ := collection.Attrs["version"].(string)
		version, _ := strconv.Atoi(text)
		patches := state.Patches[name]
		answer := waBinary.Node{Tag: "collection", Attrs: waBinary.Attrs{"name": name}}
		if raw := childBytes(&collection, "patch"); raw != nil {
			if version != len(patches) || len(patches) >= maxPatches || state.add(name, raw) != nil {
				answer.Attrs["type"] = "error"
				answer.Content = []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": "409", "text": "conflict"}}}
			} else {
				changed = append(changed, name)
				answer.Attrs["version"] = version + 1
			}
			answers = append(answers, answer)
			continue
		}
		answer.Attrs["version"] = len(patches)
		if version >= 0 && version < len(patches) {
			nodes := []waBinary.Node{}
			for _, raw := range patches[version:] {
				nodes = append(nodes, waBinary.Node{Tag: "patch", Content: raw})
			}
			answer.Content = []waBinary.Node{{Tag: "patches", Content: nodes}}
		}
		answers = append(answers, answer)
	}
	others := d.owner.linkedLocked()
	d.owner.mu.Unlock()
	c.reply(n, waBinary.Node{Tag: "sync", Content: answers})
	if len(changed) == 0 {
		return
	}
	s.touch()
	for _, other := range others {
		if other == d {
			continue
		}
		nodes := []waBinary.Node{}
		for _, name := range changed {
			nodes = append(nodes, waBinary.Node{Tag: "collection", Attrs: waBinary.Attrs{"name": name}})
		}
		other.enqueue(waBinary.Node{Tag: "notification", Attrs: waBinary.Attrs{
			"from": d.owner.pn(), "type": "server_sync", "id": newStanzaID(), "t": time.Now().Unix(),
		}, Content: nodes}, false)
	}
}

// bootstrap sends a new device what its phone tells it first: the app state key and an empty history.
func (s *Server) bootstrap(ctx context.Context, d *device) error {
	if err := s.sendKeyShare(ctx, d); err != nil {
		return err
	}
	history, err := emptyHistory()
	if err != nil {
		return err
	}
	return s.sendPeer(ctx, d, &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_HISTORY_SYNC_NOTIFICATION.Enum(),
		HistorySyncNotification: &waE2E.HistorySyncNotification{
			SyncType: waE2E.HistorySyncType_INITIAL_BOOTSTRAP.Enum(), ChunkOrder: proto.Uint32(1), Progress: proto.Uint32(100),
			InitialHistBootstrapInlinePayload: history,
		},
	}})
}

// emptyHistory is made once: a compressor takes a megabyte.
var emptyHistory = sync.OnceValues(func() ([]byte, error) {
	history, err := proto.Marshal(&waHistorySync.HistorySync{SyncType: waHistorySync.HistorySync_INITIAL_BOOTSTRAP.Enum()})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(history)
	err = z.Close()
	return packed.Bytes(), err
})

func (s *Server) sendKeyShare(ctx context.Context, d *device) error {
	d.owner.mu.Lock()
	state, err := d.owner.appLocked(ctx)
	d.owner.mu.Unlock()
	if err != nil {
		return err
	}
	return s.sendPeer(ctx, d, &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_SHARE.Enum(),
		AppStateSyncKeyShare: &waE2E.AppStateSyncKeyShare{Keys: []*waE2E.AppStateSyncKey{{
			KeyID: &waE2E.AppStateSyncKeyId{KeyID: state.KeyID},
			KeyData: &waE2E.AppStateSyncKeyData{KeyData: state.Key, Timestamp: proto.Int64(d.linkedAt.UnixMilli()),
				Fingerprint: &waE2E.AppStateSyncKeyFingerprint{RawID: proto.Uint32(d.owner.regID), CurrentIndex: proto.Uint32(0)}},
		}}},
	}})
}

// sendPeer sends a message from a phone to its own device.
func (s *Server) sendPeer(ctx context.Context, d *device, m *waE2E.Message) error {
	plain, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.deliver(ctx, d, &sentMessage{from: d.owner, plain: plain, attrs: waBinary.Attrs{
		"from": d.owner.pn(), "id": newStanzaID(), "t": time.Now().Unix(), "type": "text", "category": "peer", "push_priority": "high",
	}}, nil)
}
