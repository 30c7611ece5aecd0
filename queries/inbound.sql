-- The contacts that answer to a phone number, a LID, or both: none, one, or two that turn out to be one person.
-- name: FindContacts :many
SELECT c.id, c.phone_number, c.lid, c.name, v.id AS conversation_id
FROM contacts c LEFT JOIN conversations v ON v.contact_id = c.id
WHERE c.tenant_id = @tenant_id AND (c.phone_number = sqlc.narg(phone_number) OR c.lid = sqlc.narg(lid))
ORDER BY c.phone_number NULLS LAST;

-- A new contact. Nothing comes back when another transaction made it first.
-- name: InsertContact :many
INSERT INTO contacts (id, tenant_id, phone_number, lid, name)
VALUES (@id, @tenant_id, sqlc.narg(phone_number), sqlc.narg(lid), sqlc.narg(name))
ON CONFLICT DO NOTHING
RETURNING id;

-- What has become known about a contact.
-- name: UpdateContact :exec
UPDATE contacts SET phone_number = sqlc.narg(phone_number), lid = sqlc.narg(lid), name = CASE WHEN named THEN name ELSE sqlc.narg(name) END, updated_at = now()
WHERE id = @id AND tenant_id = @tenant_id;

-- The chat with a contact, made if it is the first.
-- name: EnsureChat :one
INSERT INTO conversations (id, tenant_id, contact_id) VALUES (@id, @tenant_id, @contact_id)
ON CONFLICT (contact_id) DO UPDATE SET contact_id = excluded.contact_id
RETURNING id;

-- Keeps everybody else from adding to a chat until the transaction ends.
-- name: LockChat :one
SELECT id FROM conversations WHERE id = @id FOR UPDATE;

-- Two chats turn out to be with one person: the messages of the one move to the other.
-- name: MoveMessages :exec
UPDATE message_logs SET conversation_id = sqlc.arg(into_id)
WHERE tenant_id = @tenant_id AND conversation_id = sqlc.arg(from_id);

-- And what people know and have decided about the two. A chat that a person has taken over stays theirs.
-- name: MergeChats :exec
WITH labels AS (
    UPDATE contacts k SET updated_at = now(), name = CASE WHEN d.named AND NOT k.named THEN d.name ELSE k.name END, named = k.named OR d.named,
        labels = (SELECT coalesce(array_agg(DISTINCT l ORDER BY l), '{}') FROM unnest(k.labels || d.labels) AS l)
    FROM contacts d
    WHERE k.tenant_id = @tenant_id AND k.id = sqlc.arg(into_contact)::uuid AND d.id = sqlc.arg(from_contact)::uuid AND (d.labels <> '{}' OR d.named)
), notes AS (
    UPDATE contact_notes n SET contact_id = sqlc.arg(into_contact)::uuid WHERE n.tenant_id = @tenant_id AND n.contact_id = sqlc.arg(from_contact)::uuid
)
UPDATE conversations k SET updated_at = now(), unread = k.unread + d.unread, last_message_at = greatest(k.last_message_at, d.last_message_at),
    handoff_at = least(k.handoff_at, d.handoff_at), paused_at = coalesce(k.paused_at, d.paused_at),
    paused_until = CASE WHEN k.paused_at IS NULL THEN d.paused_until ELSE k.paused_until END,
    paused_by = CASE WHEN k.paused_at IS NULL THEN d.paused_by ELSE k.paused_by END,
    opted_out_at = coalesce(k.opted_out_at, d.opted_out_at), opted_out_by = CASE WHEN k.opted_out_at IS NULL THEN d.opted_out_by ELSE k.opted_out_by END
FROM conversations d
WHERE k.tenant_id = @tenant_id AND k.contact_id = sqlc.arg(into_contact)::uuid AND d.contact_id = sqlc.arg(from_contact)::uuid;

-- A contact that was merged into another; its chat goes with it.
-- name: DeleteContact :exec
DELETE FROM contacts WHERE id = @id AND tenant_id = @tenant_id;

-- One received message: locks its chat, which puts the decisions of a chat in order, and tells whether it was logged before.
-- Comes back with all that deciding needs, and with the versions that this rests on. No row: the chat is gone.
-- name: ReceiveMessage :one
WITH chat AS (
    SELECT v.id, v.state_json, v.updated_at, v.paused_at, v.paused_until, v.opted_out_at FROM conversations v
    WHERE v.id = @conversation_id AND v.tenant_id = @tenant_id FOR UPDATE
)
SELECT EXISTS (SELECT FROM message_logs k WHERE k.tenant_id = @tenant_id AND k.wa_message_id = @wa_message_id)::boolean AS known,
    chat.state_json, chat.updated_at AS chat_version, chat.paused_at, chat.paused_until, (chat.opted_out_at IS NOT NULL)::boolean AS opted_out, sqlc.embed(c),
    CASE WHEN coalesce(c.replies_per_minute, sqlc.arg(default_limit)::integer) > 0 THEN
        (SELECT count(*) FROM message_logs m
         WHERE m.tenant_id = @tenant_id AND m.source = 'BOT' AND m.created_at > now() - interval '1 minute')
    ELSE 0 END::integer AS recent_replies
