package whatsapp

import "go.mau.fi/libsignal/keys/chain"

// A message key must never be used twice, so a session has to be in the database, moved on, before the message leaves that
// it encrypted. Instead of one such write for each message, a session is stored with its sending chain some keys ahead of the
// one in memory: messages with the keys in between leave without a write. After a crash the session goes on ahead, and the
// customer's phone takes the keys that were never used for messages that got lost, which the Signal protocol allows for (2,000
// in a row).
//
// A message that comes in begins a new sending chain, most of the time, and its step is stored with the message; the keys stored
// ahead then cover the answers.
const (
	aheadReceiving = 8  // keys, with a received message
	aheadSending   = 16 // keys, when nothing has come in since
)

// ahead says which messages need no write: those of this sending chain with an index below until.
type ahead struct {
	chain string // the chain's public ratchet key; "": none
	until uint32
}

// covers reports whether the session in the database is not behind this one.
func (a ahead) covers(session []byte) bool {
	if a.chain == "" {
		return false
	}
	s, err := sessions.Deserialize(session)
	if err != nil || s.SessionState.SenderChain == nil || s.SessionState.SenderChain.ChainKey == nil {
		return false
	}
	sending := s.SessionState.SenderChain
	return string(sending.SenderRatchetKeyPublic) == a.chain && sending.ChainKey.Index <= a.until
}

// runAhead gives the session as it is to be stored, with its sending chain moved on by some keys. One that cannot be read is
// stored as it is.
func runAhead(session []byte, keys int) ([]byte, ahead) {
	s, err := sessions.Deserialize(session)
	if err != nil || s.SessionState.SenderChain == nil || s.SessionState.SenderChain.ChainKey == nil {
		return session, ahead{}
	}
	sending := s.SessionState.SenderChain
	next := chain.NewKeyFromStruct(sending.ChainKey, nil)
	for range keys {
		next = next.NextKey()
	}
	sending.ChainKey = chain.NewStructFromKey(next)
	return sessions.Serialize(s), ahead{chain: string(sending.SenderRatchetKeyPublic), until: next.Index()}
}
