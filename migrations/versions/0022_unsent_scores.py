"""Feedback that whoever keeps traces has not been told yet."""

from alembic import op

revision = "0022"
down_revision = "0021"

# A score is NULL where the feedback was taken back.
STATEMENTS = (
    """
CREATE TABLE unsent_scores (
  message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  run_id uuid NOT NULL,
  score double precision,
  comment text,
  given_at timestamptz NOT NULL,
  attempts integer NOT NULL,
  due_at timestamptz NOT NULL
)""",
    "CREATE INDEX unsent_scores_due ON unsent_scores (due_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
