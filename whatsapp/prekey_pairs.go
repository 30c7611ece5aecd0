package whatsapp

import (
	"crypto/rand"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
	"go.mau.fi/whatsmeow/util/keys"
)

// newPreKeys makes n one-time prekeys from first on. They are what keys.NewPreKey makes, random and clamped, at a third of the
// cost, which is most of what linking a number costs: a public key is a multiple of the same point each time, and for
// Edwards25519 its multiples are tabulated. The map from there to Curve25519 is u = (Z+Y)/(Z-Y) (RFC 7748, section 4.1), with
// one inversion for all of them (Montgomery's trick). Nothing here takes longer for one key than for another.
func newPreKeys(first uint32, n int) []*keys.PreKey {
	private, public := make([][32]byte, n), make([][32]byte, n)
	above, below, product := make([]field.Element, n), make([]field.Element, n), make([]field.Element, n+1)
	product[0].One()
	var scalar edwards25519.Scalar
	var point edwards25519.Point
	for i := range n {
		k := &private[i]
		rand.Read(k[:])
		k[0] &= 248
		k[31] = k[31]&127 | 64
		if _, err := scalar.SetBytesWithClamping(k[:]); err != nil {
			panic(err) // never of 32 bytes
		}
		_, y, z, _ := point.ScalarBaseMult(&scalar).ExtendedCoordinates()
		above[i].Add(z, y)
		below[i].Subtract(z, y) // zero for the neutral point alone, which no clamped scalar leads to
		product[i+1].Multiply(&product[i], &below[i])
	}
	all := make([]*keys.PreKey, n)
	var inverse, u field.Element
	inverse.Invert(&product[n])
	for i := n - 1; i >= 0; i-- {
		u.Multiply(&inverse, &product[i])
		u.Multiply(&u, &above[i])
		inverse.Multiply(&inverse, &below[i])
		public[i] = [32]byte(u.Bytes())
		all[i] = &keys.PreKey{KeyPair: keys.KeyPair{Pub: &public[i], Priv: &private[i]}, KeyID: first + uint32(i)}
	}
	return all
}
