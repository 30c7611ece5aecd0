-- The second lock on the tenant door: a portal request sees nothing until its transaction entered a tenant, and then only
-- that tenant. It has two modes, which database.Migrate decides between; what a database has is read off the table tenants.
--
-- With the role flowhq_portal: portal requests run as that role, and the policies are for it. Workers and admins run as the
-- tables' owner, for whom policies do not count. What is not granted to the role, the portal cannot even name.
--
-- Forced, where the login may neither create nor become that role: everybody is the owner, so the policies are forced on the
-- owner too, and workers and admins say at connect that their scope is the system. Grants cannot hold anybody back here.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('flowhq.tenant_id', true), '')::uuid $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION enter_tenant(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
-- Begins a portal transaction. It refuses to where policies do not hold: for a connection from before the mode changed, or
-- a login that bypasses them. The lock keeps the mode as it is until the transaction ends.
BEGIN
    LOCK TABLE tenants IN ACCESS SHARE MODE;
    IF NOT row_security_active('tenants') THEN
        RAISE 'row-level security does not hold for %', current_user USING ERRCODE = 'FHQ01';
    END IF;
    PERFORM set_config('flowhq.tenant_id', tenant::text, true);
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION portal_has_role() RETURNS boolean LANGUAGE sql STABLE AS $$
-- The present mode: as the table tenants has it, or, before that is protected, what this login can have.
SELECT coalesce(
    (SELECT NOT relforcerowsecurity FROM pg_class WHERE oid = 'tenants'::regclass AND relrowsecurity),
    -- Since version 16 membership alone does not allow SET ROLE, and before it the privilege SET is unknown.
    (SELECT pg_has_role(session_user, oid,
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    FROM pg_roles WHERE rolname = 'flowhq_portal'),
    false)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION set_portal_mode(tbl regclass, with_role boolean) RETURNS void LANGUAGE plpgsql AS $$
-- Makes one protected table as a mode has it.
DECLARE
    portal_may text := (SELECT obj_description(oid, 'pg_policy') FROM pg_policy WHERE polrelid = tbl AND polname = 'portal');
BEGIN
    EXECUTE format('DROP POLICY IF EXISTS system ON %s', tbl);
    IF with_role THEN
        EXECUTE format('ALTER POLICY portal ON %s TO flowhq_portal', tbl);
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', tbl);
        IF portal_may IS NOT NULL THEN
            EXECUTE format('GRANT %s ON %s TO flowhq_portal', portal_may, tbl);
        END IF;
    ELSE
        EXECUTE format('ALTER POLICY portal ON %s TO PUBLIC', tbl);
        -- The inner SELECT asks once for each statement instead of once for each row.
        EXECUTE format('CREATE POLICY system ON %s USING ((SELECT current_setting(''flowhq.scope'', true) = ''system''))', tbl);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tbl);
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION protect_tenant_rows(tbl regclass, tenant_column text, portal_may text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
-- Puts a table of tenants behind the door, in the present mode. Later migrations call it for each new one. portal_may is
-- what the portal needs of it, as GRANT has it; the policy's comment keeps that for a change of the mode.
DECLARE
    with_role boolean := portal_has_role();
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tbl);
    EXECUTE format('CREATE POLICY portal ON %s USING (%I = (SELECT current_tenant()))', tbl, tenant_column);
    EXECUTE format('COMMENT ON POLICY portal ON %s IS %L', tbl, portal_may);
    PERFORM set_portal_mode(tbl, with_role);
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION give_portal_its_role() RETURNS void LANGUAGE plpgsql AS $$
-- Changes a forced database to the mode with the role. enter_tenant makes portal transactions wait for it, or it for them.
DECLARE
    tbl regclass;
BEGIN
    LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE;
    FOR tbl IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'portal' ORDER BY polrelid LOOP
        PERFORM set_portal_mode(tbl, true);
    END LOOP;
END $$;
-- +goose StatementEnd

SELECT protect_tenant_rows('tenants', 'id', 'SELECT');
SELECT protect_tenant_rows('tenant_configs', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('whatsapp_sessions', 'tenant_id', 'SELECT, UPDATE (watched_until)');
SELECT protect_tenant_rows('worker_processes', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('users', 'tenant_id', 'SELECT (id, tenant_id, name, email, phone, role, created_at, updated_at)');
SELECT protect_tenant_rows('api_keys', 'tenant_id');
SELECT protect_tenant_rows('setup_requests', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('portal_event_logs', 'tenant_id', 'SELECT, INSERT');
SELECT protect_tenant_rows('contacts', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('conversations', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('message_logs', 'tenant_id', 'SELECT');
SELECT protect_tenant_rows('idempotency_keys', 'tenant_id');

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    tbl regclass;
BEGIN
    FOR tbl IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'portal' LOOP
        EXECUTE format('DROP POLICY portal ON %s', tbl);
        EXECUTE format('DROP POLICY IF EXISTS system ON %s', tbl);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', tbl);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'flowhq_portal') THEN
            EXECUTE format('REVOKE ALL ON %s FROM flowhq_portal', tbl);
        END IF;
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION give_portal_its_role();
DROP FUNCTION protect_tenant_rows(regclass, text, text);
DROP FUNCTION set_portal_mode(regclass, boolean);
DROP FUNCTION portal_has_role();
DROP FUNCTION enter_tenant(uuid);
DROP FUNCTION current_tenant();
