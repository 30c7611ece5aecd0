package database

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// InTenant runs fn in a transaction of the Portal pool that sees the rows of one tenant, and commits it. An error or panic
// of fn, or the end of ctx, rolls back. Setting the tenant costs no round trip of its own and ends with the transaction, so
// a connection never carries a tenant back into the pool.
func (d *Database) InTenant(ctx context.Context, tenantID uuid.UUID, fn func(pgx.Tx) error) error {
	if tenantID == uuid.Nil {
		return fmt.Errorf("portal transaction without a tenant")
	}
	// Sent as one simple-protocol message; an id in canonical form holds nothing to escape.
	begin := "BEGIN; SELECT set_config('flowhq.tenant_id', '" + tenantID.String() + "', true)"
	return pgx.BeginTxFunc(ctx, d.Portal, pgx.TxOptions{BeginQuery: begin}, fn)
}
