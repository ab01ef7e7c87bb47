"""Words of passages as their owners', in order: what begins with some letters is found, too."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    # In place of the numbers of words. Whose a word is stands before it, so that a search reads
    # what its owner has stored and nothing besides. Of a word of 2,046 bytes not all has room.
    """
CREATE FUNCTION cartrita_owned_words(owner_id text, search tsvector) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
  SELECT array_to_tsvector(array_agg(
    (SELECT left(encode(sha256(convert_to(owner_id, 'UTF8')), 'hex'), 12)) || left(word, 200)))
  FROM unnest(tsvector_to_array(search)) AS word
$$""",
    "CREATE INDEX ON passages USING gin (cartrita_owned_words(owner_id, search))",
    "DROP INDEX passages_cartrita_words_idx",
    "DROP FUNCTION cartrita_words",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