FROM chat JOIN tenant_configs c ON c.tenant_id = @tenant_id;

-- All that follows from one received message, or nothing: the step of the Signal session it was decrypted with (where session is
-- given), the message with its decision, the chat's new state, and the answers, queued under the WhatsApp ids they will keep.
--
-- The decision rests on what was read before and only counts while that holds: the chat and the tenant's configuration have
-- their versions, the message is not logged yet, the limit of answers is not reached (at_most; 0: not asked), and this node
-- holds the shard. No row comes back where one of them does not. The chat's row comes first: its lock puts the decisions of a
-- chat in order, and seq is given under it.
--
-- It counts as unread until a person looks, puts the chat into the queue of those who ask for a person (handoff), and ends a pause whose
-- time is over (resumed). Where the customer said so, no automatic messages go to them from now on (opt OUT), or they do again (IN).
--
-- Answers are claimed for sending with their decision where the caller can send them at once (direct) and nothing else of the
-- chat waits to be claimed.
-- name: RecordDecision :one
WITH fence AS (
    SELECT h.epoch FROM shards h WHERE h.id = @shard AND h.node_id = @node_id AND h.epoch = @epoch AND h.lease_until > now()
), chat AS (
    UPDATE conversations v SET state_json = coalesce(sqlc.narg(next_state)::jsonb, v.state_json), last_message_at = now(), updated_at = now(),
        unread = v.unread + 1,
        handoff_at = CASE WHEN sqlc.arg(handoff)::boolean THEN coalesce(v.handoff_at, now()) ELSE v.handoff_at END,
        paused_at = CASE WHEN sqlc.arg(resumed)::boolean THEN NULL ELSE v.paused_at END,
        paused_until = CASE WHEN sqlc.arg(resumed)::boolean THEN NULL ELSE v.paused_until END,
        opted_out_at = CASE sqlc.arg(opt)::text WHEN 'OUT' THEN coalesce(v.opted_out_at, now()) WHEN 'IN' THEN NULL ELSE v.opted_out_at END,
        opted_out_by = CASE sqlc.arg(opt)::text WHEN 'OUT' THEN coalesce(v.opted_out_by, 'CUSTOMER') WHEN 'IN' THEN NULL ELSE v.opted_out_by END
    WHERE v.id = @conversation_id AND v.tenant_id = @tenant_id AND v.updated_at = sqlc.arg(chat_version)::timestamptz
      AND EXISTS (SELECT FROM fence)
      AND EXISTS (SELECT FROM tenant_configs c WHERE c.tenant_id = @tenant_id AND c.updated_at = sqlc.arg(config_version)::timestamptz)
      AND NOT EXISTS (SELECT FROM message_logs k WHERE k.tenant_id = @tenant_id AND k.wa_message_id = sqlc.arg(wa_message_id)::text)
      AND (sqlc.arg(at_most)::integer = 0 OR sqlc.arg(at_most)::integer > (SELECT count(*) FROM message_logs b
           WHERE b.tenant_id = @tenant_id AND b.source = 'BOT' AND b.created_at > now() - interval '1 minute'))
    RETURNING v.updated_at, (sqlc.arg(direct)::boolean AND NOT EXISTS (SELECT FROM message_logs q
        WHERE q.tenant_id = @tenant_id AND q.queued AND q.conversation_id = @conversation_id AND q.claim_epoch IS NULL))::boolean AS claimed
), step AS (
    INSERT INTO whatsmeow_sessions (our_jid, their_id, session)
    SELECT sqlc.arg(jid)::text, sqlc.arg(peer)::text, sqlc.narg(session)::bytea FROM chat WHERE sqlc.narg(session)::bytea IS NOT NULL
    ON CONFLICT (our_jid, their_id) DO UPDATE SET session = excluded.session
), logged AS (
    INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, kind, message_text, wa_message_id,
        status, source, decision, intent, sent_at, in_reply_to, attempts, claim_epoch)
    SELECT sqlc.arg(message_id)::uuid, @tenant_id, @conversation_id, 'IN'::message_direction, sqlc.arg(customer)::text, sqlc.arg(business)::text,
        sqlc.arg(kind)::text, sqlc.arg(message_text)::text, sqlc.arg(wa_message_id)::text, 'RECEIVED'::message_status, '',
        sqlc.arg(decision)::text, sqlc.narg(intent)::text, sqlc.arg(sent_at)::timestamptz, NULL::uuid, 0, NULL::bigint
    FROM chat
    UNION ALL
    SELECT r.id, @tenant_id, @conversation_id, 'OUT', sqlc.arg(business)::text, sqlc.arg(customer)::text, 'text', r.message_text, r.wa_message_id,
        'QUEUED', 'BOT', NULL, NULL, NULL, sqlc.arg(message_id)::uuid, chat.claimed::integer, CASE WHEN chat.claimed THEN @epoch::bigint END
    FROM chat CROSS JOIN (SELECT unnest(sqlc.arg(reply_ids)::uuid[]) AS id, unnest(sqlc.arg(reply_texts)::text[]) AS message_text,
                                 unnest(sqlc.arg(reply_wa_ids)::text[]) AS wa_message_id) AS r
)
SELECT chat.updated_at AS chat_version, chat.claimed FROM chat;
