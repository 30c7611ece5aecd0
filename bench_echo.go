package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"flowhq/whatsapp/simulator"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types/events"
	"go.mau.fi/whatsmeow/util/keys"
	waLog "go.mau.fi/whatsmeow/util/log"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
)

const (
	echoPairWord     = "pair"
	echoPairFastWord = "pair-fast" // with its prekeys stored in one statement
	echoReadyWord    = "ready"
	echoQRWord       = "qr "
	echoConns        = 20 // as many as Flow HQ's pools hold
)

// benchEcho is the yardstick: whatsmeow as it comes, with its own store on Postgres, and a handler that sends the text of
// each message back. It logs nothing and guarantees nothing.
func (c command) benchEcho(ctx context.Context, orders <-chan string) error {
	var quiet logger.Loggable = noSignalLog{}
	logger.Setup(&quiet)
	key, err := hex.DecodeString(c.getenv("WHATSAPP_ROOT_KEY"))
	if err != nil || len(key) != 32 {
		return errors.New("WHATSAPP_ROOT_KEY: no key")
	}
	whatsmeow.WACertPubKey = [32]byte(key)
	hc, err := simulator.HTTPClient(c.getenv("WHATSAPP_URL"))
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", c.getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(echoConns)
	db.SetMaxIdleConns(echoConns)
	container := sqlstore.NewWithDB(db, "postgres", waLog.Noop)
	if err := container.Upgrade(ctx); err != nil {
		return err
	}
	devices, err := container.GetAllDevices(ctx)
	if err != nil {
		return err
	}
	connect := func(device *store.Device, fast bool) *whatsmeow.Client {
		client := whatsmeow.NewClient(device, waLog.Noop)
		client.SetWebsocketHTTPClient(hc)
		client.SetPreLoginHTTPClient(hc)
		client.AddEventHandler(func(event any) {
			switch e := event.(type) {
			case *events.QR:
				fmt.Fprintln(c.stdout, echoQRWord+e.Codes[0])
			case *events.PairSuccess:
				if fast {
					device.PreKeys = &firstPreKeys{device.PreKeys, db, e.ID.String()}
				}
			case *events.Message:
				echoMessage(ctx, client, e)
			}
		})
		return client
	}
	var clients []*whatsmeow.Client
	defer func() {
		for _, client := range clients {
			client.Disconnect()
		}
	}()
	var dials errgroup.Group
	dials.SetLimit(benchPairing)
	for _, device := range devices {
		client := connect(device, false)
		clients = append(clients, client)
		dials.Go(client.Connect)
	}
	if err := dials.Wait(); err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, echoReadyWord)
	for {
		select {
		case <-ctx.Done():
			return nil
		case order := <-orders:
			if order != echoPairWord && order != echoPairFastWord {
				return fmt.Errorf("unknown order %q", order)
			}
			client := connect(container.NewDevice(), order == echoPairFastWord)
			clients = append(clients, client)
			dials.Go(client.Connect)
		}
	}
}

func echoMessage(ctx context.Context, client *whatsmeow.Client, m *events.Message) {
	text := m.Message.GetConversation()
	if text == "" || m.Info.IsFromMe || m.Info.IsGroup {
		return
	}
	_, _ = client.SendMessage(ctx, m.Info.Chat, &waE2E.Message{Conversation: proto.String(text)}) // a lost one is noticed at the phone
}

// noSignalLog silences libsignal, which would print to standard output.
type noSignalLog struct{}

func (noSignalLog) Debug(string, string)   {}
func (noSignalLog) Info(string, string)    {}
func (noSignalLog) Warning(string, string) {}
func (noSignalLog) Error(string, string)   {}
func (noSignalLog) Configure(string)       {}

// firstPreKeys stores a new device's prekeys in one statement. The yardstick's own way, a statement for each of the 812, is
// what its linking rate shows; beyond the tenants that are linked for that it would only take time.
type firstPreKeys struct {
	store.PreKeyStore
	db  *sql.DB
	jid string
}

func (s *firstPreKeys) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	fresh := make([]*keys.PreKey, count)
	ids, privates := make([]int32, count), make([][]byte, count)
	for i := range fresh {
		fresh[i] = keys.NewPreKey(uint32(i) + 1)
		ids[i], privates[i] = int32(i)+1, fresh[i].Priv[:]
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded) SELECT $1, unnest($2::integer[]), unnest($3::bytea[]), false`, s.jid, ids, privates)
	return fresh, err
}

// echoDriver runs the echo loop as a process.
type echoDriver struct {
	bench *bench
	env   []string
}

func (d *echoDriver) start(ctx context.Context) (*benchProcess, error) {
	p, err := startBenchProcess(ctx, d.bench.dir, "echo", d.env, benchEchoWord)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := p.line(limited, echoReadyWord); err != nil {
		_ = p.stop() // why it did not start is told already
		return nil, err
	}
	return p, nil
}

func (d *echoDriver) pair(ctx context.Context, p *benchProcess, numbers []string, timed bool) error {
	order := map[bool]string{true: echoPairWord, false: echoPairFastWord}[timed]
	ctx, cancel := context.WithTimeout(ctx, benchPairTimeout)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(benchPairing)
	for _, number := range numbers {
		group.Go(func() error {
			if err := p.order(order); err != nil {
				return err
			}
			code, err := p.line(ctx, echoQRWord) // anybody's: any phone may scan it
			if err != nil {
				return err
			}
			if _, err := d.bench.simulator.Scan(ctx, code, number); err != nil {
				return err
			}
			return d.bench.simulator.WaitConnected(ctx, number)
		})
	}
	return group.Wait()
}

func (d *echoDriver) settled(context.Context, int) error { return nil }

func (d *echoDriver) finished(context.Context, time.Time) (bool, error) { return true, nil }

func (d *echoDriver) verify(context.Context, time.Time, []string, int) (string, error) {
	return "", nil
}

func (d *echoDriver) limit(context.Context, string, *int) error { return nil }

// verifyFlood: it knows no limit, so it has to answer everything.
func (d *echoDriver) verifyFlood(_ context.Context, _ time.Time, flood simulator.LoadReport, _ string) (string, error) {
	if flood.Missing+flood.Doubled == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d of %d messages not answered, %d answered more than once", flood.Missing, flood.Sent, flood.Doubled), nil
}
