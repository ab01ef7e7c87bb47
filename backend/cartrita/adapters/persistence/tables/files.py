"""The tables of files, beside all others."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, TSVECTOR

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

file_contents = Table(
    "file_contents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("sha256", LargeBinary),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("progress", REAL, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("image_type", Text),
    Column("image_size", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("excused", Integer, nullable=False),
    Column("changed_at", MOMENT, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("content_id", Uuid, ForeignKey("file_contents.id"), nullable=False),
    Column("conversation_id", Uuid, ForeignKey("conversations.id")),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT),
)

file_pages = Table(
    "file_pages",
    metadata,
    Column("content_id", Uuid, ForeignKey("file_contents.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("text", Text, nullable=False),
)

passages = Table(
    "passages",
    metadata,
    Column("content_id", Uuid, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column(
        "search", TSVECTOR, Computed("to_tsvector('english', text)", persisted=True), nullable=False
    ),
    ForeignKeyConstraint(["content_id", "page"], [file_pages.c.content_id, file_pages.c.number]),
)

_PASSAGE = ("content_id", "page", "number")

passage_embeddings = Table(
    "passage_embeddings",
    metadata,
    Column("content_id", Uuid, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("model", Text),
    Column("claimed_at", MOMENT),
    Column("sketch", BIT(varying=True)),
    ForeignKeyConstraint(_PASSAGE, [passages.c[name] for name in _PASSAGE]),
)

passage_vectors = Table(
    "passage_vectors",
    metadata,
    Column("content_id", Uuid, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("vector", ARRAY(REAL), nullable=False),
    ForeignKeyConstraint(_PASSAGE, [passage_embeddings.c[name] for name in _PASSAGE]),
)
