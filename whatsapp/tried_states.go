package whatsapp

import (
	"go.mau.fi/libsignal/state/record"
	"google.golang.org/protobuf/encoding/protowire"
)

// withoutTrials gives a session after a message was decrypted in it, without what trying has done to it. A contact has several
// sessions where both sides began one at the same time. The Signal library tries a message on each of them in place: one that it
// does not belong to is moved on all the same, and the next message that does belong to it cannot be read. It also keeps
// some twice.
func withoutTrials(before, after []byte) []byte {
	if before == nil || !hasPrevious(after) {
		return after
	}
	now, err := sessions.Deserialize(after)
	if err != nil {
		return after
	}
	was, err := sessions.Deserialize(before)
	if err != nil {
		return after
	}
	untried := make(map[string]*record.StateStructure, 1+len(was.PreviousStates))
	for _, s := range append(was.PreviousStates, was.SessionState) {
		untried[string(s.SenderBaseKey)] = s
	}
	kept := now.PreviousStates[:0]
	seen := map[string]bool{string(now.SessionState.SenderBaseKey): true} // the one that decrypted it
	for _, s := range now.PreviousStates {
		key := string(s.SenderBaseKey)
		if seen[key] {
			continue
		}
		seen[key] = true
		if old := untried[key]; old != nil {
			s = old
		}
		kept = append(kept, s)
	}
	now.PreviousStates = kept
	return sessions.Serialize(now)
}

// fieldPrevious is the field of the Signal library's RecordStructure that holds earlier sessions.
const fieldPrevious = 2

// hasPrevious reports whether a stored session has earlier ones beside it, which is rare.
func hasPrevious(raw []byte) bool {
	for len(raw) > 0 {
		field, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return true // not ours, or JSON: look properly
		}
		if field == fieldPrevious {
			return true
		}
		m := protowire.ConsumeFieldValue(field, kind, raw[n:])
		if m < 0 {
			return true
		}
		raw = raw[n+m:]
	}
	return false
}
