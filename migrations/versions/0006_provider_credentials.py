"""Keys of providers that callers bring, encrypted, and the keys that encrypt them."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
CREATE TABLE credential_keys (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants,
  wrapping_key text NOT NULL,
  ciphertext bytea NOT NULL,
  wrapped_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (id, tenant_id)
)""",
    "CREATE INDEX ON credential_keys (tenant_id)",
    "CREATE INDEX ON credential_keys (wrapping_key)",
    # So that a credential's owner is a user of its tenant.
    "ALTER TABLE users ADD UNIQUE (id, tenant_id)",
    """
CREATE TABLE credentials (
  id text PRIMARY KEY,
  tenant_id text NOT NULL REFERENCES tenants,
  owner_id text,
  provider text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  hint text NOT NULL CHECK (char_length(hint) <= 4),
  key_id text NOT NULL,
  ciphertext bytea NOT NULL,
  created_at timestamptz NOT NULL,
  validated_at timestamptz NOT NULL,
  retires_at timestamptz,
  revoked_at timestamptz,
  FOREIGN KEY (owner_id, tenant_id) REFERENCES users (id, tenant_id),
  FOREIGN KEY (key_id, tenant_id) REFERENCES credential_keys (id, tenant_id),
  CHECK ((revoked_at IS NOT NULL) = (ciphertext = ''))
)""",
    """
CREATE UNIQUE INDEX ON credentials (tenant_id, coalesce(owner_id, ''), provider)
WHERE retires_at IS NULL AND revoked_at IS NULL""",
    """
CREATE UNIQUE INDEX ON credentials (tenant_id, coalesce(owner_id, ''), provider, version)""",
    "CREATE INDEX ON credentials (retires_at) WHERE retires_at IS NOT NULL AND revoked_at IS NULL",
    """
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE ON credentials
FOR EACH STATEMENT EXECUTE FUNCTION cartrita_access_changed()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
