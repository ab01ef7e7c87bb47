"""Passages of the pages of files: what is searched, and found by its meaning."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # An embedding has the length 1, so that a product is the cosine. A passage with a model and
    # without an embedding is one that the model refuses.
    """
CREATE TABLE passages (
  content_id uuid NOT NULL,
  page integer NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  owner_id text NOT NULL,
  start integer NOT NULL CHECK (start >= 0),
  text text NOT NULL,
  search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
  embedding real[],
  embedding_model text,
  claimed_at timestamptz,
  PRIMARY KEY (content_id, page, number),
  FOREIGN KEY (content_id, page) REFERENCES file_pages (content_id, number) ON DELETE CASCADE,
  CHECK (embedding IS NULL OR embedding_model IS NOT NULL)
)""",
    "CREATE INDEX ON passages USING gin (search)",
    "CREATE INDEX ON passages (owner_id)",
    "CREATE INDEX ON passages (embedding_model)",
    # What was read before there were passages is read again.
    """
UPDATE file_contents SET status = 'stored', attempt = 0, changed_at = now()
WHERE status = 'ready' AND pages > 0""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
