package simulator

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/util/keys"
)

// saveInterval is how often a changed state is written.
const saveInterval = 3 * time.Second

// savedState is what a state file holds. What a phone's keys follow from is the seed.
type savedState struct {
	Seed     []byte
	ShownSeq int64
	Phones   []savedPhone
}

type savedPhone struct {
	Number, Name string
	NextOneID    uint32
	NextDevice   uint16
	OneTime      map[uint32][32]byte
	Sessions     map[string][]byte
	App          *appState
	Devices      []savedDevice
	Inbox        []InboxMessage
	Sent         []ChatMessage
}

type savedDevice struct {
	ID                      uint16
	Noise, Identity         [32]byte
	Platform                string
	LinkedAt                time.Time
	RegID                   uint32
	Signed                  publicKey
	PreKeys                 []publicKey
	WarnedLow, Bootstrapped bool
	Queue                   [][]byte // binary nodes
}

// touch notes that the state changed.
func (s *Server) touch() { s.dirty.Store(true) }

// loadState reads a state file; there is none before the first start.
func loadState(path string) (*savedState, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("simulator: state file: %w", err)
	}
	defer f.Close()
	var st savedState
	if err := gob.NewDecoder(f).Decode(&st); err != nil {
		return nil, fmt.Errorf("simulator: state file %s cannot be read (remove it to start afresh): %w", path, err)
	}
	return &st, nil
}

func (s *Server) saveLoop() {
	if s.opts.StateFile == "" {
		return
	}
	tick := time.NewTicker(saveInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if err := s.save(); err != nil {
				s.log.Error("simulator state not saved", "error", err)
			}
		}
	}
}

// save writes the state if it changed: into a new file that takes the old one's place.
func (s *Server) save() error {
	if s.opts.StateFile == "" || !s.dirty.Swap(false) {
		return nil
	}
	err := s.write()
	if err != nil {
		s.touch()
	}
	return err
}

func (s *Server) write() error {
	f, err := os.CreateTemp(filepath.Dir(s.opts.StateFile), ".simulator-*")
	if err != nil {
		return fmt.Errorf("simulator: state file: %w", err)
	}
	defer os.Remove(f.Name()) // fails, as it should, once the file has been renamed
	err = gob.NewEncoder(f).Encode(s.snapshot())
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), s.opts.StateFile)
	}
	if err != nil {
		return fmt.Errorf("simulator: state file: %w", err)
	}
	return nil
}

func (s *Server) snapshot() *savedState {
	st := &savedState{Seed: s.seed, ShownSeq: s.shownSeq.Load()}
	for _, p := range s.phones.all() {
		p.mu.Lock()
		sp := savedPhone{Number: p.number, Name: p.name, NextOneID: p.nextOneID, NextDevice: p.nextDevice, OneTime: map[uint32][32]byte{}, Sessions: map[string][]byte{}}
		for id, k := range p.oneTime {
			sp.OneTime[id] = *k.Priv
		}
		for name, raw := range p.sessions { // the slices are replaced, never written to
			sp.Sessions[name] = raw
		}
		if p.app != nil {
			sp.App = &appState{KeyID: p.app.KeyID, Key: p.app.Key, Patches: map[string][][]byte{}}
			for name, patches := range p.app.Patches {
				sp.App.Patches[name] = append([][]byte(nil), patches...)
			}
		}
		for _, m := range p.box.inbox {
			sp.Inbox = append(sp.Inbox, *m)
		}
		for _, m := range p.box.sent {
			sp.Sent = append(sp.Sent, *m)
		}
		for _, d := range p.linkedLocked() {
			sp.Devices = append(sp.Devices, d.snapshot())
		}
		p.mu.Unlock()
		st.Phones = append(st.Phones, sp)
	}
	return st
}

func (d *device) snapshot() savedDevice {
	d.mu.Lock()
	defer d.mu.Unlock()
	sd := savedDevice{ID: d.id, Noise: d.noise, Identity: d.identity, Platform: d.platform, LinkedAt: d.linkedAt, RegID: d.regID, Signed: d.signed,
		PreKeys: append([]publicKey(nil), d.preKeys...), WarnedLow: d.warnedLow, Bootstrapped: d.bootstrapped}
	for el := d.queue.Front(); el != nil; el = el.Next() {
		if raw, err := waBinary.Marshal(el.Value.(*entry).node); err == nil {
			sd.Queue = append(sd.Queue, raw)
		}
	}
	return sd
}

func (s *Server) restore(st *savedState) {
	s.shownSeq.Store(st.ShownSeq)
	for _, sp := range st.Phones {
		p := s.phones.get(sp.Number)
		p.name, p.nextOneID, p.nextDevice, p.sessions, p.app = sp.Name, sp.NextOneID, sp.NextDevice, sp.Sessions, sp.App
		if p.sessions == nil {
			p.sessions = map[string][]byte{}
		}
		if p.app != nil && p.app.Patches == nil {
			p.app.Patches = map[string][][]byte{}
		}
		p.oneTime = map[uint32]*keys.PreKey{}
		for id, priv := range sp.OneTime {
			p.oneTime[id] = &keys.PreKey{KeyPair: *keys.NewKeyPairFromPrivateKey(priv), KeyID: id}
			p.oneTimeIDs = append(p.oneTimeIDs, id)
		}
		for _, m := range sp.Inbox {
			p.box.add(&m)
		}
		for _, m := range sp.Sent {
			p.box.sentBy(m)
		}
		p.devices = map[uint16]*device{}
		for _, sd := range sp.Devices {
			d := newDevice(s, p, sd.ID)
			d.noise, d.identity, d.platform, d.linkedAt, d.regID, d.signed = sd.Noise, sd.Identity, sd.Platform, sd.LinkedAt, sd.RegID, sd.Signed
			d.preKeys, d.warnedLow, d.bootstrapped = sd.PreKeys, sd.WarnedLow, sd.Bootstrapped
			for _, raw := range sd.Queue {
				plain, err := waBinary.Unpack(raw)
				if err != nil {
					continue
				}
				if node, err := waBinary.Unmarshal(plain); err == nil {
					d.enqueue(*node, false)
				}
			}
			p.devices[d.id] = d
		}
	}
	s.dirty.Store(false)
}
