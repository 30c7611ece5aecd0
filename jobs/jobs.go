// Package jobs holds what Flow HQ does through River, one kind of job per file, and the commands that ask for it.
// Jobs of a tenant go to the queue of the tenant's shard, so that the node that holds the shard works them.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"flowhq/queries/settings"
)

// Pool is what the jobs need of the pool of WhatsApp clients. Every method is idempotent.
type Pool interface {
	Start(ctx context.Context, tenantID uuid.UUID) error // returns once the tenant is looked after, not once connected
	Stop(ctx context.Context, tenantID uuid.UUID) error  // keeps the link
	Restart(ctx context.Context, tenantID uuid.UUID) error
	Logout(ctx context.Context, tenantID uuid.UUID) error             // unlinks at WhatsApp and stops
	Forget(ctx context.Context, tenantID uuid.UUID, jid string) error // the same for a tenant whose rows are gone
	PairCode(ctx context.Context, tenantID uuid.UUID, phone string) (string, error)
	Send(ctx context.Context, tenantID, messageID uuid.UUID) error
}

// snooze is how long a job waits that arrived on a node which has just given up the shard.
const snooze = time.Second

// snoozeElsewhere lets a job wait whose tenant is another node's by now: that node works it.
func snoozeElsewhere(notOwner error) rivertype.Middleware {
	return river.WorkerMiddlewareFunc(func(ctx context.Context, _ *rivertype.JobRow, work func(context.Context) error) error {
		err := work(ctx)
		if err != nil && errors.Is(err, notOwner) {
			return river.JobSnooze(snooze)
		}
		return err
	})
}

// ShardQueue names the River queue of a shard.
func ShardQueue(shard int16) string { return fmt.Sprintf("shard_%d", shard) }

// shardQueueConfig: a message is picked up as soon as its insertion is announced; polling only catches what an announcement
// missed.
var shardQueueConfig = river.QueueConfig{MaxWorkers: 16, FetchPollInterval: 2 * time.Second}

// fetchCooldown is how soon a second announcement of jobs in one queue follows the first. It is a setting of whoever inserts
// as well: what is not announced waits for the next poll.
const fetchCooldown = 5 * time.Millisecond

// WorkerOptions are the settings of a worker node's jobs.
type WorkerOptions struct {
	DB              *pgxpool.Pool
	Log, RiverLog   *slog.Logger
	Pool            Pool  // nil: a web process, which works what belongs to no tenant
	NotOwner        error // what Pool returns for a tenant whose shard this node does not hold
	Settings        *settings.Store
	Links           string        // the address that links in mails begin with, without a slash at its end
	Node            string        // what this process is called
	SoftStopTimeout time.Duration // how long running jobs may go on after the client was told to stop
}

// NewWorker gives the client of a worker node. It works the queue "default" (periodic jobs); the queues of shards come and go
// with their leases, see ShardQueues. Web processes work "default" too: the sweep must go on when the last worker has died.
func NewWorker(o WorkerOptions) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	if o.Pool != nil {
		river.AddWorker(workers, &tenantStartWorker{pool: o.Pool})
		river.AddWorker(workers, &tenantStopWorker{pool: o.Pool})
		river.AddWorker(workers, &tenantRestartWorker{pool: o.Pool})
		river.AddWorker(workers, &tenantLogoutWorker{pool: o.Pool})
		river.AddWorker(workers, &tenantForgetWorker{pool: o.Pool})
		river.AddWorker(workers, &tenantPairCodeWorker{pool: o.Pool})
		river.AddWorker(workers, &messageSendWorker{pool: o.Pool})
	}
	river.AddWorker(workers, &staleSweepWorker{db: o.DB, log: o.Log, settings: o.Settings})
	river.AddWorker(workers, &cleanupWorker{db: o.DB})
	river.AddWorker(workers, &setupTellWorker{db: o.DB})
	river.AddWorker(workers, &mailSendWorker{db: o.DB, log: o.Log, settings: o.Settings, links: o.Links})
	river.AddWorker(workers, &searchIndexWorker{db: o.DB})
	river.AddWorker(workers, &messageCountWorker{db: o.DB})
	river.AddWorker(workers, &retentionWorker{db: o.DB, settings: o.Settings})
	river.AddWorker(workers, &closeTenantsWorker{db: o.DB})
	river.AddWorker(workers, &bulkRunWorker{db: o.DB, log: o.Log})
	river.AddWorker(workers, &importRunWorker{db: o.DB, log: o.Log})
	var periodic []*river.PeriodicJob
	for _, s := range Schedules() {
		periodic = append(periodic, s.periodic(s.In(o.Settings.Now())))
	}
	return river.NewClient(riverpgxv5.New(o.DB), &river.Config{
		Logger:                      o.RiverLog,
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}, bulkQueue: {MaxWorkers: 2}},
		PeriodicJobs:                periodic,
		FetchCooldown:               fetchCooldown,
		SkipUnknownJobCheck:         o.Pool == nil, // a web process inserts jobs that it does not work
		Middleware:                  []rivertype.Middleware{snoozeElsewhere(o.NotOwner), noteRuns(o.DB, o.Node, o.Log)},
		JobTimeout:                  time.Minute,
		RescueStuckJobsAfter:        2 * time.Minute,
		CompletedJobRetentionPeriod: time.Hour, // a job for each message from the web or the API: the log is in message_logs
		SoftStopTimeout:             o.SoftStopTimeout,
	})
}
