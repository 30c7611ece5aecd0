-- Records that people change by hand say so on the live channel too, so that open lists show it: "row:<table>", of no tenant.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION notify_live_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('flowhq_live', 'row:' || TG_TABLE_NAME || ' 00000000-0000-0000-0000-000000000000 ' || NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER live_row AFTER INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION notify_live_row();
CREATE TRIGGER live_row AFTER INSERT OR UPDATE ON setup_requests FOR EACH ROW EXECUTE FUNCTION notify_live_row();
CREATE TRIGGER live_row AFTER INSERT OR UPDATE OF label, tenant_id, revoked_at ON api_keys FOR EACH ROW EXECUTE FUNCTION notify_live_row();

-- +goose Down
DROP TRIGGER live_row ON api_keys;
DROP TRIGGER live_row ON setup_requests;
DROP TRIGGER live_row ON users;
DROP FUNCTION notify_live_row();
