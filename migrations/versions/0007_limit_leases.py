"""The end of what is reserved of each provider's limit, by all replicas."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(
        """
        CREATE UNLOGGED TABLE limit_leases (
            provider text NOT NULL,
            credential text NOT NULL,
            due timestamptz NOT NULL,
            PRIMARY KEY (provider, credential)
        )
        """
    )
