package whatsapp

import (
	"context"
	"errors"
	"testing"
)

// A ciphertext on which the Signal library panics costs one message; the tenant goes on.
func TestPanicWhileDecrypting(t *testing.T) {
	r, n, id, _ := twoLinked(t)
	store := n.supervisor(id).device.store
	err := func() (err error) {
		defer func() { _ = recover() }() // as whatsmeow does
		return store.DoDecryptionTxn(r.ctx(), func(context.Context) error { panic("crypto/cipher: input not full blocks") })
	}()
	if err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("error %v: the sender is not asked for another copy", err)
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	r.clean()
}
