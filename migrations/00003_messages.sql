-- Messages and the people who write them.

-- +goose Up
CREATE TYPE message_direction AS ENUM ('IN', 'OUT');
CREATE TYPE message_status AS ENUM ('RECEIVED', 'QUEUED', 'SENT', 'DELIVERED', 'READ', 'FAILED');

-- A customer of one tenant. WhatsApp knows a person by phone number, by LID or by both; both lead here.
CREATE TABLE contacts (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone_number text,                     -- E.164
    lid          text,                     -- the user part, without "@lid"
    name         text,                     -- what the customer calls themself on WhatsApp
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (phone_number IS NOT NULL OR lid IS NOT NULL)
);
CREATE UNIQUE INDEX contacts_phone ON contacts (tenant_id, phone_number);
CREATE UNIQUE INDEX contacts_lid ON contacts (tenant_id, lid);

-- A chat with a contact. Its row is the chat's queue: whoever decides or sends holds its lock.
CREATE TABLE conversations (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    contact_id      uuid NOT NULL UNIQUE REFERENCES contacts ON DELETE CASCADE,
    state_json      jsonb,                 -- bot.Conversation
    last_message_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversations_latest ON conversations (tenant_id, last_message_at DESC);

CREATE TABLE message_logs (
    id              uuid PRIMARY KEY,
    seq             bigint GENERATED ALWAYS AS IDENTITY, -- order of decision within a chat
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    direction       message_direction NOT NULL,
    from_number     text NOT NULL,         -- E.164; '' while only the LID is known
    to_number       text NOT NULL,
    kind            text NOT NULL DEFAULT 'text', -- text, image, voice, location, …
    message_text    text NOT NULL,
    wa_message_id   text NOT NULL,         -- ours are chosen before sending, so that a retry is the same message
    status          message_status NOT NULL,
    source          text NOT NULL DEFAULT '', -- OUT: BOT, PERSON or API
    decision        text,                  -- IN: REPLIED, RATE_LIMITED, IGNORED
    intent          text,                  -- IN: what the bot understood
    failure         text,                  -- OUT: why WhatsApp refused it
    in_reply_to     uuid REFERENCES message_logs ON DELETE SET NULL,
    attempts        integer NOT NULL DEFAULT 0, -- OUT: how often it was handed to WhatsApp
    claim_epoch     bigint,                -- OUT: the lease under which it was last handed over
    sent_at         timestamptz,           -- WhatsApp's own time
    delivered_at    timestamptz,
    read_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((direction = 'IN') = (status = 'RECEIVED'))
) WITH (fillfactor = 85); -- an outbound row is updated up to four times
CREATE UNIQUE INDEX message_logs_wa_message_id ON message_logs (tenant_id, wa_message_id);
CREATE INDEX message_logs_tenant_created_at ON message_logs (tenant_id, created_at DESC, id DESC);
CREATE INDEX message_logs_conversation ON message_logs (conversation_id, seq);
CREATE INDEX message_logs_queued ON message_logs (conversation_id, seq) WHERE status = 'QUEUED';
CREATE INDEX message_logs_in_reply_to ON message_logs (in_reply_to) WHERE in_reply_to IS NOT NULL;

-- A repeated POST with the same Idempotency-Key answers with the first one's message, for 24 hours.
CREATE TABLE idempotency_keys (
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    key          text NOT NULL,
    request_hash bytea NOT NULL,           -- SHA-256 of the request: the same key with another body is refused
    message_id   uuid NOT NULL REFERENCES message_logs ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_message ON idempotency_keys (message_id);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- +goose Down
DROP TABLE idempotency_keys, message_logs, conversations, contacts;
DROP TYPE message_status, message_direction;
