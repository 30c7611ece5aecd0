-- Files of records that people bring in. The rows are kept as they were read, each with what came of it; a job works them off in batches
-- (jobs/import_run.go), first to try them and, once somebody has seen that, for good.

-- +goose Up
CREATE TYPE import_state AS ENUM ('MAPPING', 'CHECKING', 'CHECKED', 'RUNNING', 'DONE', 'CANCELLED', 'FAILED');
CREATE TYPE import_outcome AS ENUM ('CREATED', 'CHANGED', 'UNCHANGED', 'REFUSED');
CREATE TABLE imports (
    id          uuid PRIMARY KEY,            -- chosen by the page that asks: sent twice, it is one import
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    asked_by    text NOT NULL,               -- the name, which outlives the account
    actor       jsonb NOT NULL DEFAULT '{}', -- whoever asked last, as the audit log has them (jobs.Actor)
    table_name  text NOT NULL,
    file_name   text NOT NULL,
    header      text[] NOT NULL,             -- the file's names of its columns
    mapping     jsonb,                       -- what they mean (jobs.ImportMapping); NULL: nobody said yet
    state       import_state NOT NULL DEFAULT 'MAPPING',
    attempt     integer NOT NULL DEFAULT 0,  -- grows with every try and with the run: a job of an earlier one ends
    total       integer NOT NULL,            -- rows
    place       integer NOT NULL DEFAULT 0,  -- the last row that was worked
    created     integer NOT NULL DEFAULT 0,
    changed     integer NOT NULL DEFAULT 0,
    unchanged   integer NOT NULL DEFAULT 0,
    refused     integer NOT NULL DEFAULT 0,
    error       text,                        -- why it FAILED
    ended_by    text,                        -- who cancelled it
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,                 -- for good, not to try
    finished_at timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX imports_newest ON imports (created_at DESC, id DESC);
CREATE INDEX imports_user ON imports (user_id);
CREATE INDEX imports_at_work ON imports (table_name, created_at DESC) WHERE state = 'RUNNING';
CREATE TRIGGER live_row AFTER INSERT OR UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION notify_live_row();

CREATE TABLE import_rows (
    import_id  uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    number     integer NOT NULL,  -- from 1
    line       integer NOT NULL,  -- of the file, where the row begins
    cells      text[] NOT NULL,
    fault      text,              -- why it could not be read
    outcome    import_outcome,
    record_key text,
    changes    jsonb,             -- of a CHANGED one (jobs.ImportChange)
    reasons    jsonb,             -- of a REFUSED one: column to sentence
    claims     text[],            -- what no other row may have: its record, its unique values
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_rows_refused ON import_rows (import_id, number) WHERE outcome = 'REFUSED';

-- +goose Down
DROP TABLE import_rows, imports;
DROP TYPE import_outcome, import_state;
