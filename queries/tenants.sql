-- A tenant is born with its configuration, session and worker row: four inserts, one statement, all or nothing.
-- name: CreateTenant :exec
WITH tenant AS (
    INSERT INTO tenants (id, name, phone_number, shard, approved_at)
    VALUES (@id, @name, @phone_number, @shard, sqlc.narg(approved_at))
), config AS (
    INSERT INTO tenant_configs (id, tenant_id, template_type, business_name, language)
    VALUES (@config_id, @id, @template_type, @business_name, @language)
), session AS (
    INSERT INTO whatsapp_sessions (id, tenant_id) VALUES (@session_id, @id)
)
INSERT INTO worker_processes (id, tenant_id) VALUES (@worker_id, @id);

-- The shard with the fewest tenants takes the next one.
-- name: EmptiestShard :one
SELECT s.id FROM shards s
LEFT JOIN tenants t ON t.shard = s.id
GROUP BY s.id
ORDER BY count(t.id), s.id
LIMIT 1;

-- A tenant with all that is one-to-one with it.
-- name: GetTenant :one
SELECT sqlc.embed(t), sqlc.embed(c), sqlc.embed(s), sqlc.embed(w)
FROM tenants t
JOIN tenant_configs c ON c.tenant_id = t.id
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE t.id = @tenant_id;

-- Tenants, newest first, a page at a time: pass the last row's created_at and id to go on.
-- name: ListTenants :many
SELECT sqlc.embed(t), sqlc.embed(c), sqlc.embed(s), sqlc.embed(w)
FROM tenants t
JOIN tenant_configs c ON c.tenant_id = t.id
JOIN whatsapp_sessions s ON s.tenant_id = t.id
JOIN worker_processes w ON w.tenant_id = t.id
WHERE (t.created_at, t.id) < (@before_created_at::timestamptz, @before_id::uuid)
  AND (sqlc.narg(status)::tenant_status IS NULL OR t.status = sqlc.narg(status))
  AND (@search::text = '' OR t.name ILIKE '%' || @search || '%' OR t.phone_number LIKE '%' || @search || '%'
       OR c.business_name ILIKE '%' || @search || '%')
ORDER BY t.created_at DESC, t.id DESC
LIMIT @page_size;

-- How many of the tenants that the search finds are in each state.
-- name: CountTenantsByStatus :many
SELECT t.status, count(*) AS tenants
FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id
WHERE @search::text = '' OR t.name ILIKE '%' || @search || '%' OR t.phone_number LIKE '%' || @search || '%'
   OR c.business_name ILIKE '%' || @search || '%'
GROUP BY t.status;

-- Names for choosing a tenant, by name.
-- name: ListTenantNames :many
SELECT id, name FROM tenants ORDER BY lower(name), id LIMIT 1000;

-- name: SetTenantStatus :exec
UPDATE tenants SET status = @status, updated_at = now() WHERE id = @tenant_id AND status <> @status;

-- Removes the tenant and, through the foreign keys, everything that is the tenant's.
-- name: DeleteTenant :execrows
DELETE FROM tenants WHERE id = @tenant_id;
