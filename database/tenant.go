package database

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// InTenant runs fn in a transaction of the Portal pool that sees the rows of one tenant, and commits it. An error or panic
// of fn, or the end of ctx, rolls back. Setting the tenant costs no round trip of its own and ends with the transaction, so
// a connection never carries a tenant back into the pool. It fails where row-level security would not hold.
func (d *Database) InTenant(ctx context.Context, tenantID uuid.UUID, fn func(pgx.Tx) error) error {
	if tenantID == uuid.Nil {
		return fmt.Errorf("portal transaction without a tenant")
	}
	// Sent as one simple-protocol message; an id in canonical form holds nothing to escape.
	options := pgx.TxOptions{BeginQuery: "BEGIN; SELECT enter_tenant('" + tenantID.String() + "')"}
	err := pgx.BeginTxFunc(ctx, d.Portal, options, fn)
	if sqlState(err) == codeNotKeptApart { // another process gave the portal its role; fn has not run
		d.Portal.Reset()
		err = pgx.BeginTxFunc(ctx, d.Portal, options, fn)
	}
	return err
}
