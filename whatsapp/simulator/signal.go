package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/util/keys"
)

var serializer = store.SignalProtobufSerializer

// maxOneTime bounds the one-time prekeys a phone has handed out and not seen used.
const maxOneTime = 256

const signedPreKeyID = 1

// signalStore lets libsignal work on a phone. The phone is locked while it is used. Sessions are kept as bytes, since
// libsignal changes a record even when decrypting fails.
type signalStore struct{ p *phone }

func (p *phone) identityPair() *identity.KeyPair {
	return identity.NewKeyPair(identity.NewKey(ecc.NewDjbECPublicKey(*p.identity.Pub)), ecc.NewDjbECPrivateKey(*p.identity.Priv))
}

func (st signalStore) GetIdentityKeyPair() *identity.KeyPair { return st.p.identityPair() }
func (st signalStore) GetLocalRegistrationID() uint32        { return st.p.regID }
func (st signalStore) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}
func (st signalStore) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil // a client that was linked again has a new identity; a phone shows a notice and goes on
}

func (st signalStore) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	if k := st.p.oneTime[id]; k != nil {
		return record.NewPreKey(id, ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*k.Pub), ecc.NewDjbECPrivateKey(*k.Priv)), nil), nil
	}
	return nil, nil
}
func (st signalStore) StorePreKey(context.Context, uint32, *record.PreKey) error { return nil }
func (st signalStore) ContainsPreKey(_ context.Context, id uint32) (bool, error) {
	return st.p.oneTime[id] != nil, nil
}
func (st signalStore) RemovePreKey(_ context.Context, id uint32) error {
	delete(st.p.oneTime, id)
	return nil
}

func (st signalStore) LoadSession(_ context.Context, a *protocol.SignalAddress) (*record.Session, error) {
	if raw := st.p.sessions[a.String()]; raw != nil {
		return record.NewSessionFromBytes(raw, serializer.Session, serializer.State)
	}
	return record.NewSession(serializer.Session, serializer.State), nil
}
func (st signalStore) GetSubDeviceSessions(context.Context, string) ([]uint32, error) {
	return nil, nil
}
func (st signalStore) StoreSession(_ context.Context, a *protocol.SignalAddress, r *record.Session) error {
	if st.p.sessions == nil {
		st.p.sessions = map[string][]byte{}
	}
	if raw := st.p.sessions[a.String()]; raw != nil && len(r.PreviousSessionStates()) > 0 {
		if err := untried(raw, r); err != nil {
			return err
		}
	}
	st.p.sessions[a.String()] = r.Serialize()
	return nil
}

// untried gives a session its earlier ones as they were before a message was tried on them. A phone tries on copies; this library
// does not.
func untried(before []byte, r *record.Session) error {
	was, err := record.NewSessionFromBytes(before, serializer.Session, serializer.State)
	if err != nil {
		return err
	}
	old := map[string]*record.State{string(was.SessionState().SenderBaseKey()): was.SessionState()}
	for _, s := range was.PreviousSessionStates() {
		old[string(s.SenderBaseKey())] = s
	}
	for i, s := range r.PreviousSessionStates() {
		if o := old[string(s.SenderBaseKey())]; o != nil {
			r.PreviousSessionStates()[i] = o
		}
	}
	return nil
}
func (st signalStore) ContainsSession(_ context.Context, a *protocol.SignalAddress) (bool, error) {
	return st.p.sessions[a.String()] != nil, nil
}
func (st signalStore) DeleteSession(_ context.Context, a *protocol.SignalAddress) error {
	delete(st.p.sessions, a.String())
	return nil
}
func (st signalStore) DeleteAllSessions(context.Context) error { st.p.sessions = nil; return nil }

func (st signalStore) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	k := st.p.signedPreKey()
	if id != k.KeyID {
		return nil, nil
	}
	return record.NewSignedPreKey(id, 0, ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*k.Pub), ecc.NewDjbECPrivateKey(*k.Priv)), *k.Signature, nil), nil
}
func (st signalStore) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	return nil, nil
}
func (st signalStore) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return nil
}
func (st signalStore) ContainsSignedPreKey(_ context.Context, id uint32) (bool, error) {
	return id == signedPreKeyID, nil
}
func (st signalStore) RemoveSignedPreKey(context.Context, uint32) error { return nil }

func (p *phone) signedPreKey() *keys.PreKey {
	if p.signed == nil {
		pair := keys.NewKeyPairFromPrivateKey(derive(p.identity.Priv[:], "signed prekey", p.number))
		p.signed = &keys.PreKey{KeyPair: *pair, KeyID: signedPreKeyID, Signature: p.identity.Sign(pair)}
	}
	return p.signed
}

