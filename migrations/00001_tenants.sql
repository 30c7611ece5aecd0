-- The data model of a tenant: who it is, how its bot is set, how its WhatsApp session and its worker are doing.

-- +goose Up
CREATE TYPE tenant_status AS ENUM ('NEW', 'QR_PENDING', 'ACTIVE', 'PAUSED', 'ERROR');
CREATE TYPE session_state AS ENUM ('DISCONNECTED', 'QR_READY', 'CONNECTED');
CREATE TYPE worker_status AS ENUM ('RUNNING', 'STOPPED', 'ERROR');
CREATE TYPE template_type AS ENUM ('BOOKING', 'ECOMMERCE', 'SUPPORT');
CREATE TYPE language AS ENUM ('SW', 'EN');

-- Why a session is in its state; every value has one sentence for people (routes/state_sentences.go).
CREATE TYPE session_reason AS ENUM (
    'NEVER_LINKED',     -- no number was ever linked
    'CONNECTING',       -- first dial after a start
    'WAITING_FOR_SCAN', -- a QR or a pairing code is on offer
    'SCAN_EXPIRED',     -- the codes ran out while nobody was looking
    'CONNECTED',        -- all is well
    'RECONNECTING',     -- the connection broke; dialling again
    'STOPPED',          -- stopped on request; the link is kept
    'LOGGED_OUT',       -- the phone removed this device
    'REPLACED',         -- the same device connected from elsewhere
    'BANNED',           -- WhatsApp refuses the number, until reason_until where it said so
    'OUTDATED',         -- WhatsApp refuses this version of the client
    'PHONE_OFFLINE'     -- linked, but the phone has been away for too long
);

CREATE TABLE tenants (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),
    phone_number text NOT NULL UNIQUE, -- E.164; the number the business means to link
    status       tenant_status NOT NULL DEFAULT 'NEW',
    shard        smallint NOT NULL,    -- decides which node runs the tenant; see table shards
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenants_shard ON tenants (shard);
CREATE INDEX tenants_newest ON tenants (created_at DESC, id DESC);

CREATE TABLE tenant_configs (
    id                    uuid PRIMARY KEY,
    tenant_id             uuid NOT NULL UNIQUE REFERENCES tenants ON DELETE CASCADE,
    template_type         template_type NOT NULL,
    business_name         text NOT NULL CHECK (business_name <> ''),
    language              language NOT NULL DEFAULT 'SW',
    hours_json            jsonb,                                             -- see bot.ParseHours; NULL: always open
    replies_per_minute    integer CHECK (replies_per_minute BETWEEN 0 AND 10000), -- NULL: the operator's default
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE whatsapp_sessions (
    id                   uuid PRIMARY KEY,
    tenant_id            uuid NOT NULL UNIQUE REFERENCES tenants ON DELETE CASCADE,
    state                session_state NOT NULL DEFAULT 'DISCONNECTED',
    reason               session_reason NOT NULL DEFAULT 'NEVER_LINKED',
    reason_since         timestamptz NOT NULL DEFAULT now(),
    reason_until         timestamptz,      -- a ban's end, where WhatsApp named it
    reason_detail        text,             -- what WhatsApp said, for the log and the curious
    jid                  text UNIQUE,      -- the linked device, "255…:3@s.whatsapp.net"; NULL: not linked
    lid                  text,
    push_name            text,
    last_qr              text,             -- the text of the QR on offer; NULL: none
    qr_expires_at        timestamptz,
    pair_code            text,             -- linking by phone number: "ABCD-EFGH"
    pair_code_expires_at timestamptz,
    watched_until        timestamptz,      -- somebody has the link page open; codes are renewed until then
    connected_at         timestamptz,
    last_seen_at         timestamptz,      -- heartbeat of a connected session
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70); -- heartbeats rewrite every row: leave room to do it in place

CREATE TABLE worker_processes (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL UNIQUE REFERENCES tenants ON DELETE CASCADE,
    process_name text NOT NULL DEFAULT '',         -- "node/shard" that runs the tenant
    status       worker_status NOT NULL DEFAULT 'STOPPED',
    desired      worker_status NOT NULL DEFAULT 'STOPPED' CHECK (desired <> 'ERROR'),
    last_error   text,
    heartbeat_at timestamptz,
    started_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- Who runs which shard. The epoch grows with every change of owner and fences off the one before.
CREATE TABLE shards (
    id          smallint PRIMARY KEY,
    node_id     uuid,
    epoch       bigint NOT NULL DEFAULT 0,
    lease_until timestamptz
);

CREATE TABLE nodes (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE nodes, shards, worker_processes, whatsapp_sessions, tenant_configs, tenants;
DROP TYPE session_reason, language, template_type, worker_status, session_state, tenant_status;
