"""Conversations, messages, the run log, keys and tickets."""

from alembic import op

revision = "0001"
down_revision = None

FUNCTIONS = (
    # Version 7 by the database's clock: run ids order by it and partitions are cut by it.
    # uuidv7() exists from PostgreSQL 18 on only.
    """
CREATE FUNCTION cartrita_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$""",
    # The lowest run id of a moment, to cut partitions by.
    """
CREATE FUNCTION cartrita_uuid7_floor(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0')
    || '00000000000000000000')::uuid
$$""",
    # What full text sees of a message: a tsvector holds 1 MB at most, so long texts are cut.
    """
CREATE FUNCTION cartrita_text(parts jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(coalesce(string_agg(part ->> 'text', ' '), ''), 100000)
  FROM jsonb_array_elements(parts) AS part WHERE part ->> 'type' = 'text'
$$""",
)

CONVERSATIONS = (
    """
CREATE TABLE conversations (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  external_id text,
  title text NOT NULL,
  head_message_id uuid,
  archived boolean NOT NULL DEFAULT false,
  pinned boolean NOT NULL DEFAULT false,
  tags text[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', title)) STORED,
  UNIQUE (owner_id, external_id)
)""",
    "CREATE INDEX ON conversations (owner_id, pinned DESC, updated_at DESC, id DESC)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX ON conversations (deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX ON conversations USING gin (search)",
    """
CREATE TABLE messages (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  parent_id uuid REFERENCES messages ON DELETE CASCADE,
  depth integer NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'assistant', 'tool')),
  parts jsonb NOT NULL,
  status text NOT NULL DEFAULT 'complete' CHECK (status IN ('queued', 'complete', 'partial')),
  run_id uuid,
  model text,
  provider text,
  usage jsonb,
  edited boolean NOT NULL DEFAULT false,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  search tsvector NOT NULL
    GENERATED ALWAYS AS (to_tsvector('english', cartrita_text(parts))) STORED
)""",
    "CREATE INDEX ON messages (conversation_id, depth)",
    "CREATE INDEX ON messages (parent_id)",
    "CREATE INDEX ON messages (run_id)",
    "CREATE INDEX ON messages USING gin (search)",
)

RUN_LOG = (
    """
CREATE TABLE replicas (
  id uuid PRIMARY KEY,
  instance uuid NOT NULL,
  slot integer NOT NULL,
  epoch bigint NOT NULL DEFAULT 1,
  expires_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now()
)""",
    """
CREATE TABLE runs (
  id uuid PRIMARY KEY DEFAULT cartrita_uuid7(),
  owner_id text NOT NULL,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  user_message_id uuid NOT NULL,
  message_id uuid NOT NULL,
  answers_again boolean NOT NULL DEFAULT false,
  surface text NOT NULL,
  agent text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  input jsonb NOT NULL,
  status text NOT NULL CHECK (status IN
    ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'interrupted')),
  attempt integer NOT NULL DEFAULT 1,
  replica_id uuid,
  replica_epoch bigint,
  queue_no bigint GENERATED ALWAYS AS IDENTITY,
  client_msg_id text,
  cancel_requested_at timestamptz,
  deadline_at timestamptz NOT NULL,
  last_seq integer,
  folded boolean NOT NULL DEFAULT false,
  usage jsonb,
  error_code text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz
)""",
    "CREATE UNIQUE INDEX runs_one_per_conversation ON runs (conversation_id)"
    " WHERE status IN ('running', 'waiting')",
    "CREATE UNIQUE INDEX runs_client_msg_id ON runs (owner_id, client_msg_id)"
    " WHERE client_msg_id IS NOT NULL",
    "CREATE INDEX ON runs (conversation_id)",
    "CREATE INDEX ON runs (queue_no) WHERE status = 'queued'",
    "CREATE INDEX ON runs (replica_id) WHERE status = 'running'",
    "CREATE INDEX ON runs (replica_id) WHERE status = 'running'"
    " AND cancel_requested_at IS NOT NULL",
    "CREATE INDEX ON runs (ended_at) WHERE ended_at IS NOT NULL AND NOT folded",
    # No foreign key: it would cost one look-up for each row of the hottest table.
    """
CREATE TABLE run_events (
  run_id uuid NOT NULL,
  seq integer NOT NULL,
  version smallint NOT NULL DEFAULT 1,
  data jsonb NOT NULL,
  PRIMARY KEY (run_id, seq)
) PARTITION BY RANGE (run_id)""",
    "CREATE TABLE run_events_default PARTITION OF run_events DEFAULT",
    """
CREATE TABLE run_logs (
  run_id uuid PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
  owner_id text NOT NULL,
  version smallint NOT NULL DEFAULT 1,
  items jsonb NOT NULL,
  folded_at timestamptz NOT NULL DEFAULT now()
)""",
    "CREATE INDEX ON run_logs (folded_at)",
    """
CREATE TABLE idempotency (
  owner_id text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, route, key)
)""",
    "CREATE INDEX ON idempotency (run_id)",
    "CREATE INDEX ON idempotency (expires_at)",
)

ACCESS = (
    # One row: which CARTRITA_SECRET the keys and cookies of this database are made with.
    """
CREATE TABLE installation (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  secret_digest bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)""",
    """
CREATE TABLE api_keys (
  id text PRIMARY KEY,
  owner_id text NOT NULL,
  name text NOT NULL,
  digest bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
)""",
    "CREATE INDEX ON api_keys (owner_id)",
    """
CREATE TABLE tickets (
  digest bytea PRIMARY KEY,
  kind text NOT NULL,
  owner_id text NOT NULL,
  key_id text NOT NULL,
  origin text,
  client_msg_id text,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
)""",
    "CREATE INDEX ON tickets (expires_at)",
)


def upgrade() -> None:
    for statement in (*FUNCTIONS, *CONVERSATIONS, *RUN_LOG, *ACCESS):
        op.execute(statement)
