"""SIGKILL at each point of a tool's step: nothing is done twice, and what is not known is said."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.backend.adapters.runlog.fixtures import SETTINGS, admission
from tests.harness.database import TemporaryDatabase
from tests.harness.scenario import eventually
from tests.harness.tool_worker import POINTS

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.domain.approvals import Decision, Verdict
from cartrita.domain.events import LoggedEvent, RunCompleted, ToolReturned
from cartrita.domain.ids import RunId
from cartrita.domain.runs import RunInput
from cartrita.domain.step_records import UNKNOWN_RESULT
from cartrita.kit.ids import uuid7

_WATCHDOG_S = 60.0


@asynccontextmanager
async def worker(dsn: str, effects: Path, point: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that executes runs, and may kill itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.harness.tool_worker",
        dsn,
        str(effects),
        point,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_WATCHDOG_S):
            while b"ready" not in await process.stdout.readline():
                assert process.returncode is None
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def drained(process: asyncio.subprocess.Process) -> int:
    """Wait for the end of a process, whose log is read meanwhile."""
    assert process.stdout is not None
    async with asyncio.timeout(_WATCHDOG_S):
        while await process.stdout.read(65536):
            pass
        return await process.wait()


@asynccontextmanager
async def reader(dsn: str) -> AsyncGenerator[RunLog]:
    """A replica of our own that executes nothing: it admits, decides and reads."""
    async with RunLog.open(dsn, WorkerSlot(uuid7(), 1, 9), SETTINGS) as log:
        log.stop_claiming()
        yield log


async def events_of(log: RunLog, run: RunId) -> list[LoggedEvent]:
    async with asyncio.timeout(_WATCHDOG_S), log.reader.tail(run, 0) as tail:
        return [item async for item in tail if isinstance(item, LoggedEvent)]


async def approve(log: RunLog, run: RunId) -> None:
    """Wait until the run asks, and approve of that."""
    (one,) = await eventually(lambda: log.approvals.waiting("ann", run))
    verdict = Verdict(one.id, Decision.APPROVED, one.arguments_hash)
    await log.approvals.decide("ann", run, (verdict,), "key")


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_point_of_a_step(
    database: TemporaryDatabase, tmp_path: Path, point: str
) -> None:
    effects = tmp_path / "effects"
    effects.touch()
    given: Any = RunInput(agent="supervisor", provider="p", model="m")
    async with reader(database.dsn) as log:
        admitted = await log.admission.admit(admission(input=given))
        run = admitted.run_id
        async with worker(database.dsn, effects, point) as first:
            if point != "called":
                await approve(log, run)
            assert await drained(first) == -9
        async with worker(database.dsn, effects, "none"):
            if point == "called":
                await approve(log, run)
            events = await events_of(log, run)
        steps = await _rows(database.dsn, "SELECT state FROM run_steps WHERE idem_key = '1.1'")
    done = effects.read_text().splitlines()
    unknown = point in ("announced", "acting", "acted")
    assert len(done) == (0 if point == "announced" else 1), "never twice"
    (returned,) = [e.event for e in events if isinstance(e.event, ToolReturned)]
    assert returned.result == (UNKNOWN_RESULT if unknown else "did once")
    assert returned.unknown is unknown
    assert steps == ["unknown" if unknown else "done"]
    end = events[-1].event
    assert isinstance(end, RunCompleted)
    assert end.text.startswith("I act.\n\nIt ")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def _rows(dsn: str, query: str) -> list[Any]:
    connection: Any = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()
