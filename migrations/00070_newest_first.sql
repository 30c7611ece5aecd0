-- The admin shows these lists newest first, however long they are.

-- +goose Up
CREATE INDEX contacts_newest ON contacts (created_at DESC, id DESC);
CREATE INDEX conversations_newest ON conversations (created_at DESC, id DESC);
CREATE INDEX portal_event_logs_newest ON portal_event_logs (created_at DESC, id DESC);
CREATE INDEX contact_notes_newest ON contact_notes (created_at DESC, id DESC);

-- +goose Down
DROP INDEX contact_notes_newest;
DROP INDEX portal_event_logs_newest;
DROP INDEX conversations_newest;
DROP INDEX contacts_newest;
