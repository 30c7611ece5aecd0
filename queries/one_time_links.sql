-- name: CreateLink :exec
INSERT INTO one_time_links (id, token_hash, purpose, user_id, expires_at) VALUES (@id, @token_hash, @purpose, @user_id, @expires_at);

-- A new invitation replaces the ones before.
-- name: DeleteUnusedLinks :exec
DELETE FROM one_time_links WHERE user_id = sqlc.arg(user_id)::uuid AND used_at IS NULL;

-- A link that still works.
-- name: FindLink :one
SELECT expires_at FROM one_time_links
WHERE token_hash = @token_hash AND purpose = @purpose AND used_at IS NULL AND expires_at > now();

-- Uses up every set-up link, so that of two used at once one wins; works only if the given one is good and there is no admin.
-- name: UseSetupLinks :execrows
WITH all_links AS (
    SELECT id FROM one_time_links WHERE purpose = 'ADMIN_SETUP' AND used_at IS NULL ORDER BY id FOR UPDATE
)
UPDATE one_time_links l SET used_at = now()
FROM all_links
WHERE l.id = all_links.id
  AND EXISTS (SELECT 1 FROM one_time_links mine JOIN all_links a ON a.id = mine.id
              WHERE mine.token_hash = @token_hash AND mine.expires_at > now())
  AND NOT EXISTS (SELECT 1 FROM users WHERE admin_role = 'admin');

-- The way in for an address that has no account yet. It replaces the ones before.
-- name: CreateSignUpLink :exec
WITH before AS (
    DELETE FROM one_time_links WHERE purpose = 'SIGN_UP' AND one_time_links.email = sqlc.arg(email)::text AND used_at IS NULL
)
INSERT INTO one_time_links (id, token_hash, purpose, email, name, language, expires_at)
VALUES (@id, @token_hash, 'SIGN_UP', sqlc.arg(email)::text, sqlc.arg(name)::text, sqlc.arg(language)::language, @expires_at);

-- A link of an account for one purpose; with a new address where it is to be changed. It replaces the ones before.
-- name: CreateAccountLink :exec
WITH before AS (
    DELETE FROM one_time_links WHERE purpose = sqlc.arg(purpose)::link_purpose AND user_id = sqlc.arg(user_id)::uuid AND used_at IS NULL
)
INSERT INTO one_time_links (id, token_hash, purpose, user_id, email, expires_at)
VALUES (@id, @token_hash, sqlc.arg(purpose)::link_purpose, sqlc.arg(user_id)::uuid, sqlc.narg(email), @expires_at);

-- A link that still works, with whom it is for: of an account, or of an address that has none yet.
-- name: FindPersonalLink :one
SELECT l.expires_at, l.purpose, l.user_id, coalesce(u.name, l.name, '')::text AS name, coalesce(l.email, u.email, '')::text AS email, u.role,
    coalesce(u.language, l.language, c.language, 'SW')::language AS language, c.business_name
FROM one_time_links l
LEFT JOIN users u ON u.id = l.user_id
LEFT JOIN tenant_configs c ON c.tenant_id = u.tenant_id
WHERE l.token_hash = @token_hash AND l.purpose = @purpose AND l.used_at IS NULL AND l.expires_at > now();

-- Uses up a link. No row: expired, used, or somebody else was faster.
-- name: UsePersonalLink :one
UPDATE one_time_links SET used_at = now()
WHERE token_hash = @token_hash AND purpose = @purpose AND used_at IS NULL AND expires_at > now()
RETURNING user_id, coalesce(email, '')::text AS email, coalesce(name, '')::text AS name, language;

-- Gives a link that still works a new token: what was shown or mailed before works no more. No row: there is nothing to show.
-- name: RenewLink :one
UPDATE one_time_links SET token_hash = @token_hash WHERE id = @id AND used_at IS NULL AND expires_at > now()
RETURNING purpose, expires_at;

-- Links that people wait for, newest first.
-- name: ListPendingLinks :many
SELECT l.id, l.purpose, l.created_at, l.expires_at, coalesce(u.name, l.name, '')::text AS name, coalesce(l.email, u.email, '')::text AS email,
    coalesce(c.business_name, '')::text AS business_name
FROM one_time_links l
LEFT JOIN users u ON u.id = l.user_id
LEFT JOIN tenant_configs c ON c.tenant_id = u.tenant_id
WHERE l.purpose <> 'ADMIN_SETUP' AND l.used_at IS NULL AND l.expires_at > now()
ORDER BY l.created_at DESC, l.id DESC
LIMIT 200;
