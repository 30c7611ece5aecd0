-- People and programs that use Flow HQ: users and their sessions, single-use links, API keys, set-up requests, events.

-- +goose Up
CREATE TYPE user_role AS ENUM ('OWNER', 'STAFF', 'ADMIN');
CREATE TYPE setup_request_status AS ENUM ('SUBMITTED', 'REVIEWING', 'APPROVED', 'ACTIVE', 'REJECTED');
CREATE TYPE link_purpose AS ENUM ('ADMIN_SETUP', 'SET_PASSWORD');

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    tenant_id     uuid REFERENCES tenants ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    phone         text,
    role          user_role NOT NULL,
    password_hash text,                    -- argon2id; NULL until the invitation is used
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'ADMIN') = (tenant_id IS NULL))
);
CREATE UNIQUE INDEX users_one_owner ON users (tenant_id) WHERE role = 'OWNER';
CREATE INDEX users_tenant ON users (tenant_id);

-- Browser sessions, kept by scs. The cookie holds the token; the table only its hash.
CREATE TABLE user_sessions (
    token_hash   bytea PRIMARY KEY,        -- SHA-256 of the cookie's token
    user_id      uuid REFERENCES users ON DELETE CASCADE,
    data         bytea NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_sessions_user ON user_sessions (user_id);
CREATE INDEX user_sessions_expiry ON user_sessions (expires_at);

CREATE TABLE one_time_links (
    id         uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,      -- SHA-256 of the token in the link
    purpose    link_purpose NOT NULL,
    user_id    uuid REFERENCES users ON DELETE CASCADE, -- NULL for ADMIN_SETUP
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX one_time_links_user ON one_time_links (user_id);

-- Failed sign-ins per e-mail and per address, so that guessing slows down on every process and after a restart.
CREATE TABLE login_throttles (
    key            text PRIMARY KEY,       -- "email:…" or "ip:…"
    failures       integer NOT NULL,
    last_failed_at timestamptz NOT NULL,
    blocked_until  timestamptz
);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    label        text NOT NULL CHECK (label <> ''),
    key_hash     bytea NOT NULL UNIQUE,    -- SHA-256 of the key
    tenant_id    uuid REFERENCES tenants ON DELETE CASCADE, -- NULL: every tenant
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id);

CREATE TABLE setup_requests (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_id         uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    template_type   template_type NOT NULL,
    whatsapp_number text NOT NULL,
    status          setup_request_status NOT NULL DEFAULT 'SUBMITTED',
    notes           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX setup_requests_tenant ON setup_requests (tenant_id, created_at DESC);
CREATE INDEX setup_requests_user ON setup_requests (user_id);

CREATE TABLE portal_event_logs (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_id      uuid REFERENCES users ON DELETE SET NULL, -- NULL: the system
    event_type   text NOT NULL,            -- "TENANT_CREATED", "WORKER_STALE", …
    payload_json jsonb,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX portal_event_logs_tenant ON portal_event_logs (tenant_id, created_at DESC, id DESC);
CREATE INDEX portal_event_logs_user ON portal_event_logs (user_id);

-- +goose Down
DROP TABLE portal_event_logs, setup_requests, api_keys, login_throttles, one_time_links, user_sessions, users;
DROP TYPE link_purpose, setup_request_status, user_role;
