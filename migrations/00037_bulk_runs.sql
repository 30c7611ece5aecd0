-- What people ask to have done to many records at once. A job works it off in batches (jobs/bulk_run.go); the row says how far it is.

-- +goose Up
CREATE TYPE bulk_action AS ENUM ('EDIT', 'DELETE', 'START', 'STOP', 'RESTART');
CREATE TYPE bulk_state AS ENUM ('WAITING', 'RUNNING', 'DONE', 'CANCELLED', 'FAILED');
CREATE TABLE bulk_runs (
    id          uuid PRIMARY KEY,             -- chosen by the page that asks: sent twice, it is one run
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    asked_by    text NOT NULL,                -- the name, which outlives the account
    actor       jsonb NOT NULL DEFAULT '{}',  -- whoever asked, as the audit log has them (jobs.Actor)
    table_name  text NOT NULL,
    action      bulk_action NOT NULL,
    state       bulk_state NOT NULL DEFAULT 'WAITING',
    filter      text NOT NULL DEFAULT '',     -- as typed; its @now is created_at
    zone        text NOT NULL DEFAULT 'UTC',  -- whose days the filter's dates are
    keys        text[],                       -- of the records; NULL: all that the filter lets through
    changes     jsonb,                        -- of an EDIT: column to value
    total       bigint NOT NULL DEFAULT 0,    -- records; an estimate until the run is over
    done        bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    gone        bigint NOT NULL DEFAULT 0,    -- were not there any more
    below_total bigint NOT NULL DEFAULT 0,    -- records that go with deleted ones and are removed before them, in batches of their own
    below_done  bigint NOT NULL DEFAULT 0,
    failures    jsonb NOT NULL DEFAULT '[]',  -- the first hundred: key, title, reason
    place       text NOT NULL DEFAULT '',     -- where the next batch begins
    error       text,                         -- why a FAILED run ended
    ended_by    text,                         -- who cancelled it
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    finished_at timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bulk_runs_newest ON bulk_runs (created_at DESC, id DESC);
CREATE INDEX bulk_runs_user ON bulk_runs (user_id);
CREATE INDEX bulk_runs_at_work ON bulk_runs (table_name, created_at DESC) WHERE state IN ('WAITING', 'RUNNING');
CREATE TRIGGER live_row AFTER INSERT OR UPDATE ON bulk_runs FOR EACH ROW EXECUTE FUNCTION notify_live_row();

-- +goose Down
DROP TABLE bulk_runs;
DROP TYPE bulk_state, bulk_action;
