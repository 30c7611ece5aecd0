-- How many messages there were, hour by hour: what the overview's charts are drawn from. The job count_messages fills it from the log
-- of messages (jobs/message_count.go); nothing here costs a message anything.

-- +goose Up
-- One tenant's messages that were logged in one hour. An answer counts in the column of how long its customer waited for it.
CREATE TABLE message_hours (
    hour             timestamptz NOT NULL,  -- its beginning, in UTC
    tenant_id        uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    received         integer NOT NULL,
    sent             integer NOT NULL,      -- meant to go out, whatever became of them
    failed           integer NOT NULL,      -- of those
    answers          integer NOT NULL,      -- whose waiting time is known, up to seconds that follow
    waited_under_1   integer NOT NULL,
    waited_under_2   integer NOT NULL,      -- one second or more, but under two; and so on
    waited_under_3   integer NOT NULL,
    waited_under_5   integer NOT NULL,
    waited_under_10  integer NOT NULL,
    waited_under_30  integer NOT NULL,
    waited_under_60  integer NOT NULL,
    waited_under_300 integer NOT NULL,
    PRIMARY KEY (hour, tenant_id)
);
CREATE INDEX message_hours_tenant ON message_hours (tenant_id);
SELECT protect_tenant_rows('message_hours', 'tenant_id');

-- How far each hour is counted. Its row is locked while its counts change, so every message counts once.
CREATE TABLE counted_hours (
    hour          timestamptz PRIMARY KEY,
    counted_until timestamptz NOT NULL,     -- messages of the hour that were logged before are in message_hours
    counted_at    timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE counted_hours, message_hours;
