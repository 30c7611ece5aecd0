-- Notes what no trigger sees, such as what somebody asked of a worker, in the name of the transaction's actor.
-- name: AuditNote :exec
SELECT audit_note(sqlc.arg(action)::audit_action, sqlc.arg(table_name)::text, sqlc.arg(record_key)::text, sqlc.arg(record_title)::text, sqlc.narg(tenant_id)::uuid,
    sqlc.arg(changed)::text, sqlc.narg(before)::jsonb, sqlc.narg(after)::jsonb);
