-- Whose ledgers there are; with ids, these only. The checks below each give back what is wrong, in one pass over some tenants' messages
-- since a moment: which message, how (kind), and how many of that kind its tenant has (found); the newest per_kind come back.
-- name: LedgerTenants :many
SELECT id, name, phone_number FROM tenants
WHERE cardinality(sqlc.arg(ids)::uuid[]) = 0 OR id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY lower(name), id;

-- The columns of the ledger: what is logged, decided and how, queued, handed to WhatsApp, and what became of it. Only what can be
-- shown counts: a time of WhatsApp's for an acknowledgement, a reason for a failure.
-- name: LedgerCounts :many
SELECT m.tenant_id,
    count(*) FILTER (WHERE m.direction = 'IN') AS logged,
    count(m.decision) FILTER (WHERE m.direction = 'IN') AS decided,
    count(*) FILTER (WHERE m.decision = 'REPLIED') AS answered,
    count(*) FILTER (WHERE m.decision = 'RATE_LIMITED') AS rate_limited,
    count(*) FILTER (WHERE m.direction = 'OUT') AS queued,
    count(*) FILTER (WHERE m.direction = 'OUT' AND m.attempts > 0) AS sent,
    count(*) FILTER (WHERE m.status IN ('SENT', 'DELIVERED', 'READ') AND coalesce(m.sent_at, m.delivered_at, m.read_at) IS NOT NULL) AS acknowledged,
    count(*) FILTER (WHERE m.status = 'FAILED' AND m.failure <> '') AS failed,
    count(*) FILTER (WHERE m.status = 'QUEUED') AS waiting,
    count(*) FILTER (WHERE m.status = 'QUEUED' AND m.attempts = 0) AS unsent
FROM message_logs m
WHERE m.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND m.created_at >= sqlc.arg(since)::timestamptz
GROUP BY m.tenant_id;

-- Received = logged: messages that reached us and are not in the log. One whose sender, or our phone, was asked for it again has
-- some time to come (kind AWAITED).
-- name: LedgerUnlogged :many
SELECT f.tenant_id, f.kind, f.wa_message_id, f.detail, f.first_seen_at, f.found,
    coalesce(f.phone_number, c.phone_number, '')::text AS phone_number, coalesce(c.name, f.name, '')::text AS name
FROM (
    SELECT w.*, count(*) OVER (PARTITION BY w.tenant_id, w.kind) AS found,
        row_number() OVER (PARTITION BY w.tenant_id, w.kind ORDER BY w.first_seen_at DESC) AS place
    FROM (
        SELECT u.tenant_id, u.wa_message_id, u.phone_number, u.lid, u.name, u.detail, u.first_seen_at,
            CASE WHEN u.reason <> 'GIVEN_UP' AND u.first_seen_at > now() - make_interval(secs => sqlc.arg(patience_seconds)::double precision)
                THEN 'AWAITED' ELSE u.reason::text END AS kind
        FROM unlogged_messages u
        WHERE u.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND u.first_seen_at >= sqlc.arg(since)::timestamptz
          AND NOT EXISTS (SELECT FROM message_logs k WHERE k.tenant_id = u.tenant_id AND k.wa_message_id = u.wa_message_id)
    ) AS w
) AS f
LEFT JOIN LATERAL (
    SELECT k.phone_number, k.name FROM contacts k
    WHERE k.tenant_id = f.tenant_id AND (k.phone_number = f.phone_number OR k.lid = f.lid) ORDER BY k.phone_number NULLS LAST LIMIT 1
) AS c ON true
WHERE f.place <= sqlc.arg(per_kind)::integer
ORDER BY f.tenant_id, f.first_seen_at;

-- Logged = decided: received messages without a decision (UNDECIDED), and those whose answers do not fit it: decided to be answered
-- and not (UNANSWERED), answered though decided otherwise (ANSWERED_UNASKED), answered more than once (ANSWERED_TWICE). All answers
-- of one decision are written by its transaction, so they bear one time.
-- name: LedgerDecisions :many
SELECT f.tenant_id, f.kind::text AS kind, f.id AS message_id, f.found
FROM (
    SELECT w.*, count(*) OVER (PARTITION BY w.tenant_id, w.kind) AS found,
        row_number() OVER (PARTITION BY w.tenant_id, w.kind ORDER BY w.id DESC) AS place
    FROM (
        SELECT m.tenant_id, m.id, CASE
            WHEN m.decision IS NULL THEN 'UNDECIDED'
            WHEN m.decision = 'REPLIED' AND a.question IS NULL THEN 'UNANSWERED'
            WHEN m.decision <> 'REPLIED' AND a.question IS NOT NULL THEN 'ANSWERED_UNASKED'
            WHEN a.first <> a.last THEN 'ANSWERED_TWICE' END AS kind
        FROM message_logs m
        LEFT JOIN (
            SELECT r.in_reply_to AS question, min(r.created_at) AS first, max(r.created_at) AS last
            FROM message_logs r
            WHERE r.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND r.created_at >= sqlc.arg(since)::timestamptz
              AND r.source = 'BOT' AND r.in_reply_to IS NOT NULL
            GROUP BY r.in_reply_to
        ) AS a ON a.question = m.id
        WHERE m.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND m.created_at >= sqlc.arg(since)::timestamptz
          AND m.created_at <= now() - make_interval(secs => sqlc.arg(settling_seconds)::double precision)
          AND m.direction = 'IN'
    ) AS w
    WHERE w.kind IS NOT NULL
) AS f
WHERE f.place <= sqlc.arg(per_kind)::integer
ORDER BY f.tenant_id, f.id;

