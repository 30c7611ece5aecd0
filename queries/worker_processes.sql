-- One node's heartbeat, for all its tenants at once: alive names the workers that run, seen those of them whose session is
-- connected. A node whose leases are gone marks nothing.
-- name: Heartbeat :exec
WITH mine AS (
    SELECT t.id FROM tenants t JOIN shards h ON h.id = t.shard
    WHERE h.node_id = @node_id AND h.lease_until > now() AND t.id = ANY(sqlc.arg(alive)::uuid[])
), worker AS (
    UPDATE worker_processes w SET heartbeat_at = now() FROM mine WHERE w.tenant_id = mine.id
      AND set_config('synchronous_commit', 'off', true) <> '' -- there is another one soon
)
UPDATE whatsapp_sessions s SET last_seen_at = now() FROM mine
WHERE s.tenant_id = mine.id AND s.tenant_id = ANY(sqlc.arg(seen)::uuid[]);
