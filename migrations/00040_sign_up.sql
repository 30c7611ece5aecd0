-- Owners come by themselves: they sign up, send a set-up request, and are let in. Everybody chooses a language.

-- +goose Up
ALTER TYPE link_purpose ADD VALUE 'SIGN_UP';        -- an address is confirmed and its account made
ALTER TYPE link_purpose ADD VALUE 'RESET_PASSWORD';
ALTER TYPE link_purpose ADD VALUE 'CHANGE_EMAIL';
ALTER TABLE one_time_links
    ADD email text,        -- SIGN_UP: of whom there is no account yet; CHANGE_EMAIL: the new one
    ADD name text,         -- SIGN_UP
    ADD language language; -- SIGN_UP
CREATE INDEX one_time_links_email ON one_time_links (email) WHERE email IS NOT NULL;

-- An owner has no business until their first set-up request.
ALTER TABLE users DROP CONSTRAINT users_check;
ALTER TABLE users
    ADD language language, -- of the pages and mails; NULL: as the business's bot speaks
    ADD has_password boolean NOT NULL GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED,
    ADD CONSTRAINT users_tenant CHECK (CASE role WHEN 'ADMIN' THEN tenant_id IS NULL WHEN 'STAFF' THEN tenant_id IS NOT NULL ELSE true END);
COMMENT ON POLICY portal ON users IS 'SELECT (id, tenant_id, name, email, phone, role, language, has_password, created_at, updated_at)';
SELECT set_portal_mode('users', portal_has_role());

-- What people recognise their devices by, and a name for each that is not its key.
ALTER TABLE user_sessions
    ADD id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD device text NOT NULL DEFAULT ''; -- the browser's own words
CREATE UNIQUE INDEX user_sessions_id ON user_sessions (id);

-- A business that asked to be set up is a tenant that is not approved: it has no number yet, only a wish for one, so nobody
-- can take a number by asking for it.
ALTER TABLE tenants ADD approved_at timestamptz DEFAULT now(); -- NULL: only asked for
ALTER TABLE tenants DROP CONSTRAINT tenants_phone_number_key;
CREATE UNIQUE INDEX tenants_phone_number_key ON tenants (phone_number) WHERE approved_at IS NOT NULL;

ALTER TABLE setup_requests
    ADD business_name text NOT NULL DEFAULT '',
    ADD business_kind text NOT NULL DEFAULT 'GENERAL', -- jobs.BusinessKinds
    ADD language language NOT NULL DEFAULT 'SW',
    ADD hours_json jsonb,                            -- see bot.ParseHours; NULL: always open
    ADD reason text,                                 -- why it was rejected, for the owner
    ADD reviewed_by uuid REFERENCES users ON DELETE SET NULL,
    ADD reviewed_at timestamptz,
    ADD told_active_at timestamptz;                  -- the mail about ACTIVE was ordered
CREATE INDEX setup_requests_reviewer ON setup_requests (reviewed_by);
CREATE UNIQUE INDEX setup_requests_one_open ON setup_requests (tenant_id) WHERE status IN ('SUBMITTED', 'REVIEWING', 'APPROVED');
CREATE INDEX setup_requests_to_tell ON setup_requests (id) WHERE status = 'ACTIVE' AND told_active_at IS NULL;
CREATE TRIGGER live AFTER INSERT OR UPDATE OF status ON setup_requests FOR EACH ROW EXECUTE FUNCTION notify_live('tenant');

-- +goose StatementBegin
CREATE FUNCTION finish_setup() RETURNS trigger LANGUAGE plpgsql AS $$
-- The last step of a set-up happens on the phone: the number is connected.
BEGIN
    UPDATE setup_requests SET status = 'ACTIVE', updated_at = now() WHERE tenant_id = NEW.tenant_id AND status = 'APPROVED';
    IF FOUND THEN
        INSERT INTO portal_event_logs (id, tenant_id, event_type) VALUES (gen_random_uuid(), NEW.tenant_id, 'SETUP_ACTIVE');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER finish_setup AFTER UPDATE OF state ON whatsapp_sessions FOR EACH ROW
    WHEN (NEW.state = 'CONNECTED' AND OLD.state <> 'CONNECTED') EXECUTE FUNCTION finish_setup();

-- +goose Down
DROP TRIGGER finish_setup ON whatsapp_sessions;
DROP FUNCTION finish_setup();
DROP TRIGGER live ON setup_requests;
DROP INDEX setup_requests_to_tell, setup_requests_one_open;
ALTER TABLE setup_requests DROP business_name, DROP business_kind, DROP language, DROP hours_json, DROP reason, DROP reviewed_by,
    DROP reviewed_at, DROP told_active_at;
DELETE FROM tenants WHERE approved_at IS NULL;
DROP INDEX tenants_phone_number_key;
ALTER TABLE tenants DROP approved_at, ADD CONSTRAINT tenants_phone_number_key UNIQUE (phone_number);
ALTER TABLE user_sessions DROP id, DROP device;
DELETE FROM users WHERE role = 'OWNER' AND tenant_id IS NULL;
-- The role's rights on the columns go with them.
ALTER TABLE users DROP CONSTRAINT users_tenant, DROP has_password, DROP language;
ALTER TABLE users ADD CONSTRAINT users_check CHECK ((role = 'ADMIN') = (tenant_id IS NULL));
COMMENT ON POLICY portal ON users IS 'SELECT (id, tenant_id, name, email, phone, role, created_at, updated_at)';
DELETE FROM one_time_links WHERE purpose NOT IN ('ADMIN_SETUP', 'SET_PASSWORD');
ALTER TABLE one_time_links DROP email, DROP name, DROP language;
ALTER TYPE link_purpose RENAME TO link_purpose_new;
CREATE TYPE link_purpose AS ENUM ('ADMIN_SETUP', 'SET_PASSWORD');
ALTER TABLE one_time_links ALTER purpose TYPE link_purpose USING purpose::text::link_purpose;
DROP TYPE link_purpose_new;
