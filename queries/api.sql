-- A program polls the QR: codes are worth renewing until it had time to ask again, and some more. Not every poll writes.
-- name: WatchSessionByAPI :exec
UPDATE whatsapp_sessions SET watched_until = now() + interval '45 seconds'
WHERE tenant_id = @tenant_id AND coalesce(watched_until < now() + interval '30 seconds', true);
