package simulator

import (
	"errors"
	"slices"

	"go.mau.fi/libsignal/ecc"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/util/keys"
)

// Adopt links a client's device to the phone with this number without a pairing, as if that were long ago: it writes into both books
// what the two would have told each other. The client's is for the caller to save, together with the one-time prekeys, which count as
// uploaded. It is for tests and benchmarks that need hundreds of linked devices; logging in is as always.
func (s *Server) Adopt(number string, client *store.Device, oneTime []*keys.PreKey) error {
	number, err := cleanNumber(number)
	if err != nil {
		return err
	}
	if client.ID != nil {
		return errors.New("this device is linked already")
	}
	p := s.phones.get(number)
	p.mu.Lock()
	d, name := newDevice(s, p, p.freeDeviceLocked()), p.name
	p.mu.Unlock()
	d.bootstrapped = true
	d.noise, d.identity, d.regID, d.platform = *client.NoiseKey.Pub, *client.IdentityKey.Pub, client.RegistrationID, "adopted"
	d.signed = publicKey{ID: client.SignedPreKey.KeyID, Pub: *client.SignedPreKey.Pub, Signature: *client.SignedPreKey.Signature}
	for _, k := range oneTime {
		d.preKeys = append(d.preKeys, publicKey{ID: k.KeyID, Pub: *k.Pub})
	}
	account, err := signedIdentity(p, d)
	if err != nil {
		return err
	}
	message := slices.Concat([]byte{6, 1}, account.Details, d.identity[:], account.AccountSignatureKey)
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*client.IdentityKey.Priv), message)
	account.DeviceSignature = signature[:]
	jid := d.pn()
	client.ID, client.LID, client.Account, client.Platform, client.PushName = &jid, d.lid(), account, "android", name
	d.keep()
	return nil
}

// keep puts a linked device into its phone's books.
func (d *device) keep() {
	d.owner.mu.Lock()
	if d.owner.devices == nil {
		d.owner.devices = map[uint16]*device{}
	}
	d.owner.devices[d.id] = d
	d.owner.mu.Unlock()
	d.s.touch()
}

// freeDeviceLocked takes the next number for a device; the phone is locked.
func (p *phone) freeDeviceLocked() uint16 {
	id := p.nextDevice
	for p.devices[id] != nil || id == 0 || id > 99 { // numbers stay below 100, as WhatsApp's do
		if id++; id > 99 {
			id = 1
		}
	}
	p.nextDevice = id + 1
	return id
}
