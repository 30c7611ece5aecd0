package whatsapp

import "sync"

// maxClear bounds how many finished plaintexts wait for the next unit to be cleared.
const maxClear = 64

// finished are the hashes of buffered plaintexts that are done with; the next unit clears them.
type finished struct {
	mu     sync.Mutex
	hashes [][]byte
}

// add reports whether it is time to clear.
func (f *finished) add(hash [32]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hashes = append(f.hashes, hash[:])
	return len(f.hashes) >= maxClear
}

func (f *finished) take() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.hashes
	f.hashes = nil
	return all
}

func (f *finished) giveBack(hashes [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hashes = append(f.hashes, hashes...)
}
