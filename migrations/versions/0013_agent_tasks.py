"""What agents do for other agents, counted like the runs that they answer."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # Events say the same, but they are packed away when their run has ended.
    """
CREATE TABLE agent_tasks (
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id text NOT NULL,
  owner_id text NOT NULL,
  agent text NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  PRIMARY KEY (run_id, task_id)
)""",
    "CREATE INDEX ON agent_tasks (owner_id, begun_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
