-- What the pool needs to run a tenant.
-- name: GetSupervised :one
SELECT t.id, t.shard, t.phone_number, t.status, s.jid, s.state, s.reason, w.desired
FROM tenants t
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE t.id = @tenant_id;

-- The tenants of these shards that should be running.
-- name: ListToRun :many
SELECT t.id, t.shard, s.jid
FROM tenants t
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE t.shard = ANY(sqlc.arg(shards)::smallint[]) AND w.desired = 'RUNNING'
ORDER BY t.id;

-- Tenants of these shards whose codes ran out, and somebody has the link page open again.
-- name: ListWatched :many
SELECT t.id
FROM tenants t
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE t.shard = ANY(sqlc.arg(shards)::smallint[]) AND s.reason = 'SCAN_EXPIRED' AND s.watched_until > now()
  AND w.desired = 'RUNNING';

-- Whether somebody has the tenant's link page open.
-- name: IsWatched :one
SELECT coalesce(watched_until > now(), false)::boolean AS watched FROM whatsapp_sessions WHERE tenant_id = @tenant_id;

-- One change of a tenant's state: session, worker and tenant together, with an event where a person should know. Nothing
-- changes when the caller's lease on the tenant's shard is gone. A worker that starts anew gets a new started_at. What may be
-- lost in a crash of Postgres does not wait for the disk.
-- name: RecordState :execrows
WITH owned AS (
    SELECT t.id FROM tenants t JOIN shards h ON h.id = t.shard
    WHERE t.id = @tenant_id AND h.node_id = @node_id AND h.epoch = @epoch
      AND (NOT sqlc.arg(may_be_lost)::boolean OR set_config('synchronous_commit', 'off', true) <> '')
), session AS (
    UPDATE whatsapp_sessions s SET
        state = @state, reason = @reason,
        reason_since = CASE WHEN s.reason = @reason THEN s.reason_since ELSE now() END,
        reason_until = sqlc.narg(reason_until), reason_detail = sqlc.narg(reason_detail),
        last_qr = sqlc.narg(last_qr), qr_expires_at = sqlc.narg(qr_expires_at),
        pair_code = sqlc.narg(pair_code), pair_code_expires_at = sqlc.narg(pair_code_expires_at),
        connected_at = CASE WHEN sqlc.arg(state)::session_state = 'CONNECTED' AND s.state <> 'CONNECTED' THEN now() ELSE s.connected_at END,
        last_seen_at = CASE WHEN sqlc.arg(state)::session_state = 'CONNECTED' THEN now() ELSE s.last_seen_at END,
        updated_at = now()
    FROM owned WHERE s.tenant_id = owned.id
), worker AS (
    UPDATE worker_processes w SET
        status = @worker_status, process_name = @process_name, last_error = sqlc.narg(last_error),
        heartbeat_at = CASE WHEN sqlc.arg(worker_status)::worker_status = 'RUNNING' AND sqlc.arg(alive)::boolean THEN now() ELSE w.heartbeat_at END,
        started_at = CASE WHEN sqlc.arg(worker_status)::worker_status = 'RUNNING' AND (w.status <> 'RUNNING' OR w.process_name <> @process_name)
            THEN now() ELSE w.started_at END,
        updated_at = now()
    FROM owned WHERE w.tenant_id = owned.id
), event AS (
    INSERT INTO portal_event_logs (id, tenant_id, event_type, payload_json)
    SELECT @event_id, owned.id, sqlc.arg(event_type)::text, sqlc.narg(event_payload)::jsonb
    FROM owned WHERE sqlc.arg(event_type)::text <> ''
)
UPDATE tenants t SET
    status = @tenant_status,
    updated_at = CASE WHEN t.status = @tenant_status THEN t.updated_at ELSE now() END
FROM owned WHERE t.id = owned.id;

-- A shard goes to another node, or the process ends: its connected sessions are not connected any more.
-- name: HandOverSessions :exec
UPDATE whatsapp_sessions s SET state = 'DISCONNECTED', reason = 'RECONNECTING', reason_since = now(),
    reason_detail = @detail, last_qr = NULL, qr_expires_at = NULL, pair_code = NULL, pair_code_expires_at = NULL, updated_at = now()
FROM tenants t JOIN shards h ON h.id = t.shard
WHERE t.id = s.tenant_id AND h.node_id = @node_id AND t.shard = ANY(sqlc.arg(shards)::smallint[])
  AND s.reason IN ('CONNECTED', 'WAITING_FOR_SCAN', 'CONNECTING', 'PHONE_OFFLINE');

-- The device this tenant is linked with, or its new name. Runs in the transaction that stores the device.
-- name: LinkDevice :execrows
UPDATE whatsapp_sessions SET jid = @jid, lid = @lid,
    push_name = coalesce(nullif(sqlc.arg(push_name)::text, ''), push_name), updated_at = now()
WHERE tenant_id = @tenant_id;

-- The tenant is linked with no device any more.
-- name: UnlinkDevice :exec
UPDATE whatsapp_sessions SET jid = NULL, lid = NULL, updated_at = now() WHERE tenant_id = @tenant_id AND jid = @jid;

-- The other tenant that a number (digits only) is linked to already.
-- name: NumberLinkedTo :many
SELECT t.id, t.name FROM whatsapp_sessions s JOIN tenants t ON t.id = s.tenant_id
WHERE s.jid IS NOT NULL AND split_part(split_part(s.jid, '@', 1), ':', 1) = sqlc.arg(number)::text AND s.tenant_id <> @tenant_id;
