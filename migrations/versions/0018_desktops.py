"""Desktops of conversations, and the films of what was done on them."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    # Who writes to these tables is not made to wait while another transaction has them for long,
    # as one of a replica of the version before may: after a moment, and a pause, they are asked
    # for again. Each tenth time they are waited for longer than deadlock_timeout, which is when
    # Postgres ends an autovacuum that is in the way, and what is waited for is told.
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
      RAISE WARNING 'conversations, attachments or approvals are in use: asked for % times', tries
        USING HINT = 'pg_stat_activity tells who has a transaction open that should be ended.';
    END IF;
    PERFORM set_config('lock_timeout', wait_ms::text, true);
    BEGIN
      LOCK TABLE conversations, attachments IN SHARE ROW EXCLUSIVE MODE;
      LOCK TABLE approvals IN ACCESS EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      PERFORM pg_sleep(0.4);
    END;
  END LOOP;
END $$""",
    """
CREATE TABLE desktop_sessions (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  status text NOT NULL CHECK (status IN ('starting', 'ready', 'stopped', 'failed')),
  machine text NOT NULL,
  width integer NOT NULL CHECK (width > 0),
  height integer NOT NULL CHECK (height > 0),
  isolation text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  idle_s double precision NOT NULL,
  ended_at timestamptz,
  reason text,
  holder text,
  held_until timestamptz,
  control_number integer NOT NULL DEFAULT 0,
  frames integer NOT NULL DEFAULT 0,
  CHECK ((ended_at IS NULL) = (status IN ('starting', 'ready'))),
  CHECK ((holder IS NULL) = (held_until IS NULL))
)""",
    # A conversation has one desktop at a time.
    """
CREATE UNIQUE INDEX ON desktop_sessions (conversation_id)
WHERE status IN ('starting', 'ready')""",
    "CREATE INDEX ON desktop_sessions (machine) WHERE status IN ('starting', 'ready')",
    "CREATE INDEX ON desktop_sessions (owner_id, created_at, id)",
    "CREATE INDEX ON desktop_sessions (conversation_id)",
    # json and not jsonb: an action is shown as it was done.
    """
CREATE TABLE desktop_frames (
  desktop_id uuid NOT NULL REFERENCES desktop_sessions ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  owner_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL CHECK (actor IN ('agent', 'person')),
  run_id uuid,
  call_id text,
  action json NOT NULL,
  marker json,
  before_id uuid REFERENCES attachments ON DELETE SET NULL,
  after_id uuid REFERENCES attachments ON DELETE SET NULL,
  duration_ms double precision NOT NULL,
  approved_by text,
  error text,
  PRIMARY KEY (desktop_id, number)
)""",
    "CREATE INDEX ON desktop_frames (run_id) WHERE run_id IS NOT NULL",
    "CREATE INDEX ON desktop_frames (before_id) WHERE before_id IS NOT NULL",
    "CREATE INDEX ON desktop_frames (after_id) WHERE after_id IS NOT NULL",
    # What a person sees of the screen when they decide on a call.
    "ALTER TABLE approvals ADD COLUMN shown json",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
