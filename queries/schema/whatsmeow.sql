-- What sqlc has to know of whatsmeow's own tables, which whatsmeow creates (database.Migrate has it do so). No migration.
CREATE TABLE whatsmeow_sessions (
    our_jid  text NOT NULL,
    their_id text NOT NULL,
    session  bytea,
    PRIMARY KEY (our_jid, their_id)
);
