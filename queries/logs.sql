-- Many entries in one statement, as package logbook makes them. A crash of Postgres may cost the last ones, so the commit does not
-- wait for the disk.
-- name: InsertLogs :exec
INSERT INTO logs (id, created_at, level, kind, message, method, path, status, took_ms, bytes, who, ip, request_id, node, attributes, dropped)
SELECT (e ->> 'id')::uuid, (e ->> 'created_at')::timestamptz, (e ->> 'level')::log_level, (e ->> 'kind')::log_kind, e ->> 'message', e ->> 'method', e ->> 'path',
    (e ->> 'status')::smallint, (e ->> 'took_ms')::integer, (e ->> 'bytes')::integer, e ->> 'who', e ->> 'ip', e ->> 'request_id', sqlc.arg(node)::text,
    e -> 'attributes', (e ->> 'dropped')::integer
FROM jsonb_array_elements(sqlc.arg(entries)::jsonb) AS e
WHERE set_config('synchronous_commit', 'off', true) <> '';

-- The oldest entries beyond the retention, some at a time, so that nobody waits for them.
-- name: DeleteOldLogs :execrows
DELETE FROM logs WHERE id IN (SELECT l.id FROM logs l WHERE l.created_at < @before ORDER BY l.created_at LIMIT sqlc.arg(most)::integer);

-- How many entries were lost lately, as those tell that were written since.
-- name: CountDroppedLogs :one
SELECT coalesce(sum(dropped), 0)::bigint FROM logs WHERE dropped IS NOT NULL AND created_at > @since;
