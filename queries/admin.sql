-- What the admin remembers for a person.
-- name: ListPreferences :many
SELECT key, value FROM admin_preferences WHERE user_id = @user_id;

-- name: SetPreference :exec
INSERT INTO admin_preferences (user_id, key, value) VALUES (@user_id, @key, @value)
ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value, updated_at = now();

-- A person's named views of one table.
-- name: ListSavedViews :many
SELECT id, name, query FROM saved_views WHERE user_id = @user_id AND table_name = @table_name ORDER BY lower(name), id;

-- Saving under a name that is there replaces the view.
-- name: SaveView :exec
INSERT INTO saved_views (id, user_id, table_name, name, query) VALUES (@id, @user_id, @table_name, @name, @query)
ON CONFLICT (user_id, table_name, name) DO UPDATE SET query = excluded.query;

-- name: DeleteSavedView :one
DELETE FROM saved_views WHERE user_id = @user_id AND id = @id RETURNING table_name;
