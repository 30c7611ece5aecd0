package whatsapp

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"flowhq/queries"
)

const (
	receiptsDelay = 50 * time.Millisecond // how long receipts are gathered
	maxReceipts   = 1000                  // in one statement
	receiptsQueue = 4096                  // beyond this a tenant's reading waits
)

type receipt struct {
	tenant uuid.UUID
	waID   string
	read   bool
	at     time.Time
}

// receipt notes ticks. They are written in batches for the whole node, after WhatsApp was told: a crash in between costs a
// tick, never a message.
func (s *supervisor) receipt(evt *events.Receipt) {
	if evt.IsFromMe || evt.IsGroup {
		return
	}
	var read bool
	switch evt.Type {
	case types.ReceiptTypeDelivered:
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		read = true
	default:
		return
	}
	for _, id := range evt.MessageIDs {
		s.acknowledge(id, evt.Timestamp)
		select {
		case s.pool.receipts <- receipt{tenant: s.tenant, waID: id, read: read, at: evt.Timestamp}:
		case <-s.ctx.Done():
			return
		}
	}
}

// writeReceipts gathers receipts and writes them until ctx ends, and then what is left.
func (p *Pool) writeReceipts(ctx context.Context) {
	for {
		var batch []receipt
		select {
		case r := <-p.receipts:
			batch = append(batch, r)
		case <-ctx.Done():
			p.storeReceipts(ctx, p.gathered(nil))
			return
		}
		sleep(ctx, receiptsDelay)
		p.storeReceipts(ctx, p.gathered(batch))
	}
}

func (p *Pool) gathered(batch []receipt) []receipt {
	for len(batch) < maxReceipts {
		select {
		case r := <-p.receipts:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// storeReceipts waits for a database that is away, as long as the node runs: meanwhile receipts queue up, and then the tenants' reading waits.
func (p *Pool) storeReceipts(ctx context.Context, batch []receipt) {
	if len(batch) == 0 {
		return
	}
	var params queries.RecordReceiptsParams
	for _, r := range batch {
		params.TenantIds = append(params.TenantIds, r.tenant)
		params.WaMessageIds = append(params.WaMessageIds, storable(r.waID, 128))
		params.Reads = append(params.Reads, r.read)
		params.Times = append(params.Times, r.at)
	}
	for {
		err := retry(context.WithoutCancel(ctx), func(ctx context.Context) error { return p.q.RecordReceipts(ctx, params) })
		if err == nil {
			return
		}
		if !passing(err) || !sleep(ctx, time.Second) {
			p.o.Log.Error("receipts lost", "count", len(batch), "error", err)
			return
		}
	}
}
