-- Hours to count, newest first: those that were never counted, the present one, and those due for another look, because messages
-- fail, and are sent, long after they were logged. An hour is looked at once it is over and settled, and three times after that.
-- Nothing is older than the first message or 31 days.
-- name: HoursToCount :many
SELECT h.hour::timestamptz AS hour, (h.hour + interval '1 hour' + interval '20 seconds' <= now())::boolean AS closed
FROM generate_series(
    (SELECT date_bin('1 hour', greatest(min(m.created_at), now() - interval '31 days'), 'epoch'::timestamptz) FROM message_logs m HAVING min(m.created_at) IS NOT NULL),
    now(), interval '1 hour') AS h(hour)
LEFT JOIN counted_hours c ON c.hour = h.hour
WHERE c.hour IS NULL OR h.hour + interval '1 hour' + interval '20 seconds' > now()
   OR EXISTS (SELECT FROM (VALUES (interval '20 seconds'), (interval '1 hour'), (interval '4 hours'), (interval '24 hours')) AS look (after)
       WHERE c.counted_at < h.hour + interval '1 hour' + look.after AND h.hour + interval '1 hour' + look.after <= now())
ORDER BY 1 DESC LIMIT sqlc.arg(most)::integer;

-- name: BeginHour :exec
INSERT INTO counted_hours (hour, counted_until) VALUES (@hour, @hour) ON CONFLICT (hour) DO NOTHING;

-- How far an hour is counted, and what now is settled: what is logged at this moment may still be uncommitted. Whoever counts the
-- same hour waits here.
-- name: LockHour :one
SELECT counted_until, (now() - interval '20 seconds')::timestamptz AS settled_until FROM counted_hours WHERE hour = @hour FOR UPDATE;

-- name: ClearHour :exec
DELETE FROM message_hours WHERE hour = @hour;

-- Adds the messages logged from one moment to another to an hour's counts. How long a customer waited is by WhatsApp's own clock, to
-- the second, from their message to our answer.
-- name: CountMessages :exec
INSERT INTO message_hours (hour, tenant_id, received, sent, failed, answers, waited_under_1, waited_under_2, waited_under_3, waited_under_5,
    waited_under_10, waited_under_30, waited_under_60, waited_under_300)
SELECT sqlc.arg(hour)::timestamptz, o.tenant_id, count(*) FILTER (WHERE o.direction = 'IN'), count(*) FILTER (WHERE o.direction = 'OUT'),
    count(*) FILTER (WHERE o.status = 'FAILED'), count(w.waited), count(*) FILTER (WHERE w.waited < 1), count(*) FILTER (WHERE w.waited >= 1 AND w.waited < 2),
    count(*) FILTER (WHERE w.waited >= 2 AND w.waited < 3), count(*) FILTER (WHERE w.waited >= 3 AND w.waited < 5), count(*) FILTER (WHERE w.waited >= 5 AND w.waited < 10),
    count(*) FILTER (WHERE w.waited >= 10 AND w.waited < 30), count(*) FILTER (WHERE w.waited >= 30 AND w.waited < 60), count(*) FILTER (WHERE w.waited >= 60 AND w.waited < 300)
FROM message_logs o
LEFT JOIN message_logs i ON i.id = o.in_reply_to AND o.source = 'BOT'
CROSS JOIN LATERAL (SELECT extract(epoch FROM o.sent_at - coalesce(i.sent_at, i.created_at)) AS waited) w
WHERE o.created_at >= sqlc.arg(since)::timestamptz AND o.created_at < sqlc.arg(until)::timestamptz
  AND EXISTS (SELECT FROM tenants t WHERE t.id = o.tenant_id)
GROUP BY o.tenant_id
ON CONFLICT (hour, tenant_id) DO UPDATE SET received = message_hours.received + excluded.received, sent = message_hours.sent + excluded.sent,
    failed = message_hours.failed + excluded.failed, answers = message_hours.answers + excluded.answers,
    waited_under_1 = message_hours.waited_under_1 + excluded.waited_under_1, waited_under_2 = message_hours.waited_under_2 + excluded.waited_under_2,
    waited_under_3 = message_hours.waited_under_3 + excluded.waited_under_3, waited_under_5 = message_hours.waited_under_5 + excluded.waited_under_5,
    waited_under_10 = message_hours.waited_under_10 + excluded.waited_under_10, waited_under_30 = message_hours.waited_under_30 + excluded.waited_under_30,
    waited_under_60 = message_hours.waited_under_60 + excluded.waited_under_60, waited_under_300 = message_hours.waited_under_300 + excluded.waited_under_300;

-- name: EndHour :exec
UPDATE counted_hours SET counted_until = @counted_until, counted_at = now() WHERE hour = @hour;

-- Hours that nobody looks at any more.
-- name: ForgetHours :exec
WITH old AS (DELETE FROM message_hours m WHERE m.hour < now() - interval '31 days')
DELETE FROM counted_hours c WHERE c.hour < now() - interval '31 days';
