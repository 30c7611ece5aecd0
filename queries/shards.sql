-- Makes sure that shards 0 to last exist; more may exist from before, and stay.
-- name: EnsureShards :exec
INSERT INTO shards (id)
SELECT n FROM generate_series(0, sqlc.arg(last)::integer) AS n
ON CONFLICT DO NOTHING;

-- This node lives. Its shards are shared out among the nodes that said so within one lease.
-- name: TouchNode :exec
INSERT INTO nodes (id, name, process) VALUES (@id, @name, @process)
ON CONFLICT (id) DO UPDATE SET last_seen_at = now();

-- A node that stops in an orderly way takes no share any more.
-- name: RemoveNode :exec
DELETE FROM nodes WHERE id = @id;

-- What a node needs to know to find its fair share: shards, free ones among them, and live nodes.
-- name: ShardsOverview :one
SELECT count(*)::integer AS shards,
       (count(*) FILTER (WHERE node_id IS NULL OR lease_until < now()))::integer AS free,
       (SELECT count(*) FROM nodes n WHERE n.last_seen_at > now() - make_interval(secs => sqlc.arg(lease_seconds)::double precision))::integer AS nodes
FROM shards;

-- Takes free or expired shards, each under a new epoch, which fences off whoever had them before.
-- name: AcquireShards :many
UPDATE shards SET node_id = @node_id, epoch = epoch + 1,
    lease_until = now() + make_interval(secs => sqlc.arg(lease_seconds)::double precision)
WHERE id IN (
    SELECT s.id FROM shards s
    WHERE s.node_id IS NULL OR s.lease_until < now()
    ORDER BY s.id LIMIT sqlc.arg(wanted)::integer
    FOR UPDATE SKIP LOCKED)
RETURNING id, epoch;

-- Renews every lease of this node in one statement. A shard that does not come back was taken by another node.
-- name: RenewShards :many
UPDATE shards SET lease_until = now() + make_interval(secs => sqlc.arg(lease_seconds)::double precision)
WHERE node_id = @node_id AND id = ANY(sqlc.arg(ids)::smallint[])
RETURNING id, epoch;

-- Gives shards up at once, for the next node to take.
-- name: ReleaseShards :exec
UPDATE shards SET node_id = NULL, lease_until = NULL
WHERE node_id = @node_id AND id = ANY(sqlc.arg(ids)::smallint[]);

-- Nodes that may have been processes of this machine.
-- name: ListNodeProcesses :many
SELECT id, process FROM nodes WHERE process LIKE sqlc.arg(machine)::text || ' %' AND id <> @id;

-- A node that is dead for certain: its shards are free at once.
-- name: BuryNode :exec
WITH freed AS (UPDATE shards SET node_id = NULL, lease_until = NULL WHERE node_id = sqlc.arg(id)::uuid)
DELETE FROM nodes WHERE id = sqlc.arg(id)::uuid;
