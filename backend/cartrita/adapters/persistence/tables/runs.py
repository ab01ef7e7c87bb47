"""The tables of runs, and of the processes that do them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

replicas = Table(
    "replicas",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("instance", Uuid, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("started_at", MOMENT, nullable=False),
    Column("renewed_at", MOMENT),
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

requests_under_way = Table(
    "requests_under_way",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("holder", Uuid, nullable=False),
    Column("replica_id", Uuid, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    prefixes=["UNLOGGED"],
)
