-- Takes the tenant's next queued messages in the order of decision, leaving out chats that have to wait, messages that were sent a
-- moment ago, and, while the number may not write first (only_known), chats with customers who never wrote. Only the node that
-- holds the tenant's shard under this epoch gets any: this is the fence.
-- That has not to survive a crash of Postgres, so the commit does not wait for the disk: the message would be sent again under
-- the same id, and shown once.
-- name: ClaimMessages :many
UPDATE message_logs m SET attempts = m.attempts + 1, claim_epoch = h.epoch
FROM shards h, conversations v, contacts c
WHERE m.id IN (
    SELECT q.id FROM message_logs q
    WHERE q.tenant_id = @tenant_id AND q.queued AND q.conversation_id <> ALL(sqlc.arg(waiting)::uuid[])
      AND q.id <> ALL(sqlc.arg(sent)::uuid[])
      AND (NOT sqlc.arg(only_known)::boolean
        OR EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = q.conversation_id AND i.direction = 'IN'))
    ORDER BY q.seq LIMIT sqlc.arg(most)::integer)
  AND m.status = 'QUEUED'
  AND h.id = @shard AND h.node_id = @node_id AND h.epoch = @epoch AND h.lease_until > now()
  AND v.id = m.conversation_id AND c.id = v.contact_id
  AND set_config('synchronous_commit', 'off', true) <> ''
RETURNING m.id, m.seq, m.conversation_id, m.wa_message_id, m.message_text, m.attempts, c.phone_number, c.lid;

-- WhatsApp refused the message for good.
-- name: MarkFailed :exec
UPDATE message_logs SET status = 'FAILED', failure = @failure, attempts = greatest(attempts, 1)
WHERE id = @id AND tenant_id = @tenant_id AND status = 'QUEUED';

-- Why a queued message is still waiting; it will be tried again.
-- name: NoteFailure :exec
UPDATE message_logs SET failure = @failure
WHERE id = @id AND tenant_id = @tenant_id AND status = 'QUEUED' AND failure IS DISTINCT FROM @failure;

-- Many ticks in one statement: when messages were sent, delivered and read, per tenant and WhatsApp id. A status never goes
-- back, and the first time counts. In the same breath it announces the changed messages, and others that are news. A crash of
-- Postgres may cost a tick, so the commit does not wait for the disk; where it cost the claim, the tick still shows that there was
-- an attempt.
-- name: RecordTicks :exec
WITH ticked AS (
    UPDATE message_logs m SET
        status = greatest(CASE WHEN m.status = 'FAILED' THEN 'SENT' ELSE m.status END, t.status),
        sent_at = coalesce(m.sent_at, t.sent_at), delivered_at = coalesce(m.delivered_at, t.delivered_at),
        read_at = coalesce(m.read_at, t.read_at), failure = NULL, attempts = greatest(m.attempts, 1)
    FROM (
        SELECT u.tenant_id, u.wa_message_id, max(u.status) AS status, min(u.at) FILTER (WHERE u.status = 'SENT') AS sent_at,
            min(u.at) FILTER (WHERE u.status <> 'SENT') AS delivered_at, min(u.at) FILTER (WHERE u.status = 'READ') AS read_at
        FROM (SELECT unnest(sqlc.arg(tenant_ids)::uuid[]) AS tenant_id, unnest(sqlc.arg(wa_message_ids)::text[]) AS wa_message_id,
                     unnest(sqlc.arg(statuses)::text[])::message_status AS status, unnest(sqlc.arg(times)::timestamptz[]) AS at) AS u
        GROUP BY u.tenant_id, u.wa_message_id
    ) AS t
    WHERE m.tenant_id = t.tenant_id AND m.wa_message_id = t.wa_message_id AND m.direction = 'OUT'
      AND (m.status IN ('QUEUED', 'FAILED') OR m.status < t.status)
      AND set_config('synchronous_commit', 'off', true) <> ''
    RETURNING m.tenant_id, m.id
)
SELECT pg_notify('flowhq_live', 'message ' || news.tenant_id || ' ' || news.id)
FROM (SELECT tenant_id, id FROM ticked
      UNION SELECT unnest(sqlc.arg(news_tenants)::uuid[]), unnest(sqlc.arg(news_ids)::uuid[])) AS news;

-- The text of an outgoing message, for a phone that could not decrypt it and asks again.
-- name: OutgoingText :one
SELECT message_text FROM message_logs WHERE tenant_id = @tenant_id AND wa_message_id = @wa_message_id AND direction = 'OUT';

-- Which of these tenants have something queued.
-- name: TenantsWithQueued :many
SELECT t.id::uuid AS tenant_id FROM (SELECT unnest(sqlc.arg(tenant_ids)::uuid[]) AS id) AS t
WHERE EXISTS (SELECT FROM message_logs m WHERE m.tenant_id = t.id AND m.queued);
