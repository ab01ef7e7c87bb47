"""What providers sell beside text is in the ledger: audio, images, and what their own tools do."""

from alembic import op

revision = "0021"
down_revision = "0020"

COLUMNS = (
    *("audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens"),
    *("web_searches", "file_searches", "code_sessions", "images"),
)


def upgrade() -> None:
    # Constant defaults, so that the table is not written anew; an older version's rows get them.
    added = (f"ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in COLUMNS)
    op.execute(f"ALTER TABLE usage_ledger {', '.join(added)}")
