package whatsapp

import (
	"reflect"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
)

// An update of whatsmeow that renames the fields is noticed here, not by the memory of a machine.
func TestForgetSentKnowsWhatsmeow(t *testing.T) {
	cli := whatsmeow.NewClient(&store.Device{}, nil)
	before := reflect.ValueOf(cli).Elem().FieldByName("recentMessagesMap").Pointer()
	if !forgetSent(cli) {
		t.Fatal("whatsmeow's memory of sent messages is not where it was")
	}
	after := reflect.ValueOf(cli).Elem().FieldByName("recentMessagesMap")
	if after.Pointer() == before || after.IsNil() || after.Len() != 0 {
		t.Errorf("the memory was not replaced by an empty one: %v", after)
	}
}
