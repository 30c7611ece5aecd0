-- A tenant's messages with the customer's name and number, newest first; every filter may be left out.
-- name: ListMessages :many
SELECT sqlc.embed(m), ct.name AS contact_name, ct.phone_number AS contact_phone
FROM (
    SELECT x.id FROM message_logs x
    WHERE x.tenant_id = @tenant_id
      AND (x.created_at, x.id) < (sqlc.arg(before_created_at)::timestamptz, sqlc.arg(before_id)::uuid)
      AND (sqlc.narg(contact)::text IS NULL OR x.conversation_id IN (
          SELECT v.id FROM contacts k JOIN conversations v ON v.contact_id = k.id WHERE k.tenant_id = @tenant_id AND k.phone_number = sqlc.narg(contact)))
      AND (sqlc.narg(direction)::message_direction IS NULL OR x.direction = sqlc.narg(direction))
      AND (sqlc.narg(since)::timestamptz IS NULL OR x.created_at >= sqlc.narg(since))
      AND (sqlc.arg(search)::text = '' OR x.message_text ILIKE '%' || sqlc.arg(search) || '%')
    ORDER BY x.created_at DESC, x.id DESC
    LIMIT @page_size
) AS page -- the page first: the door of row-level security hides from the planner how few rows that is
JOIN message_logs m ON m.id = page.id
JOIN conversations cv ON cv.id = m.conversation_id
JOIN contacts ct ON ct.id = cv.contact_id
ORDER BY m.created_at DESC, m.id DESC;

-- Some of a tenant's messages, oldest first.
-- name: MessagesByID :many
SELECT sqlc.embed(m), ct.name AS contact_name, ct.phone_number AS contact_phone
FROM message_logs m
JOIN conversations cv ON cv.id = m.conversation_id
JOIN contacts ct ON ct.id = cv.contact_id
WHERE m.tenant_id = @tenant_id AND m.id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY m.created_at, m.id;
