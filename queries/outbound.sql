-- Takes the tenant's next queued message in the order of decision, leaving out chats that have to wait. Only the node that
-- holds the tenant's shard under this epoch gets one: this is the fence. In the same statement, and whatever comes of the
-- fence, the message that was sent before (done_id) is marked: a receipt may have been faster, and its status never goes back.
-- Neither has to survive a crash of Postgres, so the commit does not wait for the disk: the message would be sent again under
-- the same id, and shown once.
-- name: ClaimMessage :one
WITH done AS (
    UPDATE message_logs d SET status = CASE WHEN d.status IN ('QUEUED', 'FAILED') THEN 'SENT' ELSE d.status END,
        sent_at = coalesce(d.sent_at, sqlc.narg(done_at)::timestamptz), failure = NULL
    WHERE d.id = sqlc.narg(done_id)::uuid AND d.tenant_id = @tenant_id AND d.direction = 'OUT'
      AND set_config('synchronous_commit', 'off', true) <> ''
)
UPDATE message_logs m SET attempts = m.attempts + 1, claim_epoch = h.epoch
FROM shards h, conversations v, contacts c
WHERE m.id = (
    SELECT q.id FROM message_logs q
    WHERE q.tenant_id = @tenant_id AND q.queued AND q.conversation_id <> ALL(sqlc.arg(waiting)::uuid[])
      AND q.id IS DISTINCT FROM sqlc.narg(done_id)::uuid
    ORDER BY q.seq LIMIT 1)
  AND m.status = 'QUEUED'
  AND h.id = @shard AND h.node_id = @node_id AND h.epoch = @epoch AND h.lease_until > now()
  AND v.id = m.conversation_id AND c.id = v.contact_id
  AND set_config('synchronous_commit', 'off', true) <> ''
RETURNING m.id, m.conversation_id, m.wa_message_id, m.message_text, m.attempts, m.source, c.phone_number, c.lid;

-- WhatsApp took the message; the same as in ClaimMessage, for the last one of a connection.
-- name: MarkSent :exec
UPDATE message_logs SET status = CASE WHEN status IN ('QUEUED', 'FAILED') THEN 'SENT' ELSE status END,
    sent_at = coalesce(sent_at, sqlc.arg(sent_at)), failure = NULL
WHERE id = @id AND tenant_id = @tenant_id AND direction = 'OUT';

-- WhatsApp refused the message for good.
-- name: MarkFailed :exec
UPDATE message_logs SET status = 'FAILED', failure = @failure
WHERE id = @id AND tenant_id = @tenant_id AND status = 'QUEUED';

-- Why a queued message is still waiting; it will be tried again.
-- name: NoteFailure :exec
UPDATE message_logs SET failure = @failure
WHERE id = @id AND tenant_id = @tenant_id AND status = 'QUEUED' AND failure IS DISTINCT FROM @failure;

-- Many receipts in one statement: delivered and read times per tenant and WhatsApp id. A status never goes back, and the
-- first time counts. A crash of Postgres may cost a tick, so the commit does not wait for the disk.
-- name: RecordReceipts :exec
UPDATE message_logs m SET
    status = CASE WHEN r.read THEN 'READ'::message_status WHEN m.status = 'READ' THEN m.status ELSE 'DELIVERED'::message_status END,
    delivered_at = coalesce(m.delivered_at, r.at),
    read_at = CASE WHEN r.read THEN coalesce(m.read_at, r.at) ELSE m.read_at END
FROM (
    SELECT u.tenant_id, u.wa_message_id, bool_or(u.read) AS read, min(u.at) AS at
    FROM (SELECT unnest(sqlc.arg(tenant_ids)::uuid[]) AS tenant_id, unnest(sqlc.arg(wa_message_ids)::text[]) AS wa_message_id,
                 unnest(sqlc.arg(reads)::boolean[]) AS read, unnest(sqlc.arg(times)::timestamptz[]) AS at) AS u
    GROUP BY u.tenant_id, u.wa_message_id
) AS r
WHERE m.tenant_id = r.tenant_id AND m.wa_message_id = r.wa_message_id AND m.direction = 'OUT'
  AND (m.status IN ('QUEUED', 'SENT', 'FAILED') OR (m.status = 'DELIVERED' AND r.read))
  AND set_config('synchronous_commit', 'off', true) <> '';

-- The text of an outgoing message, for a phone that could not decrypt it and asks again.
-- name: OutgoingText :one
SELECT message_text FROM message_logs WHERE tenant_id = @tenant_id AND wa_message_id = @wa_message_id AND direction = 'OUT';

-- Which of these tenants have something queued.
-- name: TenantsWithQueued :many
SELECT t.id::uuid AS tenant_id FROM (SELECT unnest(sqlc.arg(tenant_ids)::uuid[]) AS id) AS t
WHERE EXISTS (SELECT FROM message_logs m WHERE m.tenant_id = t.id AND m.queued);
