-- People beside the bot: unread messages, customers who ask for a person, chats that a person has taken over, and what the
-- business knows about its customers.

-- +goose Up
-- All of it is written with the statement that changes the chat anyway. last_message_at stays without an index: every message
-- changes it, and a business's chats are few enough to be sorted when somebody looks.
ALTER TABLE conversations
    ADD unread integer NOT NULL DEFAULT 0, -- messages of the customer since somebody last looked
    ADD handoff_at timestamptz,            -- the customer asked for a person, and none has come yet
    ADD paused_at timestamptz,             -- a person took over; NULL: the bot answers
    ADD paused_until timestamptz,          -- from then on the bot answers again; NULL: when it is handed back
    ADD paused_by uuid;                    -- users; they may be gone
-- Few chats are in it, and no message moves one in or out unless its customer asks for a person.
CREATE INDEX conversations_with_people ON conversations (tenant_id) WHERE handoff_at IS NOT NULL OR paused_at IS NOT NULL;
-- Who wrote a message with source PERSON. No foreign key: it would be looked up with every message.
ALTER TABLE message_logs ADD author_id uuid;

ALTER TABLE contacts ADD labels text[] NOT NULL DEFAULT '{}';

CREATE TABLE contact_notes (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    contact_id uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
    author_id  uuid,                      -- users; they may be gone
    body       text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contact_notes_contact ON contact_notes (contact_id, created_at);
CREATE INDEX contact_notes_tenant ON contact_notes (tenant_id);

-- Answers that people of a business give again and again.
CREATE TABLE canned_answers (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    title      text NOT NULL CHECK (title <> ''),
    body       text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, title)
);

SELECT protect_tenant_rows('contact_notes', 'tenant_id', 'SELECT, INSERT, DELETE');
SELECT protect_tenant_rows('canned_answers', 'tenant_id', 'SELECT, INSERT, UPDATE, DELETE');
COMMENT ON POLICY portal ON conversations IS 'SELECT, UPDATE (unread, handoff_at, paused_at, paused_until, paused_by, state_json, updated_at)';
SELECT set_portal_mode('conversations', portal_has_role());
COMMENT ON POLICY portal ON contacts IS 'SELECT, UPDATE (labels, updated_at)';
SELECT set_portal_mode('contacts', portal_has_role());

-- +goose Down
DROP TABLE canned_answers, contact_notes;
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'flowhq_portal') THEN
        REVOKE UPDATE (state_json, updated_at) ON conversations FROM flowhq_portal; -- the rights on the columns that go, go with them
        REVOKE UPDATE (updated_at) ON contacts FROM flowhq_portal;
    END IF;
END $$;
-- +goose StatementEnd
COMMENT ON POLICY portal ON conversations IS 'SELECT';
COMMENT ON POLICY portal ON contacts IS 'SELECT';
ALTER TABLE contacts DROP labels;
ALTER TABLE message_logs DROP author_id;
ALTER TABLE conversations DROP unread, DROP handoff_at, DROP paused_at, DROP paused_until, DROP paused_by;
