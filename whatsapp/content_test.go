package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"flowhq/bot"
)

func TestContent(t *testing.T) {
	text := &waE2E.Message{Conversation: proto.String("hi")}
	wrapped := func(m *waE2E.Message) *waE2E.FutureProofMessage { return &waE2E.FutureProofMessage{Message: m} }
	image := &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("this one")}}
	for _, tt := range []struct {
		name string
		m    *waE2E.Message
		kind bot.Kind
		text string
		ok   bool
	}{
		{"text", text, bot.KindText, "hi", true},
		{"extended text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("hi")}}, bot.KindText, "hi", true},
		{"disappearing", &waE2E.Message{EphemeralMessage: wrapped(text)}, bot.KindText, "hi", true},
		{"view once", &waE2E.Message{ViewOnceMessageV2: wrapped(image)}, bot.KindImage, "this one", true},
		{"document with caption", &waE2E.Message{DocumentWithCaptionMessage: wrapped(&waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{Caption: proto.String("list")}})}, bot.KindDocument, "list", true},
		{"voice note", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{PTT: proto.Bool(true)}}, bot.KindVoice, "", true},
		{"sound", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{}}, bot.KindAudio, "", true},
		{"button", &waE2E.Message{ButtonsResponseMessage: &waE2E.ButtonsResponseMessage{Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: "Yes"}}}, bot.KindText, "Yes", true},
		{"list", &waE2E.Message{ListResponseMessage: &waE2E.ListResponseMessage{Title: proto.String("Braids")}}, bot.KindText, "Braids", true},
		{"poll", &waE2E.Message{PollCreationMessageV3: &waE2E.PollCreationMessage{}}, bot.KindPoll, "", true},
		{"something new", &waE2E.Message{OrderMessage: &waE2E.OrderMessage{}}, bot.KindUnknown, "", true},
		{"reaction", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{}}, "", "", false},
		{"edit", &waE2E.Message{EditedMessage: wrapped(&waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{EditedMessage: text}})}, "", "", false},
		{"vote", &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{}}, "", "", false},
		{"protocol", &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{}}, "", "", false},
		{"context only", &waE2E.Message{MessageContextInfo: &waE2E.MessageContextInfo{MessageSecret: []byte{1}}}, "", "", false},
		{"nothing", &waE2E.Message{}, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kind, text, ok := content((&events.Message{RawMessage: tt.m}).UnwrapRaw())
			if kind != tt.kind || text != tt.text || ok != tt.ok {
				t.Errorf("%q %q %v", kind, text, ok)
			}
		})
	}
	if _, _, ok := content(&events.Message{}); ok {
		t.Error("no message at all is answered")
	}
}

func TestFromPerson(t *testing.T) {
	person := types.NewJID("255754000001", types.DefaultUserServer)
	for _, tt := range []struct {
		name string
		src  types.MessageSource
		want bool
	}{
		{"person", types.MessageSource{Chat: person, Sender: person}, true},
		{"by LID", types.MessageSource{Chat: types.NewJID("1", types.HiddenUserServer), Sender: types.NewJID("1", types.HiddenUserServer)}, true},
		{"own", types.MessageSource{Chat: person, Sender: person, IsFromMe: true}, false},
		{"group", types.MessageSource{Chat: types.NewJID("1", types.GroupServer), Sender: person, IsGroup: true}, false},
		{"status", types.MessageSource{Chat: types.StatusBroadcastJID, Sender: person, IsGroup: true}, false},
		{"newsletter", types.MessageSource{Chat: types.NewJID("1", types.NewsletterServer), Sender: types.NewJID("1", types.NewsletterServer)}, false},
		{"WhatsApp's notices", types.MessageSource{Chat: types.PSAJID, Sender: types.PSAJID}, false},
		{"bot", types.MessageSource{Chat: types.NewJID("1", types.BotServer), Sender: types.NewJID("1", types.BotServer)}, false},
	} {
		if got := fromPerson(types.MessageInfo{MessageSource: tt.src}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, "sent"},
		{fmt.Errorf("%w 400", whatsmeow.ErrServerReturnedError), "refused"},
		{fmt.Errorf("%w 463", whatsmeow.ErrServerReturnedError), "retry"},
		{fmt.Errorf("%w 503", whatsmeow.ErrServerReturnedError), "retry"},
		{whatsmeow.ErrRecipientADJID, "refused"},
		{errors.New("no LID found for 255 from server"), "refused"},
		{whatsmeow.ErrMessageTimedOut, "unknown"},
		{fmt.Errorf("send: %w", whatsmeow.ErrNotConnected), "unknown"},
		{&whatsmeow.DisconnectedError{Action: "message send"}, "unknown"},
		{context.DeadlineExceeded, "unknown"},
		{errors.New("something else"), "retry"},
	} {
		if got := judge(tt.err).name(); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache[int, int](10)
	for i := range 1000 {
		c.set(i, i)
		if v, ok := c.get(0); i < 5 && (!ok || v != 0) {
			t.Fatal("lost what was used")
		}
	}
	if n := len(c.new) + len(c.old); n > 20 {
		t.Errorf("%d entries", n)
	}
	if v, ok := c.get(0); !ok || v != 0 {
		t.Error("what is used all the time went")
	}
}
