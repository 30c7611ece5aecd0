-- One thing that happened to a tenant, for its owner and the operator to read.
-- name: InsertEvent :exec
INSERT INTO portal_event_logs (id, tenant_id, user_id, event_type, payload_json)
VALUES (@id, @tenant_id, @user_id, @event_type, @payload_json);

-- A tenant's events, newest first.
-- name: ListEvents :many
SELECT * FROM portal_event_logs
WHERE tenant_id = @tenant_id AND (created_at, id) < (@before_created_at::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @page_size;

-- Some of a tenant's events, oldest first.
-- name: EventsByID :many
SELECT * FROM portal_event_logs
WHERE tenant_id = @tenant_id AND id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY created_at, id;
