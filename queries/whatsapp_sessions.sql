-- What the pool needs to run a tenant.
-- name: GetSupervised :one
SELECT t.id, t.shard, t.phone_number, t.status, s.jid, s.state, s.reason, s.reason_until, s.reason_detail, s.connected_at,
    s.restricted_since, s.restricted_until, s.restricted_checks, s.restricted_number, w.desired, w.last_error
FROM tenants t
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE t.id = @tenant_id;

-- The tenants of these shards that should be running, as GetSupervised has them.
-- name: ListToRun :many
SELECT t.id, t.shard, t.phone_number, t.status, s.jid, s.state, s.reason, s.reason_until, s.reason_detail, s.connected_at,
    s.restricted_since, s.restricted_until, s.restricted_checks, s.restricted_number, w.desired, w.last_error
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

-- Changes of tenants' states: session, worker and tenant together, each with an event where a person should know. They come as
-- a JSON array, see stateChange in whatsapp/record.go. Nothing changes of a tenant whose shard the caller does not hold any more;
-- those that it holds come back. A worker that starts anew gets a new started_at. What may be lost in a crash of Postgres does not
-- wait for the disk.
-- name: RecordStates :many
WITH change AS (
    SELECT t.id AS tenant_id, t.status AS present, n.value -> 'event_payload' AS event_payload,
        (n.value ->> 'state')::session_state AS state, (n.value ->> 'reason')::session_reason AS reason,
        (n.value ->> 'reason_until')::timestamptz AS reason_until, n.value ->> 'reason_detail' AS reason_detail,
        n.value ->> 'last_qr' AS last_qr, (n.value ->> 'qr_expires_at')::timestamptz AS qr_expires_at, n.value ->> 'pair_code' AS pair_code,
        (n.value ->> 'pair_code_expires_at')::timestamptz AS pair_code_expires_at,
        (n.value ->> 'restricted_since')::timestamptz AS restricted_since,
        (n.value ->> 'restricted_until')::timestamptz AS restricted_until, (n.value ->> 'restricted_checks')::integer AS restricted_checks,
        n.value ->> 'restricted_number' AS restricted_number, (n.value ->> 'tenant_status')::tenant_status AS tenant_status,
        (n.value ->> 'worker_status')::worker_status AS worker_status, n.value ->> 'process_name' AS process_name,
        n.value ->> 'last_error' AS last_error, (n.value ->> 'alive')::boolean AS alive, (n.value ->> 'event_id')::uuid AS event_id,
        n.value ->> 'event_type' AS event_type
    FROM jsonb_array_elements(sqlc.arg(changes)::jsonb) AS n
    JOIN shards h ON h.id = (n.value ->> 'shard')::smallint AND h.epoch = (n.value ->> 'epoch')::bigint AND h.node_id = @node_id
    JOIN tenants t ON t.id = (n.value ->> 'tenant_id')::uuid AND t.shard = h.id
    WHERE NOT sqlc.arg(may_be_lost)::boolean OR set_config('synchronous_commit', 'off', true) <> ''
), session AS (
    UPDATE whatsapp_sessions s SET
        state = n.state, reason = n.reason,
        reason_since = CASE WHEN s.reason = n.reason THEN s.reason_since ELSE now() END,
        reason_until = n.reason_until, reason_detail = n.reason_detail,
        last_qr = n.last_qr, qr_expires_at = n.qr_expires_at, pair_code = n.pair_code, pair_code_expires_at = n.pair_code_expires_at,
        restricted_since = n.restricted_since, restricted_until = n.restricted_until,
        restricted_checks = coalesce(n.restricted_checks, 0), restricted_number = n.restricted_number,
        connected_at = CASE WHEN n.state = 'CONNECTED' AND s.state <> 'CONNECTED' THEN now() ELSE s.connected_at END,
        last_seen_at = CASE WHEN n.state = 'CONNECTED' THEN now() ELSE s.last_seen_at END,
        updated_at = now()
    FROM change n WHERE s.tenant_id = n.tenant_id
), worker AS (
    UPDATE worker_processes w SET
        status = n.worker_status, process_name = n.process_name, last_error = n.last_error,
        heartbeat_at = CASE WHEN n.worker_status = 'RUNNING' AND n.alive THEN now() ELSE w.heartbeat_at END,
        started_at = CASE WHEN n.worker_status = 'RUNNING' AND (w.status <> 'RUNNING' OR w.process_name <> n.process_name)
            THEN now() ELSE w.started_at END,
        updated_at = now()
    FROM change n WHERE w.tenant_id = n.tenant_id
), tenant AS (
    UPDATE tenants t SET status = n.tenant_status, updated_at = now()
    FROM change n WHERE t.id = n.tenant_id AND n.tenant_status <> n.present
), event AS (
    INSERT INTO portal_event_logs (id, tenant_id, event_type, payload_json)
    SELECT n.event_id, n.tenant_id, n.event_type, n.event_payload FROM change n WHERE n.event_type IS NOT NULL
)
SELECT tenant_id FROM change;

-- A shard goes to another node, or the process ends: its connected sessions are not connected any more.
-- name: HandOverSessions :exec
UPDATE whatsapp_sessions s SET state = 'DISCONNECTED', reason = 'RECONNECTING', reason_since = now(),
    reason_detail = @detail, last_qr = NULL, qr_expires_at = NULL, pair_code = NULL, pair_code_expires_at = NULL, updated_at = now()
FROM tenants t JOIN shards h ON h.id = t.shard
WHERE t.id = s.tenant_id AND h.node_id = @node_id AND t.shard = ANY(sqlc.arg(shards)::smallint[])
  AND s.reason IN ('CONNECTED', 'RESTRICTED', 'WAITING_FOR_SCAN', 'CONNECTING');

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

-- Whether the customer of a chat ever wrote to us: only then may a restricted number write to them.
-- name: CustomerWrote :one
SELECT EXISTS (SELECT FROM message_logs WHERE conversation_id = @conversation_id AND tenant_id = @tenant_id AND direction = 'IN')::boolean AS wrote;

-- How many first messages to new customers a restriction holds back.
-- name: CountHeld :one
SELECT count(*) FROM message_logs q
WHERE q.tenant_id = @tenant_id AND q.queued
  AND NOT EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = q.conversation_id AND i.direction = 'IN');

-- Says of messages that a restriction holds back why they wait. They count as not claimed, so that no answer overtakes them. Those
-- that changed come back.
-- name: NoteHeld :many
UPDATE message_logs q SET failure = sqlc.arg(note)::text, claim_epoch = NULL
WHERE q.tenant_id = @tenant_id AND q.queued AND (q.failure IS DISTINCT FROM sqlc.arg(note)::text OR q.claim_epoch IS NOT NULL)
  AND NOT EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = q.conversation_id AND i.direction = 'IN')
RETURNING q.id;
