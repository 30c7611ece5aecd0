package whatsapp

import (
	"testing"

	"go.mau.fi/whatsmeow/util/keys"
)

// A device's prekeys from the first upload to their use: what WhatsApp was given is what is stored, and a used key is gone.
func TestPreKeys(t *testing.T) {
	r := newRig(t)
	n := r.run("a")
	id := r.tenant("Salon", "+"+salon, 0)
	r.link(n, id, salon)
	s := n.supervisor(id).device.store
	count := func() int {
		t.Helper()
		left, err := s.UploadedPreKeyCount(r.ctx())
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	get := func(id uint32) *keys.PreKey {
		t.Helper()
		key, err := s.GetPreKey(r.ctx(), id)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	// The phone opened its own session with the device by the first.
	r.await("the phone's first message is taken in", func() bool { return count() < 812 })
	if devices := r.sim.Devices(); len(devices) != 1 || devices[0].PreKeys != 811 || count() != 811 {
		t.Fatalf("WhatsApp has prekeys for %+v, %d are stored; want 811 of 812", devices, count())
	}
	if get(1) != nil || get(2) == nil || get(28) == nil || get(29) == nil || get(812) == nil || get(813) != nil || get(16777215) != nil {
		t.Error("not the keys 2 to 812 are stored")
	}
	r.say(customer, salon, "menu")
	r.inbox(customer, 1)
	if get(2) != nil || count() != 810 {
		t.Errorf("the customer's message left its prekey, or %d of 810 keys", count())
	}
	for range 2 { // a commit whose answer was lost is done again
		if err := s.RemovePreKey(r.ctx(), 30); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RemovePreKey(r.ctx(), 9000); err != nil {
		t.Fatal(err)
	}
	if get(30) != nil || count() != 809 {
		t.Errorf("key 30 is there, or %d of 809 keys", count())
	}

	single, err := s.GenOnePreKey(r.ctx())
	if err != nil || single.KeyID != 813 || count() != 810 {
		t.Errorf("a single key: %+v, %v, %d stored", single, err, count())
	}
	// A refill that WhatsApp did not confirm is offered again, and counts when it did.
	more, err := s.GetOrGenPreKeys(r.ctx(), 50)
	if err != nil || len(more) != 50 || more[0].KeyID != 814 || more[49].KeyID != 863 || count() != 810 {
		t.Fatalf("%d more keys, %v; %d stored as uploaded", len(more), err, count())
	}
	for _, want := range []int{10, 60} {
		again, err := s.GetOrGenPreKeys(r.ctx(), uint32(want))
		if err != nil || len(again) != want || again[0].KeyID != 814 || *again[9].Pub != *more[9].Pub || again[want-1].KeyID != uint32(813+want) {
			t.Fatalf("%d of %d keys again, %v", len(again), want, err)
		}
	}
	if err := s.MarkPreKeysAsUploaded(r.ctx(), 873); err != nil {
		t.Fatal(err)
	}
	if count() != 870 || *get(863).Pub != *more[49].Pub {
		t.Errorf("%d keys after the refill, want 870", count())
	}
	if fresh, err := s.GetOrGenPreKeys(r.ctx(), 1); err != nil || fresh[0].KeyID != 874 {
		t.Errorf("the next key: %+v, %v", fresh, err)
	}

	// Blocks that are used up go with the next refill.
	blocks := one[int](r, "SELECT count(*) FROM prekey_blocks")
	for id := uint32(29); id <= 56; id++ {
		if err := s.RemovePreKey(r.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.GenOnePreKey(r.ctx()); err != nil {
		t.Fatal(err)
	}
	if left := one[int](r, "SELECT count(*) FROM prekey_blocks"); left != blocks || get(29) != nil || get(57) == nil {
		t.Errorf("%d blocks, want %d: one gone, one new", left, blocks)
	}
	r.clean()
}