// newOneTime makes a one-time prekey to hand out; the oldest unused one is forgotten when there are too many.
func (p *phone) newOneTime() *keys.PreKey {
	if p.oneTime == nil {
		p.oneTime = map[uint32]*keys.PreKey{}
	}
	k := keys.NewPreKey(p.nextOneID)
	p.nextOneID = p.nextOneID%0xfffffe + 1
	p.oneTime[k.KeyID] = k
	p.oneTimeIDs = append(p.oneTimeIDs, k.KeyID)
	if len(p.oneTimeIDs) > maxOneTime {
		delete(p.oneTime, p.oneTimeIDs[0])
		p.oneTimeIDs = append([]uint32(nil), p.oneTimeIDs[1:]...)
	}
	return k
}

func (p *phone) cipherFor(d *device) (*session.Builder, *session.Cipher, *protocol.SignalAddress) {
	st := signalStore{p}
	address := d.address()
	builder := session.NewBuilder(st, st, st, st, address, serializer)
	return builder, session.NewCipher(builder, address), address
}

// address names a device in the session stores of phones: by account, whatever address it is written to.
func (d *device) address() *protocol.SignalAddress {
	return protocol.NewSignalAddress(d.owner.number, uint32(d.id))
}

// pad adds n bytes of value n, 1 to 15.
func pad(plain []byte) []byte {
	var b [1]byte
	_, _ = rand.Read(b[:])
	n := int(b[0] & 0xf)
	if n == 0 {
		n = 15
	}
	return append(plain[:len(plain):len(plain)], bytes.Repeat([]byte{byte(n)}, n)...)
}

func unpad(plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, fmt.Errorf("empty plaintext")
	}
	n := int(plain[len(plain)-1])
	if n == 0 || n > len(plain) {
		return nil, fmt.Errorf("broken padding")
	}
	return plain[:len(plain)-n], nil
}

// encrypt makes one copy of a message for a linked device. With a bundle (or without a session) it starts a new
// session. The phone is locked.
func (p *phone) encrypt(ctx context.Context, d *device, plain []byte, fresh *bundle) (kind string, out []byte, err error) {
	builder, cipher, address := p.cipherFor(d)
	if fresh == nil && p.sessions[address.String()] == nil {
		fresh = d.takeBundle()
	}
	if fresh != nil {
		if err := builder.ProcessBundle(ctx, fresh.signal(uint32(d.id))); err != nil {
			return "", nil, fmt.Errorf("start a session with %s: %w", address, err)
		}
	}
	msg, err := cipher.Encrypt(ctx, pad(plain))
	if err != nil {
		return "", nil, err
	}
	if msg.Type() == protocol.PREKEY_TYPE {
		return "pkmsg", msg.Serialize(), nil
	}
	return "msg", msg.Serialize(), nil
}

// decrypt opens what a linked device sent. The phone is locked.
func (p *phone) decrypt(ctx context.Context, d *device, kind string, sealed []byte) ([]byte, error) {
	_, cipher, _ := p.cipherFor(d)
	var plain []byte
	switch kind {
	case "pkmsg":
		msg, err := protocol.NewPreKeySignalMessageFromBytes(sealed, serializer.PreKeySignalMessage, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.DecryptMessage(ctx, msg); err != nil {
			return nil, err
		}
	case "msg":
		msg, err := protocol.NewSignalMessageFromBytes(sealed, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.Decrypt(ctx, msg); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unknown encryption %q", kind)
	}
	return unpad(plain)
}

// publicKey is a prekey as others see it.
type publicKey struct {
	ID        uint32
	Pub       [32]byte
	Signature [64]byte // signed prekeys only
}

// bundle is what starts a session with a device.
type bundle struct {
	RegID    uint32
	Identity [32]byte
	Signed   publicKey
	OneTime  *publicKey // nil when they are used up
}

func (b *bundle) signal(deviceID uint32) *prekey.Bundle {
	id := optional.NewEmptyUint32()
	var one ecc.ECPublicKeyable
	if b.OneTime != nil {
		id, one = optional.NewOptionalUint32(b.OneTime.ID), ecc.NewDjbECPublicKey(b.OneTime.Pub)
	}
	return prekey.NewBundle(b.RegID, deviceID, id, b.Signed.ID, one, ecc.NewDjbECPublicKey(b.Signed.Pub), b.Signed.Signature,
		identity.NewKey(ecc.NewDjbECPublicKey(b.Identity)))
}
