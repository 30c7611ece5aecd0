-- Who signs in with this address (lower case).
-- name: GetUserByEmail :one
SELECT * FROM users WHERE email = @email;

-- A signed-in person with the business they belong to, or with their rights in the admin.
-- name: GetVisitor :one
SELECT u.id, u.tenant_id, u.name, u.email, u.role, u.language AS own_language, c.business_name, c.language, (t.approved_at IS NOT NULL)::boolean AS approved, t.closing_at,
    u.admin_role, coalesce(r.workers, false)::boolean AS workers, coalesce(r.messages, false)::boolean AS messages,
    coalesce(r.records, false)::boolean AS records, coalesce(r.people, false)::boolean AS people, coalesce(r.system, false)::boolean AS system
FROM users u
LEFT JOIN tenants t ON t.id = u.tenant_id
LEFT JOIN tenant_configs c ON c.tenant_id = u.tenant_id
LEFT JOIN admin_roles r ON r.name = u.admin_role
WHERE u.id = @user_id;

-- name: GetPasswordHash :one
SELECT password_hash FROM users WHERE id = @user_id;

-- name: SetPassword :exec
UPDATE users SET password_hash = sqlc.arg(password_hash)::text, updated_at = now() WHERE id = @user_id;

-- Those who may do everything.
-- name: CountAdmins :one
SELECT count(*) FROM users WHERE admin_role = 'admin';

-- name: CreateAdmin :exec
INSERT INTO users (id, name, email, role, admin_role, password_hash) VALUES (@id, @name, @email, 'ADMIN', 'admin', sqlc.arg(password_hash)::text);

-- Somebody of the operator's people, without a password yet.
-- name: CreateColleague :exec
INSERT INTO users (id, name, email, phone, role, admin_role) VALUES (@id, @name, @email, sqlc.narg(phone), 'ADMIN', sqlc.arg(admin_role)::text);

-- Makes one of the operator's people, or gives them a new password and signs them out everywhere. Without a role it is admin, or stays what it
-- was. No row: the address belongs to a tenant's user.
-- name: UpsertAdmin :one
WITH account AS (
    INSERT INTO users (id, name, email, role, admin_role, password_hash)
    VALUES (@id, @name, @email, 'ADMIN', coalesce(sqlc.narg(admin_role)::text, 'admin'), sqlc.arg(password_hash)::text)
    ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, admin_role = coalesce(sqlc.narg(admin_role)::text, users.admin_role),
        updated_at = now()
    WHERE users.role = 'ADMIN'
    RETURNING id, admin_role
), signed_out AS (
    DELETE FROM user_sessions USING account WHERE user_sessions.user_id = account.id
), unblocked AS (
    DELETE FROM login_throttles WHERE key = 'email:' || @email
)
SELECT admin_role::text AS admin_role FROM account;

-- Owner first, then staff by name; pending until they chose a password. Never seen: 1970.
-- name: ListPeople :many
SELECT u.id, u.name, u.email, u.role, (u.password_hash IS NULL)::boolean AS pending,
    coalesce((SELECT max(s.last_seen_at) FROM user_sessions s WHERE s.user_id = u.id), 'epoch')::timestamptz AS last_seen_at
FROM users u
WHERE u.tenant_id = sqlc.arg(tenant_id)::uuid
ORDER BY u.role, u.name, u.id;

-- name: GetPerson :one
SELECT id, name, email, role FROM users WHERE tenant_id = sqlc.arg(tenant_id)::uuid AND id = @user_id;

-- An account without a password yet.
-- name: CreatePerson :exec
INSERT INTO users (id, tenant_id, name, email, role) VALUES (@id, sqlc.arg(tenant_id)::uuid, @name, @email, @role);

-- Removes an account with its sessions and links.
-- name: DeletePerson :execrows
DELETE FROM users WHERE tenant_id = sqlc.arg(tenant_id)::uuid AND id = @user_id;

-- In which language a person wants their pages and mails.
-- name: SetUserLanguage :exec
UPDATE users SET language = sqlc.arg(language)::language, updated_at = now() WHERE id = @user_id;

-- Who signed up and confirmed their address: an owner without a business yet.
-- name: CreateOwner :exec
INSERT INTO users (id, name, email, role, password_hash, language)
VALUES (@id, @name, @email, 'OWNER', sqlc.arg(password_hash)::text, sqlc.narg(language)::language);

-- name: SetEmail :exec
UPDATE users SET email = @email, updated_at = now() WHERE id = @user_id;

-- The people of a tenant as each other sees them, owner first.
-- name: ListColleagues :many
SELECT id, name, email, role, has_password FROM users WHERE tenant_id = sqlc.arg(tenant_id)::uuid ORDER BY role, name, id;

-- An owner or staff by address, with the business, for another front end.
-- name: GetPortalUser :one
SELECT u.id, u.tenant_id, u.name, u.email, u.phone, u.role, u.language FROM users u WHERE u.email = @email AND u.role <> 'ADMIN';

-- name: ListAdminRoles :many
SELECT * FROM admin_roles ORDER BY name;
