"""How many rows a second the run log makes durable, how long a commit takes, and against whom."""

import asyncio
import time
from typing import Any

import asyncpg
from tests.benchmarks import rivals, run_logs
from tests.benchmarks.figures import Figures, middle, milliseconds, ratio, say, table
from tests.benchmarks.pacing import paced
from tests.benchmarks.stage import Stage
from tests.benchmarks.switches import Switches

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.events import LoggedEvent, TextAppended
from cartrita.kit.ids import RunId

_WATCHED = 50
_WORDS = " the quick brown"
_SETTLE_S = 0.5


def measure(switches: Switches) -> None:
    """Rounds of floor, ours and naive, taken in turn; medians."""
    with Stage.opened() as stage:
        for streams in switches.streams or (1000, 4000):
            _measure(stage, streams, switches)


def _measure(stage: Stage, streams: int, switches: Switches) -> None:
    rounds: list[tuple[Figures, Figures, Figures]] = []
    for _ in range(switches.rounds):
        with stage.database() as endpoint:
            rounds.append(switches.run(_round(endpoint.dsn(), streams, switches)))
    floor, ours, naive = (middle(column) for column in zip(*rounds, strict=True))
    offered = f"{streams:,} streams x {switches.rate:g} rows/s"
    say(table(offered, {"floor": floor, "ours": ours, "naive": naive}))
    say(ratio("rows/s, ours over naive", ours["rows/s"], naive["rows/s"]))
    say(ratio("rows/s, ours over the floor", ours["rows/s"], floor["rows/s"]))
    say(ratio("commit p99, ours over the floor", ours["commit p99 ms"], floor["commit p99 ms"]))
    say("")


async def _round(dsn: str, streams: int, switches: Switches) -> tuple[Figures, Figures, Figures]:
    async with run_logs.opened(dsn) as run_log:
        runs = await run_logs.admitted(run_log, streams)
        rate, seconds = switches.rate, switches.seconds
        floor = await rivals.floor(dsn, streams=streams, rate=rate, seconds=seconds)
        ours = await _ours(dsn, run_log, runs, switches)
        naive = await rivals.naive(dsn, streams=streams, seconds=seconds)
    return floor, ours, naive


async def _ours(dsn: str, run_log: RunLog, runs: list[RunId], switches: Switches) -> Figures:
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

        await paced(append, streams=len(runs), rate=switches.rate, seconds=switches.seconds)
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
    async with run_log.reader.tail(run, 0) as told:
        async for item in told:
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
