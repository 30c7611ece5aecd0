-- What the worker pool relies on.

-- +goose Up
-- A number is linked to one tenant only, whatever device number WhatsApp gave it: two devices of one number would answer
-- every customer twice.
CREATE UNIQUE INDEX whatsapp_sessions_number ON whatsapp_sessions (split_part(split_part(jid, '@', 1), ':', 1))
    WHERE jid IS NOT NULL;
-- A tenant's queue in the order of decision: what the sender works through.
CREATE INDEX message_logs_tenant_queued ON message_logs (tenant_id, seq) WHERE status = 'QUEUED';
-- The rate limit counts a tenant's answers of the last minute.
CREATE INDEX message_logs_bot_replies ON message_logs (tenant_id, created_at) WHERE source = 'BOT';

-- +goose Down
DROP INDEX message_logs_bot_replies;
DROP INDEX message_logs_tenant_queued;
DROP INDEX whatsapp_sessions_number;
