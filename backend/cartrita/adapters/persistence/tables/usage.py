"""The tables of what is used, and of what may be."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

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
    Column("audio_seconds", Double, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("conversation_id", Uuid),
    Column("agent", Text),
    Column("audio_input_tokens", BigInteger, nullable=False),
    Column("audio_output_tokens", BigInteger, nullable=False),
    Column("image_input_tokens", BigInteger, nullable=False),
    Column("image_output_tokens", BigInteger, nullable=False),
    Column("web_searches", BigInteger, nullable=False),
    Column("file_searches", BigInteger, nullable=False),
    Column("code_sessions", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
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
