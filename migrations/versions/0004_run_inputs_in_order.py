"""What a run is to do keeps the order of its fields: models fill a schema in the order it is in."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ALTER COLUMN input TYPE json")
