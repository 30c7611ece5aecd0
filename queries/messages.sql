-- A tenant's messages with the customer's name and number, newest first; every filter may be left out.
-- name: ListMessages :many
SELECT sqlc.embed(m), ct.name AS contact_name, ct.phone_number AS contact_phone
FROM message_logs m
JOIN conversations cv ON cv.id = m.conversation_id
JOIN contacts ct ON ct.id = cv.contact_id
WHERE m.tenant_id = @tenant_id
  AND (m.created_at, m.id) < (sqlc.arg(before_created_at)::timestamptz, sqlc.arg(before_id)::uuid)
  AND (sqlc.narg(contact)::text IS NULL OR ct.phone_number = sqlc.narg(contact))
  AND (sqlc.narg(direction)::message_direction IS NULL OR m.direction = sqlc.narg(direction))
  AND (sqlc.narg(since)::timestamptz IS NULL OR m.created_at >= sqlc.narg(since))
  AND (sqlc.arg(search)::text = '' OR m.message_text ILIKE '%' || sqlc.arg(search) || '%')
ORDER BY m.created_at DESC, m.id DESC
LIMIT @page_size;

-- Some of a tenant's messages, oldest first.
-- name: MessagesByID :many
SELECT sqlc.embed(m), ct.name AS contact_name, ct.phone_number AS contact_phone
FROM message_logs m
JOIN conversations cv ON cv.id = m.conversation_id
JOIN contacts ct ON ct.id = cv.contact_id
WHERE m.tenant_id = @tenant_id AND m.id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY m.created_at, m.id;
