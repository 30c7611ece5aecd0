-- A business's customers, by the latest message (place is its time, the newest first) or by their names (place is the name in small letters). show: week (wrote in the last 7 days), quiet (not in the last 30), never (no message at all),
-- out (want no automatic messages); label: those who have it; search looks at names, numbers and labels.
-- name: ListCustomers :many
SELECT o.id, o.name, o.phone_number, o.labels, o.last_message_at, o.opted_out_at, o.opted_out_by, o.place::text AS place
FROM (
    SELECT v.id, c.name, c.phone_number, c.labels, v.last_message_at, v.opted_out_at, v.opted_out_by,
        (CASE WHEN sqlc.arg(by_name)::boolean THEN lower(coalesce(c.name, c.phone_number, ''))
            ELSE to_char(coalesce(v.last_message_at, v.created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') END)::text COLLATE "C" AS place
    FROM contacts c JOIN conversations v ON v.contact_id = c.id
    WHERE c.tenant_id = @tenant_id AND v.tenant_id = @tenant_id
      AND CASE sqlc.arg(show)::text
          WHEN 'week' THEN v.last_message_at > now() - interval '7 days'
          WHEN 'quiet' THEN coalesce(v.last_message_at < now() - interval '30 days', false)
          WHEN 'never' THEN v.last_message_at IS NULL
          WHEN 'out' THEN v.opted_out_at IS NOT NULL
          ELSE true END
      AND (sqlc.arg(label)::text = '' OR sqlc.arg(label)::text = ANY(c.labels))
      AND (sqlc.arg(search)::text = '' OR c.name ILIKE '%' || sqlc.arg(search) || '%' OR sqlc.arg(digits)::text <> '' AND c.phone_number LIKE '%' || sqlc.arg(digits) || '%'
          OR EXISTS (SELECT FROM unnest(c.labels) AS l WHERE l ILIKE '%' || sqlc.arg(search) || '%'))
) AS o
WHERE NOT sqlc.arg(further)::boolean OR CASE WHEN sqlc.arg(by_name) THEN (o.place, o.id) > (sqlc.arg(after_place)::text, sqlc.arg(after_id)::uuid)
    ELSE (o.place, o.id) < (sqlc.arg(after_place), sqlc.arg(after_id)::uuid) END
ORDER BY CASE WHEN sqlc.arg(by_name) THEN o.place END, CASE WHEN NOT sqlc.arg(by_name) THEN o.place END DESC,
    CASE WHEN sqlc.arg(by_name) THEN o.id END, CASE WHEN NOT sqlc.arg(by_name) THEN o.id END DESC
LIMIT @page_size;

-- How many messages these chats have, and since when.
-- name: CountMessagesOf :many
SELECT m.conversation_id, count(*) AS messages, min(m.created_at)::timestamptz AS first_at FROM message_logs m
WHERE m.tenant_id = @tenant_id AND m.conversation_id = ANY(sqlc.arg(ids)::uuid[]) GROUP BY 1;

-- name: CountCustomersShown :one
SELECT count(*) FROM contacts WHERE tenant_id = @tenant_id;

-- What is known of customers by their numbers, to show what an import would do.
-- name: KnownCustomers :many
SELECT c.phone_number::text AS phone_number, c.name, c.labels FROM contacts c WHERE c.tenant_id = @tenant_id AND c.phone_number = ANY(sqlc.arg(phones)::text[]);

-- Customers that the business adds: new ones, and names and labels for those who are there. A name the business gave before is only replaced by
-- another, and labels are only added. How many are new comes back.
-- name: PutCustomers :one
WITH given AS (
    SELECT g.phone, nullif(g.name, '') AS name, string_to_array(nullif(g.labels, ''), E'\n') AS labels
    FROM (SELECT unnest(sqlc.arg(phones)::text[]) AS phone, unnest(sqlc.arg(names)::text[]) AS name, unnest(sqlc.arg(labels)::text[]) AS labels) g
), put AS (
    INSERT INTO contacts AS k (id, tenant_id, phone_number, name, named, labels)
    SELECT gen_random_uuid(), @tenant_id, g.phone, g.name, g.name IS NOT NULL, coalesce(g.labels, '{}') FROM given g
    ON CONFLICT (tenant_id, phone_number) DO UPDATE SET updated_at = now(), name = coalesce(excluded.name, k.name), named = k.named OR excluded.named AND excluded.name IS DISTINCT FROM k.name,
        labels = (SELECT coalesce(array_agg(DISTINCT l ORDER BY l), '{}') FROM unnest(k.labels || excluded.labels) AS l)
    RETURNING k.id, (k.xmax = 0) AS new
), chats AS (
    INSERT INTO conversations (id, tenant_id, contact_id) SELECT gen_random_uuid(), @tenant_id, put.id FROM put ON CONFLICT (contact_id) DO NOTHING
)
SELECT count(*) FILTER (WHERE put.new) AS new FROM put;

-- The name a business gives a chat's customer; an empty one is WhatsApp's again. No row: there is no such chat.
-- name: NameContact :one
WITH contact AS (
    UPDATE contacts c SET name = coalesce(nullif(sqlc.arg(name)::text, ''), c.name), named = sqlc.arg(name)::text <> '', updated_at = now()
    FROM conversations v WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id AND c.id = v.contact_id
    RETURNING c.tenant_id
)
SELECT pg_notify('flowhq_live', 'chat ' || contact.tenant_id || ' ' || sqlc.arg(conversation_id)::uuid)::text AS told FROM contact;

-- A person notes that a customer wants no automatic messages, or wants them again. The chat's version changes, so no node answers on what it
-- remembers of the chat. No row: there is no such chat, or it is so already.
-- name: OptChat :many
WITH chat AS (
    UPDATE conversations v SET updated_at = now(), opted_out_at = CASE WHEN sqlc.arg(opted_out)::boolean THEN now() END,
        opted_out_by = CASE WHEN sqlc.arg(opted_out)::boolean THEN 'PERSON' END
    WHERE v.tenant_id = @tenant_id AND v.id = @conversation_id AND (v.opted_out_at IS NULL) = sqlc.arg(opted_out)::boolean
    RETURNING v.tenant_id, v.id
)
SELECT pg_notify('flowhq_live', 'chat ' || chat.tenant_id || ' ' || chat.id)::text AS told FROM chat;

-- Whether the customer behind a contact wants no automatic messages.
-- name: OptedOut :one
SELECT EXISTS (SELECT FROM conversations v WHERE v.tenant_id = @tenant_id AND v.contact_id = @contact_id AND v.opted_out_at IS NOT NULL)::boolean AS out;
