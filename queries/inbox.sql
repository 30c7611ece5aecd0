-- A business's chats, the latest first: what the inbox lists. Filters: waiting (a customer asked for a person), unread, paused (a person
-- has taken over); search looks at names, numbers, labels, notes and messages. With ids, these chats only.
-- name: ListChats :many
SELECT v.id, v.unread, v.handoff_at, v.paused_at, v.paused_until, v.opted_out_at, v.last_at::timestamptz AS last_at, c.name, c.phone_number, c.labels,
    m.id AS message_id, m.direction, m.kind, m.message_text, m.status, m.source
FROM (
    SELECT s.id, s.tenant_id, s.contact_id, s.unread, s.handoff_at, s.paused_at, s.paused_until, s.opted_out_at, s.last_message_at AS last_at
    FROM conversations s
    WHERE s.tenant_id = @tenant_id AND s.last_message_at IS NOT NULL
      AND (coalesce(cardinality(sqlc.arg(ids)::uuid[]), 0) = 0 OR s.id = ANY(sqlc.arg(ids)::uuid[]))
      AND (s.last_message_at, s.id) < (sqlc.arg(before_at)::timestamptz, sqlc.arg(before_id)::uuid)
      AND CASE sqlc.arg(show)::text
          WHEN 'waiting' THEN s.handoff_at IS NOT NULL
          WHEN 'unread' THEN s.unread > 0
          WHEN 'paused' THEN s.paused_at IS NOT NULL AND coalesce(s.paused_until > now(), true)
          ELSE true END
      AND (sqlc.arg(search)::text = ''
        OR EXISTS (SELECT FROM contacts k WHERE k.id = s.contact_id
            AND (k.name ILIKE '%' || sqlc.arg(search) || '%' OR sqlc.arg(digits)::text <> '' AND k.phone_number LIKE '%' || sqlc.arg(digits) || '%'
              OR EXISTS (SELECT FROM unnest(k.labels) AS l WHERE l ILIKE '%' || sqlc.arg(search) || '%')
              OR EXISTS (SELECT FROM contact_notes n WHERE n.contact_id = k.id AND n.body ILIKE '%' || sqlc.arg(search) || '%')))
        OR EXISTS (SELECT FROM message_logs t WHERE t.tenant_id = @tenant_id AND t.conversation_id = s.id AND t.message_text ILIKE '%' || sqlc.arg(search) || '%'))
    ORDER BY s.last_message_at DESC, s.id DESC
    LIMIT @page_size
) AS v
JOIN contacts c ON c.id = v.contact_id
CROSS JOIN LATERAL (
    SELECT l.id, l.direction, l.kind, l.message_text, l.status, l.source FROM message_logs l WHERE l.tenant_id = @tenant_id AND l.conversation_id = v.id ORDER BY l.seq DESC LIMIT 1
) AS m
ORDER BY v.last_at DESC, v.id DESC;

-- How many customers wait for a person, since when the latest does, and when the next pause ends by itself.
-- name: CountHandoffs :one
SELECT count(handoff_at) AS waiting, coalesce(max(handoff_at), 'epoch')::timestamptz AS latest,
    coalesce(min(paused_until) FILTER (WHERE paused_until > now()), 'epoch')::timestamptz AS next_end
FROM conversations WHERE tenant_id = @tenant_id AND (handoff_at IS NOT NULL OR paused_at IS NOT NULL);

-- One chat, with what is known about its customer.
-- name: GetChat :one
SELECT v.id, v.unread, v.handoff_at, v.paused_at, v.paused_until, v.paused_by, u.name AS paused_by_name, c.name, c.named, c.phone_number, c.labels, v.opted_out_at, v.opted_out_by
FROM conversations v JOIN contacts c ON c.id = v.contact_id LEFT JOIN users u ON u.id = v.paused_by
WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id;

-- A chat's messages before a place in its order, the latest first.
-- name: ThreadMessages :many
SELECT sqlc.embed(m), u.name AS author
FROM message_logs m LEFT JOIN users u ON u.id = m.author_id
WHERE m.tenant_id = @tenant_id AND m.conversation_id = @conversation_id AND m.seq < sqlc.arg(before_seq)::bigint
ORDER BY m.seq DESC
LIMIT @page_size;

-- Which of these messages are of a chat, in their order.
-- name: ThreadMessagesByID :many
SELECT sqlc.embed(m), u.name AS author
FROM message_logs m LEFT JOIN users u ON u.id = m.author_id
WHERE m.tenant_id = @tenant_id AND m.conversation_id = @conversation_id AND m.id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY m.seq;

-- The chats of some messages.
-- name: ChatsOfMessages :many
SELECT DISTINCT conversation_id FROM message_logs WHERE tenant_id = @tenant_id AND id = ANY(sqlc.arg(ids)::uuid[]);

