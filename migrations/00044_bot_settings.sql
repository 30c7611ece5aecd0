-- What a business says in its own words, and every version of it that was ever saved.

-- +goose Up
ALTER TABLE tenant_configs ADD settings_json jsonb; -- see bot.ReadValues; NULL: the template's own words

CREATE TABLE bot_settings_versions (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    number        integer NOT NULL CHECK (number > 0), -- counts from 1 in each tenant
    settings_json jsonb,
    hours_json    jsonb,
    user_id       uuid REFERENCES users ON DELETE SET NULL,
    changed_by    text NOT NULL DEFAULT '', -- a name; '': not by the page of settings
    restored      integer,                  -- the number of the version that was brought back
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX bot_settings_versions_number ON bot_settings_versions (tenant_id, number);
CREATE INDEX bot_settings_versions_user ON bot_settings_versions (user_id);
SELECT protect_tenant_rows('bot_settings_versions', 'tenant_id', 'SELECT');

-- +goose Down
DROP TABLE bot_settings_versions;
ALTER TABLE tenant_configs DROP settings_json;
