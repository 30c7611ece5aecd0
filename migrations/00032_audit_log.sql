-- Who changed what, before and after, and from where. Triggers on the tables that people change fill it, so nothing that changes them can
-- leave it out; who asks stands in the transaction's setting flowhq.actor (jobs/actor.go), and without one it was the system.

-- +goose Up
CREATE TYPE actor_kind AS ENUM ('ADMIN', 'OWNER', 'STAFF', 'API_KEY', 'JOB', 'COMMAND', 'SYSTEM');
CREATE TYPE audit_action AS ENUM ('CREATE', 'CHANGE', 'DELETE', 'START', 'STOP', 'RESTART', 'LOGOUT', 'PAIR_CODE', 'SHOW', 'JOBS');

-- +goose StatementBegin
CREATE FUNCTION time_ordered_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
-- A UUIDv7 (RFC 9562): milliseconds, then chance.
SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
-- +goose StatementEnd

CREATE TABLE audit_log (
    id           uuid PRIMARY KEY DEFAULT time_ordered_id(),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(), -- one transaction may have several entries, in this order
    actor_kind   actor_kind NOT NULL,
    actor_name   text NOT NULL,           -- as it was then
    actor_id     uuid,                    -- users.id or api_keys.id; NULL: neither
    ip           text,
    request_id   text,                    -- as in the server's log
    action       audit_action NOT NULL,
    table_name   text NOT NULL,
    record_key   text NOT NULL,
    record_title text NOT NULL,
    tenant_id    uuid,                    -- no foreign key: an entry outlives what it is about
    changed      text NOT NULL DEFAULT '', -- columns, of a CHANGE
    before       jsonb,
    after        jsonb
);
CREATE INDEX audit_log_newest ON audit_log (created_at DESC, id DESC);
CREATE INDEX audit_log_record ON audit_log (record_key, created_at DESC, id DESC);
CREATE INDEX audit_log_tenant ON audit_log (tenant_id, created_at DESC, id DESC);
CREATE INDEX audit_log_actor ON audit_log (actor_id, created_at DESC, id DESC);
SELECT protect_tenant_rows('audit_log', 'tenant_id');

-- Entries are written once. The grant holds for everybody but a superuser, the trigger for everybody.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM CURRENT_USER;
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'entries of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'FHQ02';
END $$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER live_row AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION notify_live_row();