-- Decided = queued: what the bot said without a message it answers (NO_QUESTION), or in another chat than that message (OTHER_CHAT).
-- An answer is written with its question, so none is looked for long before the window.
-- name: LedgerAnswers :many
SELECT f.tenant_id, f.kind::text AS kind, f.id AS message_id, f.found
FROM (
    SELECT w.*, count(*) OVER (PARTITION BY w.tenant_id, w.kind) AS found,
        row_number() OVER (PARTITION BY w.tenant_id, w.kind ORDER BY w.id DESC) AS place
    FROM (
        SELECT m.tenant_id, m.id, CASE WHEN q.id IS NULL THEN 'NO_QUESTION' ELSE 'OTHER_CHAT' END AS kind
        FROM message_logs m
        LEFT JOIN message_logs q ON q.id = m.in_reply_to AND q.tenant_id = m.tenant_id AND q.direction = 'IN'
            AND q.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND q.created_at >= sqlc.arg(since)::timestamptz - interval '1 day'
        WHERE m.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND m.created_at >= sqlc.arg(since)::timestamptz
          AND m.created_at <= now() - make_interval(secs => sqlc.arg(settling_seconds)::double precision)
          AND m.source = 'BOT' AND q.conversation_id IS DISTINCT FROM m.conversation_id
    ) AS w
) AS f
WHERE f.place <= sqlc.arg(per_kind)::integer
ORDER BY f.tenant_id, f.id;

-- Queued = sent = acknowledged + failed + waiting: messages with an outcome that were never handed to WhatsApp (NOT_SENT), whose
-- status lacks the time that proves it (NO_PROOF) or lags behind what WhatsApp said (BEHIND), that failed without a reason (NO_REASON).
-- name: LedgerOutcomes :many
SELECT f.tenant_id, f.kind::text AS kind, f.id AS message_id, f.found
FROM (
    SELECT w.*, count(*) OVER (PARTITION BY w.tenant_id, w.kind) AS found,
        row_number() OVER (PARTITION BY w.tenant_id, w.kind ORDER BY w.id DESC) AS place
    FROM (
        SELECT m.tenant_id, m.id, CASE
            WHEN m.attempts = 0 AND m.status <> 'QUEUED' THEN 'NOT_SENT'
            WHEN m.status = 'SENT' AND m.sent_at IS NULL OR m.status = 'DELIVERED' AND m.delivered_at IS NULL
                OR m.status = 'READ' AND m.read_at IS NULL THEN 'NO_PROOF'
            WHEN m.status IN ('QUEUED', 'FAILED') AND coalesce(m.sent_at, m.delivered_at, m.read_at) IS NOT NULL
                OR m.status = 'SENT' AND coalesce(m.delivered_at, m.read_at) IS NOT NULL
                OR m.status = 'DELIVERED' AND m.read_at IS NOT NULL THEN 'BEHIND'
            WHEN m.status = 'FAILED' AND coalesce(m.failure, '') = '' THEN 'NO_REASON' END AS kind
        FROM message_logs m
        WHERE m.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND m.created_at >= sqlc.arg(since)::timestamptz
          AND m.created_at <= now() - make_interval(secs => sqlc.arg(settling_seconds)::double precision)
          AND m.direction = 'OUT'
    ) AS w
    WHERE w.kind IS NOT NULL
) AS f
WHERE f.place <= sqlc.arg(per_kind)::integer
ORDER BY f.tenant_id, f.id;

-- Waiting: messages that have been queued for longer than they should be although the number was connected all the time (STUCK),
-- however old they are. A restricted number holds first messages to customers who never wrote; they have time from its end.
-- name: LedgerStuck :many
SELECT f.tenant_id, 'STUCK'::text AS kind, f.id AS message_id, f.found
FROM (
    SELECT m.tenant_id, m.id, count(*) OVER (PARTITION BY m.tenant_id) AS found,
        row_number() OVER (PARTITION BY m.tenant_id ORDER BY m.id DESC) AS place
    FROM message_logs m JOIN whatsapp_sessions s ON s.tenant_id = m.tenant_id
    WHERE m.tenant_id = ANY(sqlc.arg(tenant_ids)::uuid[]) AND m.queued AND s.state = 'CONNECTED'
      AND greatest(m.created_at, s.reason_since, CASE WHEN NOT EXISTS (
            SELECT FROM message_logs i WHERE i.conversation_id = m.conversation_id AND i.direction = 'IN') THEN s.restricted_until END) <= now() - make_interval(secs => sqlc.arg(patience_seconds)::double precision)
) AS f
WHERE f.place <= sqlc.arg(per_kind)::integer
ORDER BY f.tenant_id, f.id;

-- Why a tenant's messages failed, the most frequent reasons first.
-- name: LedgerFailures :many
SELECT coalesce(m.failure, '')::text AS failure, count(*) AS messages, max(m.created_at)::timestamptz AS latest
FROM message_logs m
WHERE m.tenant_id = @tenant_id AND m.created_at >= sqlc.arg(since)::timestamptz AND m.status = 'FAILED'
GROUP BY 1 ORDER BY messages DESC, latest DESC LIMIT 20;

-- A message of a customer that is not in the log. Of several reasons for one message the last counts.
-- name: NoteUnlogged :exec
INSERT INTO unlogged_messages (tenant_id, wa_message_id, reason, detail, phone_number, lid, name, sent_at)
VALUES (@tenant_id, @wa_message_id, @reason, @detail, sqlc.narg(phone_number), sqlc.narg(lid), sqlc.narg(name), @sent_at)
ON CONFLICT (tenant_id, wa_message_id) DO UPDATE SET reason = excluded.reason, detail = excluded.detail;
