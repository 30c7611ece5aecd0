package simulator

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// built is a message and what its stanza needs to say about it.
type built struct {
	message   *waE2E.Message
	stanza    string    // the stanza's type
	edit      string    // the stanza's edit attribute
	chat      types.JID // a group or the status list; empty for 1:1
	plaintext bool      // newsletters are not encrypted
	fromPhone bool      // sent by the business itself, on its phone
	hidden    bool      // not something a customer's chat shows
}

var groupJID = types.NewJID("120363000000000002", types.GroupServer)

func mediaKey() []byte { return []byte(strings.Repeat("k", 32)) }

// kinds are the messages a customer can send. Media have no bytes to download.
var kinds = map[string]func(r SendRequest, contact, business *phone) built{
	"text": func(r SendRequest, _, _ *phone) built {
		return built{message: text(r.Text), stanza: "text"}
	},
	"image": func(r SendRequest, _, _ *phone) built {
		return media(&waE2E.Message{ImageMessage: &waE2E.ImageMessage{
			Caption: orNil(r.Text), Mimetype: proto.String("image/jpeg"), MediaKey: mediaKey(), FileLength: proto.Uint64(48_000), FileSHA256: mediaKey(), FileEncSHA256: mediaKey(),
			DirectPath: proto.String("/v/none"), Width: proto.Uint32(640), Height: proto.Uint32(480),
		}})
	},
	"voice": func(SendRequest, *phone, *phone) built {
		return media(&waE2E.Message{AudioMessage: &waE2E.AudioMessage{
			PTT: proto.Bool(true), Seconds: proto.Uint32(4), Mimetype: proto.String("audio/ogg; codecs=opus"), MediaKey: mediaKey(), FileLength: proto.Uint64(9_000),
			FileSHA256: mediaKey(), FileEncSHA256: mediaKey(), DirectPath: proto.String("/v/none"),
		}})
	},
	"video": func(r SendRequest, _, _ *phone) built {
		return media(&waE2E.Message{VideoMessage: &waE2E.VideoMessage{
			Caption: orNil(r.Text), Seconds: proto.Uint32(8), Mimetype: proto.String("video/mp4"), MediaKey: mediaKey(), FileLength: proto.Uint64(900_000),
			FileSHA256: mediaKey(), FileEncSHA256: mediaKey(), DirectPath: proto.String("/v/none"),
		}})
	},
	"document": func(r SendRequest, _, _ *phone) built {
		return media(&waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
			Caption: orNil(r.Text), FileName: proto.String("order.pdf"), Title: proto.String("order.pdf"), Mimetype: proto.String("application/pdf"), MediaKey: mediaKey(),
			FileLength: proto.Uint64(20_000), FileSHA256: mediaKey(), FileEncSHA256: mediaKey(), DirectPath: proto.String("/v/none"),
		}})
	},
	"sticker": func(SendRequest, *phone, *phone) built {
		return media(&waE2E.Message{StickerMessage: &waE2E.StickerMessage{Mimetype: proto.String("image/webp"), MediaKey: mediaKey(), FileSHA256: mediaKey(), FileEncSHA256: mediaKey(), DirectPath: proto.String("/v/none")}})
	},
	"location": func(r SendRequest, _, _ *phone) built {
		return media(&waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(-6.7924), DegreesLongitude: proto.Float64(39.2083), Name: orNil(r.Text)}})
	},
	"contact": func(r SendRequest, contact, _ *phone) built {
		return media(&waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: orNil(r.Text), Vcard: proto.String("BEGIN:VCARD\nVERSION:3.0\nTEL:+" + contact.number + "\nEND:VCARD")}})
	},
	"group": func(r SendRequest, _, _ *phone) built {
		return built{message: text(r.Text), stanza: "text", chat: groupJID, hidden: true}
	},
	"status": func(r SendRequest, _, _ *phone) built {
		return built{message: text(r.Text), stanza: "text", chat: types.StatusBroadcastJID, hidden: true}
	},
	"newsletter": func(r SendRequest, _, _ *phone) built {
		return built{message: text(r.Text), stanza: "text", plaintext: true, hidden: true}
	},
	"reaction": func(r SendRequest, contact, business *phone) built {
		emoji := r.Text
		if emoji == "" {
			emoji = "👍"
		}
		return built{stanza: "reaction", message: &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{
			Key: &waCommon.MessageKey{RemoteJID: proto.String(business.pn().String()), FromMe: proto.Bool(false), ID: proto.String(r.Target)}, Text: proto.String(emoji), SenderTimestampMS: proto.Int64(time.Now().UnixMilli()),
		}}}
	},
	"edit": func(r SendRequest, _, business *phone) built {
		return built{stanza: "text", edit: string(types.EditAttributeMessageEdit), message: &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
			ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), Key: ownKey(r, business), EditedMessage: text(r.Text), TimestampMS: proto.Int64(time.Now().UnixMilli())},
		}}}}
	},
	"revoke": func(r SendRequest, _, business *phone) built {
		return built{stanza: "text", edit: string(types.EditAttributeSenderRevoke), message: &waE2E.Message{
			ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_REVOKE.Enum(), Key: ownKey(r, business)},
		}}
	},
	"protocol": func(SendRequest, *phone, *phone) built {
		return built{stanza: "text", hidden: true, message: &waE2E.Message{
			ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_EPHEMERAL_SETTING.Enum(), EphemeralExpiration: proto.Uint32(86400)},
		}}
	},
	"own": func(r SendRequest, contact, _ *phone) built {
		return built{stanza: "text", fromPhone: true, hidden: true, message: &waE2E.Message{
			DeviceSentMessage: &waE2E.DeviceSentMessage{DestinationJID: proto.String(contact.pn().String()), Message: text(r.Text)},
		}}
	},
}

