-- name: CreateLink :exec
INSERT INTO one_time_links (id, token_hash, purpose, user_id, expires_at) VALUES (@id, @token_hash, @purpose, @user_id, @expires_at);

-- A new invitation replaces the ones before.
-- name: DeleteUnusedLinks :exec
DELETE FROM one_time_links WHERE user_id = sqlc.arg(user_id)::uuid AND used_at IS NULL;

-- A link that still works.
-- name: FindLink :one
SELECT expires_at FROM one_time_links
WHERE token_hash = @token_hash AND purpose = @purpose AND used_at IS NULL AND expires_at > now();

-- An invitation that still works, with whom it is for.
-- name: FindInvite :one
SELECT l.expires_at, u.id AS user_id, u.name, u.email, c.business_name, c.language
FROM one_time_links l
JOIN users u ON u.id = l.user_id
LEFT JOIN tenant_configs c ON c.tenant_id = u.tenant_id
WHERE l.token_hash = @token_hash AND l.purpose = 'SET_PASSWORD' AND l.used_at IS NULL AND l.expires_at > now();

-- Uses up an invitation. No row: expired, used, or somebody else was faster.
-- name: UseInvite :one
UPDATE one_time_links SET used_at = now()
WHERE token_hash = @token_hash AND purpose = 'SET_PASSWORD' AND used_at IS NULL AND expires_at > now()
RETURNING user_id;

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
  AND NOT EXISTS (SELECT 1 FROM users WHERE role = 'ADMIN');
