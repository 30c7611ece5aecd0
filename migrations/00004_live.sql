-- Whatever changes a tenant's state says so on the channel flowhq_live, with the transaction that changes it.
-- The payload is "kind tenant id": kind is tenant, session, worker, message or event; id is the changed row's.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION notify_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('flowhq_live', TG_ARGV[0] || ' ' || NEW.tenant_id || ' ' || NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION notify_live_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('flowhq_live', 'tenant ' || NEW.id || ' ' || NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER live AFTER INSERT OR UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION notify_live_tenant();
CREATE TRIGGER live AFTER UPDATE ON tenant_configs FOR EACH ROW EXECUTE FUNCTION notify_live('tenant');
-- Heartbeats and the watch mark are no news.
CREATE TRIGGER live AFTER UPDATE ON whatsapp_sessions FOR EACH ROW
    WHEN ((OLD.state, OLD.reason, OLD.reason_until, OLD.jid, OLD.last_qr, OLD.pair_code, OLD.push_name)
        IS DISTINCT FROM (NEW.state, NEW.reason, NEW.reason_until, NEW.jid, NEW.last_qr, NEW.pair_code, NEW.push_name))
    EXECUTE FUNCTION notify_live('session');
CREATE TRIGGER live AFTER UPDATE ON worker_processes FOR EACH ROW
    WHEN ((OLD.status, OLD.desired, OLD.process_name, OLD.last_error)
        IS DISTINCT FROM (NEW.status, NEW.desired, NEW.process_name, NEW.last_error))
    EXECUTE FUNCTION notify_live('worker');
CREATE TRIGGER live_insert AFTER INSERT ON message_logs FOR EACH ROW EXECUTE FUNCTION notify_live('message');
CREATE TRIGGER live_update AFTER UPDATE ON message_logs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION notify_live('message');
CREATE TRIGGER live AFTER INSERT ON portal_event_logs FOR EACH ROW EXECUTE FUNCTION notify_live('event');

-- +goose Down
DROP TRIGGER live ON portal_event_logs;
DROP TRIGGER live_update ON message_logs;
DROP TRIGGER live_insert ON message_logs;
DROP TRIGGER live ON worker_processes;
DROP TRIGGER live ON whatsapp_sessions;
DROP TRIGGER live ON tenant_configs;
DROP TRIGGER live ON tenants;
DROP FUNCTION notify_live_tenant();
DROP FUNCTION notify_live();
