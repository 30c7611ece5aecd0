package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

const (
	queueStopTimeout = 5 * time.Second // for the jobs at work in a queue that is given up
	queueRetry       = time.Second
)

// ShardQueues keeps River working the queues of the shards that this node holds, and no others. A queue that could not be
// stopped or started is tried again until it is as it should be: a node that holds a shard whose queue nobody works would
// leave its tenants' jobs waiting without a sign.
type ShardQueues struct {
	client *river.Client[pgx.Tx]
	log    *slog.Logger
	wake   chan struct{}

	mu     sync.Mutex
	wanted map[int16]bool
	// What River was told; only Run touches it. stopping: the queue may have stopped, so it has to be removed before it can
	// be added again.
	told map[int16]queueState
}

type queueState int

const (
	working queueState = iota + 1
	stopping
)

// NewShardQueues prepares; Run does the work.
func NewShardQueues(client *river.Client[pgx.Tx], log *slog.Logger) *ShardQueues {
	return &ShardQueues{client: client, log: log, wake: make(chan struct{}, 1), wanted: map[int16]bool{}, told: map[int16]queueState{}}
}

// Change notes which shards this node gained and lost. It returns at once: a job that arrives on the wrong node meanwhile is
// snoozed.
func (q *ShardQueues) Change(gained, lost []int16) {
	q.mu.Lock()
	for _, shard := range lost {
		q.wanted[shard] = false
	}
	for _, shard := range gained {
		q.wanted[shard] = true
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Run brings River in line with every change until ctx ends.
func (q *ShardQueues) Run(ctx context.Context) {
	for {
		var retry <-chan time.Time
		if err := q.reconcile(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("job queues do not follow the shards yet; trying again", "err", err)
			retry = time.After(queueRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-retry:
		}
	}
}

func (q *ShardQueues) reconcile(ctx context.Context) error {
	q.mu.Lock()
	var add, remove []int16
	for shard, wanted := range q.wanted {
		switch {
		case q.told[shard] == stopping, !wanted && q.told[shard] == working:
			remove = append(remove, shard)
		}
		if wanted && q.told[shard] != working {
			add = append(add, shard)
		}
	}
	q.mu.Unlock()
	slices.Sort(add)
	slices.Sort(remove)
	var errs []error
	for _, shard := range remove {
		q.told[shard] = stopping
		if err := q.remove(ctx, shard); err != nil {
			errs = append(errs, err)
			continue
		}
		delete(q.told, shard)
	}
	for _, shard := range add {
		if q.told[shard] == stopping {
			continue // not yet stopped; next time
		}
		if err := q.client.Queues().Add(ShardQueue(shard), shardQueueConfig); err != nil {
			errs = append(errs, err)
			if _, exists := errors.AsType[*river.QueueAlreadyAddedError](err); exists {
				q.told[shard] = stopping
			}
			continue
		}
		q.told[shard] = working
	}
	return errors.Join(errs...)
}

func (q *ShardQueues) remove(ctx context.Context, shard int16) error {
	ctx, cancel := context.WithTimeout(ctx, queueStopTimeout)
	defer cancel()
	err := q.client.Queues().Remove(ctx, ShardQueue(shard))
	if _, gone := errors.AsType[*river.QueueNotFoundError](err); gone {
		return nil
	}
	return err
}
