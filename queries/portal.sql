-- The numbers of the day on an owner's first page.
-- name: CountToday :one
SELECT count(*) FILTER (WHERE direction = 'IN') AS received,
    count(*) FILTER (WHERE direction = 'OUT' AND status IN ('SENT', 'DELIVERED', 'READ')) AS answered
FROM message_logs WHERE tenant_id = @tenant_id AND created_at >= sqlc.arg(since)::timestamptz;

-- Messages that are decided but not sent yet.
-- name: CountQueued :one
SELECT count(*) FROM message_logs WHERE tenant_id = @tenant_id AND queued;

-- Somebody has the link page open: codes are worth renewing for a while.
-- name: WatchSession :exec
UPDATE whatsapp_sessions SET watched_until = now() + interval '30 seconds' WHERE tenant_id = @tenant_id;

-- How long customers waited for the bot's answers since then, in seconds: half of them waited less. Both ends are WhatsApp's own
-- time, in whole seconds. Nothing was answered yet: -1.
-- name: MedianReplyTime :one
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM o.sent_at - i.sent_at)), -1)::float8 AS seconds
FROM message_logs o JOIN message_logs i ON i.id = o.in_reply_to AND i.tenant_id = o.tenant_id
WHERE o.tenant_id = @tenant_id AND o.created_at >= sqlc.arg(since)::timestamptz AND o.source = 'BOT' AND o.sent_at IS NOT NULL AND i.sent_at IS NOT NULL;

-- The latest test message of the last hours, with what became of it, and whether the number it went to has ever written.
-- name: LatestTest :many
SELECT m.id, m.to_number, m.status, m.failure, e.created_at, m.sent_at, m.delivered_at, m.read_at,
    EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = m.conversation_id AND i.direction = 'IN')::boolean AS has_written
FROM portal_event_logs e JOIN message_logs m ON m.id = CASE e.event_type WHEN 'TEST_SENT' THEN (e.payload_json->>'message')::uuid END AND m.tenant_id = e.tenant_id
WHERE e.tenant_id = @tenant_id AND e.event_type = 'TEST_SENT' AND e.created_at > now() - interval '6 hours'
ORDER BY e.created_at DESC, e.id DESC LIMIT 1;

-- A person's own number, as they last gave it.
-- name: GetOwnNumber :one
SELECT coalesce(u.phone, '')::text FROM users u WHERE u.tenant_id = @tenant_id::uuid AND u.id = @user_id;

-- name: SetOwnNumber :exec
UPDATE users SET phone = sqlc.arg(phone)::text, updated_at = now() WHERE id = @user_id AND tenant_id = @tenant_id::uuid AND phone IS DISTINCT FROM sqlc.arg(phone)::text;
