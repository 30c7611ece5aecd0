-- Takes an account's row, so that two requests sent at once follow each other.
-- name: LockApplicant :one
SELECT u.id, u.tenant_id, u.name, u.email, u.role, u.language, (t.approved_at IS NOT NULL)::boolean AS approved
FROM users u LEFT JOIN tenants t ON t.id = u.tenant_id
WHERE u.id = @user_id
FOR UPDATE OF u;

-- An owner's first request makes the tenant theirs.
-- name: GiveTenant :exec
UPDATE users SET tenant_id = sqlc.arg(tenant_id)::uuid, updated_at = now() WHERE id = @user_id;

-- name: InsertSetupRequest :exec
INSERT INTO setup_requests (id, tenant_id, user_id, template_type, whatsapp_number, business_name, business_kind, language, hours_json)
VALUES (@id, @tenant_id, @user_id, @template_type, @whatsapp_number, @business_name, @business_kind, @language, sqlc.narg(hours_json));

-- Whether a tenant has a request that nobody has answered, or one whose number is not connected yet.
-- name: HasOpenSetupRequest :one
SELECT EXISTS (SELECT FROM setup_requests WHERE tenant_id = @tenant_id AND status IN ('SUBMITTED', 'REVIEWING', 'APPROVED'));

-- A tenant's latest request.
-- name: LatestSetupRequest :one
SELECT * FROM setup_requests WHERE tenant_id = @tenant_id ORDER BY created_at DESC, id DESC LIMIT 1;

-- A tenant's requests, newest first, a page at a time.
-- name: ListSetupRequests :many
SELECT * FROM setup_requests
WHERE tenant_id = @tenant_id AND (created_at, id) < (@before_created_at::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, id DESC
LIMIT @page_size;

-- name: GetSetupRequest :one
SELECT * FROM setup_requests WHERE id = @id;

-- Takes a request with its tenant and who sent it, for the answer to it.
-- name: LockSetupRequest :one
SELECT sqlc.embed(r), t.shard, u.name AS user_name, u.email AS user_email, u.language AS user_language
FROM setup_requests r
JOIN tenants t ON t.id = r.tenant_id
JOIN users u ON u.id = r.user_id
WHERE r.id = @id
FOR UPDATE OF r;

-- name: AnswerSetupRequest :exec
UPDATE setup_requests SET status = @status, reason = sqlc.narg(reason), reviewed_by = sqlc.narg(reviewed_by), reviewed_at = now(), updated_at = now()
WHERE id = @id;

-- From now on the tenant has its number, and nobody else can.
-- name: ApproveTenant :exec
UPDATE tenants SET approved_at = coalesce(approved_at, now()), name = @name, phone_number = @phone_number, updated_at = now()
WHERE id = @tenant_id;

-- The newest request of each tenant, those that wait first, then the newest answered.
-- name: ListNewestSetupRequests :many
SELECT sqlc.embed(r), u.name AS user_name, u.email AS user_email, t.status AS tenant_status
FROM (SELECT DISTINCT ON (tenant_id) id FROM setup_requests ORDER BY tenant_id, created_at DESC, setup_requests.id DESC) newest
JOIN setup_requests r ON r.id = newest.id
JOIN tenants t ON t.id = r.tenant_id
JOIN users u ON u.id = r.user_id
WHERE sqlc.arg(only_tenant)::uuid = '00000000-0000-0000-0000-000000000000' OR r.tenant_id = sqlc.arg(only_tenant)::uuid
ORDER BY (r.status IN ('SUBMITTED', 'REVIEWING')) DESC, r.created_at DESC, r.id DESC
LIMIT @page_size;

-- How many requests wait for an answer.
-- name: CountWaitingSetupRequests :one
SELECT count(*) FROM setup_requests WHERE status IN ('SUBMITTED', 'REVIEWING');

-- Requests whose number is connected and whose owner has not been told by mail yet. Each is handed out once.
-- name: TakeActiveToTell :many
UPDATE setup_requests r SET told_active_at = now()
FROM users u
WHERE u.id = r.user_id AND r.status = 'ACTIVE' AND r.told_active_at IS NULL
RETURNING r.id, r.tenant_id, r.business_name, r.language AS bot_language, u.name, u.email, u.language AS user_language;

-- Whom to tell about a new request.
-- name: ListAdminEmails :many
SELECT name, email FROM users WHERE role = 'ADMIN' ORDER BY email;
