"""Run logs to measure: opened with the product's own defaults, with runs admitted for real."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from cartrita.adapters.runlog.run_log import RunLog, RunLogSettings
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.assembly.run_log import run_log_settings
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.runs import Admission, NewMessage, RunInput
from cartrita.settings import load

OWNER = "bench"
AT_ONCE = 64
_LOOKS = 3000
_ATTACHED = "SELECT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass($1))"


def tuning() -> RunLogSettings:
    """What an operator gets who sets nothing."""
    return run_log_settings(load({}, Path("/nonexistent"), {}))


@asynccontextmanager
async def opened(dsn: str) -> AsyncGenerator[RunLog]:
    """A run log that has its partition for today."""
    async with RunLog.open(dsn, WorkerSlot(uuid4(), 0, 1), tuning()) as run_log:
        await _partitioned(dsn)
        yield run_log


def admission(conversation: ConversationId | None = None, words: str = "Hello!") -> Admission:
    """A chat as the native surface admits it: no key, no client_msg_id."""
    return Admission(
        owner_id=OWNER,
        surface="native",
        input=RunInput(agent="assistant", provider="bench", model="bench"),
        title="A conversation to measure",
        conversation_id=conversation,
        new_message=NewMessage(message=Message(Role.USER, (Text(words),))),
    )


async def admitted(run_log: RunLog, count: int) -> list[RunId]:
    """So many runs in conversations of their own, begun here."""
    runs: list[RunId] = []
    turns = iter(range(count))

    async def work() -> None:
        for _ in turns:
            taken = await run_log.admission.admit(admission())
            runs.append(taken.run_id)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())
    return runs


async def _partitioned(dsn: str) -> None:
    """Maintenance makes partitions as the log opens; what comes before them is routed elsewhere."""
    connection: Any = await asyncpg.connect(dsn)
    name = f"run_events_{datetime.now(UTC):%Y%m%d}"
    for _ in range(_LOOKS):
        if await connection.fetchval(_ATTACHED, name):
            break
        await asyncio.sleep(0.02)
    else:
        raise RuntimeError("The run log made no partition for today.")
    await connection.close()
