-- One node's heartbeat, for all its tenants at once: alive names the workers that run, seen those of them whose session is
-- connected. A node whose leases are gone marks nothing. Comes back with connected tenants that are not shown as connected: a
-- crash of Postgres lost their last state.
-- name: Heartbeat :many
WITH mine AS (
    SELECT t.id FROM tenants t JOIN shards h ON h.id = t.shard
    WHERE h.node_id = @node_id AND h.lease_until > now() AND t.id = ANY(sqlc.arg(alive)::uuid[])
), worker AS (
    UPDATE worker_processes w SET heartbeat_at = now() FROM mine WHERE w.tenant_id = mine.id
      AND set_config('synchronous_commit', 'off', true) <> '' -- there is another one soon
), session AS (
    UPDATE whatsapp_sessions s SET last_seen_at = now() FROM mine
    WHERE s.tenant_id = mine.id AND s.tenant_id = ANY(sqlc.arg(seen)::uuid[])
    RETURNING s.tenant_id, s.state
)
SELECT tenant_id FROM session WHERE state <> 'CONNECTED';
