-- A business that its owner closes: the bot is quiet at once, and after some days, in which it can be undone, everything of it is deleted.

-- +goose Up
ALTER TABLE tenants
    ADD closing_at timestamptz,                             -- from then on it is deleted; NULL: it stays
    ADD closing_reason text NOT NULL DEFAULT '',            -- in the owner's words
    ADD closing_runs boolean NOT NULL DEFAULT false,        -- the worker was to run when it was closed, and is again when that is undone
    ADD closing_told boolean NOT NULL DEFAULT false;        -- the owner was reminded shortly before the end
CREATE INDEX tenants_closing ON tenants (closing_at) WHERE closing_at IS NOT NULL;

-- +goose Down
ALTER TABLE tenants DROP closing_at, DROP closing_reason, DROP closing_runs, DROP closing_told;
