"""The tables of who may ask: tenants, users, their keys and credentials, beside all others."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_id", Text, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT),
    Column("revoked_at", MOMENT),
    Column("scopes", JSONB, nullable=False),
    Column("replaced_by", Text, ForeignKey("api_keys.id")),
    Column("retires_at", MOMENT),
)

tickets = Table(
    "tickets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("origin", Text),
    Column("client_msg_id", Text),
    Column("expires_at", MOMENT, nullable=False),
    Column("used_at", MOMENT),
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("disabled_at", MOMENT),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenants.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("disabled_at", MOMENT),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", MOMENT, nullable=False),
    Column("actor_key_id", Text, nullable=False),
    Column("actor_owner_id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("address", Text),
)

access_version = Table(
    "access_version",
    metadata,
    Column("id", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

credential_keys = Table(
    "credential_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenants.id"), nullable=False),
    Column("wrapping_key", Text, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("wrapped_at", MOMENT, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenants.id"), nullable=False),
    Column("owner_id", Text),
    Column("provider", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hint", Text, nullable=False),
    Column("key_id", Text, ForeignKey("credential_keys.id"), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("validated_at", MOMENT, nullable=False),
    Column("retires_at", MOMENT),
    Column("revoked_at", MOMENT),
)
