-- A program polls the QR: codes are worth renewing until it had time to ask again, and some more.
-- name: WatchSessionByAPI :exec
UPDATE whatsapp_sessions SET watched_until = greatest(watched_until, now() + interval '45 seconds') WHERE tenant_id = @tenant_id;
