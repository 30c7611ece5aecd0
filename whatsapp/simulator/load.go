package simulator

import "sync"

type loadBook struct{ mu sync.Mutex }

func (*loadBook) observe(InboxMessage) {}
