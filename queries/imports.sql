-- Imports of files; see migration 00055.

-- A file that is sent twice, by a second click, is one import.
-- name: InsertImport :execrows
INSERT INTO imports (id, user_id, asked_by, actor, table_name, file_name, header, total)
VALUES (@id, @user_id, @asked_by, @actor, @table_name, @file_name, @header, @total)
ON CONFLICT (id) DO NOTHING;

-- Files that somebody sent and never imported go when newer ones come.
-- name: DropWaitingImports :exec
DELETE FROM imports i
WHERE i.user_id = @user_id AND i.started_at IS NULL AND i.state <> 'CHECKING'
  AND i.id NOT IN (SELECT k.id FROM imports k WHERE k.user_id = @user_id AND k.started_at IS NULL ORDER BY k.created_at DESC, k.id DESC LIMIT @keep);

-- name: InsertImportRows :copyfrom
INSERT INTO import_rows (import_id, number, line, cells, fault) VALUES (@import_id, @number, @line, @cells, @fault);

-- name: GetImport :one
SELECT * FROM imports WHERE id = @id;

-- Locked, so that a batch is worked once even where two nodes believe that the import is theirs.
-- name: LockImport :one
SELECT * FROM imports WHERE id = @id FOR UPDATE;

-- What the columns mean, and a new try. No row: it was imported, or is being imported.
-- name: CheckImport :one
UPDATE imports SET state = 'CHECKING', mapping = @mapping, actor = @actor, attempt = attempt + 1, place = 0, created = 0, changed = 0, unchanged = 0, refused = 0,
    error = NULL, updated_at = now()
WHERE id = @id AND started_at IS NULL
RETURNING attempt;

-- For good. No row: somebody started it already, or the try is not over.
-- name: StartImport :one
UPDATE imports SET state = 'RUNNING', actor = @actor, attempt = attempt + 1, place = 0, created = 0, changed = 0, unchanged = 0, refused = 0, started_at = now(), updated_at = now()
WHERE id = @id AND state = 'CHECKED' AND attempt = @attempt
RETURNING attempt;

-- What a batch did, and where the next one begins.
-- name: AdvanceImport :exec
UPDATE imports SET place = @place, created = created + @created, changed = changed + @changed, unchanged = unchanged + @unchanged, refused = refused + @refused, updated_at = now()
WHERE id = @id;

-- name: FinishImport :exec
UPDATE imports SET state = CASE WHEN state = 'RUNNING' THEN 'DONE' ELSE 'CHECKED' END::import_state,
    finished_at = CASE WHEN state = 'RUNNING' THEN now() END, updated_at = now()
WHERE id = @id;

-- name: FailImport :exec
UPDATE imports SET state = 'FAILED', error = @error::text, finished_at = now(), updated_at = now() WHERE id = @id AND attempt = @attempt AND state IN ('CHECKING', 'RUNNING');

-- A try that is cancelled is as if it had not been; what an import did stays done.
-- name: CancelImport :execrows
UPDATE imports SET state = CASE WHEN state = 'RUNNING' THEN 'CANCELLED' ELSE 'MAPPING' END::import_state, ended_by = @ended_by::text,
    finished_at = CASE WHEN state = 'RUNNING' THEN now() END, updated_at = now()
WHERE id = @id AND state IN ('CHECKING', 'RUNNING');

-- name: ListImportRows :many
SELECT * FROM import_rows WHERE import_id = @import_id AND number > @after ORDER BY number LIMIT @page_size;

-- Rows that were worked, of one outcome or of all.
-- name: ListImportOutcomes :many
SELECT * FROM import_rows
WHERE import_id = @import_id AND number > @after AND number <= @place AND (sqlc.narg(outcome)::import_outcome IS NULL OR outcome = sqlc.narg(outcome)::import_outcome)
ORDER BY number LIMIT @page_size;

-- What the rows before have taken.
-- name: ListImportClaims :many
SELECT line, claims FROM import_rows WHERE import_id = @import_id AND number <= @place AND outcome <> 'REFUSED';

-- name: SetImportOutcome :batchexec
UPDATE import_rows SET outcome = @outcome, record_key = @record_key, changes = @changes, reasons = @reasons, claims = @claims WHERE import_id = @import_id AND number = @number;

-- Those that change a table now, for a note over its list.
-- name: ListImportsAtWork :many
SELECT * FROM imports WHERE table_name = @table_name AND state = 'RUNNING' ORDER BY created_at DESC LIMIT 3;
