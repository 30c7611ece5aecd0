-- A tenant's configuration, kept from changing until the transaction ends.
-- name: LockTenantConfig :one
SELECT * FROM tenant_configs WHERE tenant_id = @tenant_id FOR UPDATE;

-- A tenant's configuration.
-- name: GetTenantConfig :one
SELECT * FROM tenant_configs WHERE tenant_id = @tenant_id;

-- What the business says in its own words. Decisions that rest on the version before do not count any more: see RecordDecision.
-- name: SetBotSettings :one
UPDATE tenant_configs SET settings_json = sqlc.narg(settings_json)::jsonb, hours_json = sqlc.narg(hours_json)::jsonb, updated_at = clock_timestamp()
WHERE tenant_id = @tenant_id
RETURNING updated_at;

-- The latest version that was saved, and whether a tenant's configuration still says the same.
-- name: LatestBotSettings :one
SELECT v.number, (v.settings_json IS NOT DISTINCT FROM c.settings_json AND v.hours_json IS NOT DISTINCT FROM c.hours_json)::boolean AS same
FROM bot_settings_versions v JOIN tenant_configs c ON c.tenant_id = v.tenant_id
WHERE v.tenant_id = @tenant_id
ORDER BY v.number DESC LIMIT 1;

-- The configuration as it is now becomes a version.
-- name: KeepBotSettings :exec
INSERT INTO bot_settings_versions (id, tenant_id, number, settings_json, hours_json, user_id, changed_by, restored, created_at)
SELECT @id, c.tenant_id, @number, c.settings_json, c.hours_json, sqlc.narg(user_id)::uuid, @changed_by, sqlc.narg(restored)::integer, c.updated_at
FROM tenant_configs c WHERE c.tenant_id = @tenant_id;

-- Versions that came before the latest hundred.
-- name: DropOldBotSettings :exec
DELETE FROM bot_settings_versions v
WHERE v.tenant_id = @tenant_id AND v.number <= (SELECT max(m.number) FROM bot_settings_versions m WHERE m.tenant_id = @tenant_id) - 100;

-- A tenant's versions, newest first, a page at a time.
-- name: ListBotSettings :many
SELECT * FROM bot_settings_versions WHERE tenant_id = @tenant_id AND number < @before_number::integer
ORDER BY number DESC LIMIT @page_size;

-- name: GetBotSettings :one
SELECT * FROM bot_settings_versions WHERE tenant_id = @tenant_id AND id = @version_id;

-- The version before another one.
-- name: BotSettingsBefore :many
SELECT * FROM bot_settings_versions WHERE tenant_id = @tenant_id AND number < @before_number::integer ORDER BY number DESC LIMIT 1;
