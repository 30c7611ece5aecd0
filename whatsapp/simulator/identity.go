package simulator

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"go.mau.fi/libsignal/ecc"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/util/keys"
)

// serverIdentity holds what a handshake presents: the static key and the certificate chain for it. It is made once,
// so that a connection costs no signature.
type serverIdentity struct {
	root   *keys.KeyPair
	static *ecdh.PrivateKey
	chain  []byte
}

// derive gives the same 32 bytes for the same seed, purpose and name: phones keep their keys and LIDs over restarts.
func derive(seed []byte, purpose, name string) [32]byte {
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(name))
	return [32]byte(mac.Sum(nil))
}

func deriveKey(seed []byte, purpose, name string) *keys.KeyPair {
	priv := derive(seed, purpose, name)
	priv[0] &= 248
	priv[31] = priv[31]&127 | 64
	return keys.NewKeyPairFromPrivateKey(priv)
}

// deriveNumber gives a stable 31-bit number, for registration ids and the like.
func deriveNumber(seed []byte, purpose, name string) uint32 {
	sum := derive(seed, purpose, name)
	return binary.BigEndian.Uint32(sum[:4]) >> 1
}

func newServerIdentity(seed []byte, now time.Time) (*serverIdentity, error) {
	id := &serverIdentity{root: deriveKey(seed, "root", "")}
	var err error
	if id.static, err = ecdh.X25519().NewPrivateKey(deriveKey(seed, "static", "").Priv[:]); err != nil {
		return nil, err
	}
	intermediate := deriveKey(seed, "intermediate", "")
	sign := func(signer *keys.KeyPair, serial, issuer uint32, key []byte) (*waCert.CertChain_NoiseCertificate, error) {
		details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
			Serial: proto.Uint32(serial), IssuerSerial: proto.Uint32(issuer), Key: key,
			NotBefore: proto.Uint64(uint64(now.AddDate(0, -1, 0).Unix())), NotAfter: proto.Uint64(uint64(now.AddDate(1, 0, 0).Unix())),
		})
		if err != nil {
			return nil, err
		}
		signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*signer.Priv), details)
		return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature[:]}, nil
	}
	const serial = 1
	upper, err := sign(id.root, serial, 0, intermediate.Pub[:])
	if err != nil {
		return nil, err
	}
	leaf, err := sign(intermediate, serial+1, serial, id.static.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	id.chain, err = proto.Marshal(&waCert.CertChain{Intermediate: upper, Leaf: leaf})
	return id, err
}
