package whatsapp

import (
	"testing"

	"go.mau.fi/whatsmeow/util/keys"
)

// The quick way to a public key leads to the same as whatsmeow's own.
func TestNewPreKeysAreWhatsmeows(t *testing.T) {
	for _, n := range []int{0, 1, 2, 812} {
		made := newPreKeys(16_000_000, n)
		if len(made) != n {
			t.Fatalf("%d keys, want %d", len(made), n)
		}
		seen := map[[32]byte]bool{}
		for i, k := range made {
			if k.KeyID != 16_000_000+uint32(i) || k.Signature != nil {
				t.Errorf("key %d of %d has the id %d and the signature %v", i, n, k.KeyID, k.Signature)
			}
			if k.Priv[0]&7 != 0 || k.Priv[31]&0xc0 != 0x40 {
				t.Errorf("key %d of %d is not clamped: %x", i, n, *k.Priv)
			}
			if want := keys.NewKeyPairFromPrivateKey(*k.Priv); *k.Pub != *want.Pub {
				t.Errorf("key %d of %d: public key %x, want %x", i, n, *k.Pub, *want.Pub)
			}
			if seen[*k.Priv] {
				t.Errorf("key %d of %d was made before", i, n)
			}
			seen[*k.Priv] = true
		}
	}
}

func BenchmarkNewPreKeys(b *testing.B) {
	for b.Loop() {
		newPreKeys(1, 812)
	}
}
