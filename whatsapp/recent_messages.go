package whatsapp

import (
	"reflect"
	"sync"
	"unsafe"

	"go.mau.fi/whatsmeow"
)

// forgetSent empties whatsmeow's memory of the latest 256 messages a client sent. It takes 40 kB before the first message and
// up to 300 kB after many, a third or more of what a tenant takes, and is of no use here: a phone that asks for a message again
// gets it from message_logs (GetOutgoingEvent). whatsmeow has no switch for it. Nothing happens, and false is
// returned, when its fields are not what they are in the pinned version.
func forgetSent(cli *whatsmeow.Client) bool {
	client := reflect.ValueOf(cli).Elem()
	recent, lock := client.FieldByName("recentMessagesMap"), client.FieldByName("recentMessagesLock")
	if !recent.IsValid() || recent.Kind() != reflect.Map || !lock.IsValid() || lock.Type() != reflect.TypeFor[sync.RWMutex]() {
		return false
	}
	mu := (*sync.RWMutex)(unsafe.Pointer(lock.UnsafeAddr()))
	mu.Lock()
	defer mu.Unlock()
	reflect.NewAt(recent.Type(), unsafe.Pointer(recent.UnsafeAddr())).Elem().Set(reflect.MakeMap(recent.Type()))
	return true
}
