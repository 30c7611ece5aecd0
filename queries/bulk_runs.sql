-- Runs over many records; see migration 00037.

-- A run that is asked for twice, by a second click, is one.
-- name: InsertBulkRun :execrows
INSERT INTO bulk_runs (id, user_id, asked_by, actor, table_name, action, filter, zone, keys, changes, total)
VALUES (@id, @user_id, @asked_by, @actor, @table_name, @action, @filter, @zone, @keys, @changes, @total)
ON CONFLICT (id) DO NOTHING;

-- name: GetBulkRun :one
SELECT * FROM bulk_runs WHERE id = @id;

-- Locked, so that a batch is worked once even where two nodes believe that the run is theirs.
-- name: LockBulkRun :one
SELECT * FROM bulk_runs WHERE id = @id FOR UPDATE;

-- name: BeginBulkRun :exec
UPDATE bulk_runs SET state = 'RUNNING', started_at = now(), below_total = @below_total, updated_at = now() WHERE id = @id;

-- What a batch did, and where the next one begins.
-- name: AdvanceBulkRun :exec
UPDATE bulk_runs SET done = done + @done, failed = failed + @failed, gone = gone + @gone, below_done = below_done + @below_done,
    failures = @failures, place = @place, updated_at = now()
WHERE id = @id;

-- Once it is over, what it did is what there was to do.
-- name: FinishBulkRun :exec
UPDATE bulk_runs SET state = 'DONE', total = done + failed + gone, below_total = below_done, finished_at = now(), updated_at = now() WHERE id = @id;

-- name: FailBulkRun :exec
UPDATE bulk_runs SET state = 'FAILED', error = @error::text, finished_at = now(), updated_at = now() WHERE id = @id AND state IN ('WAITING', 'RUNNING');

-- name: CancelBulkRun :execrows
UPDATE bulk_runs SET state = 'CANCELLED', ended_by = @ended_by::text, finished_at = now(), updated_at = now()
WHERE id = @id AND state IN ('WAITING', 'RUNNING');

-- Those at work on a table, for a note over its list.
-- name: ListBulkRunsAtWork :many
SELECT * FROM bulk_runs WHERE table_name = @table_name AND state IN ('WAITING', 'RUNNING') ORDER BY created_at DESC LIMIT 3;

-- Whether a tenant has more messages than one deletion should take with it.
-- name: HasManyMessages :one
SELECT count(*) >= @many::int AS many FROM (SELECT FROM message_logs WHERE tenant_id = @tenant_id LIMIT @many::int) AS first;
