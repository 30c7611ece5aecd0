-- What the operator's people may do. Everybody of them may look at everything; the rest is a role's columns, one for each right.

-- +goose Up
CREATE TABLE admin_roles (
    name        text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
    description text NOT NULL DEFAULT '',
    workers     boolean NOT NULL DEFAULT false, -- start, stop and restart workers, link and unlink numbers
    messages    boolean NOT NULL DEFAULT false, -- write to customers
    records     boolean NOT NULL DEFAULT false, -- make, change and delete tenants and other records
    people      boolean NOT NULL DEFAULT false, -- users, their roles and rights, links, sign-ins, API keys
    system      boolean NOT NULL DEFAULT false, -- jobs and settings
    -- One role has every right, so that there is always somebody who can give one.
    CONSTRAINT admin_roles_admin_may_all CHECK (name <> 'admin' OR workers AND messages AND records AND people AND system)
);
INSERT INTO admin_roles (name, description, workers, messages, records, people, system) VALUES
    ('admin', 'May do everything', true, true, true, true, true),
    ('support', 'Sees everything and acts on workers', true, false, false, false, false),
    ('read-only', 'Sees everything and changes nothing', false, false, false, false, false);

ALTER TABLE users ADD admin_role text REFERENCES admin_roles (name); -- of the operator's people
UPDATE users SET admin_role = 'admin' WHERE role = 'ADMIN';
ALTER TABLE users ADD CONSTRAINT users_admin_role CHECK ((role = 'ADMIN') = (admin_role IS NOT NULL));
CREATE INDEX users_admin_role_key ON users (admin_role) WHERE admin_role IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION keep_an_admin() RETURNS trigger LANGUAGE plpgsql AS $$
-- Refuses whatever leaves nobody who may do everything and can sign in. The role's row is the lock by which two at once follow each other.
BEGIN
    PERFORM FROM admin_roles WHERE name = 'admin' FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM users WHERE admin_role = 'admin' AND password_hash IS NOT NULL) THEN
        RAISE 'the last admin stays' USING ERRCODE = 'FHQ03';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_an_admin AFTER DELETE ON users FOR EACH ROW
    WHEN (OLD.admin_role = 'admin' AND OLD.password_hash IS NOT NULL) EXECUTE FUNCTION keep_an_admin();
CREATE TRIGGER keep_an_admin_change AFTER UPDATE OF role, admin_role, password_hash ON users FOR EACH ROW
    WHEN (OLD.admin_role = 'admin' AND OLD.password_hash IS NOT NULL AND (NEW.admin_role IS DISTINCT FROM 'admin' OR NEW.password_hash IS NULL))
    EXECUTE FUNCTION keep_an_admin();

-- +goose StatementBegin
CREATE FUNCTION keep_the_admin_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'the role admin stays' USING ERRCODE = 'FHQ04';
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_the_admin_role BEFORE DELETE ON admin_roles FOR EACH ROW WHEN (OLD.name = 'admin') EXECUTE FUNCTION keep_the_admin_role();
CREATE TRIGGER keep_its_name BEFORE UPDATE OF name ON admin_roles FOR EACH ROW WHEN (OLD.name = 'admin' AND NEW.name <> 'admin') EXECUTE FUNCTION keep_the_admin_role();

SELECT audit_table('admin_roles', 'name', key => 'name');

-- +goose Down
DROP TRIGGER keep_an_admin ON users;
DROP TRIGGER keep_an_admin_change ON users;
ALTER TABLE users DROP admin_role;
DROP TABLE admin_roles;
DROP FUNCTION keep_an_admin();
DROP FUNCTION keep_the_admin_role();
