-- Counts an attempt before its password is looked at, so that guesses sent at the same time count too. No row: wait first.
-- After free attempts each further one doubles the wait, up to max_wait seconds; a quiet day forgets.
-- name: TakeLoginAttempt :one
INSERT INTO login_throttles AS t (key, failures, last_failed_at)
VALUES (@key, 1, now())
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN t.last_failed_at < now() - interval '1 day' THEN 1 ELSE t.failures + 1 END,
    last_failed_at = now(),
    blocked_until = CASE
        WHEN t.last_failed_at < now() - interval '1 day' OR t.failures + 1 < sqlc.arg(free)::integer THEN NULL
        ELSE now() + make_interval(secs => least(sqlc.arg(max_wait)::double precision,
            sqlc.arg(first_wait)::double precision * power(2::double precision, least(t.failures + 1 - sqlc.arg(free)::integer, 30))))
    END
WHERE t.blocked_until IS NULL OR t.blocked_until <= now()
RETURNING failures;

-- Seconds until the next attempt makes sense.
-- name: LoginWait :one
SELECT coalesce(ceil(extract(epoch FROM max(blocked_until) - now())), 0)::integer AS seconds
FROM login_throttles WHERE key = ANY(sqlc.arg(keys)::text[]) AND blocked_until > now();

-- name: ClearLoginAttempts :exec
DELETE FROM login_throttles WHERE key = @key;

-- A good sign-in takes back its own attempt, not the bad ones made from the same address.
-- name: ReturnLoginAttempt :exec
UPDATE login_throttles SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE key = @key;
