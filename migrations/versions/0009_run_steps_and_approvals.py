"""What runs have done so far, and what people decide on before tools act."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    # json and not jsonb: what is shown, hashed and run stays what the model wrote.
    """
CREATE TABLE approvals (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  idem_key text NOT NULL,
  call_id text NOT NULL,
  agent text NOT NULL,
  tool text NOT NULL,
  arguments json NOT NULL,
  arguments_hash text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  decision text CHECK (decision IN ('approved', 'denied')),
  decided_at timestamptz,
  decided_by text,
  consumed_at timestamptz,
  UNIQUE (run_id, idem_key),
  UNIQUE (id, arguments_hash, decision)
)""",
    "CREATE INDEX ON approvals (expires_at) WHERE decision IS NULL",
    # A step that has an approval refers to an approved one of the same arguments, and is alone.
    """
CREATE TABLE run_steps (
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  idem_key text NOT NULL,
  owner_id text NOT NULL,
  step_no integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('model', 'tool')),
  state text NOT NULL CHECK (state IN ('intent', 'done', 'unknown')),
  seq integer NOT NULL,
  input_hash text,
  output json,
  approval_id uuid UNIQUE,
  decision text GENERATED ALWAYS AS
    (CASE WHEN approval_id IS NULL THEN NULL ELSE 'approved' END) STORED,
  PRIMARY KEY (run_id, idem_key),
  FOREIGN KEY (approval_id, input_hash, decision)
    REFERENCES approvals (id, arguments_hash, decision),
  CHECK (approval_id IS NULL OR input_hash IS NOT NULL)
)""",
    # How often a run was given back unharmed, and how long processes have worked on it before.
    """
ALTER TABLE runs ADD COLUMN releases integer NOT NULL DEFAULT 0,
  ADD COLUMN claimed_at timestamptz,
  ADD COLUMN worked interval NOT NULL DEFAULT '0'
""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
