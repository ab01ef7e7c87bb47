"""The tables of desktops and of their films."""

from sqlalchemy import JSON, Column, Double, ForeignKey, Integer, Table, Text, Uuid

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

desktop_sessions = Table(
    "desktop_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("conversation_id", Uuid, ForeignKey("conversations.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("isolation", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("used_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("idle_s", Double, nullable=False),
    Column("ended_at", MOMENT),
    Column("reason", Text),
    Column("holder", Text),
    Column("held_until", MOMENT),
    Column("control_number", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
)

desktop_frames = Table(
    "desktop_frames",
    metadata,
    Column("desktop_id", Uuid, ForeignKey("desktop_sessions.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("run_id", Uuid),
    Column("call_id", Text),
    Column("action", JSON, nullable=False),
    Column("marker", JSON),
    Column("before_id", Uuid, ForeignKey("attachments.id")),
    Column("after_id", Uuid, ForeignKey("attachments.id")),
    Column("duration_ms", Double, nullable=False),
    Column("approved_by", Text),
    Column("error", Text),
)
