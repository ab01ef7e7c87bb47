"""Files of owners, their contents, and the pages that were read of these."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    # A content is arriving until its digest is known; what is removed keeps its row until its
    # bytes are gone.
    """
CREATE TABLE file_contents (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  sha256 bytea,
  media_type text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  status text NOT NULL CHECK (
    status IN ('arriving', 'stored', 'reading', 'ready', 'unreadable', 'removed')
  ),
  reason text,
  progress real NOT NULL DEFAULT 0,
  pages integer NOT NULL DEFAULT 0,
  characters bigint NOT NULL DEFAULT 0,
  image_type text,
  image_size bigint NOT NULL DEFAULT 0,
  attempt integer NOT NULL DEFAULT 0,
  excused integer NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((sha256 IS NULL) = (status IN ('arriving', 'removed')))
)""",
    "CREATE UNIQUE INDEX ON file_contents (owner_id, sha256, media_type) WHERE sha256 IS NOT NULL",
    """
CREATE INDEX ON file_contents (status, changed_at)
WHERE status IN ('arriving', 'stored', 'reading', 'removed')""",
    # Who was read for last.
    "CREATE INDEX ON file_contents (owner_id, changed_at) WHERE attempt > 0",
    """
CREATE TABLE attachments (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  content_id uuid NOT NULL REFERENCES file_contents,
  conversation_id uuid REFERENCES conversations ON DELETE SET NULL,
  name text NOT NULL,
  purpose text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz
)""",
    "CREATE INDEX ON attachments (owner_id, created_at, id)",
    "CREATE INDEX ON attachments (content_id)",
    "CREATE INDEX ON attachments (conversation_id) WHERE conversation_id IS NOT NULL",
    "CREATE INDEX ON attachments (expires_at) WHERE expires_at IS NOT NULL",
    """
CREATE TABLE file_pages (
  content_id uuid NOT NULL REFERENCES file_contents ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  owner_id text NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (content_id, number)
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
