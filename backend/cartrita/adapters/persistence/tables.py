"""The schema as SQLAlchemy Core tables; a test compares it with `migrations/`."""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB, TIMESTAMP, TSVECTOR

from cartrita.adapters.persistence.step_tables import agent_tasks as agent_tasks
from cartrita.adapters.persistence.step_tables import approvals as approvals
from cartrita.adapters.persistence.step_tables import metadata as metadata
from cartrita.adapters.persistence.step_tables import run_steps as run_steps

MOMENT = TIMESTAMP(timezone=True)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("external_id", Text),
    Column("title", Text, nullable=False),
    Column("head_message_id", Uuid),
    Column("archived", Boolean, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("updated_at", MOMENT, nullable=False),
    Column("deleted_at", MOMENT),
    Column("search", TSVECTOR, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("conversation_id", Uuid, ForeignKey("conversations.id"), nullable=False),
    Column("parent_id", Uuid, ForeignKey("messages.id")),
    Column("depth", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("run_id", Uuid),
    Column("model", Text),
    Column("provider", Text),
    Column("usage", JSONB),
    Column("edited", Boolean, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("search", TSVECTOR, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("instance", Uuid, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("started_at", MOMENT, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("conversation_id", Uuid, ForeignKey("conversations.id"), nullable=False),
    Column("user_message_id", Uuid, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("answers_again", Boolean, nullable=False),
    Column("surface", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("replica_id", Uuid),
    Column("replica_epoch", BigInteger),
    Column("queue_no", BigInteger, nullable=False),
    Column("client_msg_id", Text),
    Column("cancel_requested_at", MOMENT),
    Column("deadline_at", MOMENT, nullable=False),
    Column("last_seq", Integer),
    Column("folded", Boolean, nullable=False),
    Column("usage", JSONB),
    Column("error_code", Text),
    Column("created_at", MOMENT, nullable=False),
    Column("started_at", MOMENT),
    Column("ended_at", MOMENT),
    Column("releases", Integer, nullable=False),
    Column("claimed_at", MOMENT),
    Column("worked", INTERVAL, nullable=False),
)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("version", SmallInteger, nullable=False),
    Column("data", JSONB, nullable=False),
)

run_logs = Table(
    "run_logs",
    metadata,
    Column("run_id", Uuid, ForeignKey("runs.id"), primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("items", JSONB, nullable=False),
    Column("folded_at", MOMENT, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("run_id", Uuid, ForeignKey("runs.id"), nullable=False),
    Column("expires_at", MOMENT, nullable=False),
)

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)

usage_ledger = Table(
    "usage_ledger",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("key_id", Text),
    Column("run_id", Uuid),
    Column("surface", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("cache_write_1h_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("error_bound", Double, nullable=False),
    Column("cost", Numeric),
    Column("outcome", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("first_token_seconds", Double),
    Column("at", MOMENT, nullable=False),
)

cached_answers = Table(
    "cached_answers",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("answer", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("stored_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
)

limit_leases = Table(
    "limit_leases",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("credential", Text, primary_key=True),
    Column("due", MOMENT, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("amount", Numeric, nullable=False),
)

budget_spending = Table(
    "budget_spending",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("since", Date, primary_key=True),
    Column("most", Numeric, nullable=False),
    Column("settled", Numeric, nullable=False),
    Column("leased", Numeric, nullable=False),
    Column("overrun", Numeric, nullable=False),
)

summaries = Table(
    "summaries",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)
