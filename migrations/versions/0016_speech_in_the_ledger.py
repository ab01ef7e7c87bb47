"""What services of speech did is in the ledger: seconds of audio, and characters."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # Constant defaults, so that the table is not written anew; an older version's rows get them.
    op.execute(
        "ALTER TABLE usage_ledger"
        " ADD COLUMN audio_seconds double precision NOT NULL DEFAULT 0,"
        " ADD COLUMN characters bigint NOT NULL DEFAULT 0"
    )
