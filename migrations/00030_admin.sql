-- What the admin remembers for each person, and what keeps its lists quick on millions of messages.

-- +goose Up
-- Small things of one person: pinned tables, chosen columns. The key says what, the value is the admin's own JSON.
CREATE TABLE admin_preferences (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key        text NOT NULL,
    value      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);

-- A list under a name: its filter and order, as they stand in the address.
CREATE TABLE saved_views (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    table_name text NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    query      text NOT NULL,             -- of the address, without the question mark
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, table_name, name)
);

-- All tenants' messages, newest first.
CREATE INDEX message_logs_newest ON message_logs (created_at DESC, id DESC);
-- A conversation has few messages, which a sample of millions does not show.
ALTER TABLE message_logs ALTER conversation_id SET (n_distinct = -0.05);
ALTER TABLE message_logs ALTER tenant_id SET STATISTICS 1000;

-- The words of a message. Signs that would make one token of several (+255…, a@b.c, x/y) divide here; queries/tables/words.go splits
-- what is searched for in the same way.
-- +goose StatementBegin
CREATE FUNCTION message_words(message text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT to_tsvector('pg_catalog.simple'::regconfig, translate(message, '+-./\@:_&#=%?<>''', '                ')) $$;
-- +goose StatementEnd
-- New messages wait in the index's list of pending entries, so that an insert costs little; a job moves them on (jobs/search_index.go)
-- long before the list is full and an insert would have to.
CREATE INDEX message_logs_words ON message_logs USING gin (message_words(message_text)) WITH (fastupdate = on, gin_pending_list_limit = 65536);

-- +goose Down
DROP INDEX message_logs_words;
DROP FUNCTION message_words(text);
ALTER TABLE message_logs ALTER tenant_id SET STATISTICS -1;
ALTER TABLE message_logs ALTER conversation_id RESET (n_distinct);
DROP INDEX message_logs_newest;
DROP TABLE saved_views, admin_preferences;
