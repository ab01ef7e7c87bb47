"""Passages of the pages of files: what is searched, and found by its meaning."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """
CREATE TABLE passages (
  content_id uuid NOT NULL,
  page integer NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  owner_id text NOT NULL,
  start integer NOT NULL CHECK (start >= 0),
  text text NOT NULL,
  search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
  PRIMARY KEY (content_id, page, number),
  FOREIGN KEY (content_id, page) REFERENCES file_pages (content_id, number) ON DELETE CASCADE
)""",
    # A ranking reads the words of hundreds of passages, and the text of a few: the text makes room.
    "ALTER TABLE passages ALTER COLUMN search SET STORAGE MAIN",
    # The words of a passage as numbers that nobody else's words have, so that a search reads what
    # its owner has stored and nothing besides. Dear, lest it be computed for rows beside the index.
    """
CREATE FUNCTION cartrita_words(owner_id text, search tsvector) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
  SELECT array_agg(hashtext(owner_id || ' ' || word))
  FROM unnest(tsvector_to_array(search)) AS word
$$""",
    "CREATE INDEX ON passages USING gin (cartrita_words(owner_id, search))",
    "CREATE INDEX ON passages (owner_id)",
    # A row for each passage, apart from it, since what is changed is written anew in each index. A
    # row with a model and without a sketch is of a passage that the model refuses.
    """
CREATE TABLE passage_embeddings (
  content_id uuid NOT NULL,
  page integer NOT NULL,
  number integer NOT NULL,
  owner_id text NOT NULL,
  model text,
  claimed_at timestamptz,
  sketch bit varying,
  PRIMARY KEY (content_id, page, number),
  FOREIGN KEY (content_id, page, number) REFERENCES passages ON DELETE CASCADE,
  CHECK (sketch IS NULL OR model IS NOT NULL)
)""",
    "CREATE INDEX ON passage_embeddings (owner_id, model)",
    "CREATE INDEX ON passage_embeddings (model)",
    # A vector has the length 1, so that a product is the cosine. Its signs are the sketch: all of
    # an owner's sketches are compared with a question's, and the vectors of the nearest.
    """
CREATE TABLE passage_vectors (
  content_id uuid NOT NULL,
  page integer NOT NULL,
  number integer NOT NULL,
  vector real[] NOT NULL,
  PRIMARY KEY (content_id, page, number),
  FOREIGN KEY (content_id, page, number) REFERENCES passage_embeddings ON DELETE CASCADE
)""",
    # What was read before there were passages is read again.
    """
UPDATE file_contents SET status = 'stored', excused = attempt, changed_at = now()
WHERE status = 'ready' AND pages > 0""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
