-- Reasons of a session that have their own sentence. WhatsApp tells a client nothing about a phone that is away, so nothing ever set
-- PHONE_OFFLINE; its place is taken by one that exists.

-- +goose Up
ALTER TYPE session_reason RENAME VALUE 'PHONE_OFFLINE' TO 'RESTRICTED'; -- connected, but may not write to new customers; see restricted_until
ALTER TYPE session_reason ADD VALUE 'UNLINKED';                         -- a number was linked once; none is now
ALTER TYPE session_reason ADD VALUE 'LOCKED';                           -- WhatsApp ended the link: the account on the phone is locked or moved
ALTER TYPE session_reason ADD VALUE 'REFUSED';                          -- WhatsApp turns the connection away; tried again with growing pauses

-- +goose Down
-- Values of an enum cannot be removed; nothing may use them when the first is renamed back.
UPDATE whatsapp_sessions SET reason = CASE reason::text WHEN 'UNLINKED' THEN 'NEVER_LINKED' WHEN 'LOCKED' THEN 'BANNED' WHEN 'REFUSED' THEN 'RECONNECTING'
    ELSE 'CONNECTED' END::session_reason
WHERE reason::text IN ('UNLINKED', 'LOCKED', 'REFUSED', 'RESTRICTED');
ALTER TYPE session_reason RENAME VALUE 'RESTRICTED' TO 'PHONE_OFFLINE';
