"""Feedback that is gone, however it went, takes its score back from whoever keeps traces."""

from alembic import op

revision = "0023"
down_revision = "0022"

STATEMENTS = (
    # In the order in which deleting a message locks them, and as in 0018: nobody waits for long
    # behind this while another transaction has them.
    """
DO $$
DECLARE
  tries integer := 0;
  wait_ms integer;
BEGIN
  LOOP
    tries := tries + 1;
    wait_ms := 100;
    IF tries % 10 = 0 THEN
      wait_ms := 1500 * extract(epoch FROM current_setting('deadlock_timeout')::interval);
      RAISE WARNING 'messages, feedback or unsent_scores are in use: asked for % times', tries
        USING HINT = 'pg_stat_activity tells who has a transaction open that should be ended.';
    END IF;
    PERFORM set_config('lock_timeout', wait_ms::text, true);
    BEGIN
      LOCK TABLE messages, feedback, unsent_scores IN ACCESS EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.4);
    END;
  END LOOP;
END $$""",
    # Whether somebody was told of it, or was to be: who does not say, as a server of the version
    # before, may have told them.
    "ALTER TABLE feedback ADD COLUMN scored boolean NOT NULL DEFAULT true",
    # What is still to be told of a message outlives it.
    "ALTER TABLE unsent_scores DROP CONSTRAINT unsent_scores_message_id_fkey",
    """
CREATE FUNCTION cartrita_score_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsent_scores (message_id, run_id, given_at, attempts, due_at)
  VALUES (OLD.message_id, OLD.run_id, clock_timestamp(), 0, now())
  ON CONFLICT (message_id) DO UPDATE
  SET score = NULL, comment = NULL, given_at = excluded.given_at;
  RETURN NULL;
END $$""",
    """
CREATE TRIGGER score_taken_back AFTER DELETE ON feedback
FOR EACH ROW WHEN (OLD.scored AND OLD.run_id IS NOT NULL)
EXECUTE FUNCTION cartrita_score_taken_back()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
