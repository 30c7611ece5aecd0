-- A linked number brings 812 one-time prekeys along. whatsmeow's table has a row for each, with an index entry that repeats the
-- device's address and a look-up of the foreign key: most of what linking cost here. 28 to a row are a thirtieth of the work.

-- +goose Up
CREATE TABLE prekey_blocks (
    jid      text NOT NULL REFERENCES whatsmeow_device (jid) ON UPDATE CASCADE ON DELETE CASCADE,
    first_id integer NOT NULL CHECK (first_id > 0), -- of the first key; the others follow it
    keys     bytea[] NOT NULL,                      -- private keys; NULL: used up
    uploaded boolean NOT NULL,                      -- WhatsApp has the public keys
    PRIMARY KEY (jid, first_id),
    CHECK (first_id + cardinality(keys) <= 16777216) -- ids have 24 bits
) WITH (fillfactor = 85);

INSERT INTO prekey_blocks (jid, first_id, keys, uploaded)
SELECT d.jid, b.first_id, array_agg(k.key ORDER BY i.id), bool_or(k.uploaded)
FROM (SELECT jid, greatest(min(key_id), 1) AS low, max(key_id) AS high FROM whatsmeow_pre_keys GROUP BY jid) d
CROSS JOIN LATERAL generate_series(d.low, d.high, 28) AS b (first_id)
CROSS JOIN LATERAL generate_series(b.first_id, least(b.first_id + 27, d.high)) AS i (id)
LEFT JOIN whatsmeow_pre_keys k ON k.jid = d.jid AND k.key_id = i.id
GROUP BY d.jid, b.first_id
HAVING count(k.key) > 0;
DELETE FROM whatsmeow_pre_keys;

-- +goose Down
INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded)
SELECT b.jid, b.first_id + k.place - 1, k.key, b.uploaded
FROM prekey_blocks b CROSS JOIN LATERAL unnest(b.keys) WITH ORDINALITY AS k (key, place)
WHERE k.key IS NOT NULL;
DROP TABLE prekey_blocks;
