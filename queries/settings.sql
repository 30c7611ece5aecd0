-- name: GetSettings :one
SELECT * FROM settings;

-- For somebody who changes a part of them: until the transaction ends nobody else does.
-- name: LockSettings :one
SELECT * FROM settings FOR UPDATE;

-- name: SaveSettings :exec
UPDATE settings SET product_name = sqlc.narg(product_name), accent = sqlc.narg(accent), mail_host = sqlc.narg(mail_host), mail_port = sqlc.narg(mail_port),
    mail_security = sqlc.narg(mail_security), mail_user = sqlc.narg(mail_user), mail_password = sqlc.narg(mail_password), mail_from = sqlc.narg(mail_from),
    replies_per_minute = sqlc.narg(replies_per_minute), heartbeat_seconds = sqlc.narg(heartbeat_seconds), stale_after_seconds = sqlc.narg(stale_after_seconds),
    stale_check_seconds = sqlc.narg(stale_check_seconds), keep_logs_days = sqlc.narg(keep_logs_days), keep_events_days = sqlc.narg(keep_events_days),
    keep_runs_days = sqlc.narg(keep_runs_days), keep_unlogged_days = sqlc.narg(keep_unlogged_days), keep_messages_days = sqlc.narg(keep_messages_days),
    schedules = @schedules, updated_at = now();

-- name: BeginJobRun :exec
INSERT INTO job_runs (kind, node, began_at) VALUES (@kind, @node, now())
ON CONFLICT (kind) DO UPDATE SET node = excluded.node, began_at = excluded.began_at, finished_at = NULL, error = NULL;

-- name: EndJobRun :exec
UPDATE job_runs SET finished_at = now(), error = sqlc.narg(error) WHERE kind = @kind AND node = @node;

-- name: ListJobRuns :many
SELECT kind, node, began_at, finished_at, error FROM job_runs;

-- What is older than the operator wants it to be, some at a time, so that nobody waits for it.
-- name: DeleteOldEvents :execrows
DELETE FROM portal_event_logs WHERE id IN (SELECT e.id FROM portal_event_logs e WHERE e.created_at < @before ORDER BY e.created_at LIMIT sqlc.arg(most)::integer);

-- name: DeleteOldRuns :execrows
DELETE FROM bulk_runs WHERE id IN (SELECT b.id FROM bulk_runs b WHERE b.created_at < @before AND b.state NOT IN ('WAITING', 'RUNNING') ORDER BY b.created_at LIMIT sqlc.arg(most)::integer);

-- name: DeleteOldUnlogged :execrows
DELETE FROM unlogged_messages WHERE (tenant_id, wa_message_id) IN (
    SELECT u.tenant_id, u.wa_message_id FROM unlogged_messages u WHERE u.first_seen_at < @before LIMIT sqlc.arg(most)::integer);

-- What waits to be sent stays, however old.
-- name: DeleteOldMessages :execrows
DELETE FROM message_logs WHERE id IN (SELECT m.id FROM message_logs m WHERE m.created_at < @before AND m.status <> 'QUEUED' ORDER BY m.created_at LIMIT sqlc.arg(most)::integer);
