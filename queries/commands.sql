-- Takes the worker row, so that two commands for one tenant follow each other, and says what the command must know.
-- name: LockWorker :one
SELECT w.desired, w.status, s.jid, s.state, t.shard, t.name, (t.approved_at IS NOT NULL)::boolean AS approved, (t.closing_at IS NOT NULL)::boolean AS closing
FROM worker_processes w
JOIN tenants t ON t.id = w.tenant_id
JOIN whatsapp_sessions s ON s.tenant_id = w.tenant_id
WHERE w.tenant_id = @tenant_id
FOR UPDATE OF w;

-- What the operator wants of a tenant's worker; nodes make it so.
-- name: SetDesired :exec
UPDATE worker_processes SET desired = @desired, updated_at = now() WHERE tenant_id = @tenant_id;

-- A link code asked for: the one before is void.
-- name: ForgetPairCode :exec
UPDATE whatsapp_sessions SET pair_code = NULL, pair_code_expires_at = NULL, updated_at = now() WHERE tenant_id = @tenant_id;

-- Changes only what is given.
-- name: UpdateTenant :execrows
UPDATE tenants SET
    name = coalesce(sqlc.narg(name), name),
    phone_number = coalesce(sqlc.narg(phone_number), phone_number),
    updated_at = now()
WHERE id = @tenant_id;

-- name: UpdateTenantConfig :exec
UPDATE tenant_configs SET
    template_type = coalesce(sqlc.narg(template_type), template_type),
    business_name = coalesce(sqlc.narg(business_name), business_name),
    language = coalesce(sqlc.narg(language), language),
    hours_json = CASE WHEN @set_hours::boolean THEN sqlc.narg(hours_json)::jsonb ELSE hours_json END,
    replies_per_minute = CASE WHEN @set_replies_per_minute::boolean THEN sqlc.narg(replies_per_minute)::integer ELSE replies_per_minute END,
    updated_at = now()
WHERE tenant_id = @tenant_id;

-- The contact with this phone number, made if new.
-- name: EnsureContactByPhone :one
INSERT INTO contacts (id, tenant_id, phone_number) VALUES (@id, @tenant_id, sqlc.arg(phone_number)::text)
ON CONFLICT (tenant_id, phone_number) DO UPDATE SET updated_at = contacts.updated_at
RETURNING contacts.id;

-- The contact's conversation, made if new and locked until the transaction ends: the order of its messages is the order of locks.
-- name: EnsureConversation :one
INSERT INTO conversations (id, tenant_id, contact_id, last_message_at) VALUES (@id, @tenant_id, @contact_id, now())
ON CONFLICT (contact_id) DO UPDATE SET last_message_at = now(), updated_at = now()
RETURNING conversations.id;

-- A person answers in a chat, which locks it: whoever asked for one has one now, all is read, and the bot stays out of it for a
-- while from this answer on; where somebody has taken over until they hand back, until then.
-- name: AnswerChat :one
UPDATE conversations v SET last_message_at = now(), updated_at = now(), unread = 0, handoff_at = NULL,
    paused_until = CASE WHEN v.paused_at IS NULL OR v.paused_until IS NOT NULL
        THEN greatest(v.paused_until, now() + make_interval(secs => sqlc.arg(pause_seconds)::double precision)) END,
    paused_by = CASE WHEN v.paused_at IS NULL OR v.paused_until <= now() THEN sqlc.narg(author_id) ELSE v.paused_by END,
    paused_at = CASE WHEN v.paused_at IS NULL OR v.paused_until <= now() THEN now() ELSE v.paused_at END
FROM contacts c
WHERE v.id = @conversation_id AND v.tenant_id = @tenant_id AND c.id = v.contact_id
RETURNING c.phone_number;

-- An outgoing message, with the id that every try will have at WhatsApp.
-- name: QueueOutgoing :one
INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, author_id)
SELECT @id, t.id, @conversation_id, 'OUT', t.phone_number, @to_number, @message_text, @wa_message_id, 'QUEUED', @source, sqlc.narg(author_id)
FROM tenants t WHERE t.id = @tenant_id
RETURNING *;

-- Holds back a second request with the same key until the first one's transaction has ended.
-- name: LockIdempotencyKey :exec
SELECT pg_advisory_xact_lock(hashtextextended(sqlc.arg(tenant_id)::uuid::text || ' ' || sqlc.arg(key)::text, 0));

-- What the key stood for during the last 24 hours.
-- name: FindIdempotencyKey :one
SELECT k.request_hash, sqlc.embed(m)
FROM idempotency_keys k JOIN message_logs m ON m.id = k.message_id
WHERE k.tenant_id = @tenant_id AND k.key = @key AND k.created_at > now() - interval '24 hours';

-- name: PutIdempotencyKey :exec
INSERT INTO idempotency_keys (tenant_id, key, request_hash, message_id) VALUES (@tenant_id, @key, @request_hash, @message_id)
ON CONFLICT (tenant_id, key) DO UPDATE SET request_hash = excluded.request_hash, message_id = excluded.message_id, created_at = now();

-- Workers that should be running and have shown no sign of life since the given time, and their tenants, become ERROR.
-- name: MarkStaleWorkers :many
WITH stale AS (
    UPDATE worker_processes w
    SET status = 'ERROR', last_error = sqlc.arg(last_error)::text, updated_at = now()
    FROM tenants t
    WHERE t.id = w.tenant_id AND w.desired = 'RUNNING' AND w.status <> 'ERROR'
      AND greatest(w.heartbeat_at, w.started_at, w.updated_at) < sqlc.arg(before)::timestamptz
    RETURNING w.tenant_id, t.shard, w.process_name, w.heartbeat_at
), tenant AS (
    UPDATE tenants SET status = 'ERROR', updated_at = now() FROM stale WHERE tenants.id = stale.tenant_id
), session AS (
    UPDATE whatsapp_sessions s
    SET state = 'DISCONNECTED', reason = CASE WHEN s.jid IS NOT NULL THEN 'RECONNECTING' WHEN s.connected_at IS NULL THEN 'NEVER_LINKED'
            ELSE 'UNLINKED' END::session_reason,
        reason_since = now(), last_qr = NULL, qr_expires_at = NULL, updated_at = now()
    FROM stale WHERE s.tenant_id = stale.tenant_id AND (s.state <> 'DISCONNECTED' OR s.reason = 'CONNECTING')
)
SELECT stale.tenant_id, stale.shard, stale.process_name, stale.heartbeat_at FROM stale;

-- What has outlived its use: browser sessions, links, sign-in throttles, idempotency keys, nodes that are gone, files that were imported or not.
-- name: DeleteExpired :exec
WITH gone_sessions AS (DELETE FROM user_sessions WHERE expires_at < now()),
    gone_links AS (DELETE FROM one_time_links WHERE expires_at < now() - interval '30 days'),
    gone_throttles AS (DELETE FROM login_throttles WHERE last_failed_at < now() - interval '1 day'),
    gone_nodes AS (DELETE FROM nodes WHERE last_seen_at < now() - interval '1 day'),
    gone_imports AS (DELETE FROM imports WHERE updated_at < now() - interval '7 days')
DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours';

-- The tenant that means to link this number.
-- name: FindTenantByPhone :one
SELECT id FROM tenants WHERE phone_number = @phone_number AND approved_at IS NOT NULL;

-- Shards that no node holds.
-- name: CountFreeShards :one
SELECT count(*) FROM shards WHERE lease_until IS NULL OR lease_until <= now();
