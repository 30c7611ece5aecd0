-- name: CreateAPIKey :exec
INSERT INTO api_keys (id, label, key_hash, tenant_id) VALUES (@id, @label, @key_hash, @tenant_id);

-- Valid keys first, each group newest first.
-- name: ListAPIKeys :many
SELECT k.id, k.label, k.created_at, k.last_used_at, k.revoked_at, t.name AS tenant_name
FROM api_keys k LEFT JOIN tenants t ON t.id = k.tenant_id
ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id DESC
LIMIT 500;

-- name: RevokeAPIKey :execrows
UPDATE api_keys SET revoked_at = now() WHERE id = @id AND revoked_at IS NULL;

-- A valid key, and whether its last_used_at is due for a touch.
-- name: FindAPIKey :one
SELECT id, label, tenant_id, (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')::boolean AS stale
FROM api_keys WHERE key_hash = @key_hash AND revoked_at IS NULL;

-- name: TouchAPIKey :exec
UPDATE api_keys SET last_used_at = now() WHERE id = @id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');
