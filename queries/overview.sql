-- A span of hours, hour by hour: what is counted, and what was logged since by looking. A job that does not count leaves at most a quarter
-- of an hour to look through, so that the page stays quick.
-- name: MessagesByHour :many
WITH ahead AS (
    SELECT h.hour, greatest(coalesce(c.counted_until, h.hour), now() - interval '15 minutes') AS since
    FROM generate_series(date_bin('1 hour', now(), 'epoch'::timestamptz) - interval '1 hour', now(), interval '1 hour') AS h(hour)
    LEFT JOIN counted_hours c ON c.hour = h.hour
    WHERE coalesce(c.counted_until, h.hour) < h.hour + interval '1 hour'
), both_parts AS (
    SELECT hour, received, sent, failed, answers, waited_under_1, waited_under_2, waited_under_3, waited_under_5, waited_under_10, waited_under_30,
        waited_under_60, waited_under_300
    FROM message_hours WHERE hour >= sqlc.arg(since)::timestamptz
    UNION ALL
    SELECT a.hour, (o.direction = 'IN')::int, (o.direction = 'OUT')::int, (o.status = 'FAILED')::int, (w.waited IS NOT NULL)::int, (w.waited < 1)::int,
        (w.waited >= 1 AND w.waited < 2)::int, (w.waited >= 2 AND w.waited < 3)::int, (w.waited >= 3 AND w.waited < 5)::int, (w.waited >= 5 AND w.waited < 10)::int,
        (w.waited >= 10 AND w.waited < 30)::int, (w.waited >= 30 AND w.waited < 60)::int, (w.waited >= 60 AND w.waited < 300)::int
    FROM ahead a
    JOIN message_logs o ON o.created_at >= a.since AND o.created_at < a.hour + interval '1 hour'
    LEFT JOIN message_logs i ON i.id = o.in_reply_to AND o.source = 'BOT'
    CROSS JOIN LATERAL (SELECT extract(epoch FROM o.sent_at - coalesce(i.sent_at, i.created_at)) AS waited) w
)
SELECT hour::timestamptz AS hour, coalesce(sum(received), 0)::bigint AS received, coalesce(sum(sent), 0)::bigint AS sent, coalesce(sum(failed), 0)::bigint AS failed,
    coalesce(sum(answers), 0)::bigint AS answers, coalesce(sum(waited_under_1), 0)::bigint AS waited_under_1, coalesce(sum(waited_under_2), 0)::bigint AS waited_under_2,
    coalesce(sum(waited_under_3), 0)::bigint AS waited_under_3, coalesce(sum(waited_under_5), 0)::bigint AS waited_under_5,
    coalesce(sum(waited_under_10), 0)::bigint AS waited_under_10, coalesce(sum(waited_under_30), 0)::bigint AS waited_under_30,
    coalesce(sum(waited_under_60), 0)::bigint AS waited_under_60, coalesce(sum(waited_under_300), 0)::bigint AS waited_under_300
FROM both_parts GROUP BY 1 ORDER BY 1;

-- Since when messages are not counted any more, where counting is behind by minutes: nothing comes back while it is not.
-- name: CountingStopped :many
SELECT max(counted_until)::timestamptz AS since FROM counted_hours HAVING max(counted_until) < now() - interval '10 minutes';

-- How many sessions are how, by the reason of their state.
-- name: CountSessionsByReason :many
SELECT reason, count(*) AS sessions, count(*) FILTER (WHERE state = 'CONNECTED') AS connected FROM whatsapp_sessions GROUP BY reason;

-- What else needs somebody: workers without a sign of life, tenants that should run and whose shard no node holds, owners' requests, and
-- businesses that their owners close.
-- name: CountTroubles :one
SELECT (SELECT count(*) FROM worker_processes w WHERE w.status = 'ERROR')::bigint AS stale,
    (SELECT count(*) FROM shards h WHERE coalesce(h.lease_until < now(), true)
        AND EXISTS (SELECT FROM tenants t JOIN worker_processes w ON w.tenant_id = t.id WHERE t.shard = h.id AND w.desired = 'RUNNING'))::bigint AS ownerless,
    (SELECT count(*) FROM setup_requests r WHERE r.status IN ('SUBMITTED', 'REVIEWING'))::bigint AS requests,
    (SELECT count(*) FROM tenants t WHERE t.closing_at IS NOT NULL)::bigint AS closing;

-- The nodes with what they run.
-- name: NodeLoads :many
SELECT n.id, n.name, n.started_at, n.last_seen_at, count(DISTINCT h.id) AS shards, count(w.id) AS running, count(s.id) AS connected
FROM nodes n
LEFT JOIN shards h ON h.node_id = n.id AND h.lease_until > now()
LEFT JOIN tenants t ON t.shard = h.id
LEFT JOIN worker_processes w ON w.tenant_id = t.id AND w.status = 'RUNNING'
LEFT JOIN whatsapp_sessions s ON s.tenant_id = t.id AND s.state = 'CONNECTED'
GROUP BY n.id ORDER BY n.name, n.id;
