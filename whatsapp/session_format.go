package whatsapp

import (
	"errors"

	"go.mau.fi/libsignal/keys/chain"
	"go.mau.fi/libsignal/keys/message"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"
	"google.golang.org/protobuf/proto"
)

// sessionFormat is how Signal sessions are stored: in the Signal library's own protocol buffers, which it defines and does not
// use. Its JSON takes about ten times as long, and a message reads and writes several sessions. JSON is read as well, from
// before and for what the protocol buffers have no place for.
type sessionFormat struct {
	json serialize.JSONSessionSerializer
}

var _ record.SessionSerializer = (*sessionFormat)(nil)

// sessions is the one format; whatsmeow is set up to use it too.
var sessions = &sessionFormat{}

var errNoState = errors.New("a session without a state")

// Serialize turns a session into bytes.
func (f *sessionFormat) Serialize(s *record.SessionStructure) []byte {
	out := &serialize.RecordStructure{}
	for i, state := range append([]*record.StateStructure{s.SessionState}, s.PreviousStates...) {
		if state == nil || state.PendingKeyExchange != nil { // which nobody makes any more
			return f.json.Serialize(s)
		}
		if stored := storedState(state); i == 0 {
			out.CurrentSession = stored
		} else {
			out.PreviousSessions = append(out.PreviousSessions, stored)
		}
	}
	raw, err := proto.Marshal(out)
	if err != nil {
		return f.json.Serialize(s)
	}
	return raw
}

// Deserialize turns bytes into a session.
func (f *sessionFormat) Deserialize(raw []byte) (*record.SessionStructure, error) {
	if len(raw) > 0 && raw[0] == '{' {
		s, err := f.json.Deserialize(raw)
		if err == nil && s.SessionState == nil {
			err = errNoState
		}
		return s, err
	}
	var in serialize.RecordStructure
	if err := proto.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.CurrentSession == nil {
		return nil, errNoState
	}
	s := &record.SessionStructure{SessionState: loadedState(in.CurrentSession), PreviousStates: make([]*record.StateStructure, len(in.PreviousSessions))}
	for i, state := range in.PreviousSessions {
		s.PreviousStates[i] = loadedState(state)
	}
	return s, nil
}

func storedState(s *record.StateStructure) *serialize.SessionStructure {
	out := &serialize.SessionStructure{
		SessionVersion: proto.Uint32(uint32(s.SessionVersion)), LocalIdentityPublic: s.LocalIdentityPublic, RemoteIdentityPublic: s.RemoteIdentityPublic,
		RootKey: s.RootKey, PreviousCounter: proto.Uint32(s.PreviousCounter), SenderChain: storedChain(s.SenderChain),
		RemoteRegistrationId: proto.Uint32(s.RemoteRegistrationID), LocalRegistrationId: proto.Uint32(s.LocalRegistrationID),
		NeedsRefresh: proto.Bool(s.NeedsRefresh), AliceBaseKey: s.SenderBaseKey,
	}
	for _, c := range s.ReceiverChains {
		out.ReceiverChains = append(out.ReceiverChains, storedChain(c))
	}
	if p := s.PendingPreKey; p != nil {
		out.PendingPreKey = &serialize.SessionStructure_PendingPreKey{SignedPreKeyId: proto.Int32(int32(p.SignedPreKeyID)), BaseKey: p.BaseKey}
		if p.PreKeyID != nil && !p.PreKeyID.IsEmpty {
			out.PendingPreKey.PreKeyId = proto.Uint32(p.PreKeyID.Value)
		}
	}
	return out
}

func loadedState(in *serialize.SessionStructure) *record.StateStructure {
	s := &record.StateStructure{
		SessionVersion: int(in.GetSessionVersion()), LocalIdentityPublic: in.LocalIdentityPublic, RemoteIdentityPublic: in.RemoteIdentityPublic,
		RootKey: in.RootKey, PreviousCounter: in.GetPreviousCounter(), SenderChain: loadedChain(in.SenderChain),
		RemoteRegistrationID: in.GetRemoteRegistrationId(), LocalRegistrationID: in.GetLocalRegistrationId(),
		NeedsRefresh: in.GetNeedsRefresh(), SenderBaseKey: in.AliceBaseKey,
		ReceiverChains: make([]*record.ChainStructure, len(in.ReceiverChains)),
	}
	for i, c := range in.ReceiverChains {
		s.ReceiverChains[i] = loadedChain(c)
	}
	if p := in.PendingPreKey; p != nil {
		s.PendingPreKey = &record.PendingPreKeyStructure{PreKeyID: optional.NewEmptyUint32(), SignedPreKeyID: uint32(p.GetSignedPreKeyId()), BaseKey: p.BaseKey}
		if p.PreKeyId != nil {
			s.PendingPreKey.PreKeyID = optional.NewOptionalUint32(*p.PreKeyId)
		}
	}
	return s
}

func storedChain(c *record.ChainStructure) *serialize.SessionStructure_Chain {
	if c == nil {
		return nil
	}
	out := &serialize.SessionStructure_Chain{SenderRatchetKey: c.SenderRatchetKeyPublic, SenderRatchetKeyPrivate: c.SenderRatchetKeyPrivate}
	if c.ChainKey != nil {
		out.ChainKey = &serialize.SessionStructure_Chain_ChainKey{Index: proto.Uint32(c.ChainKey.Index), Key: c.ChainKey.Key}
	}
	for _, k := range c.MessageKeys {
		out.MessageKeys = append(out.MessageKeys, &serialize.SessionStructure_Chain_MessageKey{
			Index: proto.Uint32(k.Index), CipherKey: k.CipherKey, MacKey: k.MacKey, Iv: k.IV})
	}
	return out
}

func loadedChain(in *serialize.SessionStructure_Chain) *record.ChainStructure {
	if in == nil {
		return nil
	}
	c := &record.ChainStructure{SenderRatchetKeyPublic: in.SenderRatchetKey, SenderRatchetKeyPrivate: in.SenderRatchetKeyPrivate,
		MessageKeys: make([]*message.KeysStructure, len(in.MessageKeys))}
	if in.ChainKey != nil {
		c.ChainKey = &chain.KeyStructure{Index: in.ChainKey.GetIndex(), Key: in.ChainKey.Key}
	}
	for i, k := range in.MessageKeys {
		c.MessageKeys[i] = &message.KeysStructure{Index: k.GetIndex(), CipherKey: k.CipherKey, MacKey: k.MacKey, IV: k.Iv}
	}
	return c
}
