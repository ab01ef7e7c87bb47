"""How many rows a second the run log commits, and how long a commit takes, beside baselines."""

import asyncio
import time
from typing import Any

import asyncpg
from tests.benchmarks import baselines, run_logs
from tests.benchmarks.database import PostgresServer
from tests.benchmarks.figures import Figures, middle, milliseconds, ratio, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.pacing import paced

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent, TextAppended
from cartrita.domain.ids import RunId

_WATCHED = 50
_WORDS = " the quick brown"
_SETTLE_S = 0.5


def measure(options: Options) -> None:
    """Rounds of floor, ours and naive, taken in turn; medians."""
    with PostgresServer.opened() as postgres:
        for streams in options.streams or (1000, 4000):
            _measure(postgres, streams, options)


def _measure(postgres: PostgresServer, streams: int, options: Options) -> None:
    rounds: list[tuple[Figures, Figures, Figures]] = []
    for _ in range(options.rounds):
        with postgres.database() as endpoint:
            rounds.append(options.run(_round(endpoint.dsn(), streams, options)))
    floor, ours, naive = (middle(column) for column in zip(*rounds, strict=True))
    offered = f"{streams:,} streams x {options.rate:g} rows/s"
    report(table(offered, {"floor": floor, "ours": ours, "naive": naive}))
    report(ratio("rows/s, ours over naive", ours["rows/s"], naive["rows/s"]))
    report(ratio("rows/s, ours over the floor", ours["rows/s"], floor["rows/s"]))
    report(ratio("commit p99, ours over the floor", ours["commit p99 ms"], floor["commit p99 ms"]))
    report("")


async def _round(dsn: str, streams: int, options: Options) -> tuple[Figures, Figures, Figures]:
    async with run_logs.opened(dsn) as run_log:
        runs = await run_logs.admitted(run_log, streams)
        rate, seconds = options.rate, options.seconds
        floor = await baselines.floor(dsn, streams=streams, rate=rate, seconds=seconds)
        ours = await _ours(dsn, run_log, runs, options)
        naive = await baselines.naive(dsn, streams=streams, seconds=seconds)
    return floor, ours, naive


async def _ours(dsn: str, run_log: RunLog, runs: list[RunId], options: Options) -> Figures:
    """The product's writer; some of the runs are read, as a reader of this process reads them."""
    waits = _flush_times(run_log)
    seen: list[float] = []
    before = await _rows(dsn)
    async with asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(_watch(run_log, run, seen)) for run in runs[:_WATCHED]]
        await asyncio.sleep(_SETTLE_S)
        waits.clear()
        cpu, began = time.process_time(), time.monotonic()

        async def append(stream: int) -> None:
            words = f"{time.monotonic():.6f}{_WORDS}" if stream < _WATCHED else _WORDS
            await run_log.writer.append(runs[stream], TextAppended(words, 0))

        await paced(append, streams=len(runs), rate=options.rate, seconds=options.seconds)
        used, elapsed = time.process_time() - cpu, time.monotonic() - began
        await asyncio.sleep(_SETTLE_S)
        for reader in readers:
            reader.cancel()
    rows = await _rows(dsn) - before
    return (
        {"rows/s": rows / elapsed, "CPU s per 100k rows": used / rows * 1e5}
        | milliseconds("commit", waits)
        | milliseconds("append to visible", seen)
    )


def _flush_times(run_log: RunLog) -> list[float]:
    """Fills up with the seconds of each flush: numbered, encoded, committed and published."""
    waits: list[float] = []
    writer = run_log.writer
    flush = writer._flush

    async def timed() -> None:
        began = time.monotonic()
        await flush()
        waits.append(time.monotonic() - began)

    writer._flush = timed
    return waits


async def _watch(run_log: RunLog, run: RunId, seen: list[float]) -> None:
    """Note how old the oldest word of each event is when it is seen."""
    async with run_log.reader.tail(run, 0) as items:
        async for item in items:
            match item:
                case LoggedEvent(event=TextAppended(text=text)):
                    seen.append(time.monotonic() - float(text.partition(" ")[0]))
                case _:
                    pass


async def _rows(dsn: str) -> int:
    connection: Any = await asyncpg.connect(dsn)
    count: int = await connection.fetchval("SELECT count(*) FROM run_events")
    await connection.close()
    return count
