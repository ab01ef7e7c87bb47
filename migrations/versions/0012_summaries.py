"""Summaries of the beginnings of conversations, for histories that are too long for a model."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    # It stands for this message and all before it on its branch.
    """
CREATE TABLE summaries (
  message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  owner_id text NOT NULL,
  text text NOT NULL,
  model text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
