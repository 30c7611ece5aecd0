-- name: CloseTenant :execrows
UPDATE tenants SET closing_at = @closing_at, closing_reason = @reason, closing_runs = @runs, closing_told = false, updated_at = now()
WHERE id = @tenant_id AND closing_at IS NULL;

-- name: KeepTenant :execrows
UPDATE tenants SET closing_at = NULL, closing_reason = '', closing_runs = false, closing_told = false, updated_at = now() WHERE id = @tenant_id AND closing_at IS NOT NULL;

-- Owners of what is deleted soon, who have not been reminded of it. Each is handed out once.
-- name: TakeClosingToTell :many
UPDATE tenants t SET closing_told = true FROM users u, tenant_configs c
WHERE t.closing_at < @before AND NOT t.closing_told AND u.tenant_id = t.id AND u.role = 'OWNER' AND c.tenant_id = t.id
RETURNING t.id, t.closing_at::timestamptz AS closing_at, c.business_name, u.name, u.email, u.language;

-- name: ListClosed :many
SELECT id FROM tenants WHERE closing_at <= @now ORDER BY closing_at LIMIT 20;

-- Some of a tenant's messages, so that the end of a large one takes many small steps.
-- name: DeleteMessagesOf :execrows
DELETE FROM message_logs WHERE id IN (SELECT m.id FROM message_logs m WHERE m.tenant_id = @tenant_id LIMIT sqlc.arg(most)::integer);

-- name: OwnerOf :many
SELECT name, email, language FROM users WHERE tenant_id = @tenant_id AND role = 'OWNER';
