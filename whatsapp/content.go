package whatsapp

import (
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/reflect/protoreflect"

	"flowhq/bot"
)

// What becomes of a received message:
//
//	what                                              logged  answered
//	text, button and list answers, from a person      yes     as the bot decides
//	picture, video, voice, sound, document, sticker,  yes     as the bot decides (its caption counts as the text)
//	location, contact card, poll, anything else       yes     as the bot decides
//	own messages, from the phone or another device    no      no
//	groups, communities, status, broadcast lists      no      no
//	newsletters (channels), Meta's bots, notices      no      no
//	reactions, edits, deletions, poll votes, pins     no      no
//	protocol messages (keys, timers, history)         no      no
//
// Wrappers (disappearing, view once, document with caption) are opened by whatsmeow.

// fromPerson reports whether a message comes from a person in a chat of two.
func fromPerson(info types.MessageInfo) bool {
	if info.IsFromMe || info.IsGroup || info.Category == "peer" || info.Sender.IsBot() || info.Chat.IsBot() {
		return false
	}
	switch info.Chat.Server {
	case types.DefaultUserServer, types.HiddenUserServer:
		return info.Chat.User != types.PSAJID.User && info.Chat.User != ""
	}
	return false
}

// content is the kind of a message and what can be read of it; ok is false for what is ignored on purpose.
func content(evt *events.Message) (kind bot.Kind, text string, ok bool) {
	m := evt.Message
	if m == nil || evt.IsEdit {
		return "", "", false
	}
	switch {
	case m.Conversation != nil:
		return bot.KindText, m.GetConversation(), true
	case m.ExtendedTextMessage != nil:
		return bot.KindText, m.GetExtendedTextMessage().GetText(), true
	case m.ButtonsResponseMessage != nil:
		return bot.KindText, m.GetButtonsResponseMessage().GetSelectedDisplayText(), true
	case m.TemplateButtonReplyMessage != nil:
		return bot.KindText, m.GetTemplateButtonReplyMessage().GetSelectedDisplayText(), true
	case m.ListResponseMessage != nil:
		return bot.KindText, m.GetListResponseMessage().GetTitle(), true
	case m.InteractiveResponseMessage != nil:
		return bot.KindText, m.GetInteractiveResponseMessage().GetBody().GetText(), true
	case m.ImageMessage != nil:
		return bot.KindImage, m.GetImageMessage().GetCaption(), true
	case m.VideoMessage != nil:
		return bot.KindVideo, m.GetVideoMessage().GetCaption(), true
	case m.PtvMessage != nil:
		return bot.KindVideo, "", true
	case m.AudioMessage != nil:
		if m.GetAudioMessage().GetPTT() {
			return bot.KindVoice, "", true
		}
		return bot.KindAudio, "", true
	case m.DocumentMessage != nil:
		return bot.KindDocument, m.GetDocumentMessage().GetCaption(), true
	case m.StickerMessage != nil:
		return bot.KindSticker, "", true
	case m.LocationMessage != nil:
		return bot.KindLocation, strings.TrimSpace(m.GetLocationMessage().GetName() + " " + m.GetLocationMessage().GetAddress()), true
	case m.LiveLocationMessage != nil:
		return bot.KindLocation, m.GetLiveLocationMessage().GetCaption(), true
	case m.ContactMessage != nil:
		return bot.KindContact, m.GetContactMessage().GetDisplayName(), true
	case m.ContactsArrayMessage != nil:
		return bot.KindContact, m.GetContactsArrayMessage().GetDisplayName(), true
	case m.PollCreationMessage != nil, m.PollCreationMessageV2 != nil, m.PollCreationMessageV3 != nil:
		return bot.KindPoll, "", true
	case silent(m):
		return "", "", false
	}
	return bot.KindUnknown, "", true
}

// silent recognises what is not a message to anybody: it changes another one or serves the devices among themselves.
func silent(m *waE2E.Message) bool {
	switch {
	case m.ProtocolMessage != nil, m.ReactionMessage != nil, m.EncReactionMessage != nil, m.PollUpdateMessage != nil,
		m.KeepInChatMessage != nil, m.PinInChatMessage != nil, m.EditedMessage != nil, m.SecretEncryptedMessage != nil,
		m.EncEventResponseMessage != nil, m.EncCommentMessage != nil, m.SenderKeyDistributionMessage != nil,
		m.FastRatchetKeySenderKeyDistributionMessage != nil, m.DeviceSentMessage != nil, m.PlaceholderMessage != nil,
		m.MessageHistoryBundle != nil, m.CallLogMesssage != nil, m.Call != nil, m.BcallMessage != nil:
		return true
	}
	return bare(m)
}

// bare reports whether a message holds nothing but its context.
func bare(m *waE2E.Message) bool {
	empty := true
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		empty = field.Name() == "messageContextInfo"
		return empty
	})
	return empty
}
