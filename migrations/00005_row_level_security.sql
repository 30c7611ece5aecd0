-- The second lock on the tenant door. Portal requests run as flowhq_portal (made by database.Migrate before this runs),
-- which sees nothing until its transaction has set flowhq.tenant_id, and then only that tenant. Workers and admins run as
-- the tables' owner, for whom policies do not count. What is not granted here, the portal cannot even name.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('flowhq.tenant_id', true), '')::uuid $$;
-- +goose StatementEnd

ALTER TABLE tenants           ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_configs    ENABLE ROW LEVEL SECURITY;
ALTER TABLE whatsapp_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE worker_processes  ENABLE ROW LEVEL SECURITY;
ALTER TABLE users             ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys          ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup_requests    ENABLE ROW LEVEL SECURITY;
ALTER TABLE portal_event_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts          ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations     ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_logs      ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys  ENABLE ROW LEVEL SECURITY;

CREATE POLICY portal ON tenants           TO flowhq_portal USING (id = (SELECT current_tenant()));
CREATE POLICY portal ON tenant_configs    TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON whatsapp_sessions TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON worker_processes  TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON users             TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON api_keys          TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON setup_requests    TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON portal_event_logs TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON contacts          TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON conversations     TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON message_logs      TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY portal ON idempotency_keys  TO flowhq_portal USING (tenant_id = (SELECT current_tenant()));

GRANT SELECT ON tenants, tenant_configs, whatsapp_sessions, worker_processes, setup_requests, portal_event_logs,
    contacts, conversations, message_logs TO flowhq_portal;
GRANT SELECT (id, tenant_id, name, email, phone, role, created_at, updated_at) ON users TO flowhq_portal;
GRANT UPDATE (watched_until) ON whatsapp_sessions TO flowhq_portal;
GRANT INSERT ON portal_event_logs TO flowhq_portal;

-- +goose Down
DROP POLICY portal ON idempotency_keys;
DROP POLICY portal ON message_logs;
DROP POLICY portal ON conversations;
DROP POLICY portal ON contacts;
DROP POLICY portal ON portal_event_logs;
DROP POLICY portal ON setup_requests;
DROP POLICY portal ON api_keys;
DROP POLICY portal ON users;
DROP POLICY portal ON worker_processes;
DROP POLICY portal ON whatsapp_sessions;
DROP POLICY portal ON tenant_configs;
DROP POLICY portal ON tenants;
ALTER TABLE tenants           DISABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_configs    DISABLE ROW LEVEL SECURITY;
ALTER TABLE whatsapp_sessions DISABLE ROW LEVEL SECURITY;
ALTER TABLE worker_processes  DISABLE ROW LEVEL SECURITY;
ALTER TABLE users             DISABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys          DISABLE ROW LEVEL SECURITY;
ALTER TABLE setup_requests    DISABLE ROW LEVEL SECURITY;
ALTER TABLE portal_event_logs DISABLE ROW LEVEL SECURITY;
ALTER TABLE contacts          DISABLE ROW LEVEL SECURITY;
ALTER TABLE conversations     DISABLE ROW LEVEL SECURITY;
ALTER TABLE message_logs      DISABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys  DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM flowhq_portal;
DROP FUNCTION current_tenant();
