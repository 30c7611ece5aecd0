-- What the operator decides on the admin's settings page: one row. NULL is the server's own default; what the environment decides wins
-- over both (package queries/settings).

-- +goose Up
CREATE TABLE settings (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    one                 boolean NOT NULL DEFAULT true UNIQUE CHECK (one), -- there is no second row
    product_name        text CHECK (char_length(product_name) BETWEEN 1 AND 40),
    accent              text CHECK (accent ~ '^#[0-9a-f]{6}$'),
    mail_host           text,
    mail_port           integer CHECK (mail_port BETWEEN 1 AND 65535),
    mail_security       text CHECK (mail_security IN ('starttls', 'tls')),
    mail_user           text,
    mail_password       text, -- as it is: the mail server wants it so. It never leaves the server.
    mail_from           text,
    replies_per_minute  integer CHECK (replies_per_minute BETWEEN 0 AND 100000),
    heartbeat_seconds   integer CHECK (heartbeat_seconds BETWEEN 1 AND 3600),
    stale_after_seconds integer CHECK (stale_after_seconds BETWEEN 2 AND 86400),
    stale_check_seconds integer CHECK (stale_check_seconds BETWEEN 5 AND 3600),
    keep_logs_days      integer CHECK (keep_logs_days BETWEEN 1 AND 365),
    keep_events_days    integer CHECK (keep_events_days BETWEEN 30 AND 3650), -- NULL in these: for ever
    keep_runs_days      integer CHECK (keep_runs_days BETWEEN 1 AND 3650),
    keep_unlogged_days  integer CHECK (keep_unlogged_days BETWEEN 30 AND 3650),
    keep_messages_days  integer CHECK (keep_messages_days BETWEEN 30 AND 3650),
    schedules           jsonb NOT NULL DEFAULT '{}', -- seconds between two runs, by the kind of job
    updated_at          timestamptz NOT NULL DEFAULT now()
);
INSERT INTO settings DEFAULT VALUES;
SELECT audit_table('settings', 'product_name', secret => 'mail_password');
CREATE TRIGGER live_row AFTER UPDATE ON settings FOR EACH ROW EXECUTE FUNCTION notify_live_row();

-- The last run of each job that comes round by itself.
CREATE TABLE job_runs (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind        text NOT NULL UNIQUE, -- River's
    node        text NOT NULL,        -- the process that worked it
    began_at    timestamptz NOT NULL,
    finished_at timestamptz,          -- NULL: at work
    error       text                  -- why it failed
);
CREATE TRIGGER live_row AFTER INSERT OR UPDATE ON job_runs FOR EACH ROW EXECUTE FUNCTION notify_live_row();

-- +goose Down
DROP TABLE job_runs;
DROP TABLE settings;
