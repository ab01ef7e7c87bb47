"""Which requests with a key of their own are under way, so that none is begun twice."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    # Unlogged: after a crash of the database nothing is under way.
    op.execute(
        """
        CREATE UNLOGGED TABLE requests_under_way (
            owner_id text NOT NULL,
            name text NOT NULL,
            holder uuid NOT NULL,
            replica_id uuid NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (owner_id, name)
        )
        """
    )
