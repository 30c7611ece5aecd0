-- A session that has not ended, and whether its last_seen_at is due for a touch.
-- name: FindSession :one
SELECT data, (last_seen_at < now() - interval '1 minute')::boolean AS stale
FROM user_sessions WHERE token_hash = @token_hash AND expires_at > now();

-- name: TouchSession :exec
UPDATE user_sessions SET last_seen_at = now()
WHERE token_hash = @token_hash AND last_seen_at < now() - interval '1 minute';

-- name: InsertSession :exec
INSERT INTO user_sessions (token_hash, user_id, data, expires_at, device) VALUES (@token_hash, @user_id, @data, @expires_at, @device);

-- Never inserts: a session that was signed out meanwhile stays signed out.
-- name: UpdateSession :execrows
UPDATE user_sessions SET user_id = @user_id, data = @data, expires_at = @expires_at, last_seen_at = now()
WHERE token_hash = @token_hash AND expires_at > now();

-- name: DeleteSession :exec
DELETE FROM user_sessions WHERE token_hash = @token_hash;

-- Signs a person out everywhere.
-- name: DeleteSessionsOfUser :exec
DELETE FROM user_sessions WHERE user_id = sqlc.arg(user_id)::uuid;

-- Signs a person out everywhere else.
-- name: DeleteOtherSessionsOfUser :exec
DELETE FROM user_sessions WHERE user_id = sqlc.arg(user_id)::uuid AND token_hash <> @token_hash;

-- name: CountSessionsOfUser :one
SELECT count(*) FROM user_sessions WHERE user_id = sqlc.arg(user_id)::uuid AND expires_at > now();

-- Whether a stream's session still is this person's with this role.
-- name: SessionAlive :one
SELECT EXISTS (
    SELECT 1 FROM user_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.token_hash = @token_hash AND s.expires_at > now() AND u.id = sqlc.arg(user_id)::uuid AND u.role = @role
      AND u.admin_role IS NOT DISTINCT FROM sqlc.narg(admin_role)
);

-- The devices a person is signed in with, the latest used first.
-- name: ListSessionsOfUser :many
SELECT id, device, last_seen_at, created_at, (token_hash = @token_hash)::boolean AS this
FROM user_sessions WHERE user_id = sqlc.arg(user_id)::uuid AND expires_at > now()
ORDER BY this DESC, last_seen_at DESC, id;

-- Signs one device of a person out.
-- name: DeleteSessionOfUser :execrows
DELETE FROM user_sessions WHERE user_id = sqlc.arg(user_id)::uuid AND id = @id;
