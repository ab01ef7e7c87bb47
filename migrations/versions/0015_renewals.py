"""When each replica last renewed its lease: what its runs were worked on until then is known."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    # Unknown of replicas that an older version of the server registered.
    op.execute("ALTER TABLE replicas ADD COLUMN renewed_at timestamptz")
