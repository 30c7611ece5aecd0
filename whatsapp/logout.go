package whatsapp

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// Logout removes the device at WhatsApp, forgets its keys, and stops. Where WhatsApp cannot be told within 30 seconds the
// device is forgotten all the same; the phone lists it until it is removed there.
func (p *Pool) Logout(ctx context.Context, tenantID uuid.UUID) error {
	defer p.lock(tenantID)()
	query, cancel := context.WithTimeout(ctx, queryTimeout)
	t, err := p.q.GetSupervised(query, tenantID)
	cancel()
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if err == nil {
		if _, ok := p.leases.epoch(t.Shard); !ok {
			return ErrNotOwner
		}
	}
	if err := p.unlink(ctx, tenantID, deref(t.Jid)); err != nil {
		return err
	}
	return p.recordStopped(ctx, tenantID)
}

// Forget does for a tenant whose rows are gone what Logout does.
func (p *Pool) Forget(ctx context.Context, tenantID uuid.UUID, jid string) error {
	defer p.lock(tenantID)()
	return p.unlink(ctx, tenantID, jid)
}

func (p *Pool) unlink(ctx context.Context, tenantID uuid.UUID, jid string) error {
	told := false
	device := &tenantDevices{devices: p.devices, tenant: tenantID, fail: func(error) {}}
	if s := p.supervisor(tenantID); s != nil {
		if l := s.online.Load(); l != nil {
			s.leaving.Store(true)
			tell, cancel := context.WithTimeout(ctx, 15*time.Second)
			err := tellWhatsApp(tell, l.client)
			cancel()
			if told = err == nil; !told {
				s.log.Warn("WhatsApp was not told that the device is gone", "error", err)
			}
		}
		s, err := p.halt(ctx, tenantID)
		if err != nil {
			return err
		}
		if s != nil && s.device.store != nil {
			device = s.device // what whatsmeow still saves on some goroutine is refused from now on
		}
	}
	if jid == "" {
		return nil
	}
	if !told {
		if err := p.unlinkOffline(ctx, tenantID, jid); err != nil {
			p.o.Log.Warn("WhatsApp was not told that the device is gone", "tenant_id", tenantID, "error", err)
		}
	}
	return device.forget(ctx, jid)
}

// unlinkOffline logs in with a device that nobody runs, only to remove it.
func (p *Pool) unlinkOffline(ctx context.Context, tenantID uuid.UUID, jid string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	d := &tenantDevices{devices: p.devices, tenant: tenantID, fail: func(error) {}}
	row, err := d.read(ctx, jid)
	if err != nil || row == nil {
		return err
	}
	device, err := d.open(row)
	if err != nil {
		return err
	}
	cli := whatsmeow.NewClient(device, waLogger{p.o.Log.With("tenant_id", tenantID), "whatsmeow"})
	cli.EnableAutoReconnect = false
	cli.SynchronousAck = true
	cli.BackgroundEventCtx = ctx
	cli.SetWebsocketHTTPClient(p.http)
	cli.AddEventHandlerWithSuccessStatus(func(any) bool { return false }) // nothing is taken in, so nothing is confirmed
	if err := cli.ConnectContext(ctx); err != nil {
		return err
	}
	defer hangUp(cli)
	if !cli.WaitForConnection(15 * time.Second) {
		return errors.New("WhatsApp did not let us in")
	}
	return tellWhatsApp(ctx, cli)
}

// tellWhatsApp removes the device there. It is what whatsmeow's Logout sends; that also empties the device in memory, which
// whatsmeow's other goroutines still read.
func tellWhatsApp(ctx context.Context, cli *whatsmeow.Client) error {
	//lint:ignore SA1019 there is no other way to send this without the rest of Logout
	_, err := cli.DangerousInternals().SendIQ(ctx, whatsmeow.DangerousInfoQuery{
		Namespace: "md", Type: "set", To: types.ServerJID, NoRetry: true,
		Content: []waBinary.Node{{Tag: "remove-companion-device",
			Attrs: waBinary.Attrs{"jid": cli.Store.GetJID(), "reason": "user_initiated"}}},
	})
	return err
}
