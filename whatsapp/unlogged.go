package whatsapp

import (
	"context"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

// undecryptable notes a customer's message that came without its text, so that the ledger knows of it if it does not come again.
// whatsmeow has acknowledged it and asked for another copy. What its sender means to hide where it cannot be read (a reaction, an
// edit) is no message to be logged, and a picture to be viewed once is not meant for linked devices.
func (s *supervisor) undecryptable(evt *events.UndecryptableMessage) {
	s.handling.RLock() // an orderly stop waits: nobody will tell us again
	defer s.handling.RUnlock()
	s.log.Warn("message could not be decrypted; asked for it again", "wa_message_id", evt.Info.ID)
	if !fromPerson(evt.Info) || evt.DecryptFailMode == events.DecryptFailHide || evt.UnavailableType == events.UnavailableTypeViewOnce {
		return
	}
	reason := queries.UnloggedReasonUNDECRYPTABLE
	if evt.IsUnavailable {
		reason = queries.UnloggedReasonUNAVAILABLE
	}
	if err := s.noteUnlogged(evt.Info, reason, nil); err != nil {
		s.log.Error("the ledger does not know of a message that is not logged", "wa_message_id", evt.Info.ID, "error", err)
	}
}

// noteUnlogged writes down that a customer's message is not in the log, and why.
func (s *supervisor) noteUnlogged(info types.MessageInfo, reason queries.UnloggedReason, cause error) error {
	var from chat
	from.note(info.Sender)
	from.note(info.SenderAlt)
	params := queries.NoteUnloggedParams{TenantID: s.tenant, WaMessageID: storable(info.ID, 128), Reason: reason, SentAt: storableTime(info.Timestamp),
		PhoneNumber: ptrOrNil(from.phone), Lid: ptrOrNil(from.lid), Name: ptrOrNil(storable(info.PushName, maxNameRunes))}
	if cause != nil {
		params.Detail = storable(cause.Error(), 300)
	}
	return retry(s.ctx, func(ctx context.Context) error { return s.pool.q.NoteUnlogged(ctx, params) })
}
