-- Customers as a list: names that the business gives them, customers it adds itself, and those who want no automatic messages.

-- +goose Up
ALTER TABLE contacts ADD named boolean NOT NULL DEFAULT false; -- the business chose the name; WhatsApp's no longer replaces it
ALTER TABLE conversations
    ADD opted_out_at timestamptz,                                            -- no automatic messages since then; NULL: the bot answers
    ADD opted_out_by text CHECK (opted_out_by IN ('CUSTOMER', 'PERSON'));    -- who said so
COMMENT ON POLICY portal ON contacts IS 'SELECT, INSERT, UPDATE (labels, name, named, updated_at)';
SELECT set_portal_mode('contacts', portal_has_role());
COMMENT ON POLICY portal ON conversations IS 'SELECT, INSERT, UPDATE (unread, handoff_at, paused_at, paused_until, paused_by, state_json, opted_out_at, opted_out_by, updated_at)';
SELECT set_portal_mode('conversations', portal_has_role());

-- +goose Down
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'flowhq_portal') THEN
        REVOKE INSERT, UPDATE (name) ON contacts FROM flowhq_portal;
        REVOKE INSERT ON conversations FROM flowhq_portal;
    END IF;
END $$;
-- +goose StatementEnd
COMMENT ON POLICY portal ON conversations IS 'SELECT, UPDATE (unread, handoff_at, paused_at, paused_until, paused_by, state_json, updated_at)';
COMMENT ON POLICY portal ON contacts IS 'SELECT, UPDATE (labels, updated_at)';
ALTER TABLE conversations DROP opted_out_at, DROP opted_out_by;
ALTER TABLE contacts DROP named;
