"""Tenants and users, keys with scopes and successors, and the log of changes to them."""

from alembic import op

revision = "0005"
down_revision = "0004"

ACCOUNTS = (
    """
CREATE TABLE tenants (
  id text PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  CONSTRAINT tenants_local CHECK (id <> 'local' OR disabled_at IS NULL)
)""",
    """
CREATE TABLE users (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'member')),
  created_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  CONSTRAINT users_local CHECK
    (id <> 'local' OR (tenant_id = 'local' AND role = 'admin' AND disabled_at IS NULL))
)""",
    "CREATE INDEX ON users (tenant_id)",
    "INSERT INTO tenants (id, name) VALUES ('local', 'local')",
    "INSERT INTO users (id, tenant_id, name, role) VALUES ('local', 'local', 'local', 'admin')",
    # Nothing tells which owners belong together, so each gets a tenant of its own.
    """
INSERT INTO tenants (id, name)
SELECT DISTINCT owner_id, owner_id FROM api_keys WHERE owner_id <> 'local'""",
    """
INSERT INTO users (id, tenant_id, name, role)
SELECT DISTINCT owner_id, owner_id, owner_id, 'member' FROM api_keys WHERE owner_id <> 'local'""",
)

KEYS = (
    """
ALTER TABLE api_keys
  ADD FOREIGN KEY (owner_id) REFERENCES users,
  ADD COLUMN scopes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(scopes) = 'object'),
  ADD COLUMN replaced_by text REFERENCES api_keys,
  ADD COLUMN retires_at timestamptz,
  ADD CHECK ((replaced_by IS NULL) = (retires_at IS NULL)),
  ADD CHECK (replaced_by <> id)""",
    "CREATE UNIQUE INDEX ON api_keys (replaced_by)",
)

CHANGES = (
    """
CREATE TABLE audit_log (
  id uuid PRIMARY KEY DEFAULT cartrita_uuid7(),
  at timestamptz NOT NULL DEFAULT now(),
  actor_key_id text NOT NULL,
  actor_owner_id text NOT NULL,
  tenant_id text NOT NULL,
  action text NOT NULL,
  object text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  address text
)""",
    "CREATE INDEX ON audit_log (tenant_id, id)",
    # Counts in its one row, so that a poll sees each change whatever order commits are in.
    """
CREATE TABLE access_version (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  version bigint NOT NULL
)""",
    "INSERT INTO access_version (version) VALUES (0)",
    """
CREATE FUNCTION cartrita_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE access_version SET version = version + 1;
  NOTIFY cartrita_access;
  RETURN NULL;
END $$""",
    *(
        f"""
CREATE TRIGGER access_changed AFTER UPDATE OR DELETE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION cartrita_access_changed()"""
        for table in ("api_keys", "users", "tenants")
    ),
)


def upgrade() -> None:
    for statement in (*ACCOUNTS, *KEYS, *CHANGES):
        op.execute(statement)
