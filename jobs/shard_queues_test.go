package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"flowhq/database/databasetest"
	"flowhq/queries/settings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

func TestMain(m *testing.M) { databasetest.Main(m) }

// startOnly is a Pool of which a test needs nothing but a slow Start.
type startOnly struct {
	Pool
	started chan uuid.UUID
	hold    chan struct{} // Start returns when it is closed
}

func (p *startOnly) Start(_ context.Context, id uuid.UUID) error {
	p.started <- id
	<-p.hold // also when told to stop: as a job that waits for a database which hangs
	return nil
}

// A queue whose jobs do not end in time when the shard is lost is worked again once the shard is back: no job waits for ever.
func TestQueueOfALostAndRegainedShard(t *testing.T) {
	db := databasetest.New(t)
	log := slog.New(slog.DiscardHandler)
	pool := &startOnly{started: make(chan uuid.UUID, 1), hold: make(chan struct{})}
	client, err := NewWorker(WorkerOptions{
		DB: db.System, Log: log, RiverLog: log, Pool: pool, NotOwner: context.Canceled,
		Settings: settings.New(db.System, settings.Defaults(), nil, slog.New(slog.DiscardHandler)), SoftStopTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	queues := NewShardQueues(client, log)
	ended := make(chan struct{})
	go func() { defer close(ended); queues.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		stopping, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := client.Stop(stopping); err != nil {
			t.Error(err)
		}
	})
	start := func() uuid.UUID {
		id := uuid.New()
		if err := pgx.BeginFunc(ctx, db.System, func(tx pgx.Tx) error {
			_, err := client.InsertTx(ctx, tx, TenantStart{TenantID: id}, &river.InsertOpts{Queue: ShardQueue(3)})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	worked := func(want uuid.UUID) {
		select {
		case got := <-pool.started:
			if got != want {
				t.Fatalf("worked %s, want %s", got, want)
			}
		case <-ctx.Done():
			t.Fatal("the job was never worked")
		}
	}

	queues.Change([]int16{3}, nil)
	worked(start())
	queues.Change(nil, []int16{3}) // the job above holds the queue beyond queueStopTimeout
	select {
	case <-time.After(queueStopTimeout + queueRetry/2):
	case <-ctx.Done():
	}
	queues.Change([]int16{3}, nil)
	next := start()
	close(pool.hold)
	worked(next)
}
