"""The tables of what runs have done and ask for, which the run log writes; part of the schema."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, Table, Text, Uuid

from cartrita.adapters.persistence.tables.metadata import MOMENT, metadata

approvals = Table(
    "approvals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("run_id", Uuid, ForeignKey("runs.id"), nullable=False),
    Column("idem_key", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("arguments_hash", Text, nullable=False),
    Column("asked_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("decision", Text),
    Column("decided_at", MOMENT),
    Column("decided_by", Text),
    Column("consumed_at", MOMENT),
    Column("shown", JSON),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", Uuid, ForeignKey("runs.id"), primary_key=True),
    Column("idem_key", Text, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("step_no", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("input_hash", Text),
    Column("output", JSON),
    Column("approval_id", Uuid, ForeignKey("approvals.id")),
    Column("decision", Text),
)

agent_tasks = Table(
    "agent_tasks",
    metadata,
    Column("run_id", Uuid, ForeignKey("runs.id"), primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("begun_at", MOMENT, nullable=False),
    Column("ended_at", MOMENT),
)
