package simulator

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/libsignal/ecc"
	"google.golang.org/protobuf/proto"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
)

// pairTimeout is how long a phone waits for the client to confirm a link.
const pairTimeout = 20 * time.Second

// registration is what an unpaired client says about itself.
type registration struct {
	bundle   bundle
	platform string
	refs     []string
	phone    string // the number it asked a code for
}

// pairing is a link waiting for the client's signature.
type pairing struct {
	id      string // of the iq
	device  *device
	details []byte
	account [32]byte
	done    chan error
}

func newStanzaID() string {
	var b [9]byte
	_, _ = rand.Read(b[:])
	return "3A" + strings.ToUpper(hex.EncodeToString(b[:]))
}

// register keeps an unpaired client's keys and sends it the references its QR codes are made from.
func (c *conn) register(data *waWa6.ClientPayload_DevicePairingRegistrationData) error {
	if failure := c.s.faults.loginFailure("", time.Now()); failure != nil {
		c.end(*failure)
		return nil
	}
	if len(data.GetERegid()) != 4 || len(data.GetEIdent()) != 32 || len(data.GetESkeyVal()) != 32 || len(data.GetESkeySig()) != 64 || len(data.GetESkeyID()) != 3 {
		return errors.New("registration with keys of wrong length")
	}
	reg := &registration{bundle: bundle{
		RegID: binary.BigEndian.Uint32(data.GetERegid()), Identity: [32]byte(data.GetEIdent()),
		Signed: publicKey{ID: keyID(data.GetESkeyID()), Pub: [32]byte(data.GetESkeyVal()), Signature: [64]byte(data.GetESkeySig())},
	}}
	var props waCompanionReg.DeviceProps
	if proto.Unmarshal(data.GetDeviceProps(), &props) == nil {
		reg.platform = props.GetOs()
	}
	refs := make([]waBinary.Node, 6)
	for i := range refs {
		var b [24]byte
		_, _ = rand.Read(b[:])
		ref := "2@" + base64.RawURLEncoding.EncodeToString(b[:])
		reg.refs = append(reg.refs, ref)
		refs[i] = waBinary.Node{Tag: "ref", Content: []byte(ref)}
	}
	c.s.mu.Lock()
	c.reg = reg
	for _, ref := range reg.refs {
		c.s.refs[ref] = c
	}
	c.s.mu.Unlock()
	c.send(waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": newStanzaID(), "xmlns": "md"},
		Content: []waBinary.Node{{Tag: "pair-device", Content: refs}}})
	return nil
}

func keyID(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// ErrCodeExpired means a QR that no waiting client shows any more.
var ErrCodeExpired = errors.New("this QR code is not valid (any more): no client that shows it is waiting")

// Scan lets the phone with this number scan a client's QR, given as the text in it. It returns the linked device when
// the client has confirmed the link. Errors: ErrCodeExpired, a malformed code, or a client that refuses.
func (s *Server) Scan(ctx context.Context, qr, number string) (DeviceInfo, error) {
	number, err := cleanNumber(number)
	if err != nil {
		return DeviceInfo{}, err
	}
	if i := strings.LastIndexByte(qr, '#'); i >= 0 {
		qr = qr[i+1:]
	}
	parts := strings.Split(strings.TrimSpace(qr), ",")
	if len(parts) < 4 {
		return DeviceInfo{}, fmt.Errorf("not a linking QR: %d fields separated by commas, at least 4 are needed", len(parts))
	}
	var raw [3][]byte
	for i := range raw {
		if raw[i], err = base64.StdEncoding.DecodeString(parts[i+1]); err != nil || len(raw[i]) != 32 {
			return DeviceInfo{}, fmt.Errorf("not a linking QR: field %d is not a key in base64", i+2)
		}
	}
	s.mu.Lock()
	c := s.refs[parts[0]]
	s.mu.Unlock()
	if c == nil || c.ending.Load() {
		return DeviceInfo{}, ErrCodeExpired
	}
	// The client shows the first code for 60 s and each of the others for 20 s; some grace for clocks and fingers.
	shown := 60*time.Second + time.Duration(slices.Index(c.reg.refs, parts[0]))*20*time.Second + 5*time.Second
	if time.Since(c.opened) > shown {
		return DeviceInfo{}, ErrCodeExpired
	}
	if [32]byte(raw[0]) != c.static || [32]byte(raw[1]) != c.reg.bundle.Identity {
		return DeviceInfo{}, errors.New("the keys in the QR are not those the client registered")
	}
	return c.link(ctx, s.phones.get(number), raw[2])
}

// link signs the client in as a device of p and waits for its own signature.
func (c *conn) link(ctx context.Context, p *phone, advSecret []byte) (DeviceInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, pairTimeout)
	defer cancel()
	p.mu.Lock()
	id := p.freeDeviceLocked()
	name := p.name
	p.mu.Unlock()

	d := newDevice(c.s, p, id)
	d.noise, d.identity, d.platform = c.static, c.reg.bundle.Identity, c.reg.platform
	d.regID, d.signed = c.reg.bundle.RegID, c.reg.bundle.Signed
	pending := &pairing{id: newStanzaID(), device: d, account: *p.identity.Pub, done: make(chan error, 1)}
	container, details, err := deviceIdentity(p, d, advSecret)
	if err != nil {
		return DeviceInfo{}, err
	}
	pending.details = details
	if !c.pairing.CompareAndSwap(nil, pending) {
		return DeviceInfo{}, errors.New("this client is being linked already")
	}
	c.send(waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": pending.id, "t": time.Now().Unix()},
		Content: []waBinary.Node{{Tag: "pair-success", Content: []waBinary.Node{
			{Tag: "device-identity", Content: container},
			{Tag: "biz", Attrs: waBinary.Attrs{"name": name}},
			{Tag: "device", Attrs: waBinary.Attrs{"jid": d.pn(), "lid": d.lid()}},
			{Tag: "platform", Attrs: waBinary.Attrs{"name": "android"}},
		}}}})
	select {
	case err = <-pending.done:
	case <-c.done:
		err = errors.New("the client went away while it was being linked")
	case <-ctx.Done():
		err = fmt.Errorf("the client did not confirm the link: %w", ctx.Err())
	}
	if err != nil {
		c.pairing.CompareAndSwap(pending, nil)
		return DeviceInfo{}, err
	}
	return DeviceInfo{Phone: p.number, LID: p.lid, Device: int(id), JID: d.pn().String(), Platform: d.platform, LinkedAt: d.linkedAt}, nil
}