-- A person takes a chat over, until a time or until it is handed back. The chat's version changes, so no node answers on what it
-- remembers of the chat. These statements tell the open pages; no row: there is
-- no such chat.
-- name: TakeOverChat :one
WITH chat AS (
    UPDATE conversations v SET paused_at = now(), paused_by = @paused_by, handoff_at = NULL, updated_at = now(),
        paused_until = now() + make_interval(secs => nullif(sqlc.arg(pause_seconds)::double precision, 0))
    WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id
    RETURNING v.tenant_id, v.id
)
SELECT pg_notify('flowhq_live', 'chat ' || chat.tenant_id || ' ' || chat.id)::text AS told FROM chat;

-- The bot answers a chat again, from the beginning: what it remembers is from before the people talked. Also ends a request for a person.
-- name: HandBackChat :one
WITH chat AS (
    UPDATE conversations v SET handoff_at = NULL, updated_at = now(), paused_at = NULL, paused_until = NULL, paused_by = NULL, state_json = NULL
    WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id
    RETURNING v.tenant_id, v.id
)
SELECT pg_notify('flowhq_live', 'chat ' || chat.tenant_id || ' ' || chat.id)::text AS told FROM chat;

-- Somebody has a chat before their eyes. No decision rests on what is read, so the chat keeps its version.
-- name: ReadChat :exec
WITH chat AS (
    UPDATE conversations v SET unread = 0 WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id AND v.unread > 0
    RETURNING v.tenant_id, v.id
)
SELECT pg_notify('flowhq_live', 'chat ' || chat.tenant_id || ' ' || chat.id) FROM chat;

-- A contact's label, added or, without one to add, taken away. No row: the chat is not there, or there are too many labels.
-- name: LabelContact :one
WITH contact AS (
    UPDATE contacts c SET updated_at = now(), labels = CASE WHEN sqlc.arg(put)::boolean
            THEN array_append(array_remove(c.labels, sqlc.arg(label)::text), sqlc.arg(label)) ELSE array_remove(c.labels, sqlc.arg(label)) END
    FROM conversations v
    WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id AND c.id = v.contact_id
      AND (NOT sqlc.arg(put) OR cardinality(array_remove(c.labels, sqlc.arg(label))) < sqlc.arg(most)::integer)
    RETURNING c.tenant_id
)
SELECT pg_notify('flowhq_live', 'chat ' || contact.tenant_id || ' ' || sqlc.arg(conversation_id)::uuid)::text AS told FROM contact;

-- The labels that a business uses.
-- name: ListLabels :many
SELECT DISTINCT unnest(labels)::text AS label FROM contacts WHERE tenant_id = @tenant_id ORDER BY 1 LIMIT 200;

-- The notes about a chat's customer, the latest first.
-- name: ListNotes :many
SELECT n.id, n.body, n.created_at, u.name AS author
FROM contact_notes n JOIN conversations v ON v.contact_id = n.contact_id LEFT JOIN users u ON u.id = n.author_id
WHERE n.tenant_id = @tenant_id AND v.id = @conversation_id
ORDER BY n.created_at DESC, n.id DESC LIMIT 100;

-- One more note about a chat's customer; with an id that is there already, nothing: the form was sent twice.
-- name: AddNote :one
WITH chat AS (SELECT v.tenant_id, v.id, v.contact_id FROM conversations v WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id),
note AS (
    INSERT INTO contact_notes (id, tenant_id, contact_id, author_id, body)
    SELECT @id, chat.tenant_id, chat.contact_id, sqlc.arg(author_id)::uuid, sqlc.arg(body)::text FROM chat
    ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('flowhq_live', 'chat ' || chat.tenant_id || ' ' || chat.id)::text AS told FROM chat;

-- name: RemoveNote :one
WITH note AS (
    DELETE FROM contact_notes n USING conversations v
    WHERE n.tenant_id = @tenant_id AND n.id = sqlc.arg(note_id)::uuid AND v.id = @conversation_id AND v.contact_id = n.contact_id
    RETURNING n.tenant_id
)
SELECT pg_notify('flowhq_live', 'chat ' || note.tenant_id || ' ' || sqlc.arg(conversation_id)::uuid)::text AS told FROM note;

-- A business's canned answers.
-- name: ListCannedAnswers :many
SELECT id, title, body FROM canned_answers WHERE tenant_id = @tenant_id ORDER BY lower(title), id LIMIT 200;

-- A new canned answer, or a new text for the one of this title.
-- name: PutCannedAnswer :exec
INSERT INTO canned_answers (id, tenant_id, title, body) VALUES (@id, @tenant_id, @title, @body)
ON CONFLICT (tenant_id, title) DO UPDATE SET body = excluded.body, updated_at = now();

-- name: ChangeCannedAnswer :execrows
UPDATE canned_answers SET title = @title, body = @body, updated_at = now() WHERE tenant_id = @tenant_id AND id = @id;

-- name: RemoveCannedAnswer :execrows
DELETE FROM canned_answers WHERE tenant_id = @tenant_id AND id = @id;
