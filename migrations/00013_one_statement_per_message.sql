-- A received message, its decision, its answer and the step of its Signal session are one statement. What made that dear goes.

-- +goose Up
-- A message belongs to a chat and through it to a tenant: one key says so, and a message locks no row that all chats share.
ALTER TABLE conversations ADD CONSTRAINT conversations_of_tenant UNIQUE (tenant_id, id);
ALTER TABLE message_logs DROP CONSTRAINT message_logs_tenant_id_fkey, DROP CONSTRAINT message_logs_conversation_id_fkey,
    DROP CONSTRAINT message_logs_in_reply_to_fkey, -- a question and its answers are of one chat and go with it
    ADD CONSTRAINT message_logs_chat FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE;
-- The rate limit finds the answers of the last minute by the tenant's time line.
DROP INDEX message_logs_bot_replies;
DROP INDEX message_logs_in_reply_to;
-- A node announces the messages it takes in and sends, many at once: announcing makes commits wait for each other. Messages
-- that people and programs write are announced with them, as before.
DROP TRIGGER live_update ON message_logs;
DROP TRIGGER live_insert ON message_logs;
CREATE TRIGGER live_insert AFTER INSERT ON message_logs FOR EACH ROW WHEN (NEW.source IN ('PERSON', 'API'))
    EXECUTE FUNCTION notify_live('message');

-- +goose Down
DROP TRIGGER live_insert ON message_logs;
CREATE TRIGGER live_insert AFTER INSERT ON message_logs FOR EACH ROW EXECUTE FUNCTION notify_live('message');
CREATE TRIGGER live_update AFTER UPDATE ON message_logs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION notify_live('message');
CREATE INDEX message_logs_in_reply_to ON message_logs (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX message_logs_bot_replies ON message_logs (tenant_id, created_at) WHERE source = 'BOT';
ALTER TABLE message_logs DROP CONSTRAINT message_logs_chat,
    ADD FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE CASCADE,
    ADD FOREIGN KEY (conversation_id) REFERENCES conversations ON DELETE CASCADE,
    ADD FOREIGN KEY (in_reply_to) REFERENCES message_logs ON DELETE SET NULL;
ALTER TABLE conversations DROP CONSTRAINT conversations_of_tenant;
