-- Makes sure that shards 0 to last exist; more may exist from before, and stay.
-- name: EnsureShards :exec
INSERT INTO shards (id)
SELECT n FROM generate_series(0, sqlc.arg(last)::integer) AS n
ON CONFLICT DO NOTHING;
