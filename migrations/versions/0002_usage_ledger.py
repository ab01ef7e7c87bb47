"""What model calls used and cost."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
CREATE TABLE usage_ledger (
  id uuid PRIMARY KEY DEFAULT cartrita_uuid7(),
  owner_id text NOT NULL,
  key_id text,
  run_id uuid,
  surface text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  cache_write_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  estimated boolean NOT NULL,
  error_bound double precision NOT NULL,
  cost numeric,
  outcome text NOT NULL CHECK (outcome IN ('completed', 'failed', 'cut', 'cancelled')),
  seconds double precision NOT NULL,
  first_token_seconds double precision,
  at timestamptz NOT NULL
)""",
    # No foreign key to runs: what was spent stays when a conversation is deleted.
    "CREATE INDEX ON usage_ledger (owner_id, at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
