"""Which agent a call was made for, and in which conversation, is in the ledger."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # Without defaults, so that the table is not written anew. A conversation may be deleted, and
    # what was spent in it stays: so there is no foreign key.
    op.execute("ALTER TABLE usage_ledger ADD COLUMN conversation_id uuid, ADD COLUMN agent text")
