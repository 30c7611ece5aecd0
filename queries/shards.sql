-- Makes sure that shards 0 to count-1 exist; more may exist from before, and stay.
-- name: EnsureShards :exec
INSERT INTO shards (id) SELECT generate_series(0, @count::int - 1)::smallint ON CONFLICT DO NOTHING;
