"""Rows of the runs table as domain values."""

import msgspec

from cartrita.adapters.runlog.connection import Row
from cartrita.adapters.runlog.encoding import load_input
from cartrita.domain.runs import Run, RunStatus
from cartrita.domain.usage import Usage

COLUMNS = (
    "id, owner_id, conversation_id, message_id, user_message_id, surface, status, agent, provider,"
    " model, attempt, created_at, started_at, ended_at, cancel_requested_at, last_seq, usage,"
    " error_code, input"
)
_usage = msgspec.json.Decoder(Usage)


def to_run(row: Row) -> Run:
    return Run(
        id=row["id"],
        owner_id=row["owner_id"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        user_message_id=row["user_message_id"],
        surface=row["surface"],
        status=RunStatus(row["status"]),
        agent=row["agent"],
        provider=row["provider"],
        model=row["model"],
        attempt=row["attempt"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        cancel_requested=row["cancel_requested_at"] is not None,
        last_seq=row["last_seq"],
        usage=None if row["usage"] is None else _usage.decode(row["usage"]),
        error_code=row["error_code"],
        input=load_input(row["input"]),
    )
