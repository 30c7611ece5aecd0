package whatsapp

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
)

const (
	readyLimit = 64 // answers that come to the sender directly; beyond that they wait in the table
	claimMost  = 16 // messages claimed at once
	readyTurns = 32 // after which the table has its turn
)

// reserve keeps a place for the answer of a chat whose message is being decided, so that it need not be found in the table. It
// refuses where the answer might overtake an earlier message of the chat, or be claimed twice. A nil sender refuses.
func (o *sender) reserve(conversation uuid.UUID) bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, waits := o.waiting[conversation]; waits || o.ended() || o.behind || o.claiming || len(o.ready)+len(o.reserved) >= readyLimit {
		return false
	}
	if o.reserved == nil {
		o.reserved = make(map[uuid.UUID]int)
	}
	o.reserved[conversation]++
	return true
}

// hand gives the answers for which a place was reserved, in the order of decision. None: they have to be found in the table.
func (o *sender) hand(conversation uuid.UUID, out []outgoing) {
	defer func() {
		if o.ended() { // its connection broke meanwhile, and the next one's sender may have looked at the table already
			o.s.wakeSender()
		}
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reserved[conversation]--; o.reserved[conversation] <= 0 {
		delete(o.reserved, conversation)
	}
	if o.behind || len(out) == 0 { // an earlier message of the chat may be in the table only
		o.behind, o.woken = true, true
	} else {
		o.ready = append(o.ready, out...)
	}
	o.work()
}

// wait keeps a chat's messages back until a time; not earlier than it has to wait anyway. Those that were claimed are found in
// the table again.
func (o *sender) wait(conversation uuid.UUID, until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = make(map[uuid.UUID]time.Time)
	}
	if until.After(o.waiting[conversation]) {
		o.waiting[conversation] = until
	}
	o.behind = true
	o.ready = slices.DeleteFunc(o.ready, func(m outgoing) bool { return m.conversation == conversation })
}

// next is the message to send now; nil: there is none.
func (o *sender) next() (*outgoing, error) {
	if !o.s.pool.leases.holds(o.s.shard, o.s.epoch) {
		return nil, ErrNotOwner
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.behind && (len(o.ready) == 0 || o.turns >= readyTurns) {
		if err := o.claim(); err != nil {
			return nil, err
		}
	}
	if len(o.ready) == 0 {
		return nil, nil
	}
	m := o.ready[0]
	if o.ready = o.ready[1:]; len(o.ready) == 0 {
		o.ready = nil
	}
	o.turns++
	return &m, nil
}

// claim moves queued messages from the table to ready, except those of chats that wait or have messages on their way already.
// o.mu is held, and released meanwhile.
func (o *sender) claim() error {
	aside := make(map[uuid.UUID]struct{})
	held := false // something that is only left out for the moment
	for conversation, until := range o.waiting {
		if time.Now().Before(until) {
			aside[conversation] = struct{}{}
		} else {
			delete(o.waiting, conversation)
		}
	}
	held = len(aside) > 0
	for conversation := range o.reserved {
		aside[conversation], held = struct{}{}, true
	}
	sent := o.s.unmarked.list()
	for _, m := range o.ready {
		aside[m.conversation], held = struct{}{}, true
		sent = append(sent, m.id) // its chat may have become part of another one
	}
	params := queries.ClaimMessagesParams{TenantID: o.s.tenant, Shard: o.s.shard, NodeID: &o.s.pool.node, Epoch: o.s.epoch,
		OnlyKnown: o.s.onlyKnown(), Most: claimMost, Waiting: slices.AppendSeq(make([]uuid.UUID, 0, len(aside)), maps.Keys(aside)), Sent: sent}
	o.claiming, o.woken, o.turns = true, false, 0
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(o.ctx, queryTimeout)
	rows, err := o.s.pool.q.ClaimMessages(ctx, params)
	cancel()
	o.mu.Lock()
	o.claiming = false
	if err != nil {
		o.woken = true
		return err
	}
	slices.SortFunc(rows, func(a, b queries.ClaimMessagesRow) int { return cmp.Compare(*a.Seq, *b.Seq) })
	for _, r := range rows {
		o.ready = append(o.ready, outgoing{id: r.ID, conversation: r.ConversationID, waID: r.WaMessageID, text: r.MessageText,
			phone: deref(r.PhoneNumber), lid: deref(r.Lid)})
	}
	o.behind = held || o.woken || len(rows) == claimMost
	return nil
}
