"""The tables of conversations."""

from sqlalchemy import ARRAY, Boolean, Column, Double, ForeignKey, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

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

summaries = Table(
    "summaries",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("run_id", Uuid),
    Column("score", Double, nullable=False),
    Column("comment", Text),
    Column("given_at", MOMENT, nullable=False),
    Column("scored", Boolean, nullable=False),
)

unsent_scores = Table(
    "unsent_scores",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("score", Double),
    Column("comment", Text),
    Column("given_at", MOMENT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", MOMENT, nullable=False),
)
