package simulator

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waWa6"
)

// noisePattern is 32 bytes long, so it is itself the initial hash, salt and key.
const noisePattern = "Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"

// noiseState is the answering side of Noise XX as WhatsApp speaks it.
type noiseState struct {
	hash    [32]byte
	salt    []byte
	aead    cipher.AEAD
	counter uint32
}

func newNoiseState(prologue []byte) (*noiseState, error) {
	n := &noiseState{salt: []byte(noisePattern)}
	copy(n.hash[:], noisePattern)
	var err error
	if n.aead, err = newGCM(n.salt); err != nil {
		return nil, err
	}
	n.mixHash(prologue)
	return n, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (n *noiseState) mixHash(data []byte) {
	h := sha256.New()
	h.Write(n.hash[:])
	h.Write(data)
	h.Sum(n.hash[:0])
}

// mixKey takes a prepared private key: curve25519.X25519 would work out its public key with every call, which is as much again.
func (n *noiseState) mixKey(priv *ecdh.PrivateKey, pub []byte) error {
	theirs, err := ecdh.X25519().NewPublicKey(pub)
	if err != nil {
		return err
	}
	secret, err := priv.ECDH(theirs)
	if err != nil {
		return err
	}
	out, err := hkdf.Key(sha256.New, secret, n.salt, "", 64)
	if err != nil {
		return err
	}
	n.salt, n.counter = out[:32], 0
	n.aead, err = newGCM(out[32:])
	return err
}

func noiseNonce(counter uint32) []byte {
	nonce := make([]byte, 12)
	binary.BigEndian.PutUint32(nonce[8:], counter)
	return nonce
}

func (n *noiseState) seal(plain []byte) []byte {
	out := n.aead.Seal(nil, noiseNonce(n.counter), plain, n.hash[:])
	n.counter++
	n.mixHash(out)
	return out
}

func (n *noiseState) open(sealed []byte) ([]byte, error) {
	out, err := n.aead.Open(nil, noiseNonce(n.counter), sealed, n.hash[:])
	if err != nil {
		return nil, err
	}
	n.counter++
	n.mixHash(sealed)
	return out, nil
}

// split returns the two transport ciphers: what the client writes with, then what the server writes with.
func (n *noiseState) split() (read, write cipher.AEAD, err error) {
	out, err := hkdf.Key(sha256.New, nil, n.salt, "", 64)
	if err != nil {
		return nil, nil, err
	}
	if read, err = newGCM(out[:32]); err != nil {
		return nil, nil, err
	}
	write, err = newGCM(out[32:])
	return read, write, err
}

// answerHello consumes the client hello and returns the server hello to send.
func (n *noiseState) answerHello(raw []byte, id *serverIdentity) (reply []byte, ephemeral *ecdh.PrivateKey, err error) {
	var hello waWa6.HandshakeMessage
	if err := proto.Unmarshal(raw, &hello); err != nil {
		return nil, nil, fmt.Errorf("client hello: %w", err)
	}
	theirs := hello.GetClientHello().GetEphemeral()
	if len(theirs) != 32 {
		return nil, nil, errors.New("client hello without an ephemeral key")
	}
	n.mixHash(theirs)
	if ephemeral, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
		return nil, nil, err
	}
	public := ephemeral.PublicKey().Bytes()
	n.mixHash(public)
	if err := n.mixKey(ephemeral, theirs); err != nil {
		return nil, nil, err
	}
	static := n.seal(id.static.PublicKey().Bytes())
	if err := n.mixKey(id.static, theirs); err != nil {
		return nil, nil, err
	}
	reply, err = proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: public, Static: static, Payload: n.seal(id.chain),
	}})
	return reply, ephemeral, err
}

// finish consumes the client's last handshake message: its static key and its payload.
func (n *noiseState) finish(raw []byte, ephemeral *ecdh.PrivateKey) (static [32]byte, payload *waWa6.ClientPayload, err error) {
	var msg waWa6.HandshakeMessage
	if err := proto.Unmarshal(raw, &msg); err != nil {
		return static, nil, fmt.Errorf("client finish: %w", err)
	}
	key, err := n.open(msg.GetClientFinish().GetStatic())
	if err != nil || len(key) != 32 {
		return static, nil, fmt.Errorf("client finish: static key does not decrypt: %w", err)
	}
	copy(static[:], key)
	if err := n.mixKey(ephemeral, key); err != nil {
		return static, nil, err
	}
	plain, err := n.open(msg.GetClientFinish().GetPayload())
	if err != nil {
		return static, nil, fmt.Errorf("client finish: payload does not decrypt: %w", err)
	}
	payload = new(waWa6.ClientPayload)
	if err := proto.Unmarshal(plain, payload); err != nil {
		return static, nil, fmt.Errorf("client payload: %w", err)
	}
	return static, payload, nil
}
