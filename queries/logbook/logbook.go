// Package logbook keeps what a process notes in the database, for the admin to look through: its requests, and the lines of its log
// from "info" on. Nothing waits for it: entries go into a bounded queue and from there, many at once, into the table logs; what finds
// the queue full, or the database away, is dropped and counted.
package logbook

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"flowhq/queries"
)

const (
	queueSize    = 4096
	batchSize    = 500
	writeEvery   = time.Second
	writeTimeout = 5 * time.Second
	lastWrite    = time.Second // at the end of the process
	complainRate = time.Minute
)

// DroppedMessage is what the entry says that tells of lost ones.
const DroppedMessage = "Log entries were dropped"

// entry is one row of the table logs; the names are those of its columns.
type entry struct {
	ID         uuid.UUID      `json:"id"`
	CreatedAt  time.Time      `json:"created_at"`
	Level      string         `json:"level"`
	Kind       string         `json:"kind"`
	Message    string         `json:"message"`
	Method     string         `json:"method,omitempty"`
	Path       string         `json:"path,omitempty"`
	Status     int            `json:"status,omitempty"`
	TookMs     *int64         `json:"took_ms,omitempty"`
	Bytes      *int           `json:"bytes,omitempty"`
	Who        string         `json:"who,omitempty"`
	IP         string         `json:"ip,omitempty"`
	RequestID  string         `json:"request_id,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Dropped    int64          `json:"dropped,omitempty"`
}

// Book is one process's way into the table. A nil Book notes nothing.
type Book struct {
	node    string
	queue   chan entry
	unsaid  atomic.Int64 // dropped since an entry told of it
	dropped atomic.Int64
}

// New makes the book of a process with this name. It takes entries at once; Run writes them.
func New(node string) *Book {
	return &Book{node: node, queue: make(chan entry, queueSize)}
}

// Dropped is how many entries were lost since the process began.
func (b *Book) Dropped() int64 {
	if b == nil {
		return 0
	}
	return b.dropped.Load()
}

// Unsaid is how many were lost since an entry told of it.
func (b *Book) Unsaid() int64 {
	if b == nil {
		return 0
	}
	return b.unsaid.Load()
}

func (b *Book) add(e entry) {
	e.ID = uuid.Must(uuid.NewV7())
	select {
	case b.queue <- e:
	default:
		b.lose(1)
	}
}

func (b *Book) lose(n int64) {
	b.unsaid.Add(n)
	b.dropped.Add(n)
}

// Run writes what is noted until ctx ends, and then what still waits. Failures are told to complain, which must not lead back here.
func (b *Book) Run(ctx context.Context, db *pgxpool.Pool, complain *slog.Logger) {
	if b == nil {
		return
	}
	w := writer{book: b, db: db, complain: complain}
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-b.queue:
			if w.batch = append(w.batch, e); len(w.batch) >= batchSize {
				w.write(context.WithoutCancel(ctx), writeTimeout)
			}
		case <-tick.C:
			w.write(context.WithoutCancel(ctx), writeTimeout)
		case <-ctx.Done():
			for range len(b.queue) {
				w.batch = append(w.batch, <-b.queue)
			}
			w.write(context.WithoutCancel(ctx), lastWrite)
			return
		}
	}
}

// writer has the entries that are written next.
type writer struct {
	book       *Book
	db         *pgxpool.Pool
	complain   *slog.Logger
	batch      []entry
	complained time.Time
}

func (w *writer) write(ctx context.Context, limit time.Duration) {
	lost := w.book.unsaid.Swap(0)
	if lost > 0 {
		w.batch = append(w.batch, entry{ID: uuid.Must(uuid.NewV7()), CreatedAt: time.Now(), Level: levelWarn, Kind: kindEvent, Message: DroppedMessage,
			Attributes: map[string]any{"why": "They came too fast, or the database was away."}, Dropped: lost})
	}
	if len(w.batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	raw, err := json.Marshal(w.batch)
	if err == nil {
		err = queries.New(w.db).InsertLogs(ctx, queries.InsertLogsParams{Node: w.book.node, Entries: raw})
	}
	if err != nil {
		n := int64(len(w.batch))
		if lost > 0 {
			n-- // the entry about the others, which are still unsaid
			w.book.unsaid.Add(lost)
		}
		w.book.lose(n)
		if time.Since(w.complained) > complainRate {
			w.complained = time.Now()
			w.complain.Warn("entries of the log could not be stored and are dropped", "entries", n, "err", err)
		}
	}
	w.batch = w.batch[:0]
}
