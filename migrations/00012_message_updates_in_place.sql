-- A message's row changes up to four times. Postgres rewrites a row in place, without touching any index, as long as no column
-- of an index or of an index's condition changes and the page has room.

-- +goose Up
-- The condition of the queue's index: it changes once in a message's life, the status up to three times.
ALTER TABLE message_logs ADD queued boolean NOT NULL GENERATED ALWAYS AS (status = 'QUEUED') STORED;
DROP INDEX message_logs_tenant_queued;
DROP INDEX message_logs_queued; -- nothing asks for the queue of a chat
CREATE INDEX message_logs_queue ON message_logs (tenant_id, seq) WHERE queued;
ALTER TABLE message_logs SET (fillfactor = 70);
-- Every message changes its conversation, and nothing lists conversations by the latest message.
DROP INDEX conversations_latest;
ALTER TABLE conversations SET (fillfactor = 70);

-- +goose Down
ALTER TABLE conversations RESET (fillfactor);
CREATE INDEX conversations_latest ON conversations (tenant_id, last_message_at DESC);
ALTER TABLE message_logs SET (fillfactor = 85);
DROP INDEX message_logs_queue;
CREATE INDEX message_logs_queued ON message_logs (conversation_id, seq) WHERE status = 'QUEUED';
CREATE INDEX message_logs_tenant_queued ON message_logs (tenant_id, seq) WHERE status = 'QUEUED';
ALTER TABLE message_logs DROP queued;
