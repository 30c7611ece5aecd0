package whatsapp

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

const (
	ticksDelay = 50 * time.Millisecond // how long ticks are gathered
	maxTicks   = 1000                  // in one statement
	ticksQueue = 4096                  // beyond this a tenant's reading and sending wait
)

// tick is what became of a message, or a message that is news.
type tick struct {
	tenant uuid.UUID
	waID   string
	status queries.MessageStatus // SENT, DELIVERED or READ; "": no tick
	at     time.Time
	news   []uuid.UUID // rows of message_logs to announce
	done   func()      // afterwards; nil: nobody waits
}

// receipt notes ticks. They are written in batches for the whole node, after WhatsApp was told: a crash in between costs a
// tick, never a message.
func (s *supervisor) receipt(evt *events.Receipt) {
	if evt.IsFromMe || evt.IsGroup {
		return
	}
	status := queries.MessageStatusDELIVERED
	switch evt.Type {
	case types.ReceiptTypeDelivered:
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		status = queries.MessageStatusREAD
	default:
		return
	}
	for _, id := range evt.MessageIDs {
		s.acknowledge(id, evt.Timestamp)
		s.pool.note(s.ctx, tick{tenant: s.tenant, waID: id, status: status, at: storableTime(evt.Timestamp)})
	}
}

// note has a tick written soon.
func (p *Pool) note(ctx context.Context, t tick) {
	select {
	case p.ticks <- t:
	case <-ctx.Done():
	}
}

// announce tells everybody who looks that these messages are new or have changed. It is news, not a record: where the writer
// cannot keep up it is left out, and pages show it with the next change.
func (p *Pool) announce(tenant uuid.UUID, rows []uuid.UUID) {
	if len(rows) == 0 {
		return
	}
	select {
	case p.ticks <- tick{tenant: tenant, news: rows}:
	default:
	}
}

// flushTicks waits until the ticks noted so far are written.
func (p *Pool) flushTicks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	written := make(chan struct{})
	p.note(ctx, tick{done: func() { close(written) }})
	select {
	case <-written:
	case <-ctx.Done():
	}
}

// writeTicks gathers ticks and writes them until ctx ends, and then what is left.
func (p *Pool) writeTicks(ctx context.Context) {
	for {
		var batch []tick
		select {
		case t := <-p.ticks:
			batch = append(batch, t)
		case <-ctx.Done():
			p.storeTicks(ctx, p.gathered(nil))
			return
		}
		if batch[0].done == nil || batch[0].status != "" {
			sleep(ctx, ticksDelay)
		}
		p.storeTicks(ctx, p.gathered(batch))
	}
}

func (p *Pool) gathered(batch []tick) []tick {
	for len(batch) < maxTicks {
		select {
		case t := <-p.ticks:
			batch = append(batch, t)
		default:
			return batch
		}
	}
	return batch
}

// storeTicks waits for a database that is away, as long as the node runs: meanwhile ticks queue up, and then the tenants' reading waits.
func (p *Pool) storeTicks(ctx context.Context, batch []tick) {
	var params queries.RecordTicksParams
	for _, t := range batch {
		if t.done != nil {
			defer t.done()
		}
		if t.status != "" {
			params.TenantIds = append(params.TenantIds, t.tenant)
			params.WaMessageIds = append(params.WaMessageIds, storable(t.waID, 128))
			params.Statuses = append(params.Statuses, string(t.status))
			params.Times = append(params.Times, t.at)
		}
		for _, id := range t.news {
			params.NewsTenants = append(params.NewsTenants, t.tenant)
			params.NewsIds = append(params.NewsIds, id)
		}
	}
	if len(params.TenantIds)+len(params.NewsIds) == 0 {
		return
	}
	for {
		err := retry(context.WithoutCancel(ctx), func(ctx context.Context) error { return p.q.RecordTicks(ctx, params) })
		if err == nil {
			return
		}
		if !passing(err) || !sleep(ctx, time.Second) {
			p.o.Log.Error("ticks lost", "count", len(batch), "error", err)
			return
		}
	}
}

// unmarked are a tenant's messages that WhatsApp took and the table still holds as queued.
type unmarked struct {
	mu  sync.Mutex
	ids map[uuid.UUID]struct{}
}

func (u *unmarked) add(id uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ids == nil {
		u.ids = make(map[uuid.UUID]struct{})
	}
	u.ids[id] = struct{}{}
}

func (u *unmarked) remove(id uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.ids, id)
}

func (u *unmarked) list() []uuid.UUID {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]uuid.UUID, 0, len(u.ids))
	for id := range u.ids {
		all = append(all, id)
	}
	return all
}
