-- What the processes noted: each request, and what the program itself had to say. Kept for some days, for the admin to look through.

-- +goose Up
CREATE TYPE log_kind AS ENUM ('REQUEST', 'EVENT');
CREATE TYPE log_level AS ENUM ('INFO', 'WARN', 'ERROR');
CREATE TABLE logs (
    id         uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    level      log_level NOT NULL,
    kind       log_kind NOT NULL,
    message    text NOT NULL,              -- of a request: method, path and status
    method     text,                       -- from here on of a request only
    path       text,                       -- as the route table has it: /admin/tenants/:id
    status     smallint,
    took_ms    integer,
    bytes      integer,                    -- of the answer's body; NULL: a stream
    who        text,                       -- the person's e-mail, or the API key's label; NULL: nobody known
    ip         text,
    request_id text,                       -- events of a request have it too
    node       text NOT NULL,              -- the process
    attributes jsonb,                      -- secrets are taken out
    dropped    integer                     -- entries that were not kept, of which this one tells
);
CREATE INDEX logs_newest ON logs (created_at DESC, id DESC);
CREATE INDEX logs_request ON logs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX logs_dropped ON logs (created_at) WHERE dropped IS NOT NULL;

-- +goose Down
DROP TABLE logs;
DROP TYPE log_level, log_kind;