// ownKey names an earlier message of the sender's own.
func ownKey(r SendRequest, business *phone) *waCommon.MessageKey {
	return &waCommon.MessageKey{RemoteJID: proto.String(business.pn().String()), FromMe: proto.Bool(true), ID: proto.String(r.Target)}
}

func text(s string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(s)} }

func media(m *waE2E.Message) built { return built{message: m, stanza: "media"} }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Kinds lists what SendRequest.Kind may be.
func Kinds() []string {
	out := make([]string, 0, len(kinds))
	for k := range kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func kindNames() string { return strings.Join(Kinds(), ", ") }

// describe says what a phone shows of a message: its kind, its text, and the id of the message it quotes or is about.
func describe(m *waE2E.Message) (kind, body, about string) {
	if inner := m.GetEphemeralMessage().GetMessage(); inner != nil {
		m = inner
	}
	if inner := m.GetEditedMessage().GetMessage(); inner != nil {
		m = inner
	}
	switch {
	case m.GetProtocolMessage().GetType() == waE2E.ProtocolMessage_MESSAGE_EDIT && m.GetProtocolMessage() != nil:
		_, body, _ = describe(m.GetProtocolMessage().GetEditedMessage())
		return "edit", body, m.GetProtocolMessage().GetKey().GetID()
	case m.GetProtocolMessage() != nil:
		return "protocol", "", m.GetProtocolMessage().GetKey().GetID()
	case m.GetReactionMessage() != nil:
		return "reaction", m.GetReactionMessage().GetText(), m.GetReactionMessage().GetKey().GetID()
	case m.GetExtendedTextMessage() != nil:
		return "text", m.GetExtendedTextMessage().GetText(), m.GetExtendedTextMessage().GetContextInfo().GetStanzaID()
	case m.GetImageMessage() != nil:
		return "image", m.GetImageMessage().GetCaption(), ""
	case m.GetVideoMessage() != nil:
		return "video", m.GetVideoMessage().GetCaption(), ""
	case m.GetAudioMessage() != nil:
		return "voice", "", ""
	case m.GetDocumentMessage() != nil:
		return "document", m.GetDocumentMessage().GetCaption(), ""
	case m.GetLocationMessage() != nil:
		return "location", m.GetLocationMessage().GetName(), ""
	case m.Conversation != nil:
		return "text", m.GetConversation(), ""
	}
	return "other", "", ""
}
