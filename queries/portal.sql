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