// deviceIdentity makes the container a client checks with the secret from its QR, and the details that were signed.
func deviceIdentity(p *phone, d *device, advSecret []byte) (container, details []byte, err error) {
	identity, err := signedIdentity(p, d)
	if err != nil {
		return nil, nil, err
	}
	signed, err := proto.Marshal(identity)
	if err != nil {
		return nil, nil, err
	}
	mac := hmac.New(sha256.New, advSecret)
	mac.Write(signed)
	container, err = proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: signed, HMAC: mac.Sum(nil), AccountType: waAdv.ADVEncryptionType_E2EE.Enum()})
	return container, identity.Details, err
}

// signedIdentity is what a phone signs about a device it links.
func signedIdentity(p *phone, d *device) (*waAdv.ADVSignedDeviceIdentity, error) {
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(p.regID), Timestamp: proto.Uint64(uint64(time.Now().Unix())), KeyIndex: proto.Uint32(uint32(d.id)),
		AccountType: waAdv.ADVEncryptionType_E2EE.Enum(), DeviceType: waAdv.ADVEncryptionType_E2EE.Enum(),
	})
	if err != nil {
		return nil, err
	}
	message := slices.Concat([]byte{6, 0}, details, d.identity[:])
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*p.identity.Priv), message)
	return &waAdv.ADVSignedDeviceIdentity{Details: details, AccountSignatureKey: p.identity.Pub[:], AccountSignature: signature[:]}, nil
}

// pairAnswer handles the client's answer to pair-success.
func (c *conn) pairAnswer(n *waBinary.Node) bool {
	pending := c.pairing.Load()
	if id, _ := n.Attrs["id"].(string); pending == nil || id != pending.id {
		return false
	}
	c.pairing.Store(nil)
	err := c.finishPairing(pending, n)
	pending.done <- err
	if err != nil {
		c.s.stats.pairingsFailed.Add(1)
		return true
	}
	c.s.stats.pairings.Add(1)
	c.s.events.publish(Event{Type: EventLinked, Business: pending.device.owner.number, Device: int(pending.device.id)})
	c.end(waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": "515"}})
	return true
}

func (c *conn) finishPairing(pending *pairing, n *waBinary.Node) error {
	if kind, _ := n.Attrs["type"].(string); kind != "result" {
		problem := n.GetChildByTag("error")
		return fmt.Errorf("the client refused the link: %s", problem.AttrGetter().OptionalString("text"))
	}
	own := n.GetChildByTag("pair-device-sign", "device-identity")
	raw, _ := own.Content.([]byte)
	var signed waAdv.ADVSignedDeviceIdentity
	if err := proto.Unmarshal(raw, &signed); err != nil || len(signed.GetDeviceSignature()) != 64 {
		return errors.New("the client's confirmation holds no device signature")
	}
	d := pending.device
	message := slices.Concat([]byte{6, 1}, pending.details, d.identity[:], pending.account[:])
	if !ecc.VerifySignature(ecc.NewDjbECPublicKey(d.identity), message, [64]byte(signed.GetDeviceSignature())) {
		return errors.New("the client's device signature is wrong")
	}
	d.keep()
	return nil
}

func jidOf(v any) types.JID {
	jid, _ := v.(types.JID)
	return jid
}
