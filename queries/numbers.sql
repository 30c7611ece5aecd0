-- A tenant's messages since a moment, by the half hour, for its owner's numbers: received, and sent by whom.
-- name: CountByHalfHour :many
SELECT date_bin('30 minutes', m.created_at, 'epoch'::timestamptz)::timestamptz AS at, count(*) FILTER (WHERE m.direction = 'IN') AS received,
    count(*) FILTER (WHERE m.source = 'BOT') AS bot, count(*) FILTER (WHERE m.source = 'PERSON') AS people, count(*) FILTER (WHERE m.direction = 'OUT' AND m.source NOT IN ('BOT', 'PERSON')) AS programs
FROM message_logs m WHERE m.tenant_id = @tenant_id AND m.created_at >= sqlc.arg(since)::timestamptz
GROUP BY 1 ORDER BY 1;

-- How many customers wrote on each of these days, which begin at these moments; the last has not ended.
-- name: CountCustomersByDay :many
SELECT width_bucket(m.created_at, sqlc.arg(days)::timestamptz[])::integer AS day, count(DISTINCT m.conversation_id) AS customers
FROM message_logs m WHERE m.tenant_id = @tenant_id AND m.direction = 'IN' AND m.created_at >= (sqlc.arg(days)::timestamptz[])[1]
GROUP BY 1 ORDER BY 1;

-- Customers who wrote since a moment, and those of them who never had before; the same for as long a time before it.
-- name: CountCustomers :one
SELECT count(DISTINCT m.conversation_id) FILTER (WHERE m.created_at >= sqlc.arg(since)::timestamptz) AS wrote,
    count(DISTINCT m.conversation_id) FILTER (WHERE m.created_at < sqlc.arg(since)::timestamptz) AS wrote_before,
    (SELECT count(*) FROM conversations v WHERE v.tenant_id = @tenant_id AND v.created_at >= sqlc.arg(since)::timestamptz
        AND EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = v.id AND i.direction = 'IN'))::bigint AS new,
    (SELECT count(*) FROM conversations v WHERE v.tenant_id = @tenant_id AND v.created_at >= sqlc.arg(before)::timestamptz AND v.created_at < sqlc.arg(since)::timestamptz
        AND EXISTS (SELECT FROM message_logs i WHERE i.conversation_id = v.id AND i.direction = 'IN'))::bigint AS new_before
FROM message_logs m WHERE m.tenant_id = @tenant_id AND m.direction = 'IN' AND m.created_at >= sqlc.arg(before)::timestamptz;

-- How long customers waited, in seconds, -1 where nobody did: half of them, and nine of ten, waited no longer. For the bot from each message
-- to its answer, by WhatsApp's clock; for people from the customer's latest message to the next one a person wrote.
-- name: ReplyTimes :one
WITH bot AS (
    SELECT extract(epoch FROM o.sent_at - i.sent_at) AS waited FROM message_logs o JOIN message_logs i ON i.id = o.in_reply_to AND i.tenant_id = o.tenant_id
    WHERE o.tenant_id = @tenant_id AND o.created_at >= sqlc.arg(since)::timestamptz AND o.created_at < sqlc.arg(until)::timestamptz
      AND o.source = 'BOT' AND o.sent_at IS NOT NULL AND i.sent_at IS NOT NULL
), people AS (
    SELECT extract(epoch FROM t.created_at - t.asked_at) AS waited
    FROM (
        SELECT m.source, m.created_at, lag(m.direction) OVER chat AS came, lag(m.created_at) OVER chat AS asked_at
        FROM message_logs m
        WHERE m.tenant_id = @tenant_id AND m.created_at >= sqlc.arg(since)::timestamptz AND m.created_at < sqlc.arg(until)::timestamptz
          AND (m.direction = 'IN' OR m.source = 'PERSON')
        WINDOW chat AS (PARTITION BY m.conversation_id ORDER BY m.seq)
    ) AS t
    WHERE t.source = 'PERSON' AND t.came = 'IN'
)
SELECT coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) FROM bot), -1)::float8 AS bot_half,
    coalesce((SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) FROM bot), -1)::float8 AS bot_most,
    coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) FROM people), -1)::float8 AS people_half,
    coalesce((SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) FROM people), -1)::float8 AS people_most;

-- What customers asked and the bot did not understand, the most frequent first: the same words, however they are written, are one question.
-- name: UnansweredQuestions :many
SELECT (array_agg(m.message_text ORDER BY m.created_at DESC))[1]::text AS question, count(*) AS times, max(m.created_at)::timestamptz AS latest,
    (array_agg(m.conversation_id ORDER BY m.created_at DESC))[1]::uuid AS conversation_id
FROM message_logs m
WHERE m.tenant_id = @tenant_id AND m.created_at >= sqlc.arg(since)::timestamptz AND m.direction = 'IN' AND m.kind = 'text' AND m.intent = sqlc.arg(intent)::text
GROUP BY lower(btrim(regexp_replace(m.message_text, '[[:space:][:punct:]]+', ' ', 'g')))
HAVING lower(btrim(regexp_replace(min(m.message_text), '[[:space:][:punct:]]+', ' ', 'g'))) <> ''
ORDER BY count(*) DESC, max(m.created_at) DESC LIMIT @most;
