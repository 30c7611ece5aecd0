-- Messages of customers that reached us and did not reach the log. The ledger adds them to what was received; one that is
-- logged later, under the same WhatsApp id, counts as settled and needs no change here: normal messages cost nothing.

-- +goose Up
CREATE TYPE unlogged_reason AS ENUM (
    'UNDECRYPTABLE', -- it could not be decrypted; its sender was asked for it again
    'UNAVAILABLE',   -- WhatsApp announced it without its content; the phone was asked for it
    'GIVEN_UP'       -- it could not be stored, try after try, and was let go
);

CREATE TABLE unlogged_messages (
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    wa_message_id text NOT NULL,
    reason        unlogged_reason NOT NULL,
    detail        text NOT NULL DEFAULT '', -- the last error
    phone_number  text,                     -- of its sender, as in contacts
    lid           text,
    name          text,
    sent_at       timestamptz NOT NULL,     -- WhatsApp's own time
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, wa_message_id)
);
SELECT protect_tenant_rows('unlogged_messages', 'tenant_id');

-- +goose Down
DROP TABLE unlogged_messages;
DROP TYPE unlogged_reason;
