"""What people think of answers."""

from alembic import op

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    """
CREATE TABLE feedback (
  message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  owner_id text NOT NULL,
  run_id uuid,
  score double precision NOT NULL,
  comment text,
  given_at timestamptz NOT NULL
)""",
    "CREATE INDEX feedback_of_owners ON feedback (owner_id, given_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