-- +goose StatementBegin
CREATE FUNCTION audit_note(what audit_action, tbl text, record text, title text, tenant uuid, columns text, old_row jsonb, new_row jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes one entry, with the transaction's actor. The setting is base64 of JSON.
DECLARE
    given text := current_setting('flowhq.actor', true);
    actor jsonb := '{}';
BEGIN
    IF given <> '' THEN
        actor := convert_from(decode(given, 'base64'), 'UTF8')::jsonb;
    END IF;
    INSERT INTO audit_log (actor_kind, actor_name, actor_id, ip, request_id, action, table_name, record_key, record_title, tenant_id, changed, before, after)
    VALUES (coalesce(actor ->> 'kind', 'SYSTEM')::actor_kind, coalesce(actor ->> 'name', ''), (actor ->> 'id')::uuid, actor ->> 'ip', actor ->> 'request',
        what, tbl, record, coalesce(title, ''), tenant, coalesce(columns, ''), old_row, new_row);
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Notes one changed row. Its arguments are audit_table's: key, title, secret and quiet columns.
DECLARE
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    this_row jsonb := coalesce(new_row, old_row);
    changes text[];
    secret text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(n.key ORDER BY n.key) INTO changes FROM jsonb_each(new_row) n
        WHERE n.value IS DISTINCT FROM old_row -> n.key AND n.key <> ALL (string_to_array(TG_ARGV[3], ','));
        IF changes IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    FOREACH secret IN ARRAY string_to_array(TG_ARGV[2], ',') LOOP -- that it changed stands in changes
        IF old_row ->> secret IS NOT NULL THEN
            old_row := jsonb_set(old_row, ARRAY[secret], '"(secret)"');
        END IF;
        IF new_row ->> secret IS NOT NULL THEN
            new_row := jsonb_set(new_row, ARRAY[secret], '"(secret)"');
        END IF;
    END LOOP;
    PERFORM audit_note(
        CASE TG_OP WHEN 'INSERT' THEN 'CREATE' WHEN 'UPDATE' THEN 'CHANGE' ELSE 'DELETE' END::audit_action,
        TG_TABLE_NAME, this_row ->> TG_ARGV[0],
        (SELECT this_row ->> c FROM unnest(string_to_array(TG_ARGV[1], ',')) WITH ORDINALITY AS t (c, n) WHERE this_row ->> c <> '' ORDER BY n LIMIT 1),
        CASE WHEN TG_TABLE_NAME = 'tenants' THEN this_row ->> 'id' ELSE this_row ->> 'tenant_id' END::uuid,
        array_to_string(changes, ', '), old_row, new_row);
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION audit_table(tbl regclass, title text, secret text DEFAULT '', quiet text DEFAULT 'updated_at', key text DEFAULT 'id', only_with_actor boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql AS $$
-- Has a table's changes noted. Later migrations call it for each new table that people change. Column lists have commas and no
-- spaces. quiet are those that machines write: a change of nothing else is no entry. only_with_actor: also rows that machines write are
-- in the table, and those are not noted.
DECLARE
    condition text := CASE WHEN only_with_actor THEN ' AND coalesce(current_setting(''flowhq.actor'', true), '''') <> ''''' ELSE '' END;
    arguments text := format('%L, %L, %L, %L', key, title, secret, quiet);
BEGIN
    -- What goes or comes with another row, by a foreign key, is that row's entry.
    EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR DELETE ON %s FOR EACH ROW WHEN (pg_trigger_depth() = 0%s) EXECUTE FUNCTION audit_row(%s)', tbl, condition, arguments);
    EXECUTE format('CREATE TRIGGER audit_change AFTER UPDATE ON %s FOR EACH ROW
        WHEN (to_jsonb(OLD) - string_to_array(%L, '','') IS DISTINCT FROM to_jsonb(NEW) - string_to_array(%2$L, '','')%s) EXECUTE FUNCTION audit_row(%s)', tbl, quiet, condition, arguments);
END $$;
-- +goose StatementEnd

SELECT audit_table('tenants', 'name', quiet => 'status,updated_at');
SELECT audit_table('tenant_configs', 'business_name');
SELECT audit_table('users', 'name,email', secret => 'password_hash', quiet => 'updated_at,has_password,language');
SELECT audit_table('one_time_links', 'email,name,purpose', secret => 'token_hash', quiet => 'token_hash'); -- a mail renews it; who is shown one is noted
SELECT audit_table('api_keys', 'label', secret => 'key_hash', quiet => 'last_used_at');
SELECT audit_table('setup_requests', 'business_name,whatsapp_number', quiet => 'updated_at,told_active_at');
SELECT audit_table('contacts', 'name,phone_number', only_with_actor => true);

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    tbl regclass;
BEGIN
    FOR tbl IN SELECT DISTINCT tgrelid::regclass FROM pg_trigger WHERE tgfoid = 'audit_row'::regproc LOOP
        EXECUTE format('DROP TRIGGER audit ON %s', tbl);
        EXECUTE format('DROP TRIGGER audit_change ON %s', tbl);
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION audit_table(regclass, text, text, text, text, boolean);
DROP FUNCTION audit_row();
DROP FUNCTION audit_note(audit_action, text, text, text, uuid, text, jsonb, jsonb);
DROP TABLE audit_log;
DROP FUNCTION refuse_change();
DROP FUNCTION time_ordered_id();
DROP TYPE audit_action, actor_kind;
