package whatsapp

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"flowhq/queries"
)

// pipelined is a connection on which a transaction takes two round trips: its first statement travels with BEGIN, its last
// with COMMIT. Where the last one fails nothing is committed.
type pipelined struct {
	*pgxpool.Conn
	open   bool // the next statement is the first
	commit bool // the next statement is the last
}

var _ queries.DBTX = (*pipelined)(nil)

// QueryRow is for the first statement, or one in the middle.
func (p *pipelined) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if !p.open {
		return p.Conn.QueryRow(ctx, sql, args...)
	}
	p.open = false
	var batch pgx.Batch
	batch.Queue("begin")
	batch.Queue(sql, args...)
	results := p.SendBatch(ctx, &batch)
	_, err := results.Exec()
	return &firstRow{results: results, err: err}
}

// firstRow is the answer to BEGIN and a query.
type firstRow struct {
	results pgx.BatchResults
	err     error
}

func (r *firstRow) Scan(dest ...any) error {
	if r.err == nil {
		r.err = r.results.QueryRow().Scan(dest...)
	}
	if err := r.results.Close(); r.err == nil {
		r.err = err
	}
	return r.err
}

// Exec is for the last statement, or one in the middle.
func (p *pipelined) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if !p.commit {
		return p.Conn.Exec(ctx, sql, args...)
	}
	var batch pgx.Batch
	batch.Queue(sql, args...)
	batch.Queue("commit")
	return pgconn.CommandTag{}, p.SendBatch(ctx, &batch).Close()
}

// begin opens the transaction by itself, for one whose first statements are many.
func (p *pipelined) begin(ctx context.Context) error {
	p.open = false
	_, err := p.Conn.Exec(ctx, "begin")
	return err
}

// end gives the connection back; what was not committed is undone.
func (p *pipelined) end(ctx context.Context) {
	defer p.Release() // which closes a connection that is still in a transaction
	if p.Conn.Conn().PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryTimeout)
		defer cancel()
		_, _ = p.Conn.Exec(ctx, "rollback")
	}
}
