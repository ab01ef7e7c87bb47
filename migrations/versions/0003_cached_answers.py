"""Answers that are kept for equal requests, where `cache.store` is `database`."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
CREATE UNLOGGED TABLE cached_answers (
  owner_id text NOT NULL,
  digest bytea NOT NULL,
  answer bytea NOT NULL,
  size bigint NOT NULL,
  stored_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, digest)
)""",
    "CREATE INDEX ON cached_answers (expires_at)",
    "CREATE INDEX ON cached_answers (stored_at DESC, owner_id, digest)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
