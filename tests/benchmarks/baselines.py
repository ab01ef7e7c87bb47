"""What the run log is compared with: `floor`, the least work for PostgreSQL, and `naive`.

`floor` writes prepared rows with one INSERT for each tick, behind the same fence, without
numbering, readers, endings or outages. `naive` commits every event alone.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from tests.benchmarks.figures import Figures, milliseconds

from cartrita.domain.events import TextAppended
from cartrita.kit.ids import uuid7

_INSERT = """
INSERT INTO run_events (run_id, seq, version, data)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::jsonb[])
"""
_ONE = "INSERT INTO run_events (run_id, seq, version, data) VALUES ($1, $2, 1, $3)"
_FENCE = "SELECT 1 FROM replicas WHERE id = $1 AND epoch = 1 FOR KEY SHARE"
_REPLICA = "INSERT INTO replicas (id, instance, slot, expires_at) VALUES ($1, $1, 0, 'infinity')"
_IDS = "SELECT cartrita_uuid7() AS id FROM generate_series(1, $1)"
_TICK_S = 0.05
_CONNECTIONS = 16
_ROW = msgspec.json.encode(TextAppended(" the quick brown", 0)).decode()


async def floor(dsn: str, *, streams: int, rate: float, seconds: float) -> Figures:
    """One connection, one prepared INSERT for each tick."""
    connection: Any = await asyncpg.connect(dsn)
    runs = [row["id"] for row in await connection.fetch(_IDS, streams)]
    replica = uuid7()
    await connection.execute(_REPLICA, replica)
    insert, fence = await connection.prepare(_INSERT), await connection.prepare(_FENCE)
    sequence = [1] * streams
    waits: list[float] = []
    written = 0
    cpu, began = time.process_time(), time.monotonic()
    tick = began
    while (now := time.monotonic()) - began < seconds:
        due = min(int((now - began) * streams * rate) - written, streams)
        if due > 0:
            chosen = [(written + n) % streams for n in range(due)]
            columns = ([runs[i] for i in chosen], [sequence[i] for i in chosen])
            async with connection.transaction():
                await fence.fetchval(replica)
                await insert.fetch(*columns, [1] * due, [_ROW] * due)
                await connection.execute("NOTIFY cartrita_events")
            waits.append(time.monotonic() - now)
            for i in chosen:
                sequence[i] += 1
            written += due
        tick = max(tick + _TICK_S, time.monotonic())
        await asyncio.sleep(tick - time.monotonic())
    elapsed = time.monotonic() - began
    await connection.close()
    used = time.process_time() - cpu
    return {"rows/s": written / elapsed, "CPU s per 100k rows": used / written * 1e5} | (
        milliseconds("commit", waits)
    )


async def naive(dsn: str, *, streams: int, seconds: float) -> Figures:
    """Several connections, a transaction with one row and its notification for each event."""
    waits: list[float] = []
    setup: Any = await asyncpg.connect(dsn)
    runs: list[UUID] = [row["id"] for row in await setup.fetch(_IDS, streams)]
    await setup.close()
    deadline = time.monotonic() + seconds
    cpu = time.process_time()

    async def write(mine: list[UUID]) -> None:
        connection: Any = await asyncpg.connect(dsn)
        seq = 0
        while time.monotonic() < deadline:
            seq += 1
            for run in mine:
                began = time.monotonic()
                async with connection.transaction():
                    await connection.execute(_ONE, run, seq, _ROW)
                    await connection.execute("NOTIFY cartrita_events")
                waits.append(time.monotonic() - began)
                if time.monotonic() > deadline:
                    break
        await connection.close()

    async with asyncio.TaskGroup() as tasks:
        for n in range(_CONNECTIONS):
            tasks.create_task(write(runs[n::_CONNECTIONS]))
    used = time.process_time() - cpu
    return {"rows/s": len(waits) / seconds, "CPU s per 100k rows": used / len(waits) * 1e5} | (
        milliseconds("commit", waits)
    )
