-- WhatsApp may keep a number from writing first to new customers for a while. That outlives connections, restarts and node changes.

-- +goose Up
ALTER TABLE whatsapp_sessions
    ADD restricted_since  timestamptz,                  -- NULL: not restricted
    ADD restricted_until  timestamptz,                  -- its end, or when it is looked again whether it is over
    ADD restricted_checks integer NOT NULL DEFAULT 0,   -- 0: WhatsApp named the end; otherwise which look is the next
    ADD restricted_number text;                         -- E.164; another number that is linked is not restricted
DROP TRIGGER live ON whatsapp_sessions;
CREATE TRIGGER live AFTER UPDATE ON whatsapp_sessions FOR EACH ROW
    WHEN ((OLD.state, OLD.reason, OLD.reason_until, OLD.jid, OLD.last_qr, OLD.pair_code, OLD.push_name, OLD.restricted_until)
        IS DISTINCT FROM (NEW.state, NEW.reason, NEW.reason_until, NEW.jid, NEW.last_qr, NEW.pair_code, NEW.push_name, NEW.restricted_until))
    EXECUTE FUNCTION notify_live('session');

-- +goose Down
DROP TRIGGER live ON whatsapp_sessions;
CREATE TRIGGER live AFTER UPDATE ON whatsapp_sessions FOR EACH ROW
    WHEN ((OLD.state, OLD.reason, OLD.reason_until, OLD.jid, OLD.last_qr, OLD.pair_code, OLD.push_name)
        IS DISTINCT FROM (NEW.state, NEW.reason, NEW.reason_until, NEW.jid, NEW.last_qr, NEW.pair_code, NEW.push_name))
    EXECUTE FUNCTION notify_live('session');
ALTER TABLE whatsapp_sessions DROP restricted_since, DROP restricted_until, DROP restricted_checks, DROP restricted_number;
